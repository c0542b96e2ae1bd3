"""Arguments and options that several commands share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from nxscatter.workflow.process import Conversion

Inputs: TypeAlias = Annotated[list[str], typer.Argument(metavar="INPUT...", help="Files, folders or globs.")]
Containers: TypeAlias = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Containers.")]
OneContainer: TypeAlias = Annotated[Path, typer.Argument(metavar="FILE", help="Container.")]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Masks: TypeAlias = Annotated[
    list[str] | None, typer.Option("--mask", metavar="FILE", help="Mask file, non-zero = ignore; may be repeated.")
]
Reader: TypeAlias = Annotated[str | None, typer.Option("--reader", metavar="NAME", help="Reader of the raw files.")]


def conversion(
    reader: Reader = None,
    poni: Annotated[
        Path | None,
        typer.Option(
            "--poni", metavar="FILE", resolve_path=True, help="pyFAI calibration in place of the file's geometry."
        ),
    ] = None,
    units: Annotated[
        str | None,
        typer.Option("--units", metavar="U", help="Units that the file leaves out: mm, or distance=mm,wavelength=nm."),
    ] = None,
    orient: Annotated[
        str | None, typer.Option("--orient", metavar="O", help="RasterOrientation 1..8 in place of the header's.")
    ] = None,
    sample: Annotated[
        str | None, typer.Option("--sample", metavar="S", help="Sample name in place of the file's.")
    ] = None,
    field: Annotated[
        float | None, typer.Option("--field-mT", metavar="B", help="Magnetic field (mT) in place of the file's.")
    ] = None,
    aux_dir: Annotated[
        Path | None,
        typer.Option(
            "--aux-dir", metavar="DIR", resolve_path=True, help="Where files that a header names are looked for."
        ),
    ] = None,
    compression: Annotated[
        str, typer.Option("--compression", metavar="C", help="bitshuffle; gzip opens without a plugin.")
    ] = "bitshuffle",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a container of another raw file or of other options.")
    ] = False,
) -> "Conversion":
    """Return how raw files become containers."""
    from nxscatter.readers.base import ReadOptions
    from nxscatter.workflow.process import Conversion

    options = ReadOptions(poni=poni, units=units, orient=orient, sample=sample, field_mT=field, aux_dir=aux_dir)
    return Conversion(reader, options, compression=compression, overwrite=overwrite)

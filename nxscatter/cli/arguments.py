"""Arguments and options that several commands share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

if TYPE_CHECKING:
    from nxscatter.readers.base import ReadOptions

Reading: TypeAlias = "tuple[str | None, ReadOptions]"
Inputs: TypeAlias = Annotated[list[str], typer.Argument(metavar="INPUT...", help="Files, folders or globs.")]
Containers: TypeAlias = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Containers.")]
OneContainer: TypeAlias = Annotated[Path, typer.Argument(metavar="FILE", help="Container.")]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Masks: TypeAlias = Annotated[
    list[str] | None, typer.Option("--mask", metavar="FILE", help="Mask file, non-zero = ignore; may be repeated.")
]
Reader: TypeAlias = Annotated[str | None, typer.Option("--reader", metavar="NAME", help="Reader of the raw files.")]


def reading(
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
        str | None,
        typer.Option(
            "--orient",
            metavar="O",
            help="RasterOrientation 1..8 in place of the file's, or flip-x, flip-y, flip-xy of the image.",
        ),
    ] = None,
    swap_center: Annotated[
        bool, typer.Option("--swap-center", help="Exchange x and y of the centre (and of a writer's tilts).")
    ] = False,
    rebin_poni: Annotated[
        bool, typer.Option("--rebin-poni", help="Scale the calibration to frames that were binned otherwise.")
    ] = False,
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
) -> "Reading":
    """Return how raw files are read: the reader's name, None for the one that recognises a file, and its options."""
    from nxscatter.readers.base import ReadOptions

    return reader, ReadOptions(
        poni=poni,
        units=units,
        orient=orient,
        sample=sample,
        field_mT=field,
        aux_dir=aux_dir,
        swap_center=swap_center,
        rebin_poni=rebin_poni,
    )


def storing(
    compression: Annotated[
        str, typer.Option("--compression", metavar="C", help="bitshuffle; gzip opens without a plugin.")
    ] = "bitshuffle",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a container of another raw file or of other options.")
    ] = False,
) -> dict[str, Any]:
    """Return how containers are stored."""
    return {"compression": compression, "overwrite": overwrite}

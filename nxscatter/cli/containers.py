"""Whole containers: compared, rewritten, turned back into raw files: diff, repack, extract."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nxscatter.cli import arguments as arg
from nxscatter.cli.app import command, log
from nxscatter.cli.output import echo_json, echo_table

if TYPE_CHECKING:
    from nxscatter.output.compare import Difference


@command()
def diff(
    first: Annotated[Path, typer.Argument(metavar="A.nxs", help="Container.")],
    second: Annotated[Path, typer.Argument(metavar="B.nxs", help="Container to compare it with.")],
    as_json: arg.Json = False,
) -> None:
    """Tell what two containers differ in.

    Measurement, parameters and results of the newest records, and by how much.
    """
    from nxscatter.output.compare import compare
    from nxscatter.store.container import Container

    found = compare(Container(first), Container(second))
    if as_json:
        echo_json([asdict(difference) for difference in found])
    elif found:
        rows = [(difference.where, difference.what, difference.name, *_told(difference)) for difference in found]
        echo_table(rows, ("where", "what", "name", first.name, second.name, "differ", "largest", "relative"))
    else:
        typer.echo("no difference")


@command()
def repack(file: arg.OneContainer) -> None:
    """Rewrite a container compactly.

    Nothing is dropped: all records, checksums and frames stay as they are.
    """
    from nxscatter.store.repack import repack

    before, after = repack(file)
    log.info("%d bytes became %d", before, after)
    typer.echo(str(file))


@command()
def extract(
    file: arg.OneContainer,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Where to write.")],
    kind: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="raw, or poni for the geometry in use.")
    ] = "raw",
) -> None:
    """Write the raw file again, or the geometry in use.

    HDF5 or EDF with the original header, the same counts bit for bit, and the masks that came with it. The geometry
    goes into a PONI file: refined, set, or the header's.
    """
    from nxscatter.errors import ParameterError
    from nxscatter.output.poni import extract_poni
    from nxscatter.output.raw_file import extract
    from nxscatter.store.container import Container

    if kind not in ("raw", "poni"):
        raise ParameterError(f"--format {kind}: use raw or poni")
    container = Container(file)
    for path in [extract_poni(container, output)] if kind == "poni" else extract(container, output):
        typer.echo(str(path))


def _told(difference: "Difference") -> tuple[object, ...]:
    number = (
        None if difference.differing is None or difference.size == 1 else f"{difference.differing} of {difference.size}"
    )
    return difference.first, difference.second, number, difference.largest, difference.relative

"""Many containers as one table: series."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nxscatter.cli.app import command, log
from nxscatter.cli.each import each

if TYPE_CHECKING:
    from nxscatter.series.series import Series


@command()
def series(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="SERIES.nxs", help="Where to write.")],
    files: Annotated[list[Path] | None, typer.Argument(metavar="FILE...", help="Containers.")] = None,
    axis: Annotated[
        str | None, typer.Option(metavar="AXIS", help="field or time; by default the field where it varies.")
    ] = None,
    r2_threshold: Annotated[
        float, typer.Option(metavar="R2", help="R2 of a fit below which its points are faint in the figure.")
    ] = 0.85,
    folder: Annotated[
        Path | None, typer.Option("--follow", metavar="DIR", help="Write again whenever files arrive there.")
    ] = None,
) -> int:
    """Gather containers in one table.

    A NeXus file of all results against field or time, with the table as CSV and a figure beside it. Points are files
    or frames, so that sweeps up and down stay apart.
    """
    from nxscatter.errors import ParameterError
    from nxscatter.series.members import read_member
    from nxscatter.series.series import make_series
    from nxscatter.store.access import is_series

    if (folder is None) == (not files):
        raise ParameterError("name the containers of the series, or the folder to --follow")
    if output.suffix != ".nxs":
        raise ParameterError(f"-o {output}: name a file ending in .nxs")
    if folder is not None:
        return _follow(folder, output, axis, r2_threshold)
    paths = [path for path in files or () if not is_series(path)]  # the last one may lie among its members
    members, failed = each(read_member, paths, len(paths) == 1)
    _write(make_series(members, axis), output, r2_threshold)
    return 1 if failed else 0


def _follow(folder: Path, output: Path, axis: str | None, r2_threshold: float) -> int:
    from nxscatter.series.follow import follow

    log.info("waiting for containers in %s; stop with Ctrl-C", folder)
    try:
        for found in follow(folder, axis):
            _write(found, output, r2_threshold)
    except KeyboardInterrupt:
        log.info("stopped")
    return 0


def _write(found: "Series", output: Path, r2_threshold: float) -> None:
    from nxscatter.series.file import write

    for path in write(found, output, r2_threshold):
        typer.echo(str(path))
    log.info("%d files, %d rows against %s", len(found.members), len(found.rows), found.axis)

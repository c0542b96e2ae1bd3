"""The demonstration: raw files with known truth, processed and exported."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nxscatter.cli.app import command, log
from nxscatter.cli.output import echo_table


@command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to work.")] = Path("nxscatter-demo"),
) -> None:
    """Try it on simulated data.

    Makes a small field series with known truth, processes and exports it, and prints S beside the truth.
    """
    from nxscatter.output.export import export
    from nxscatter.simulate import demo

    series = demo.make_series(folder)
    log.info("%d simulated raw files in %s", len(series), folder / "raw")
    rows: list[dict[str, Any]] = []
    containers = []
    for measurement in series:
        containers.append(demo.process(measurement, folder))
        log.info("%s", containers[-1].path.name)
        rows += demo.compare(measurement, containers[-1])
    files = export(containers, folder / "export")
    log.info("%d exported files in %s", len(files), folder / "export")
    echo_table(
        ([round(value, 4) if isinstance(value, float) else value for value in row.values()] for row in rows),
        list(rows[0]),
    )
    log.info("look at one with: nxscatter view %s", containers[-1].path)

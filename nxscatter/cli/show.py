"""What is in a container: history, show, table, view."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nxscatter.cli import arguments as arg
from nxscatter.cli.app import command, log
from nxscatter.cli.each import each
from nxscatter.cli.output import echo_json, echo_table

if TYPE_CHECKING:
    from nxscatter.store.container import Container
    from nxscatter.store.record import Record

_TABLE = ("file", "field_mT", "frame", "q", "hkl", "peak", "model", "x0", "S", "S_error", "S_method", "status")


@command()
def history(file: arg.OneContainer, as_json: arg.Json = False) -> None:
    """Show the records of a container as a tree.

    What was made from what, when, with which parameters; stale: made from an input of which there is a newer version.
    """
    from nxscatter.store.container import Container

    container = Container(file)
    if as_json:
        echo_json([_entry(record) for record in container.records])
        return
    from nxscatter.cli.lineage_tree import echo_lineage

    echo_lineage(container)


@command()
def show(file: arg.OneContainer, as_json: arg.Json = False) -> None:
    """Show what a container holds on one screen.

    Sample, geometry, frames, source, warnings, and the newest order parameters with their errors.
    """
    from nxscatter.output.table import rows
    from nxscatter.store.container import Container

    container = Container(file)
    summary = _summary(container)
    results = rows(container)
    if as_json:
        echo_json([{**summary, "results": results}])
        return
    from nxscatter.cli.screen import echo_screen

    echo_screen(container, summary["warnings"], results, summary["geometry_used"])


@command()
def table(
    files: arg.Containers,
    as_json: arg.Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Every version of each record.")] = False,
) -> int:
    """Print fits and order parameters.

    One row a file, frame, ring, peak and method.
    """
    from nxscatter.output.table import columns, rows
    from nxscatter.store.container import Container

    def read(file: Path) -> list[dict[str, Any]]:
        container = Container(file)
        made = rows(container, every)
        records = [container.record(name) for name in dict.fromkeys(row["record"] for row in made)]
        for note in dict.fromkeys(note for record in records for note in record.notes):
            log.warning("%s: %s", container.path.name, note)
        for doubt in dict.fromkeys(doubt for record in records for doubt in record.doubts):
            log.warning("%s: %s: %s", container.path.name, doubt.status, doubt.reason)
        return made

    tables, failed = each(read, files, len(files) == 1)
    found = [row for table in tables for row in table]
    if as_json:
        echo_json(found)
    elif as_csv:
        from nxscatter.output.formats.csv import csv_text

        names = columns(found)
        typer.echo(csv_text(names, ([row.get(name) for name in names] for row in found)), nl=False)
    else:
        _echo_results(found)
    return 1 if failed else 0


@command()
def view(file: arg.OneContainer) -> int:
    """Open a container or a series in silx view."""
    import subprocess
    import sys
    from importlib.util import find_spec
    from pathlib import Path

    from nxscatter.errors import NxscatterError
    from nxscatter.store.access import is_series
    from nxscatter.store.container import Container

    path = Path(file)
    path = path if is_series(path) else Container(path).path
    silx = Path(sys.executable).with_name("silx")
    if not silx.exists() or not any(map(find_spec, ("PySide6", "PyQt6", "PyQt5"))):
        raise NxscatterError('silx view is not installed here; run: pip install "nxscatter[view]"')
    return subprocess.run([silx, "view", path], check=False).returncode


def _entry(record: "Record") -> dict[str, Any]:
    return {
        "sequence": record.sequence,
        "name": record.name,
        "step": record.step,
        "step_version": record.step_version,
        "program_version": record.program_version,
        "date": record.date,
        "parameters": record.parameters,
        "inputs": {key: [vars(source) for source in sources] for key, sources in record.inputs.items()},
        "checksum": record.checksum,
        "stale": record.stale,
    }


def _geometry(container: "Container") -> dict[str, Any] | None:
    """Return the geometry that is used, None before there is one; its centre counts from the edge of the image."""
    from nxscatter.results import Geometry
    from nxscatter.store.selection import newest, of_kind

    records = of_kind(newest(container.records), Geometry)
    if not records:
        return None
    geometry = records[-1].load_as(Geometry)
    return {
        "record": records[-1].name,
        "wavelength_angstrom": geometry.wavelength,
        "distance_m": geometry.distance,
        "center_x_pixel": geometry.center_x,
        "center_y_pixel": geometry.center_y,
        "rot1_degree": geometry.rot1,
        "rot2_degree": geometry.rot2,
        "rot3_degree": geometry.rot3,
    }


def _summary(container: "Container") -> dict[str, Any]:
    from nxscatter.store.selection import newest

    frames, rows, columns = container.shape
    detector, sample, origin = container.detector, container.sample, container.origin
    start, end = container.start_time, container.end_time
    return {
        "file": str(container.path),
        "title": container.title,
        "sample": sample.name,
        "field_mT": sample.magnetic_field,
        "start_time": None if start is None else start.isoformat(),
        "end_time": None if end is None else end.isoformat(),
        "instrument": container.instrument,
        "detector": detector.name,
        "frames": frames,
        "rows": rows,
        "columns": columns,
        "wavelength_angstrom": container.beam.wavelength,
        "distance_m": detector.distance,
        "pixel_size_x_m": detector.pixel_size_x,
        "pixel_size_y_m": detector.pixel_size_y,
        "center_x_pixel": detector.center_x,
        "center_y_pixel": detector.center_y,
        "geometry_used": _geometry(container),
        "source": origin.file_name,
        "reader": origin.reader,
        "sha256": origin.sha256,
        "notes": list(origin.notes),
        "warnings": list(dict.fromkeys(note for record in newest(container.records) for note in record.notes)),
        "records": [record.name for record in container.records],
    }


def _echo_results(rows: list[dict[str, Any]]) -> None:
    shown = [name for name in _TABLE if any(row[name] is not None for row in rows)]
    echo_table(([row[name] for name in shown] for row in rows), shown)

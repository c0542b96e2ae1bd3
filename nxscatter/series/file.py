"""A series as a NeXus file, with its table as CSV and its figure beside it."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscatter.errors import ContainerError
from nxscatter.output import table
from nxscatter.output.figures.canvas import figure_png, samples_title
from nxscatter.output.figures.summary import draw_summary
from nxscatter.output.files import write_file
from nxscatter.output.formats.csv import csv_text
from nxscatter.series.curves import plots
from nxscatter.series.series import AXES, Series, columns
from nxscatter.store.access import is_series
from nxscatter.store.layout import SERIES_CREATOR
from nxscatter.store.nexus import hdf5
from nxscatter.store.nexus.codec import write_plot
from nxscatter.store.nexus.transaction import Lock, replacing
from nxscatter.store.nexus.tree import Group
from nxscatter.version import __version__

if TYPE_CHECKING:
    from nxscatter.plain import Json

R2_THRESHOLD = 0.85  # the one that people's scripts have always used
_SIZE = (8.0, 6.4)  # inches
_NAMES = {"field_mT": ("magnetic_field", "mT"), "time_s": ("time", "s"), "elapsed_s": ("elapsed", "s")}
_WHOLE = {"frame": -1, "peak": 0, "sweep": 0}  # and what stands for none
_TEXTS = (
    *("file", "start_time", "direction", "record", "sample", "hkl"),
    *("angle", "reflection", "model", "S_method", "status", "reason"),
)


def write(series: Series, path: Path | str, r2_threshold: float = R2_THRESHOLD) -> list[Path]:
    """Write a series, and beside it its table as CSV and a figure of position, width and S.

    Parameters
    ----------
    series : Series
        What to write.
    path : path
        The NeXus file; an older series is replaced. What is as it should be is left alone.
    r2_threshold : float
        R2 of a fit below which its points are faint in the figure.

    Returns
    -------
    list of Path
        The NeXus file, the CSV file and the figure.

    Raises
    ------
    ContainerError
        When there is nothing to show, the file is something else, or it cannot be written.
    """
    path = Path(path).expanduser().resolve()
    if not series.rows:
        raise ContainerError(f"{path}: none of {len(series.members)} files has a fit; run nxscatter process on them")
    if path.exists() and not is_series(path):
        raise ContainerError(f"{path}: is no series; choose another name with -o")
    content = _nexus(series)
    path.parent.mkdir(parents=True, exist_ok=True)
    with Lock(path), replacing(path) as temporary:
        if not path.exists() or path.read_bytes() != content:
            temporary.write_bytes(content)
    rows = [{**row, "elapsed_s": row["time_s"]} for row in series.rows]
    samples = samples_title(row["sample"] for row in rows)
    axis = {"time_s": "elapsed_s"}.get(AXES[series.axis], AXES[series.axis])
    figure = figure_png(_SIZE, draw_summary, rows, axis, samples, r2_threshold)
    return [
        path,
        write_file(path.with_suffix(".csv"), table_text(series).encode()),
        write_file(path.with_suffix(".png"), figure),
    ]


def table_text(series: Series) -> str:
    """Return the table as CSV, units in the header; what is not known is an empty cell."""
    shown = _columns(series)
    header = [f"{name} ({table.units(name)})" if table.units(name) else name for name in shown]
    return csv_text(header, ([row.get(name) for name in shown] for row in series.rows))


def _columns(series: Series) -> tuple[str, ...]:
    shown = table.shown_columns(series.rows)
    return tuple(name for name in columns(series.rows) if name in shown or name not in table.columns())


def _nexus(series: Series) -> bytes:
    """Return the bytes of the NeXus file."""
    import h5py

    memory = io.BytesIO()
    with h5py.File(memory, "w", libver=("earliest", "v110")) as file:
        file.attrs.update(NX_class="NXroot", default="entry", creator=SERIES_CREATOR, creator_version=__version__)
        drawn = plots(series)
        entry = Group("/entry", NX_class="NXentry", default=drawn[0].name if drawn else "table", target="/entry")
        _add_head(entry, series)
        _add_members(entry.group("members", "NXcollection"), series)
        _add_table(entry, series)
        for plot in drawn:
            write_plot(entry, plot)
        hdf5.write(file, "entry", entry)
    return memory.getvalue()


def _add_head(entry: Group, series: Series) -> None:
    samples = ", ".join(dict.fromkeys(member.sample for member in series.members))
    entry.field("title", f"{samples} against {series.axis}, {len(series.members)} files")
    starts = [member.start.isoformat() for member in series.members if member.start is not None]
    if starts:
        entry.field("start_time", starts[0])
    process = entry.group("series", "NXprocess")
    process.field("program", "nxscatter")
    process.field("version", __version__)
    process.group("parameters", "NXparameters").field("axis", series.axis)


def _add_members(group: Group, series: Series) -> None:
    """Add which containers the series is made from, by name and content hash, in order of time."""
    members = series.members
    starts = [None if member.start is None else member.start.isoformat() for member in members]
    _add_columns(
        group,
        {
            "file": series.names,
            "checksum": [member.checksum for member in members],
            "source": [member.source for member in members],
            "source_checksum": [member.source_checksum for member in members],
            "sample": [member.sample for member in members],
            "start_time": starts,
            "time_s": series.times,
            "field_mT": [member.field for member in members],
            "direction": series.directions,
            "sweep": series.sweeps,
            "frames": [member.frames for member in members],
        },
    )
    group.field("algorithm", "sha256")


def _add_table(entry: Group, series: Series) -> None:
    data = entry.group("table", "NXdata", signal="S", axes=["row"], row_indices=0)
    _add_columns(data, {name: [row.get(name) for row in series.rows] for name in _columns(series)})
    data.field("row", np.arange(len(series.rows)))


def _add_columns(group: Group, values: dict[str, Sequence[Json]]) -> None:
    for name, column in values.items():
        stored, units = _NAMES.get(name, (name.replace("_error", "_errors"), table.units(name)))
        group.field(stored, _column(name, column), units)


def _column(name: str, values: Iterable[Any]) -> Any:
    if name in _WHOLE:
        return np.array([_WHOLE[name] if value is None else value for value in values])
    if name in _TEXTS or all(isinstance(value, str) for value in values):
        return tuple("" if value is None else value for value in values)
    return np.array([np.nan if value is None else value for value in values])

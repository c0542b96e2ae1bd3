"""CSV files: profiles, and the table of fits and order parameters.

Numbers are written so that reading them gives the same numbers; one without a value is ``nan`` in a profile and an
empty cell in the table.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscatter.output.files import write_file
from nxscatter.output.formats.few_counts import curve_errors
from nxscatter.output.names import Names, frame_suffix, record_suffix, ring_names
from nxscatter.output.selection import shown_rows
from nxscatter.output.table import Row, shown_columns, units
from nxscatter.results import PixelProfiles, Profiles, Result, Rings, Sectors
from nxscatter.store.selection import of_kind

if TYPE_CHECKING:
    from nxscatter.model import Floats
    from nxscatter.output.selection import Selection
    from nxscatter.plain import Json
    from nxscatter.store.container import Container
    from nxscatter.store.record import Record

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export(container: Container, folder: Path, records: Sequence[Record]) -> list[Path]:
    """Write the azimuthal, radial and pixel profiles of a container, one file a ring or sector, and frame."""
    names = Names.of(container)
    written = []
    for kind, files in _WRITERS.items():
        for record in of_kind(records, kind):
            for name, text in files(names.shown(record), record.load(), record_suffix(record, kind)):
                written.append(write_file(folder / name, text.encode()))
    return written


def export_table(selections: Sequence[Selection], folder: Path) -> list[Path]:
    """Write the table of all containers, one file for each of SAXS, WAXS and USAXS."""
    tables: dict[Path, list[Row]] = {}
    for selection in selections:
        for view, found in shown_rows(selection):
            tables.setdefault(selection.names.by(view).refinements, []).extend(found)
    return [write_file(folder / name, table_text(table).encode()) for name, table in tables.items() if table]


def table_text(table: Iterable[Row]) -> str:
    """Return rows of the table as CSV, units in the header; what is not known is an empty cell."""
    rows = list(table)
    shown = shown_columns(rows)
    header = [f"{name} ({units(name)})" if units(name) else name for name in shown]
    return csv_text(header, ([row.get(name) for name in shown] for row in rows))


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Json]]) -> str:
    """Return CSV with a header line, made of Python values."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: Json) -> Any:
    # a spreadsheet would run such a text as a formula
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _profiles(names: Names, profiles: Profiles, suffix: str) -> Iterable[tuple[Path, str]]:
    header = [f"{profiles.angle} (degree)", f"intensity ({profiles.units})", f"sigma ({profiles.units})", "pixels"]
    labels = ring_names(profiles.q.tolist(), profiles.hkl)
    for (frame, ring), text in _stack(header, profiles.bins, profiles):
        yield names.azimuthal_profile(labels[ring], suffix + frame_suffix(frame)), text


def _sectors(names: Names, sectors: Sectors, suffix: str) -> Iterable[tuple[Path, str]]:
    header = ["q (1/angstrom)", f"intensity ({sectors.units})", f"sigma ({sectors.units})", "pixels"]
    for (frame, sector), text in _stack(header, sectors.q, sectors):
        yield names.radial_profile(f"sector{sector + 1:02d}", suffix + frame_suffix(frame)), text


def _stack(
    header: Sequence[str], axis: Floats, result: Profiles | Sectors
) -> Iterable[tuple[tuple[int | None, int], str]]:
    """Give the CSV of each frame (None for the mean) and curve."""
    mean = result.intensity.ndim == 2
    for frame, curve in np.ndindex(result.stack.shape[:2]):
        intensity, errors = result.stack[frame, curve], result.stack_errors[frame, curve]
        content = (axis, intensity, curve_errors(intensity, errors), result.pixels[curve])
        yield (None if mean else frame, curve), _columns_text(header, content)


def _pixels(names: Names, pixels: PixelProfiles, suffix: str) -> Iterable[tuple[Path, str]]:
    header = [f"{pixels.angle} (degree)", f"intensity ({pixels.units})", "row", "column"]
    for ring, label in enumerate(ring_names(pixels.q.tolist(), pixels.hkl)):
        part = pixels.ring(ring)
        content = (pixels.pixel_angle[part], pixels.intensity[part], pixels.row[part], pixels.column[part])
        yield names.azimuthal_profile(label, f"_pixels{suffix}"), _columns_text(header, content)


def _radial(names: Names, rings: Rings, suffix: str) -> Iterable[tuple[Path, str]]:
    header = ["q (1/angstrom)", f"intensity ({rings.units})", f"sigma ({rings.units})"]
    content = (rings.radial_q, rings.intensity, curve_errors(rings.intensity, rings.intensity_errors))
    yield names.radial_profile("full", suffix), _columns_text(header, content)


def _columns_text(header: Sequence[str], arrays: Sequence[Any]) -> str:
    return csv_text(header, zip(*(array.tolist() for array in arrays), strict=True))


_WRITERS: dict[type[Result], Callable[[Names, Any, str], Iterable[tuple[Path, str]]]] = {
    Profiles: _profiles,
    PixelProfiles: _pixels,
    Rings: _radial,
    Sectors: _sectors,
}

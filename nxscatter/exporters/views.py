"""The views of records: what their files are called, and what of them a summary shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from nxscatter.step import make_step
from nxscatter.steps.views import MapView, Naming, View
from nxscatter.table import newest

if TYPE_CHECKING:
    from nxscatter.container import Container
    from nxscatter.exporters import Selection
    from nxscatter.record import Record
    from nxscatter.table import Row


def view_of(container: Container, base: str) -> Naming:
    """Return how the records called ``base`` (without version) are shown: as was last asked for, or as usual."""
    for record in reversed(container.records):
        if record.step in (View.name, MapView.name) and viewed(record).base == base:
            view = make_step(record.step, record.parameters)
            assert isinstance(view, Naming)
            if not isinstance(view, MapView) or view.kind == "map":
                return view
    return View()


def viewed(view: Record) -> Record:
    """Return the record that a view is of: an image, profiles, sectors or fits."""
    (source,) = view.inputs["image" if view.step == MapView.name else "shown"]
    return next(parent for parent in view.parents if parent.path == source.path)


def map_views(records: Sequence[Record]) -> list[Record]:
    """Return the views of maps among the records, of each the newest version."""
    return newest(record for record in records if record.step == MapView.name)


def shown_rows(selection: Selection) -> Iterator[tuple[Naming, list[Row]]]:
    """Give the rows of the table that belong to each name of a record, with the view of it.

    In a series against time, ``elapsed_s`` counts from the first measurement of the series.
    """
    by_base: dict[str, list[Row]] = {}
    for row in selection.rows:
        by_base.setdefault(row["record"].rsplit("_v", 1)[0], []).append(row)
    for base, rows in by_base.items():
        view = view_of(selection.container, base)
        if view.time is not None:
            rows = [{**row, "elapsed_s": view.time + (row["elapsed_s"] or 0.0)} for row in rows]
        yield view, rows


def accepted(view: Naming, rows: list[Row]) -> list[Row]:
    """Return the rows that enter a summary: fits of less than the R2 asked for do not."""
    least = view.r2_threshold if isinstance(view, View) else None
    return [row for row in rows if least is None or row["R2"] is None or row["R2"] >= least]

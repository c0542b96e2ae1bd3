"""The views of records: what their files are called, and what of them a summary shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nxscatter.step import make_step
from nxscatter.steps.views import MapView, Naming, View
from nxscatter.store.selection import newest

if TYPE_CHECKING:
    from nxscatter.store.record import Record, RecordFile


def view_of(container: RecordFile, base: str) -> Naming:
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

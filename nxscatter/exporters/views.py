"""The views of records: what their files are called, and what of them a summary shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nxscatter.step import make_step
from nxscatter.steps.views import MapView, Naming, View

if TYPE_CHECKING:
    from nxscatter.container import Container


def view_of(container: Container, base: str) -> Naming:
    """Return how the records called ``base`` (without version) are shown: as was last asked for, or as usual."""
    for record in reversed(container.records):
        if record.step in (View.name, MapView.name) and record.parents[0].base == base:
            view = make_step(record.step, record.parameters)
            assert isinstance(view, Naming)
            if not isinstance(view, MapView) or view.output == "map":
                return view
    return View()


def fit_view(container: Container, base: str) -> View:
    """Return how the fits called ``base`` are shown."""
    view = view_of(container, base)
    assert isinstance(view, View)
    return view

"""What a viewer shows of a result: curves and images that are only for looking at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nxscatter.model import Floats

_FEW = 5  # places on an axis up to which points are drawn as level lines
_PARTS = 4  # of the axis for each place: both ends and the middle of a level line, and the gap behind it


@dataclass(frozen=True)
class Plot:
    """One NXdata that is only for looking at: curves over one axis, or an image over two.

    Parameters
    ----------
    name : str
        Name of the NXdata group.
    signal : str
        Which of ``values`` is drawn.
    axes : tuple of str
        Which of ``values`` are the axes, slowest first.
    values : mapping of str to (array, units, long name)
        Signal, axes and further curves; ``X_errors`` beside ``X``.
    auxiliary : tuple of str
        Further curves drawn over the same axis.
    title : str
        Title of the plot. It names the quantity, since viewers leave the vertical axis of curves without a name.
    """

    name: str
    signal: str
    axes: tuple[str, ...]
    values: Mapping[str, tuple[Any, str, str]]
    auxiliary: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True)
class Axis:
    """The horizontal axis of curves: its name, units and values."""

    name: str
    units: str
    values: Floats

    @property
    def entry(self) -> tuple[Floats, str, str]:
        """Values, units and long name."""
        return self.values, self.units, f"{self.name} ({self.units})" if self.units else self.name


@dataclass(frozen=True)
class Curve:
    """Values over an axis, with their standard errors, NaN where there are none."""

    label: str
    values: Floats
    errors: Floats


def curves(name: str, kind: str, drawn: Sequence[Curve], axis: Axis, units: str = "counts", title: str = "") -> Plot:
    """Draw labelled curves over one axis, stored as ``KIND_1``, ``KIND_2``, ...; the first has the focus."""
    values: dict[str, tuple[Any, str, str]] = {}
    for number, curve in enumerate(drawn, 1):
        values[f"{kind}_{number}"] = (curve.values, units, curve.label)
        values[f"{kind}_{number}_errors"] = (curve.errors, units, "")
    values[axis.name] = axis.entry
    others = tuple(f"{kind}_{number}" for number in range(2, len(drawn) + 1))
    return Plot(name, f"{kind}_1", (axis.name,), values, others, title)


def scattered(
    name: str, kind: str, points: Sequence[tuple[str, float, float, float]], axis: tuple[str, str], title: str = ""
) -> Plot:
    """Draw points of a pure number with their standard errors, one curve a label.

    Viewers draw no symbols, so that a point without neighbours would not be seen: on an axis of few values, each
    point is a short level line with its error bar in the middle.

    Parameters
    ----------
    name, kind, title : str
        As for `curves`.
    points : sequence of (label, place, value, error)
        Of one label, every place at most once.
    axis : (name, units)
        Of the places.
    """
    places = np.unique([float(place) for _, place, _, _ in points]) if points else np.zeros(1)
    lone = len(places) <= _FEW
    grid = _with_ends(places) if lone else places
    drawn: dict[str, Curve] = {}
    for label, place, value, error in points:
        curve = drawn.setdefault(label, Curve(label, np.full(len(grid), np.nan), np.full(len(grid), np.nan)))
        at = int(np.searchsorted(places, place)) * (_PARTS if lone else 1)
        curve.values[at : at + (_PARTS - 1 if lone else 1)] = value
        curve.errors[at + (1 if lone else 0)] = error
    nothing = np.full(len(grid), np.nan)
    return curves(name, kind, list(drawn.values()) or [Curve(kind, nothing, nothing)], Axis(*axis, grid), "", title)


def _with_ends(places: Floats) -> Floats:
    """Return left end, middle, right end and gap of each of the ascending places."""
    nearest = np.min(np.diff(places), initial=np.inf)
    half = 0.2 * (nearest if np.isfinite(nearest) else abs(places[0]) or 1.0)
    return np.asarray((places[:, np.newaxis] + half * np.array([-1.0, 0.0, 1.0, 2.0])).ravel())

"""What a series shows: position, width and order parameter of each ring against field or time."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from nxscatter.output.figures.summary import ring_labels
from nxscatter.output.table import Row
from nxscatter.results.plots import Axis, Curve, Plot, curves
from nxscatter.science.fitting.models import all_parameters
from nxscatter.series.series import AXES, Series
from nxscatter.step import step_names

_ORDER = {
    "S": ("", "order parameter S"),
    "S_harmonic": ("", "order parameter S of the second harmonic"),
}
_FIRST = ("S_maier_saupe", "S_pseudo_voigt")


class _Place(NamedTuple):
    """Which curve of a plot a row belongs to."""

    sample: str
    ring: str
    peak: int
    direction: str


def plots(series: Series) -> list[Plot]:
    """Return one plot for each quantity and method, the one to be shown first in front.

    The points of a curve are in order of time. Up and down sweeps of a field are curves of their own. What was not
    measured or not fitted is NaN.
    """
    rows = [row for row in series.rows if row[AXES[series.axis]] is not None]
    drawn = [parameter for parameter in all_parameters() if parameter.label]
    quantities = {**_ORDER, **{parameter.name: (parameter.units, parameter.meaning) for parameter in drawn}}
    points = {point: number for number, point in enumerate(dict.fromkeys(map(_point, rows)))}
    where = np.full(len(points), np.nan)
    found: dict[tuple[str, str], dict[_Place, Curve]] = {}
    rings = ring_labels(rows)
    for row in rows:
        at = points[_point(row)]
        where[at] = row[AXES[series.axis]]
        ring = f"({row['hkl']})" if row["hkl"] else rings[row["q"]]
        direction = row["direction"] if series.axis == "field" else None
        place = _Place(row["sample"], ring, row["peak"], direction or "")
        for quantity in quantities:
            if row.get(quantity) is not None:
                of_plot = found.setdefault((quantity, _name(row, quantity)), {})
                curve = of_plot.setdefault(place, _nothing(len(points)))
                error = row.get(f"{quantity}_error")
                curve.values[at], curve.errors[at] = row[quantity], np.nan if error is None else error
    axis = Axis(*{"field": ("magnetic_field", "mT"), "time": ("time", "s")}[series.axis], where)
    made = [_plot(name, of_place, axis, *quantities[quantity]) for (quantity, name), of_place in found.items()]
    return sorted(made, key=lambda plot: _FIRST.index(plot.name) if plot.name in _FIRST else len(_FIRST))


def _point(row: Row) -> tuple[str, int | None]:
    return row["file"], row["frame"]


def _nothing(points: int) -> Curve:
    return Curve("", np.full(points, np.nan), np.full(points, np.nan))


def _name(row: Row, quantity: str) -> str:
    """Name of a plot: quantity, method, and the record's name where a recipe gave one."""
    method = {"S": row["S_method"], "S_harmonic": None}.get(quantity, row["model"])
    base = row["record"].rsplit("_v", 1)[0]
    return "_".join(filter(None, (quantity, method, "" if base in step_names() else base)))


def _plot(name: str, of_place: dict[_Place, Curve], axis: Axis, units: str, title: str) -> Plot:
    """Draw the curves of one quantity; a label says in what they differ, and the ring always."""
    varied = [len(set(values)) > 1 for values in zip(*of_place, strict=True)]
    drawn = []
    for place, curve in of_place.items():
        parts = zip(("{}", "{}", "peak {}", "{}"), place, (varied[0], True, *varied[2:]), strict=True)
        label = ", ".join(text.format(part) for text, part, told in parts if told and part != "")
        drawn.append(replace(curve, label=label))
    return curves(name, "curve", drawn, axis, units, title)

"""Fitted parameters and order parameters drawn against field, time, frame or q: one panel a quantity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Self, TypeAlias

import numpy as np

from nxscatter.output.figures.curves import COLOURS, method_name
from nxscatter.science.fitting.models import all_parameters

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from nxscatter.output.table import Row

# Shapes that stay apart at five points and in grey
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_FAINT = 0.35  # opacity of what is not to be trusted: still there, and clearly behind the rest
_SAME_RING = 0.02  # relative difference of q up to which rings of different files are one: rings are wider than that
_AXES = {
    "field_mT": "magnetic field (mT)",
    "elapsed_s": "time (s)",
    "frame": "frame",
    "q": "q (Å⁻¹)",
}
_HARMONIC = "second harmonic"

Point: TypeAlias = tuple[float, float, float]  # x, value and its standard error; an error that is not known is NaN


class Series(NamedTuple):
    """What the points of one curve have in common; ``method`` is the fitted model, or the definition of S."""

    ring: str
    method: str
    ok: bool
    down: bool


class Look(NamedTuple):
    """How curves are told apart: a colour for each ring, a marker for each method."""

    colours: Mapping[str, str]
    markers: Mapping[str, str]

    @classmethod
    def of(cls, drawn: Sequence[Series]) -> Self:
        """Give rings and methods their colours and markers in the order in which they appear."""
        rings = list(dict.fromkeys(series.ring for series in drawn))
        methods = list(dict.fromkeys(series.method for series in drawn))
        colours = {ring: COLOURS[number % len(COLOURS)] for number, ring in enumerate(rings)}
        markers = {method: _MARKERS[number % len(_MARKERS)] for number, method in enumerate(methods)}
        # Open circles for the second harmonic: it is no fit, whatever the number of methods beside it
        return cls(colours, markers | ({_HARMONIC: "o"} if _HARMONIC in markers else {}))


def draw_summary(
    figure: Figure, table: Sequence[Row], axis: str = "", title: str = "", r2_threshold: float = 0.0
) -> None:
    """Draw position, width and order parameter of all fits with their errors, one panel each.

    Colours tell rings apart, symbols the fitted model or the definition of S. A point whose status is not ok is
    faint. Of an isotropic ring the S of the second harmonic is drawn, as an open circle. Points of a sweep down the
    field (rows with that ``direction``) are half-filled.

    Parameters
    ----------
    figure : matplotlib Figure
        An empty figure.
    table : sequence of rows
        Rows of the table of results, of one or many containers.
    axis : str
        ``"field_mT"``, ``"elapsed_s"``, ``"frame"`` or ``"q"``; "" for the first of these that varies.
    title : str
        Title of the figure.
    r2_threshold : float
        R2 of a fit below which its points are faint, too.
    """
    axis = axis or next((name for name in _AXES if len({row[name] for row in table} - {None}) > 1), "q")
    labels = _panel_labels()
    panels = {name: _panel_curves(table, name, axis, r2_threshold) for name in labels}
    panels = {name: curves for name, curves in panels.items() if curves} or {"S": {}}
    drawn = list(dict.fromkeys(series for curves in panels.values() for series in curves))
    look = Look.of(drawn)
    columns = 2 if len(panels) > 1 else 1
    grid = figure.subplots(-(-len(panels) // columns), columns, squeeze=False, sharex=True)
    for axes, (name, curves) in zip(grid.ravel(), panels.items(), strict=False):
        _draw_panel(axes, curves, look)
        axes.set_xlabel(_AXES[axis])
        axes.set_ylabel(labels[name])
    for axes in grid.ravel()[len(panels) :]:
        axes.set_axis_off()
    if handles := _legend_handles(drawn, look, r2_threshold):
        legend = figure.legend(handles=handles, loc="outside lower center", ncols=min(4, len(handles)), fontsize=8)
        for text in legend.get_texts():
            text.set_parse_math(False)
    figure.suptitle(title, fontsize=10, parse_math=False)


def ring_labels(table: Sequence[Row]) -> dict[float, str]:
    """Return a label for every q: rings of nearly the same q, in different files, share one."""
    labels: dict[float, str] = {}
    first = -np.inf
    for q in sorted({row["q"] for row in table}):
        if q > first * (1 + _SAME_RING):
            first = q
        labels[q] = f"q ≈ {first:.3g} Å⁻¹"
    return labels


def _panel_labels() -> dict[str, str]:
    """Return what there may be panels of, and the labels of their axes: the models' parameters that have one, and S."""
    units = {"degree": " (degrees)", "": ""}
    drawn = {
        parameter.name: parameter.label + units.get(parameter.units, f" ({parameter.units})")
        for parameter in all_parameters()
        if parameter.label
    }
    return {**drawn, "S": "order parameter S"}


def _panel_curves(table: Sequence[Row], name: str, axis: str, r2_threshold: float) -> dict[Series, list[Point]]:
    """Return the points of all curves of the panel of one quantity."""
    labels = ring_labels(table)
    curves: dict[Series, list[Point]] = {}
    for row in table:
        ring = "" if axis == "q" else f"({row['hkl']})" if row["hkl"] else labels[row["q"]]
        ok = row["status"] == "ok" and (row["R2"] is None or row["R2"] >= r2_threshold)
        down = row.get("direction") == "down"
        series = Series(ring, row["S_method"] if name == "S" else row["model"], ok, down)
        value, error = row.get(name), row.get(f"{name}_error")
        if name == "S" and row["status"] == "isotropic":
            series, value, error = Series(ring, _HARMONIC, True, down), row["S_harmonic"], None
        if row[axis] is not None and value is not None:
            curves.setdefault(series, []).append((row[axis], value, np.nan if error is None else error))
    return curves


def _draw_panel(axes: Axes, curves: Mapping[Series, Sequence[Point]], look: Look) -> None:
    """Draw the curves of one panel, each point once."""
    for series, points in curves.items():
        x, value, error = zip(*dict.fromkeys(points), strict=True)
        colour = look.colours[series.ring]
        axes.errorbar(
            x,
            value,
            error,
            fmt=look.markers[series.method],
            color=colour,
            mfc="none" if series.method == _HARMONIC else colour,
            fillstyle="left" if series.down else "full",
            alpha=1.0 if series.ok else _FAINT,
            ms=5,
            elinewidth=0.9,
            capsize=2,
        )
    axes.tick_params(labelbottom=True)
    axes.grid(color="0.9", lw=0.6)
    axes.set_axisbelow(True)


def _legend_handles(drawn: Sequence[Series], look: Look, r2_threshold: float) -> list[Line2D]:
    """Return what the legend explains: rings, methods, and what half-filled and faint points are."""
    from matplotlib.lines import Line2D

    symbol = partial(Line2D, [], [], color="0.3", lw=0, ms=5)
    handles = [Line2D([], [], color=colour, lw=4, label=ring) for ring, colour in look.colours.items() if ring]
    for method, marker in look.markers.items():
        fill = "none" if method == _HARMONIC else "0.3"
        handles.append(symbol(marker=marker, mfc=fill, label=method_name(method)))
    if any(series.down for series in drawn):
        handles.append(symbol(marker="o", fillstyle="left", label="field going down"))
    if not all(series.ok for series in drawn):
        why = f"faint: status not ok, or R² < {r2_threshold:g}" if r2_threshold else "faint: status not ok"
        handles.append(symbol(marker="o", alpha=_FAINT, label=why))
    return handles

"""Curves drawn: fits over their profiles, the radial profile with its rings, results against field, time or q."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nxscatter.output.table import Row
    from nxscatter.results import Fits, Result, Rings, Sectors

# Okabe & Ito's colours, which people with any colour vision tell apart
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_SYMBOLS = {"x0": "x₀", "gamma": "γ", "eta": "η", "kappa": "κ"}
_SAME_RING = 0.02  # relative difference of q up to which rings of different files are one
_AXES = {
    "field_mT": "magnetic field (mT)",
    "elapsed_s": "time (s)",
    "frame": "frame",
    "q": "q (Å⁻¹)",
}
_HARMONIC = "second harmonic"
_NAMES = {
    "pseudo_voigt": "pseudo-Voigt",
    "pseudo_voigt_periodic": "periodic pseudo-Voigt",
    "maier_saupe": "Maier-Saupe",
    "kratky": "Kratky",
    "leadbetter_norris": "Leadbetter-Norris",
}
_PANELS = {"x0": "$x_0$ (degrees)", "gamma": "FWHM γ (degrees)", "kappa": "κ", "S": "order parameter S"}


def draw_fit(figure: Figure, fits: Fits, ring: int, table: Sequence[Row] = (), title: str = "") -> None:
    """Draw the profile of a ring, the fitted line, and below them the residuals in standard errors.

    Parameters
    ----------
    figure : matplotlib Figure
        An empty figure.
    fits : Fits
        Its curves, those of the first frame, are drawn.
    ring : int
        Number of the ring, from 1.
    table : sequence of rows
        The rows of this ring and frame in the table of results, for the parameters named in the title.
    title : str
        First line of the title: sample, field, image.
    """
    profile, errors, fitted = (curves[ring - 1] for curves in (fits.profile, fits.profile_errors, fits.fitted))
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1), gridspec_kw={"hspace": 0.04})
    upper.errorbar(
        fits.bins, profile, errors, fmt="o", ms=2.2, lw=0, elinewidth=0.6, color=COLOURS[0], ecolor="0.65", label="data"
    )
    if np.isfinite(fitted).any():
        upper.plot(fits.bins, fitted, color=COLOURS[1], lw=1.6, label=method_name(fits.model), zorder=3)
    else:
        lower.text(0.5, 0.5, "no fitted line", transform=lower.transAxes, ha="center", va="center", color="0.4")
    upper.set_ylabel(f"intensity ({fits.units})")
    upper.legend(loc="best", fontsize=8, framealpha=0.9)
    rows = np.flatnonzero((fits.ring == ring) & (fits.frame == fits.frame[0])).tolist()
    lines = [textwrap.fill(line, 92) for line in (title, *_captions(fits, rows, table))]
    upper.set_title("\n".join(lines), fontsize=9, parse_math=False)

    residual = (profile - fitted) / np.where(errors > 0, errors, np.nan)
    lower.axhspan(-2, 2, color="0.92")
    lower.axhline(0, color="0.5", lw=0.8)
    lower.plot(fits.bins, residual, "o", ms=2.2, color=COLOURS[0])
    largest = np.nanmax(np.abs(residual), initial=3.0)
    lower.set_ylim(-1.1 * largest, 1.1 * largest)
    lower.set_ylabel("residual / σ")
    lower.set_xlabel(f"{'χ' if fits.angle == 'chi' else 'β'} (degrees)")
    limits = (-180.0, 180.0) if fits.angle == "chi" else (0.0, 180.0)
    lower.set_xlim(*limits)
    lower.set_xticks(np.arange(limits[0], limits[1] + 1, 45 if fits.angle == "chi" else 30))
    _draw_notes(figure, fits)


def draw_radial(figure: Figure, rings: Rings, title: str = "") -> None:
    """Draw the radial profile on a logarithmic scale, with the rings found in it, in an empty figure."""
    axes = figure.add_subplot()
    positive = rings.intensity > 0
    intensity = np.where(positive, rings.intensity, np.nan)
    axes.fill_between(
        rings.radial_q,
        np.where(rings.intensity > rings.intensity_errors, rings.intensity - rings.intensity_errors, intensity),
        rings.intensity + rings.intensity_errors,
        color=COLOURS[5],
        alpha=0.5,
        lw=0,
    )
    axes.plot(rings.radial_q, intensity, color=COLOURS[0], lw=1.0)
    axes.set_yscale("log")
    for q in rings.q:
        axes.axvline(q, color=COLOURS[1], lw=0.8, ls=(0, (6, 5)))
        axes.annotate(
            f"{q:.4g}",
            (q, 0.98),
            xycoords=("data", "axes fraction"),
            xytext=(2, 0),
            textcoords="offset points",
            rotation=90,
            va="top",
            fontsize=8,
            color=COLOURS[1],
        )
    if positive.any():
        axes.set_xlim(0, float(rings.radial_q[positive].max()))
    axes.set_xlabel("q (Å⁻¹)")
    axes.set_ylabel(f"mean intensity ({rings.units})")
    found = f"{len(rings.q)} ring{'' if len(rings.q) == 1 else 's'} found" if len(rings.q) else "no ring found"
    axes.set_title(f"{title}\n{found}", fontsize=9, parse_math=False)
    _draw_notes(figure, rings)


def draw_sectors(figure: Figure, sectors: Sectors, title: str = "") -> None:
    """Draw the radial profiles of all sectors of the first frame, both axes logarithmic, in an empty figure."""
    axes = figure.add_subplot()
    for sector, intensity in enumerate(sectors.stack[0]):
        axes.errorbar(
            sectors.q,
            np.where(intensity > 0, intensity, np.nan),
            sectors.stack_errors[0, sector],
            color=COLOURS[sector % len(COLOURS)],
            lw=0.9,
            elinewidth=0.5,
            label=f"χ = {sectors.chi[sector]:g}° ± {sectors.width / 2:g}°",
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("q (Å⁻¹)")
    axes.set_ylabel(f"mean intensity ({sectors.units})")
    axes.legend(fontsize=8)
    axes.set_title(title, fontsize=9, parse_math=False)
    _draw_notes(figure, sectors)


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
    from matplotlib.lines import Line2D

    axis = axis or next((name for name in _AXES if len({row[name] for row in table} - {None}) > 1), "q")
    panels = {name: _series(table, name, axis, r2_threshold) for name in _PANELS}
    panels = {name: series for name, series in panels.items() if series} or {"S": {}}
    drawn = list(dict.fromkeys(one for series in panels.values() for one in series))
    rings, methods = (
        list(dict.fromkeys(texts)) for texts in ([one.ring for one in drawn], [one.method for one in drawn])
    )
    looks = {ring: COLOURS[number % len(COLOURS)] for number, ring in enumerate(rings)}
    shapes = {method: MARKERS[number % len(MARKERS)] for number, method in enumerate(methods)} | {_HARMONIC: "o"}
    grid = figure.subplots(2 if len(panels) > 2 else 1, 2 if len(panels) > 1 else 1, squeeze=False, sharex=True)
    for axes, (name, series) in zip(grid.ravel(), panels.items(), strict=False):
        for one, points in series.items():
            x, value, error = zip(*dict.fromkeys(points), strict=True)
            axes.errorbar(
                x,
                value,
                error,
                fmt=shapes[one.method],
                color=looks[one.ring],
                mfc="none" if one.method == _HARMONIC else looks[one.ring],
                fillstyle="left" if one.down else "full",
                alpha=1.0 if one.ok else 0.35,
                ms=5,
                elinewidth=0.9,
                capsize=2,
            )
        axes.set_xlabel(_AXES[axis])
        axes.set_ylabel(_PANELS[name])
        axes.tick_params(labelbottom=True)
        axes.grid(color="0.9", lw=0.6)
        axes.set_axisbelow(True)
    for axes in grid.ravel()[len(panels) :]:
        axes.set_axis_off()
    handles = [Line2D([], [], color=looks[ring], lw=4, label=ring) for ring in rings if ring]
    for method in methods:
        fill = "none" if method == _HARMONIC else "0.3"
        marker = shapes[method]
        handles.append(Line2D([], [], color="0.3", marker=marker, mfc=fill, lw=0, ms=5, label=method_name(method)))
    if any(one.down for one in drawn):
        handles.append(Line2D([], [], color="0.3", marker="o", lw=0, ms=5, fillstyle="left", label="field going down"))
    if not all(one.ok for one in drawn):
        why = f"faint: status not ok, or R² < {r2_threshold:g}" if r2_threshold else "faint: status not ok"
        handles.append(Line2D([], [], color="0.3", marker="o", lw=0, ms=5, alpha=0.35, label=why))
    if handles:
        legend = figure.legend(handles=handles, loc="outside lower center", ncols=min(4, len(handles)), fontsize=8)
        for text in legend.get_texts():
            text.set_parse_math(False)
    figure.suptitle(title, fontsize=10, parse_math=False)


def with_error(value: float, error: float | None) -> str:
    """Write a value and its standard error, to two digits of the error.

    Examples
    --------
    >>> with_error(0.64612, 0.00384)
    '0.6461 ± 0.0038'
    >>> with_error(0.64612, float("nan"))
    '0.6461'
    """
    if error is None or not np.isfinite(error) or error <= 0:
        return f"{value:.4g}"
    digits = max(0, 1 - int(np.floor(np.log10(error))))
    return f"{value:.{digits}f} ± {error:.{digits}f}"


class _Series(NamedTuple):
    """What the points of a panel have in common; ``method`` is the fitted model, or the definition of S."""

    ring: str
    method: str
    ok: bool
    down: bool


def _series(
    table: Sequence[Row], name: str, axis: str, r2_threshold: float
) -> dict[_Series, list[tuple[float, float, float]]]:
    """Return the points (x, value, error) of a panel; an error that is not known is NaN."""
    labels = ring_labels(table)
    series: dict[_Series, list[tuple[float, float, float]]] = {}
    for row in table:
        ring = "" if axis == "q" else f"({row['hkl']})" if row["hkl"] else labels[row["q"]]
        ok = row["status"] == "ok" and (row["R2"] is None or row["R2"] >= r2_threshold)
        down = row.get("direction") == "down"
        key = _Series(ring, row["S_method"] if name == "S" else row["model"], ok, down)
        value, error = row[name], row[f"{name}_error"]
        if name == "S" and row["status"] == "isotropic":
            key, value, error = _Series(ring, _HARMONIC, True, down), row["S_harmonic"], None
        if row[axis] is not None and value is not None:
            series.setdefault(key, []).append((row[axis], value, np.nan if error is None else error))
    return series


def ring_labels(table: Sequence[Row]) -> dict[float, str]:
    """Return a label for every q: rings of nearly the same q, in different files, share one."""
    labels: dict[float, str] = {}
    first = -np.inf
    for q in sorted({row["q"] for row in table}):
        if q > first * (1 + _SAME_RING):
            first = q
        labels[q] = f"q ≈ {first:.3g} Å⁻¹"
    return labels


def _captions(fits: Fits, rows: Sequence[int], table: Sequence[Row]) -> list[str]:
    """Lines of a title: ring and status, then what each peak is."""
    first = rows[0]
    ring = f"({fits.hkl[first]}), " if fits.hkl[first] else ""
    status, reason = fits.status[first].replace("_", " "), fits.reason[first]
    if reason:
        status = reason if reason.startswith(status) else f"{status}, {reason}"
    lines = [f"{ring}q = {fits.q[first]:.4g} Å⁻¹, {method_name(fits.model)}: {status}"]
    for row in rows:
        known = [name for name in _SYMBOLS if name in fits.values and np.isfinite(fits.values[name][row])]
        lines.append(
            ", ".join(
                f"{_SYMBOLS[name]} = {with_error(fits.values[name][row], fits.errors[name][row])}" for name in known
            )
        )
        orders = [order for order in table if order["peak"] == fits.peak[row] and order["S"] is not None]
        lines.append(
            ", ".join(f"S = {with_error(one['S'], one['S_error'])} ({method_name(one['S_method'])})" for one in orders)
        )
    return [line for line in lines if line]


def _draw_notes(figure: Figure, result: Result) -> None:
    """Write the warnings that a result carries under its figure."""
    if result.notes:
        text = textwrap.fill("; ".join(result.notes), 110)
        figure.supxlabel(text, fontsize=7, color="0.35", parse_math=False)


def method_name(method: str) -> str:
    """Return the name of a model, or of a definition of S, for people."""
    return _NAMES.get(method, method)

"""Curves drawn: fits over their profiles, the radial profile with its rings, sectors."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nxscatter.science.fitting.models import models

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nxscatter.output.table import Row
    from nxscatter.results import Fits, Result, Rings, Sectors

# Okabe & Ito's colours, which people with any colour vision tell apart
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


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


def _captions(fits: Fits, rows: Sequence[int], table: Sequence[Row]) -> list[str]:
    """Lines of a title: ring and status, then what each peak is."""
    first = rows[0]
    ring = f"({fits.hkl[first]}), " if fits.hkl[first] else ""
    status, reason = fits.status[first].replace("_", " "), fits.reason[first]
    if reason:
        status = reason if reason.startswith(status) else f"{status}, {reason}"
    lines = [f"{ring}q = {fits.q[first]:.4g} Å⁻¹, {method_name(fits.model)}: {status}"]
    model = models().get(fits.model)
    symbols = {parameter.name: parameter.symbol for parameter in model.parameters if parameter.symbol} if model else {}
    for row in rows:
        known = [name for name in symbols if name in fits.values and np.isfinite(fits.values[name][row])]
        lines.append(
            ", ".join(
                f"{symbols[name]} = {with_error(fits.values[name][row], fits.errors[name][row])}" for name in known
            )
        )
        orders = [order for order in table if order["peak"] == fits.peak[row] and order["S"] is not None]
        lines.append(
            ", ".join(
                f"S = {with_error(order['S'], order['S_error'])} ({method_name(order['S_method'])})" for order in orders
            )
        )
    return [line for line in lines if line]


def _draw_notes(figure: Figure, result: Result) -> None:
    """Write the warnings that a result carries under its figure."""
    if result.notes:
        text = textwrap.fill("; ".join(result.notes), 110)
        figure.supxlabel(text, fontsize=7, color="0.35", parse_math=False)


def method_name(method: str) -> str:
    """Return the name of a model, or of a definition of S, for people."""
    model = models().get(method)
    return model.label if model else method

"""Where the peaks of azimuthal profiles stand, and which azimuths have data; all modulo 180 degrees."""

from __future__ import annotations

import numpy as np

from nxscatter.model import Floats
from nxscatter.science.fitting.leastsquares import Bools, Data
from nxscatter.science.fitting.lineshapes import wrap

SEARCH = 45.0  # a peak stands at most so many degrees from where it is expected


def bin_width(bins: Floats) -> float:
    """Width of equal angular bins, degrees."""
    return float(np.median(np.diff(bins)))


def coverage(bins: Floats, use: Bools, centre: Floats | None = None, width: float = 180.0) -> Floats:
    """Return the part of the half circle, or of ``width`` degrees about ``centre`` (row,), that has data.

    An azimuth is covered when it or the one opposite to it was measured.
    """
    grid = np.unique(np.round(bins % 180, 6) % 180)
    near = np.abs(wrap(grid[:, None] - bins)) < 0.75 * bin_width(bins)
    covered = (use.astype(float) @ near.T.astype(float)) > 0
    if centre is None:
        return np.asarray(covered.mean(axis=1))
    wanted = np.abs(wrap(grid - centre[:, None])) <= width / 2
    return np.asarray((covered & wanted).sum(axis=1) / np.maximum(wanted.sum(axis=1), 1))


def smoothed(bins: Floats, data: Data) -> tuple[Floats, Floats, Floats]:
    """Return half a circle of angles, each profile smoothed there (weights: photons), and its standard error.

    Angles without data are bridged by straight lines.
    """
    width = max(3.0, 1.5 * bin_width(bins))
    grid = np.arange(-90.0, 90.0)
    kernel = np.exp(-0.5 * (wrap(grid[:, None] - bins) / width) ** 2)
    weight = data.use / data.slope
    below = weight @ kernel.T
    filled = below > 1e-3 * below.max(axis=1, keepdims=True)
    below = np.where(filled, below, 1.0)
    curve = (weight * data.y) @ kernel.T / below
    error = np.sqrt((weight**2 * data.variance(data.y)) @ (kernel**2).T) / below
    for row in np.flatnonzero(~filled.all(axis=1) & filled.any(axis=1)):
        known = filled[row]
        curve[row] = np.interp(grid, grid[known], curve[row, known], period=180)
    return grid, curve, error


def find_peaks(bins: Floats, data: Data, target: float | None, number: int | str) -> list[Floats]:
    """Find the peaks of each profile: their angles in degrees, strongest first.

    A single peak is the maximum, within 45 degrees of ``target`` if that is given. Of several, those that rise
    most above the saddles beside them; with ``number = "auto"`` all that do so by a sixth of the profile's range
    and by five standard errors, or the maximum. There may be fewer than asked for.
    """
    grid, curves, errors = smoothed(bins, data)
    near = np.ones(len(grid), dtype=bool) if target is None else np.abs(wrap(grid - target)) <= SEARCH
    highest = grid[np.argmax(np.where(near, curves, -np.inf), axis=1)]
    if number == 1:
        return [highest[[row]] for row in range(len(highest))]
    from scipy.signal import find_peaks as local_maxima

    found = []
    for row, (curve, error) in enumerate(zip(curves, errors, strict=True)):
        least = max(np.ptp(curve) / 6, 5 * float(np.median(error))) if number == "auto" else 0.0
        index, properties = local_maxima(np.tile(curve, 3), prominence=least)
        inside = (index >= len(grid)) & (index < 2 * len(grid))
        order = np.argsort(-properties["prominences"][inside], kind="stable")
        peaks = grid[index[inside][order] - len(grid)]
        if number != "auto":
            peaks = peaks[: int(number)]
        found.append(peaks if len(peaks) else highest[[row]])
    return found

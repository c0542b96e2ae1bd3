"""The distance of the detector from the rings of a calibrant, whose d-spacings are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nxscatter.errors import ParameterError, StepError
from nxscatter.model import Floats, Ints

_TOLERANCE = 0.01  # relative, between a ring and the calibrant's line that it is taken for
_FEWEST = 2  # rings that tell their order


@dataclass(frozen=True, eq=False)
class Calibration:
    """Distance (m) with its standard error, and which line (from 1) each ring is; 0: none."""

    distance: float
    error: float
    lines: Ints


def calibrant_angles(name: str, wavelength: float) -> Floats:
    """Return the scattering angles (degrees, below 90) of a calibrant's lines at ``wavelength`` (angstrom).

    The d-spacings are pyFAI's.

    Raises
    ------
    ParameterError
        When pyFAI has no calibrant of this name; the known ones are listed.
    """
    from pyFAI.calibrant import get_calibrant, names

    if name not in names():
        raise ParameterError(f"there is no calibrant '{name}': use one of {', '.join(sorted(names()))}")
    calibrant = get_calibrant(name)
    calibrant.wavelength = wavelength * 1e-10
    angles = np.degrees(np.asarray(calibrant.get_2th(), dtype=float))
    return np.asarray(angles[angles < 90])


def fit_distance(radii: Floats, angles: Floats, guess: float) -> Calibration:
    """Fit the distance at which rings have their radii, ``radius = distance * tan(angle)``.

    Which line a ring is, is tried out: the best choice explains most rings and leaves out fewest of the lines between
    the first and the last; of equal ones it is the one nearest to ``guess``. The standard error is that of the fit,
    from how the radii scatter about it.

    Parameters
    ----------
    radii : ndarray (ring,)
        Radii on a detector across the beam, m, ascending.
    angles : ndarray (line,)
        Scattering angles of the calibrant, degrees, ascending.
    guess : float
        Distance in m.

    Raises
    ------
    StepError
        When fewer than two rings, or fewer than half of them, fit the calibrant.
    """
    tangents = np.tan(np.radians(angles))
    tried = [_fit(radii, tangents, ring / tangent) for ring in radii[: len(radii) // 2 + 1] for tangent in tangents]
    if not tried:
        raise StepError("no ring to refine the distance on: give the rings step an image of the calibrant")
    best = max(tried, key=lambda fit: _merit(fit, guess))
    matched = np.count_nonzero(best.lines)
    if matched < max(_FEWEST, len(radii) / 2):
        raise StepError(
            f"{matched} of {len(radii)} rings fit the calibrant, at least two and half of them must: "
            "give another calibrant, or the distance in its place"
        )
    return best


def _fit(radii: Floats, tangents: Floats, distance: float) -> Calibration:
    """Take each ring for the nearest line at ``distance`` and fit the distance to those that are near enough."""
    for _ in range(2):
        away = np.abs(radii[:, np.newaxis] / (distance * tangents) - 1)
        lines = np.argmin(away, axis=1)
        near = away[np.arange(len(radii)), lines] < _TOLERANCE
        chosen, seen = tangents[lines[near]], radii[near]
        if not len(seen):
            break
        distance = float(chosen @ seen / (chosen @ chosen))
    free = len(seen) - 1
    variance = np.sum((seen - distance * chosen) ** 2) / free if free > 0 else np.nan
    return Calibration(distance, float(np.sqrt(variance / (chosen @ chosen))), np.where(near, lines + 1, 0))


def _merit(found: Calibration, guess: float) -> tuple[float, float]:
    """Return what makes a choice of lines better than another: high orders would explain any ring, and many more."""
    lines = np.unique(found.lines[found.lines > 0])
    left_out = lines[-1] - lines[0] + 1 - len(lines) if len(lines) else 0
    return len(lines) - left_out / 2, -abs(np.log(found.distance / guess))

"""Order parameters straight from a measured profile, without a model of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from nxscatter.errors import ParameterError
from nxscatter.lineshapes import wrap
from nxscatter.model import Floats

_REFUSED = 3.0  # degrees around the angles at which a reflection says nothing about S, or P4
_MOST_TERMS = 180


@dataclass(frozen=True)
class Moments:
    """What a profile says of the orientation distribution; NaN where it says nothing.

    ``resolved`` is False when gaps leave too few terms of the cosine series for the profile's detail; all numbers
    are then NaN.
    """

    S: float
    S_error: float
    P4: float
    P4_error: float
    resolved: bool


def reflection_angle(reflection: str | float) -> float:
    """Return the angle of a reflection from the director, degrees: meridional 0, equatorial 90, or a number.

    Raises
    ------
    ParameterError
        For another word, an angle outside 0..90, or one within 3 degrees of 54.7, where P2 is 0 and the profile
        does not depend on S.
    """
    named = {"meridional": 0.0, "equatorial": 90.0}
    if isinstance(reflection, str) and reflection not in named:
        raise ParameterError(f"reflection = '{reflection}': give meridional, equatorial, or an angle in degrees")
    angle = named[reflection] if isinstance(reflection, str) else float(reflection)
    if not 0 <= angle <= 90:
        raise ParameterError(f"reflection = {angle:g}: give its angle from the director, 0 to 90 degree")
    if not _tells(second, np.radians(angle)):
        raise ParameterError(f"reflection = {angle:g}: keep {_REFUSED:g} degree or more from 54.7, where P2 is 0")
    return angle


def moments(
    angle: Floats,
    intensity: Floats,
    director: float,
    *,
    variance: Floats | None = None,
    common_error: Floats | None = None,
    reflection: str | float = "meridional",
    theta_bragg: float = 0.0,
) -> Moments:
    """Return S and P4 of the orientation distribution from the moments of a profile, background removed.

    ``<Pn>_I`` is the average of ``Pn(cos theta)`` over the intensity with weight sin(theta), theta being the polar
    angle of q from the director: ``cos(theta) = cos(theta_Bragg)*cos(azimuth from the director)``. A reflection
    at angle phi0 from the molecular axis gives ``S = <P2>_I/P2(cos phi0)``, the Legendre addition theorem; so
    S = <P2>_I on the meridian, and -2 <P2>_I and (8/3) <P4>_I on the equator.

    The integrals are taken over an even series of cosines of twice the azimuth, fitted to the points with equal
    weights: points on all four sides of the director serve alike, and those of one side fill the gaps of another.

    Parameters
    ----------
    angle : ndarray
        Azimuths in degrees, anywhere on the circle, in any order.
    intensity : ndarray
        Intensity above the background; NaN: no data.
    director : float
        Azimuth of the director, degrees.
    variance : ndarray, optional
        Variance of each intensity; without it the errors are NaN.
    common_error : ndarray, optional
        By how much one error moves all intensities together: that of the background's scale.
    reflection : str or float
        ``"meridional"``, ``"equatorial"`` or the angle from the director in degrees.
    theta_bragg : float
        Bragg angle in degrees: polar angles below it are never reached, and are left out of the averages.

    Raises
    ------
    ParameterError
        For a reflection as in `reflection_angle`.
    """
    phi0 = np.radians(reflection_angle(reflection))
    use = np.isfinite(intensity) & (np.ones(len(angle), bool) if variance is None else np.isfinite(variance))
    nothing = Moments(np.nan, np.nan, np.nan, np.nan, resolved=False)
    polar = np.sort(np.abs(wrap(angle[use] - director)))
    if not len(polar):
        return nothing
    hole = np.max(np.diff(polar, prepend=-polar[0], append=180 - polar[-1]))
    errors = _Errors(None if variance is None else variance[use], None if common_error is None else common_error[use])
    terms = int(min(60 / max(hole, 1e-9), _MOST_TERMS, len(polar) / 2 - 1))
    if terms < 2:
        return nothing

    order = 2.0 * np.arange(terms + 1)
    basis = np.cos(np.radians(angle[use] - director)[:, None] * order)
    solve = np.linalg.solve(basis.T @ basis, basis.T)  # regular: there are more points than terms, without holes
    series = solve @ intensity[use]
    # Terms that have not died away say that the profile has more detail than the gaps let through.
    if not np.abs(series[-2:]).max() < 1e-3 * np.abs(series).max() + 5 * errors.of(solve[-2:]).max():
        return nothing
    weights = _weights(order, np.radians(theta_bragg))
    total = weights[0] @ series
    if not total > 0:
        return Moments(np.nan, np.nan, np.nan, np.nan, resolved=True)
    found = []
    for weight, polynomial in ((weights[1], second), (weights[2], fourth)):
        average = weight @ series / total
        factor = 1 / polynomial(np.cos(phi0)) if _tells(polynomial, phi0) else np.nan
        error = errors.of((weight - average * weights[0]) / total @ solve)
        found += [float(factor * average), float(abs(factor) * error) if variance is not None else np.nan]
    return Moments(found[0], found[1], found[2], found[3], resolved=True)


def _tells(polynomial: Callable[[Floats], Floats], phi0: float) -> bool:
    """Whether a Legendre polynomial has no zero within 3 degrees of phi0 (rad)."""
    around = np.cos(phi0 + np.radians(np.linspace(-_REFUSED, _REFUSED, 31)))
    return bool(np.ptp(np.sign(polynomial(around))) == 0)


@dataclass(frozen=True)
class _Errors:
    """Variances of the intensities, and what moves all of them together."""

    variance: Floats | None
    common: Floats | None

    def of(self, operator: Floats) -> Floats:
        """Return the standard errors of linear combinations (..., point) of the intensities; 0 without a variance."""
        if self.variance is None:
            return np.zeros(operator.shape[:-1])
        common = 0.0 if self.common is None else operator @ self.common
        return np.sqrt(operator**2 @ self.variance + common**2)


def _weights(order: Floats, bragg: float) -> Floats:
    """Return the integrals of 1, P2 and P4 over the polar angle, times each cosine of the azimuth (3, term)."""
    nodes, weights = _gauss_legendre()
    azimuth = np.pi / 4 * (nodes + 1)
    cosine = np.cos(bragg) * np.cos(azimuth)
    measure = np.pi / 4 * weights * np.sin(azimuth)
    waves = np.cos(azimuth[:, None] * order)
    return np.stack([measure @ waves, (measure * second(cosine)) @ waves, (measure * fourth(cosine)) @ waves])


@cache
def _gauss_legendre() -> tuple[Floats, Floats]:
    return np.polynomial.legendre.leggauss(256)


def second(cosine: Floats) -> Floats:
    """Legendre polynomial P2."""
    return (3 * cosine**2 - 1) / 2


def fourth(cosine: Floats) -> Floats:
    """Legendre polynomial P4."""
    return (35 * cosine**4 - 30 * cosine**2 + 3) / 8

"""Order parameters straight from a measured profile, without a model of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from nxscatter.errors import ParameterError
from nxscatter.model import Floats
from nxscatter.science.fitting.leastsquares import Bools
from nxscatter.science.fitting.lineshapes import wrap

_REFUSED = 3.0  # degrees around the angles at which a reflection says nothing about S, or P4
_MOST_TERMS = 180
_BEYOND = 0.5  # of the intensity; S is then continued to within 0.01
_BELOW = 4.0  # standard errors
_NEAR = 9  # points at least, through which the profile is continued to angles out of reach


@dataclass(frozen=True)
class Moments:
    """What a profile says of the orientation distribution; NaN where it says nothing.

    ``status`` is ``"ok"``, ``"coverage"`` when gaps or the Bragg angle hide too much, or ``"background"`` when too
    much was taken off; ``reason`` says it in words.
    """

    S: float
    S_error: float
    P4: float
    P4_error: float
    status: str = "ok"
    reason: str = ""

    @classmethod
    def nothing(cls, status: str, reason: str) -> Moments:
        """Return moments that are not known, and why."""
        return cls(np.nan, np.nan, np.nan, np.nan, status, reason)


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
    replicates: Floats | None = None,
    reflection: str | float = "meridional",
    theta_bragg: float = 0.0,
) -> Moments:
    """Return S and P4 of the orientation distribution from the moments of a profile, background removed.

    ``<Pn>_I`` is the average of ``Pn(cos theta)`` over the intensity with weight sin(theta), theta being the polar
    angle of q from the director: ``cos(theta) = cos(theta_Bragg)*cos(azimuth from the director)``. A reflection
    at angle phi0 from the molecular axis gives ``S = <P2>_I/P2(cos phi0)``, the Legendre addition theorem; so
    S = <P2>_I on the meridian (Hermans' orientation factor), and -2 <P2>_I and (8/3) <P4>_I on the equator.

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
    replicates : ndarray (replicate, angle), optional
        Intensities of resampled profiles, whose scatter takes the place of the variance.
    reflection : str or float
        ``"meridional"``, ``"equatorial"`` or the angle from the director in degrees.
    theta_bragg : float
        Bragg angle in degrees. Polar angles below it are never reached; the profile is continued to them as a
        parabola in ``cos^2 theta`` through the points within 1.5 theta_bragg of the director's azimuth.

    Raises
    ------
    ParameterError
        For a reflection as in `reflection_angle`.
    """
    phi0 = np.radians(reflection_angle(reflection))
    use = np.isfinite(intensity) & (np.ones(len(angle), bool) if variance is None else np.isfinite(variance))
    azimuth, values = wrap(angle[use] - director), intensity[use]
    errors = _Errors.of_used(use, variance, common_error, replicates)
    series = _CosineSeries.resolved(azimuth)
    if series is None or not series.dies_away(values, errors):
        return Moments.nothing("coverage", "gaps do not let the profile be resolved")
    cap = _cap(azimuth, theta_bragg)
    integrals = _weights(series.order, np.radians(theta_bragg)) @ series.solve + cap
    verdict = _cannot_be(azimuth, values, errors, integrals[0] @ values, cap[0] @ values)
    if verdict is not None:
        return Moments.nothing(*verdict)
    return _averages(values, errors, integrals, phi0)


@dataclass(frozen=True)
class _CosineSeries:
    """An even series of cosines of twice the azimuth, fitted to points.

    Attributes
    ----------
    order : ndarray (term,)
        What each cosine multiplies the azimuth by: 0, 2, 4 ...
    solve : ndarray (term, point)
        The coefficients as linear combinations of the points' intensities.
    """

    order: Floats
    solve: Floats

    @classmethod
    def resolved(cls, azimuth: Floats) -> _CosineSeries | None:
        """Return as many terms as the largest gap of azimuths from the director (point,) lets through, if any."""
        polar = np.sort(np.abs(azimuth))
        if not len(polar):
            return None
        hole = np.max(np.diff(polar, prepend=-polar[0], append=180 - polar[-1]))
        terms = int(min(60 / max(hole, 1e-9), _MOST_TERMS, len(polar) / 2 - 1))
        if terms < 2:
            return None
        order = 2.0 * np.arange(terms + 1)
        basis = np.cos(np.radians(azimuth)[:, None] * order)
        # regular: there are more points than terms, without holes
        return cls(order, np.linalg.solve(basis.T @ basis, basis.T))

    def dies_away(self, values: Floats, errors: _Errors) -> bool:
        """Whether the last terms are nothing; else the profile has more detail than the gaps let through."""
        terms = np.abs(self.solve @ values)
        return bool(terms[-2:].max() < 1e-3 * terms.max() + 5 * errors.of(self.solve[-2:]).max())


def _cannot_be(azimuth: Floats, values: Floats, errors: _Errors, total: float, beyond: float) -> tuple[str, str] | None:
    """Return status and reason of intensities that no distribution has, or that say too little of it."""
    if not total > 0:
        return "background", "nothing is left above the background"
    if beyond > _BEYOND * total:
        return "coverage", f"{beyond / total:.0%} of the intensity is out of reach at this Bragg angle"
    # A profile that lies below nothing, next to the director or across it, would give any S, even above 1.
    near = np.argsort(np.abs(azimuth))
    for quarter in (near[: len(azimuth) // 4], near[-len(azimuth) // 4 :]):
        mean = np.zeros(len(azimuth))
        mean[quarter] = 1 / len(quarter)
        if mean @ values < -_BELOW * errors.of(mean) - 1e-3 * np.abs(values).max():
            return "background", f"the profile falls to {mean @ values:.3g} below its background"
    return None


def _averages(values: Floats, errors: _Errors, integrals: Floats, phi0: float) -> Moments:
    """Return S and P4 from the integrals of 1, P2 and P4 as combinations of the intensities (3, point)."""
    total = integrals[0] @ values
    found = []
    for integral, polynomial in zip(integrals[1:], (second, fourth), strict=True):
        average = integral @ values / total
        factor = 1 / float(polynomial(np.cos(phi0))) if _tells(polynomial, phi0) else np.nan
        error = float(errors.of((integral - average * integrals[0]) / total)) if errors.known else np.nan
        found += [factor * float(average), abs(factor) * error]
    return Moments(found[0], found[1], found[2], found[3])


def _tells(polynomial: Callable[[Floats], Floats], phi0: float) -> bool:
    """Whether a Legendre polynomial has no zero within 3 degrees of phi0 (rad)."""
    around = np.cos(phi0 + np.radians(np.linspace(-_REFUSED, _REFUSED, 31)))
    return bool(np.ptp(np.sign(polynomial(around))) == 0)


@dataclass(frozen=True)
class _Errors:
    """Variances of the intensities, or resampled ones in their place, and what moves all of them together."""

    variance: Floats | None
    common: Floats | None
    replicates: Floats | None

    @classmethod
    def of_used(cls, use: Bools, *parts: Floats | None) -> _Errors:
        """Take the points that are used."""
        return cls(*(None if part is None else part[..., use] for part in parts))

    @property
    def known(self) -> bool:
        """Whether there is anything to take errors from."""
        return self.variance is not None or self.replicates is not None

    def of(self, operator: Floats) -> Floats:
        """Return the standard errors of linear combinations (..., point) of the intensities; 0 when not known."""
        common = 0.0 if self.common is None else operator @ self.common
        if self.replicates is not None:
            own = np.var(self.replicates @ operator.T, axis=0, ddof=1)
        else:
            own = 0.0 if self.variance is None else operator**2 @ self.variance
        return np.asarray(np.sqrt(own + common**2))


def _weights(order: Floats, bragg: float) -> Floats:
    """Return the integrals of 1, P2 and P4 over polar angles in reach, times each cosine of the azimuth (3, term)."""
    nodes, weights = _gauss_legendre()
    azimuth = np.pi / 4 * (nodes + 1)
    cosine = np.cos(bragg) * np.cos(azimuth)
    measure = np.pi / 4 * weights * np.cos(bragg) * np.sin(azimuth)
    return np.asarray((_polynomials(cosine) * measure) @ np.cos(azimuth[:, None] * order))


def _cap(azimuth: Floats, theta_bragg: float) -> Floats:
    """Return what each intensity adds to the integrals of 1, P2 and P4 over polar angles out of reach (3, point)."""
    near = np.abs(azimuth) <= max(1.5 * theta_bragg, np.sort(np.abs(azimuth))[min(_NEAR, len(azimuth)) - 1])
    bragg = np.radians(theta_bragg)
    # The parabola through the points next to the cap, over cos^2 theta counted from the cap's edge.
    height = -((np.cos(bragg) * np.sin(np.radians(azimuth[near]))) ** 2)
    basis = np.stack([np.ones_like(height), height, height**2])
    nodes, weights = _gauss_legendre()
    theta = bragg / 2 * (nodes + 1)
    measure = bragg / 2 * weights * np.sin(theta)
    rise = np.cos(theta) ** 2 - np.cos(bragg) ** 2
    beyond = np.stack([np.ones_like(rise), rise, rise**2])
    part = np.zeros((3, len(azimuth)))
    part[:, near] = (_polynomials(np.cos(theta)) * measure) @ beyond.T @ np.linalg.pinv(basis.T)
    return part


def _polynomials(cosine: Floats) -> Floats:
    """Return P0, P2 and P4, (3, point)."""
    return np.stack([np.ones_like(cosine), second(cosine), fourth(cosine)])


@cache
def _gauss_legendre() -> tuple[Floats, Floats]:
    return np.polynomial.legendre.leggauss(256)


def second(cosine: Floats) -> Floats:
    """Legendre polynomial P2."""
    return (3 * cosine**2 - 1) / 2


def fourth(cosine: Floats) -> Floats:
    """Legendre polynomial P4."""
    return (35 * cosine**4 - 30 * cosine**2 + 3) / 8

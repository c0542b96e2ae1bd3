"""Is a ring oriented at all? A linear answer, before any peak is fitted.

A profile is compared with ``1 + harmonics 2 and 4`` of its angle. The test has the false positive rate that it
claims, because it is linear; a free peak always finds something to sit on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nxscatter.model import Floats
from nxscatter.science.fitting.leastsquares import Bools, Data, inverse

_SIGNIFICANT = 1e-3


@dataclass(frozen=True)
class Harmonics:
    """The harmonics of many profiles, one number a row; NaN where the points do not determine them.

    Attributes
    ----------
    mean : ndarray
        Mean intensity.
    a2, a4 : ndarray
        Amplitudes of the harmonics 2 and 4, relative to the mean.
    S, S_error : ndarray
        ``(4/15)*a2/(1 - a2/3)``, the order parameter of ``f = 1 + a2*cos(2*theta)``, and its standard error; NaN
        for an a2 above 2, which no positive profile has: gaps have made it up.
    p : ndarray
        Probability that an isotropic profile shows as much anisotropy by chance.
    phase : ndarray
        Angle of the second harmonic's maximum, degrees in [-90, 90).
    """

    mean: Floats
    a2: Floats
    a4: Floats
    S: Floats
    S_error: Floats
    p: Floats
    phase: Floats

    def oriented(self, min_S: float, *, several: bool = False) -> Bools:
        """Whether each ring is oriented: beyond chance (p < 1e-3) and with S above ``min_S``.

        ``several`` lets the fourth harmonic count like the second, for patterns of several peaks.
        """
        strength = np.maximum(self.a2, self.a4) if several else self.a2
        # S > min_S where a2 > least, also for an a2 beyond the reach of the formula for S.
        least = min_S / (4 / 15 + min_S / 3)
        return np.asarray((self.p < _SIGNIFICANT) & (strength > least))


def analyse(angle: Floats, data: Data, *, onefold: bool = False) -> Harmonics:
    """Find the harmonics of profiles (row, bin) over ``angle`` in degrees (bin,).

    Weights are those of an isotropic profile: the mean number of photons decides, not their scatter. Errors are
    scaled by ``sqrt(chi2_red)`` where that is above 1. ``onefold`` lets harmonic 1 (a wrong centre) be there too.
    """
    x = np.radians(angle)
    nuisance = [np.cos(x), np.sin(x)] if onefold else []
    basis = np.stack([np.ones_like(x), np.cos(2 * x), np.sin(2 * x), np.cos(4 * x), np.sin(4 * x), *nuisance])
    null = np.array([0, *range(5, len(basis))])

    photons = data.use / data.slope
    total = photons.sum(axis=1)
    mean = np.sum(photons * data.y, axis=1) / np.where(total > 0, total, np.nan)
    variance = data.slope * np.maximum(mean, 0.0)[:, None] + data.floor
    weight = np.where(data.use & (variance > 0), 1.0, 0.0) / np.where(variance > 0, variance, 1.0)

    coefficients, covariance, chi2 = _solve(basis, data.y, weight)
    chi2_null = _solve(basis[null], data.y, weight)[2]
    freedom = np.count_nonzero(weight, axis=1) - len(basis)
    known = np.isfinite(covariance).all(axis=(1, 2)) & (freedom > 0) & (coefficients[:, 0] > 0)
    scale = np.maximum(chi2 / np.where(freedom > 0, freedom, 1), 1.0)

    half_gain = np.maximum(chi2_null - chi2, 0.0) / scale / 2
    p = np.exp(-half_gain) * (1 + half_gain)  # of chi square with 4 degrees of freedom
    c0, c2, s2, c4, s4 = np.where(known[:, None], coefficients[:, :5], np.nan).T
    amplitude = np.hypot(c2, s2)
    a2 = amplitude / c0
    # A profile without any second harmonic has no direction either: any one will do for the error.
    cosine, sine = np.where(amplitude > 0, [c2, s2], [[1.0], [0.0]]) / np.where(amplitude > 0, amplitude, 1.0)
    gradient = np.stack([-a2, cosine, sine], axis=-1) / c0[:, None]
    real = np.where(a2 <= 2, a2, np.nan)
    a2_error = np.sqrt(np.einsum("ri,rij,rj->r", gradient, covariance[:, :3, :3], gradient) * scale)
    return Harmonics(
        mean=mean,
        a2=a2,
        a4=np.hypot(c4, s4) / c0,
        S=4 / 15 * real / (1 - real / 3),
        S_error=4 / 15 / (1 - real / 3) ** 2 * a2_error,
        p=np.where(known, p, np.nan),
        phase=np.degrees(np.arctan2(s2, c2)) / 2,
    )


def _solve(basis: Floats, y: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Return coefficients, covariance and chi square of a linear fit to each row."""
    weighted = weight[:, None, :] * basis
    covariance = inverse(weighted @ basis.T)
    coefficients = np.einsum("rpq,rq->rp", np.nan_to_num(covariance), np.einsum("rpn,rn->rp", weighted, y))
    return coefficients, covariance, np.sum(weight * (y - coefficients @ basis) ** 2, axis=1)

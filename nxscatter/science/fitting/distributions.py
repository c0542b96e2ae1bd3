"""Averages <P2> and <P4> over distributions about a director.

They are taken with the weight ``f(theta)*sin(theta)``, theta from the director. ``S = <P2(cos theta)>`` lies between
-1/2 and 1 and is never clamped; S of an azimuthal profile is also known as Hermans' orientation factor. Angles and
widths are in degrees, arrays broadcast, and NaN gives NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import numpy as np

from nxscatter.model import Floats
from nxscatter.science.fitting.lineshapes import pseudo_voigt_peak

Averages: TypeAlias = tuple[Floats, Floats]  # <P2> and <P4>

_NODES = 96  # resolve a pseudo-Voigt of any width to 1e-9, with the substitution below
_FINE = 512  # resolve any peak of 1 degree or more
_IMAGES = range(-3, 4)  # a Gaussian of FWHM 180 has fallen to 1e-8 of its height at the copies left out


def maier_saupe_averages(kappa: Floats) -> Averages:
    """Return the averages over ``f = exp(kappa*cos^2 theta)``, in closed form.

    With Dawson's integral D and kappa > 0, ``<P2> = 3/4*(1/(sqrt(kappa)*D(sqrt(kappa))) - 1/kappa) - 1/2``. Source:
    Maier & Saupe, Z. Naturforsch. A 14, 882 (1959).
    """
    return _legendre(*_even_moments(kappa))


def pseudo_voigt_averages(gamma: Floats, eta: Floats, x0: Floats | float = 0.0) -> Averages:
    """Return the averages over a pseudo-Voigt centred at x0, literally over theta = 0..180 degrees."""
    gamma, eta, centre = np.broadcast_arrays(gamma, eta, np.radians(x0))
    half = np.radians(gamma)[..., None] / 2
    ends = [np.arcsinh((edge - centre[..., None]) / half) for edge in (0.0, np.pi)]
    middle = np.clip(0.0, *ends)
    sums = np.zeros((3, *gamma.shape))
    for low, high in ((ends[0], middle), (middle, ends[1])):
        # theta = x0 + half*sinh(t) resolves the peak at any width.
        nodes, weights = _gauss_legendre(_NODES)
        t = low + (high - low) * nodes
        distance = half * np.sinh(t)
        peak = pseudo_voigt_peak(np.degrees(distance), gamma[..., None], eta[..., None])[0]
        theta = centre[..., None] + distance
        measure = peak * np.sin(theta) * half * np.cosh(t) * (high - low) * weights
        sums += _powers(np.cos(theta), measure)
    return _legendre(*_ratios(sums))


def pseudo_voigt_periodic_averages(gamma: Floats, eta: Floats) -> Averages:
    """Return the averages over a pseudo-Voigt and its images at all multiples of 180 degrees, as a nematic has it."""
    gamma, eta = np.broadcast_arrays(gamma, eta)
    half = np.radians(gamma)[..., None] / 2
    end = np.arcsinh(np.pi / 2 / half)
    nodes, weights = _gauss_legendre(_NODES)
    theta = half * np.sinh(end * nodes)
    peak = sum(pseudo_voigt_peak(np.degrees(theta) - 180 * n, gamma[..., None], 1.0)[0] for n in _IMAGES)
    measure = np.degrees(peak) * np.sin(theta) * half * np.cosh(end * nodes) * end * weights
    sums = eta * _powers(np.cos(theta), measure) + (1 - eta) * _lorentz_images(np.radians(gamma))
    return _legendre(*_ratios(sums))


def averages_over(peak: Callable[[Floats], Floats]) -> Averages:
    """Return the averages over a peak, given as a function of the distance from its middle (degrees, one more axis).

    By quadrature over theta = 0..180 degrees, for peaks of a FWHM of 1 degree or more.
    """
    nodes, weights = _gauss_legendre(_FINE)
    theta = np.pi * nodes
    return _legendre(*_ratios(_powers(np.cos(theta), peak(np.degrees(theta)) * np.sin(theta) * weights)))


def maier_saupe_amplitude(
    height: float, kappa: float, covariance: Floats, theta_bragg: float = 0.0
) -> tuple[float, float]:
    """Return what a fitted line of some height is in units of the normalised Maier-Saupe distribution.

    ``height*exp(kappa*(cos^2 theta - cos^2 theta_bragg)) = A*exp(kappa*cos^2 theta)/Z(kappa)`` with Z the integral of
    ``exp(kappa*cos^2 theta)*sin(theta)`` over 0..180 degrees, so that
    ``A = height*2*D(sqrt(kappa))/sqrt(kappa)*exp(kappa*sin^2 theta_bragg)``, D being Dawson's integral. The derivative
    of ln A by kappa is ``<cos^2> - cos^2 theta_bragg``.

    Parameters
    ----------
    height, kappa : float
        Parameters of a fitted Maier-Saupe line, kappa above 0.
    covariance : ndarray (2, 2)
        Theirs.
    theta_bragg : float
        Bragg angle at which the line was fitted against azimuth, degrees.

    Returns
    -------
    A, error : float
        NaN where the line was not fitted.
    """
    from scipy.special import dawsn

    if not kappa > 0:
        return float("nan"), float("nan")
    top = np.cos(np.radians(theta_bragg)) ** 2
    factor = 2 * float(dawsn(np.sqrt(kappa))) / np.sqrt(kappa) * np.exp(kappa * (1 - top))
    mean_square = (2 * float(maier_saupe_averages(np.asarray(kappa, dtype=float))[0]) + 1) / 3
    gradient = factor * np.array([1.0, height * (mean_square - top)])
    return float(height * factor), float(np.sqrt(gradient @ covariance @ gradient))


def _even_moments(kappa: Floats) -> Averages:
    """Return <cos^2> and <cos^4> of ``exp(kappa*cos^2)``.

    Integration by parts: ``<cos^2> = (e - 1)/(2*kappa)`` and ``<cos^4> = (e - 3*<cos^2>)/(2*kappa)`` with
    ``e = exp(kappa)/integral of exp(kappa*c^2) over c = 0..1``, a Dawson or an error function. The power series
    takes over near 0, where these differences lose digits.
    """
    from scipy.special import dawsn, erf

    small = np.abs(kappa) < 0.5
    near = np.where(small, kappa, 0.0)
    far = np.where(small, 1.0, kappa)
    series, term = np.zeros((3, *np.shape(kappa))), np.ones_like(near)
    for n in range(16):
        series += term / np.reshape([2 * n + 1, 2 * n + 3, 2 * n + 5], (3,) + (1,) * np.ndim(kappa))
        term = term * near / (n + 1)
    root = np.sqrt(np.abs(far))
    negative = np.minimum(far, 0.0)
    e = np.where(far > 0, root / dawsn(root), 2 * root * np.exp(negative) / (np.sqrt(np.pi) * erf(root)))
    second = (e - 1) / (2 * far)
    fourth = (e - 3 * second) / (2 * far)
    return np.where(small, series[1] / series[0], second), np.where(small, series[2] / series[0], fourth)


def _lorentz_images(width: Floats) -> Floats:
    """Return the integrals of cos^0, cos^2, cos^4 over 0..pi/2 of ``sin(x)*sinh(g)/(cosh(g) - cos(2x))/pi``.

    With c = cos x the integrand is ``sinh(g)/(2*pi)/(C^2 - c^2)``, ``C = cosh(g/2)``, which an inverse hyperbolic
    tangent integrates; far from the poles the series in 1/C^2 keeps all digits.
    """
    C2 = np.cosh(width / 2) ** 2
    wide = C2 > 9
    zeroth = -np.log(np.tanh(width / 4)) / np.sqrt(C2)
    second = C2 * zeroth - 1
    closed = np.stack([zeroth, second, C2 * second - 1 / 3])
    inverse = 1 / np.where(wide, C2, 9.0)
    series = sum(np.stack([inverse ** (n + 1) / (2 * n + power + 1) for power in (0, 2, 4)]) for n in range(18))
    return np.asarray(np.sinh(width) / (2 * np.pi) * np.where(wide, series, closed))


def _powers(cosine: Floats, measure: Floats) -> Floats:
    square = cosine**2
    return np.stack([measure.sum(-1), (measure * square).sum(-1), (measure * square**2).sum(-1)])


def _ratios(sums: Floats) -> Averages:
    total = np.where(sums[0] > 0, sums[0], np.nan)
    return sums[1] / total, sums[2] / total


def _legendre(second: Floats, fourth: Floats) -> Averages:
    return np.asarray((3 * second - 1) / 2), np.asarray((35 * fourth - 30 * second + 3) / 8)


@cache
def _gauss_legendre(number: int) -> tuple[Floats, Floats]:
    """Return nodes and weights on 0..1."""
    nodes, weights = np.polynomial.legendre.leggauss(number)
    return (nodes + 1) / 2, weights / 2

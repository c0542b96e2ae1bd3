"""Shapes of peaks against azimuth: pure functions of the distance from the peak's middle, with their derivatives.

Each returns the peak at a distance d in degrees, then its derivatives by d and by each parameter of its shape. What is
fitted, a background and some peaks, is said in `models`.

At wide angles an azimuth in the detector's plane is not the angle between q and the director: for a director across
the beam ``cos(theta) = cos(theta_Bragg)*cos(azimuth from the director)``. The shapes of an orientation distribution
take theta_Bragg and see the true angle; those of a pseudo-Voigt are shapes of the azimuth itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from nxscatter.model import Floats

Number: TypeAlias = Any  # a float or an array of floats that broadcasts with the distance
Peak: TypeAlias = tuple[Floats, ...]  # the peak, its derivatives by the distance and by each parameter of its shape

_DEGREE = np.pi / 180
_FOUR_LN2 = 4 * np.log(2)
_GAUSS_HEIGHT = 2 * np.sqrt(np.log(2) / np.pi)


def wrap(distance: Number, period: float = 180.0) -> Floats:
    """Bring a distance in degrees into [-period/2, period/2)."""
    return np.asarray((np.asarray(distance) + period / 2) % period - period / 2)


def pseudo_voigt_peak(d: Number, gamma: Number, eta: Number) -> Peak:
    """Return a pseudo-Voigt peak of area 1, and its derivatives by d, gamma and eta.

    ``eta*G + (1 - eta)*L`` with ``G = 2/gamma*sqrt(ln 2/pi)*exp(-4*ln 2*(d/gamma)^2)`` and
    ``L = 2/(pi*gamma)/(1 + 4*(d/gamma)^2)``: a Gaussian and a Lorentzian of one FWHM. Source: Wertheim, Butler, West &
    Buchanan, doi:10.1063/1.1686503.

    Parameters
    ----------
    d : float or ndarray
        Distance from the middle in degrees; all parameters broadcast with it.
    gamma : float or ndarray
        Full width at half maximum, degrees.
    eta : float or ndarray
        Weight of the **Gaussian**, 0 to 1 (elsewhere often that of the Lorentzian).
    """
    u = np.asarray(d / gamma)
    square = u * u
    gauss = _GAUSS_HEIGHT / gamma * np.exp(-_FOUR_LN2 * square)
    cut = 1 / (1 + 4 * square)
    lorentz = 2 / np.pi / gamma * cut
    first, second = eta * gauss, (1 - eta) * lorentz
    peak = first + second
    slope = -2 * (_FOUR_LN2 * first + 4 * cut * second)  # derivative by u, over u
    return peak, slope * u / gamma, -(peak + slope * square) / gamma, gauss - lorentz


def pseudo_voigt_periodic_peak(d: Number, gamma: Number, eta: Number) -> Peak:
    """Return the sum of pseudo-Voigt peaks 180 degrees apart, and its derivatives by d, gamma and eta.

    The profile of a distribution with ``f(theta) = f(pi - theta)``. The Lorentzians sum to
    ``sinh(g)/(cosh(g) - cos 2d)/180``, g being the FWHM in radians (the wrapped Cauchy distribution: Mardia & Jupp,
    Directional Statistics, Wiley 2000, section 3.5). Parameters as in `pseudo_voigt_peak`; the area within 180 degrees
    is 1.
    """
    # A Gaussian of FWHM 180 has fallen to 1e-8 of its height at the copies left out.
    gauss, gauss_by_d, gauss_by_gamma = np.sum([_gauss(d - 180 * n, gamma) for n in range(-3, 4)], axis=0)
    width, angle = np.asarray(gamma) * _DEGREE, 2 * np.asarray(d) * _DEGREE
    below = np.cosh(width) - np.cos(angle)
    lorentz = np.sinh(width) / below / 180
    by_d = -2 * _DEGREE * lorentz * np.sin(angle) / below
    by_gamma = _DEGREE * (np.cosh(width) / 180 - lorentz * np.sinh(width)) / below
    rest = 1 - eta
    return (
        eta * gauss + rest * lorentz,
        eta * gauss_by_d + rest * by_d,
        eta * gauss_by_gamma + rest * by_gamma,
        gauss - lorentz,
    )


def maier_saupe_peak(d: Number, kappa: Number, theta_bragg: Number = 0.0) -> Peak:
    """Return a Maier-Saupe distribution with height 1 at its top, and its derivatives by d and kappa.

    ``exp(kappa*cos^2(theta_bragg)*(cos^2 d - 1))``, which is ``exp(kappa*cos^2 theta)`` but for a factor. Source:
    Maier & Saupe, Z. Naturforsch. A 14, 882 (1959).

    Parameters
    ----------
    d : float or ndarray
        Distance from the middle in degrees; all parameters broadcast with it.
    kappa : float or ndarray
        Strength of the order; negative: a minimum at d = 0.
    theta_bragg : float or ndarray
        Bragg angle, degrees.
    """
    angle, tilt = np.asarray(d) * _DEGREE, np.cos(theta_bragg * _DEGREE) ** 2
    drop = -tilt * np.sin(angle) ** 2
    peak = np.exp(kappa * drop)
    return peak, -_DEGREE * kappa * tilt * np.sin(2 * angle) * peak, drop * peak


def kratky_peak(d: Number, kappa: Number, theta_bragg: Number = 0.0) -> Peak:
    """Return the equatorial intensity of rods in a Maier-Saupe distribution, and its derivatives by d and kappa.

    Each rod scatters in its own equatorial plane: ``K(kappa*sin^2 theta)/K(kappa)`` with ``K(a) = exp(a/2)*I0(a/2)``
    and theta the angle from the director, which stands 90 degrees from d = 0:
    ``sin^2 theta = 1 - cos^2(theta_bragg)*sin^2 d``. Parameters as in `maier_saupe_peak`. Source: Kratky,
    Kolloid-Z. 64, 213 (1933); in this form Agra-Kooijman, Fisch & Kumar, doi:10.1080/02678292.2017.1372526.
    """
    return _equatorial_peak(d, kappa, theta_bragg, _kratky_factor)


def leadbetter_norris_peak(d: Number, kappa: Number, theta_bragg: Number = 0.0) -> Peak:
    """Return the equatorial intensity after Leadbetter and Norris, and its derivatives by d and kappa.

    The integral of `kratky_peak` with a further factor cos w: ``L(kappa*sin^2 theta)/L(kappa)`` with
    ``L(a) = exp(a)*sqrt(pi)*erf(sqrt(a))/(2*sqrt(a))``. Parameters as in `maier_saupe_peak`. Source: Leadbetter &
    Norris, Mol. Phys. 38, 669 (1979).
    """
    return _equatorial_peak(d, kappa, theta_bragg, _leadbetter_norris_factor)


def _equatorial_peak(
    d: Number, kappa: Number, theta_bragg: Number, factor: Callable[[Floats], tuple[Floats, Floats]]
) -> Peak:
    """Return g(kappa*sin^2 theta)/g(kappa) and its derivatives for ``g(a) = exp(max(a, 0))*h(a)``.

    theta is the angle from the director, which stands 90 degrees from d = 0. ``factor`` gives h and the derivative of
    ln g, both bounded, so that nothing overflows.
    """
    angle, kappa = np.asarray(d) * _DEGREE, np.asarray(kappa, dtype=float)
    tilt = np.cos(theta_bragg * _DEGREE) ** 2
    sin2 = np.cos(angle) ** 2 + (1 - tilt) * np.sin(angle) ** 2
    a = kappa * sin2
    h, by_a = factor(a)
    h_top, by_top = factor(kappa)
    peak = np.exp(np.maximum(a, 0) - np.maximum(kappa, 0)) * h / h_top
    return peak, -_DEGREE * kappa * tilt * np.sin(2 * angle) * by_a * peak, (by_a * sin2 - by_top) * peak


def _gauss(d: Number, gamma: Number) -> tuple[Floats, Floats, Floats]:
    u = np.asarray(d / gamma)
    peak = _GAUSS_HEIGHT / gamma * np.exp(-_FOUR_LN2 * u * u)
    return peak, -2 * _FOUR_LN2 * u * peak / gamma, (2 * _FOUR_LN2 * u * u - 1) * peak / gamma


def _kratky_factor(a: Floats) -> tuple[Floats, Floats]:
    from scipy.special import i0e, i1e

    h = i0e(a / 2)
    return h, (1 + i1e(a / 2) / h) / 2


def _leadbetter_norris_factor(a: Floats) -> tuple[Floats, Floats]:
    from scipy.special import dawsn, erf

    small = np.abs(a) < 0.05
    safe = np.where(small, 1.0, a)
    root = np.sqrt(np.abs(safe))
    h = np.where(safe > 0, np.sqrt(np.pi) / 2 * erf(root), dawsn(root)) / root
    by_a = 1 - (1 - np.exp(-np.maximum(safe, 0)) / h) / (2 * safe)
    # Near 0: g = sum of (2a)^n/(2n + 1)!!
    near = np.where(small, a, 0.0)
    g, slope, term = np.ones_like(near), np.zeros_like(near), np.ones_like(near)
    for n in range(1, 9):
        slope = slope + n * term * 2 / (2 * n + 1)
        term = term * 2 * near / (2 * n + 1)
        g = g + term
    return np.where(small, g * np.exp(-np.maximum(near, 0)), h), np.where(small, slope / g, by_a)

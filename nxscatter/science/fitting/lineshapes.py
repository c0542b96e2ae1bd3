"""Lines against azimuth: pure functions of x in degrees, with analytic derivatives.

Every line is a background plus ``I`` times a peak about ``x0``. A pattern with a centre of symmetry repeats
every 180 degrees. `maier_saupe`, `kratky`, `leadbetter_norris` and `pseudo_voigt_periodic` do so by themselves,
`pseudo_voigt` does when it is given ``period=180``.

At wide angles an azimuth in the detector's plane is not the angle between q and the director: for a director across
the beam ``cos(theta) = cos(theta_Bragg)*cos(azimuth from the director)``. The lines of an orientation distribution
take theta_Bragg and see the true angle; those of a pseudo-Voigt are lines of the azimuth itself.
"""

# ruff: noqa: E741 - I is the name of an intensity in this field

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from nxscatter.model import Floats

Number: TypeAlias = Any  # a float or an array of floats that broadcasts with x

_DEGREE = np.pi / 180
_FOUR_LN2 = 4 * np.log(2)
_GAUSS_HEIGHT = 2 * np.sqrt(np.log(2) / np.pi)


def wrap(distance: Number, period: float = 180.0) -> Floats:
    """Bring a distance in degrees into [-period/2, period/2)."""
    return np.asarray((np.asarray(distance) + period / 2) % period - period / 2)


def pseudo_voigt(
    x: Number,
    y0: Number,
    I: Number,
    x0: Number,
    gamma: Number,
    eta: Number,
    slope: Number = 0.0,
    *,
    period: float | None = None,
) -> Floats:
    """Pseudo-Voigt line ``y0 + slope*x + I*[eta*G + (1 - eta)*L]``.

    Parameters
    ----------
    x : float or ndarray
        Angle in degrees; all parameters broadcast with it.
    y0, slope : float or ndarray
        Background at x = 0 and its change per degree.
    I : float or ndarray
        Area of the peak: G and L are normalised to 1 over x in degrees.
    x0, gamma : float or ndarray
        Centre and common full width at half maximum, degrees.
    eta : float or ndarray
        Weight of the **Gaussian**, 0 to 1.
    period : float, optional
        The peak stands again every ``period`` degrees; each x sees the nearest one alone.
    """
    d = _distance(x, x0, period)
    return np.asarray(y0 + slope * np.asarray(x) + I * pseudo_voigt_peak(d, gamma, eta)[0])


def pseudo_voigt_jacobian(
    x: Number,
    y0: Number,
    I: Number,
    x0: Number,
    gamma: Number,
    eta: Number,
    slope: Number = 0.0,
    *,
    period: float | None = None,
) -> Floats:
    """Return the derivatives of `pseudo_voigt` by y0, I, x0, gamma, eta and slope, along the first axis."""
    peak, by_d, by_gamma, by_eta = pseudo_voigt_peak(_distance(x, x0, period), gamma, eta)
    return _stack(np.ones_like(peak), peak, -I * by_d, I * by_gamma, I * by_eta, x)


def pseudo_voigt_periodic(x: Number, y0: Number, I: Number, x0: Number, gamma: Number, eta: Number) -> Floats:
    """Sum of the pseudo-Voigt peaks at all multiples of 180 degrees from x0, on a background y0.

    The profile of a distribution with ``f(theta) = f(pi - theta)``. The Lorentzians sum to
    ``sinh(g)/(cosh(g) - cos(2*(x - x0)))/pi``, g being the FWHM in radians. Parameters as in `pseudo_voigt`; I is
    the area within 180 degrees.
    """
    return np.asarray(y0 + I * pseudo_voigt_periodic_peak(_distance(x, x0), gamma, eta)[0])


def pseudo_voigt_periodic_jacobian(
    x: Number,
    y0: Number,
    I: Number,
    x0: Number,
    gamma: Number,
    eta: Number,
) -> Floats:
    """Return the derivatives of `pseudo_voigt_periodic` by y0, I, x0, gamma and eta, along the first axis."""
    peak, by_d, by_gamma, by_eta = pseudo_voigt_periodic_peak(_distance(x, x0), gamma, eta)
    return _stack(np.ones_like(peak), peak, -I * by_d, I * by_gamma, I * by_eta)


def maier_saupe(
    x: Number,
    I: Number,
    x0: Number,
    kappa: Number,
    a: Number = 0.0,
    b: Number = 0.0,
    *,
    theta_bragg: Number = 0.0,
) -> Floats:
    """Maier-Saupe line ``I*exp(kappa*cos^2(theta_bragg)*(cos^2(x - x0) - 1)) + a*x + b`` (Maier & Saupe 1959).

    Parameters
    ----------
    x : float or ndarray
        Angle in degrees; all parameters broadcast with it.
    I : float or ndarray
        Height of the peak above the background.
    x0 : float or ndarray
        Centre, degrees.
    kappa : float or ndarray
        Strength of the order; negative: a minimum at x0.
    a, b : float or ndarray
        Slope per degree and level of the background.
    theta_bragg : float or ndarray
        Bragg angle, degrees.
    """
    peak = maier_saupe_peak(_distance(x, x0), kappa, theta_bragg)[0]
    return np.asarray(I * peak + a * np.asarray(x) + b)


def maier_saupe_jacobian(
    x: Number,
    I: Number,
    x0: Number,
    kappa: Number,
    a: Number = 0.0,
    b: Number = 0.0,
    *,
    theta_bragg: Number = 0.0,
) -> Floats:
    """Return the derivatives of `maier_saupe` by I, x0, kappa, a and b, along the first axis."""
    peak, by_d, by_kappa = maier_saupe_peak(_distance(x, x0), kappa, theta_bragg)
    return _stack(peak, -I * by_d, I * by_kappa, x, np.ones_like(peak))


def kratky(x: Number, I: Number, x0: Number, kappa: Number, b: Number = 0.0, *, theta_bragg: Number = 0.0) -> Floats:
    """Equatorial intensity of rods in a Maier-Saupe distribution, each scattering in its own equatorial plane.

    ``b + I*K(kappa*sin^2 theta)/K(kappa)`` with ``K(a) = exp(a/2)*I0(a/2)`` and theta the angle from the director,
    which stands at x0 + 90: ``sin^2 theta = 1 - cos^2(theta_bragg)*sin^2(x - x0)``. Parameters as in `maier_saupe`.
    Source: Agra-Kooijman, Fisch & Kumar, doi:10.1080/02678292.2017.1372526.
    """
    return np.asarray(I * kratky_peak(_distance(x, x0), kappa, theta_bragg)[0] + b)


def kratky_jacobian(
    x: Number, I: Number, x0: Number, kappa: Number, b: Number = 0.0, *, theta_bragg: Number = 0.0
) -> Floats:
    """Return the derivatives of `kratky` by I, x0, kappa and b, along the first axis."""
    peak, by_d, by_kappa = kratky_peak(_distance(x, x0), kappa, theta_bragg)
    return _stack(peak, -I * by_d, I * by_kappa, np.ones_like(peak))


def leadbetter_norris(
    x: Number, I: Number, x0: Number, kappa: Number, b: Number = 0.0, *, theta_bragg: Number = 0.0
) -> Floats:
    """Equatorial intensity of a Maier-Saupe distribution after Leadbetter & Norris (1979).

    The integral of `kratky` with a further factor cos w: ``b + I*L(kappa*sin^2 theta)/L(kappa)`` with
    ``L(a) = exp(a)*sqrt(pi)*erf(sqrt(a))/(2*sqrt(a))``. Parameters as in `maier_saupe`.
    """
    return np.asarray(I * leadbetter_norris_peak(_distance(x, x0), kappa, theta_bragg)[0] + b)


def leadbetter_norris_jacobian(
    x: Number, I: Number, x0: Number, kappa: Number, b: Number = 0.0, *, theta_bragg: Number = 0.0
) -> Floats:
    """Return the derivatives of `leadbetter_norris` by I, x0, kappa and b, along the first axis."""
    peak, by_d, by_kappa = leadbetter_norris_peak(_distance(x, x0), kappa, theta_bragg)
    return _stack(peak, -I * by_d, I * by_kappa, np.ones_like(peak))


def pseudo_voigt_peak(d: Number, gamma: Number, eta: Number) -> tuple[Floats, ...]:
    """Return the normalised peak at distance d (degrees), and its derivatives by d, gamma and eta."""
    u = np.asarray(d / gamma)
    square = u * u
    gauss = _GAUSS_HEIGHT / gamma * np.exp(-_FOUR_LN2 * square)
    cut = 1 / (1 + 4 * square)
    lorentz = 2 / np.pi / gamma * cut
    g, l = eta * gauss, (1 - eta) * lorentz
    slope = -2 * (_FOUR_LN2 * g + 4 * cut * l)  # derivative by u, over u
    return g + l, slope * u / gamma, -(g + l + slope * square) / gamma, gauss - lorentz


def pseudo_voigt_periodic_peak(d: Number, gamma: Number, eta: Number) -> tuple[Floats, ...]:
    """Return the sum of normalised peaks 180 degrees apart, and its derivatives by d, gamma and eta."""
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


def maier_saupe_peak(d: Number, kappa: Number, theta_bragg: Number = 0.0) -> tuple[Floats, ...]:
    """Return the peak of height 1 at distance d (degrees), and its derivatives by d and kappa."""
    angle, tilt = np.asarray(d) * _DEGREE, np.cos(theta_bragg * _DEGREE) ** 2
    drop = -tilt * np.sin(angle) ** 2
    peak = np.exp(kappa * drop)
    return peak, -_DEGREE * kappa * tilt * np.sin(2 * angle) * peak, drop * peak


def kratky_peak(d: Number, kappa: Number, theta_bragg: Number = 0.0) -> tuple[Floats, ...]:
    """Return the peak of height 1 at distance d (degrees), and its derivatives by d and kappa."""
    return _equatorial_peak(d, kappa, theta_bragg, _kratky_factor)


def leadbetter_norris_peak(d: Number, kappa: Number, theta_bragg: Number = 0.0) -> tuple[Floats, ...]:
    """Return the peak of height 1 at distance d (degrees), and its derivatives by d and kappa."""
    return _equatorial_peak(d, kappa, theta_bragg, _leadbetter_norris_factor)


def _equatorial_peak(
    d: Number, kappa: Number, theta_bragg: Number, factor: Callable[[Floats], tuple[Floats, Floats]]
) -> tuple[Floats, ...]:
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


def _distance(x: Number, x0: Number, period: float | None = None) -> Floats:
    d = np.asarray(x, dtype=float) - x0
    return d if period is None else wrap(d, period)


def _stack(*columns: Number) -> Floats:
    return np.stack(np.broadcast_arrays(*columns)).astype(float)

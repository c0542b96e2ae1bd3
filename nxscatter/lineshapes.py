"""Lines against azimuth: pure functions of x in degrees, with analytic derivatives.

Every line is a background plus ``I`` times a peak about ``x0``. A pattern with a centre of symmetry repeats
every 180 degrees: `maier_saupe`, `kratky` and `leadbetter_norris` do so by themselves, `pseudo_voigt` does
when it is given ``period=180``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
    x: Number, y0: Number, I: Number, x0: Number, gamma: Number, eta: Number, slope: Number = 0.0,  # noqa: E741
    *, period: float | None = None,
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
    x: Number, y0: Number, I: Number, x0: Number, gamma: Number, eta: Number, slope: Number = 0.0,  # noqa: E741
    *, period: float | None = None,
) -> Floats:
    """Derivatives of `pseudo_voigt` by y0, I, x0, gamma, eta and slope, along the first axis."""
    peak, by_d, by_gamma, by_eta = pseudo_voigt_peak(_distance(x, x0, period), gamma, eta)
    return _stack(np.ones_like(peak), peak, -I * by_d, I * by_gamma, I * by_eta, x)


def maier_saupe(x: Number, I: Number, x0: Number, kappa: Number, a: Number = 0.0, b: Number = 0.0) -> Floats:  # noqa: E741
    """Maier-Saupe line ``I*exp(kappa*(cos^2(x - x0) - 1)) + a*x + b`` (Maier & Saupe 1959).

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
    """
    return np.asarray(I * maier_saupe_peak(_distance(x, x0), kappa)[0] + a * np.asarray(x) + b)


def maier_saupe_jacobian(
    x: Number, I: Number, x0: Number, kappa: Number, a: Number = 0.0, b: Number = 0.0  # noqa: E741
) -> Floats:
    """Derivatives of `maier_saupe` by I, x0, kappa, a and b, along the first axis."""
    peak, by_d, by_kappa = maier_saupe_peak(_distance(x, x0), kappa)
    return _stack(peak, -I * by_d, I * by_kappa, x, np.ones_like(peak))


def kratky(x: Number, I: Number, x0: Number, kappa: Number, b: Number = 0.0) -> Floats:  # noqa: E741
    """Equatorial intensity of rods in a Maier-Saupe distribution, each scattering in its own equatorial plane.

    ``b + I*K(kappa*cos^2(x - x0))/K(kappa)`` with ``K(a) = exp(a/2)*I0(a/2)``, x0 the middle of the equator
    (the director stands at x0 + 90). Source: Agra-Kooijman, Fisch & Kumar, doi:10.1080/02678292.2017.1372526.
    Parameters as in `maier_saupe`.
    """
    return np.asarray(I * kratky_peak(_distance(x, x0), kappa)[0] + b)


def kratky_jacobian(x: Number, I: Number, x0: Number, kappa: Number, b: Number = 0.0) -> Floats:  # noqa: E741
    """Derivatives of `kratky` by I, x0, kappa and b, along the first axis."""
    peak, by_d, by_kappa = kratky_peak(_distance(x, x0), kappa)
    return _stack(peak, -I * by_d, I * by_kappa, np.ones_like(peak))


def leadbetter_norris(x: Number, I: Number, x0: Number, kappa: Number, b: Number = 0.0) -> Floats:  # noqa: E741
    """Equatorial intensity of a Maier-Saupe distribution after Leadbetter & Norris (1979).

    The integral of `kratky` with a further factor cos w: ``b + I*L(kappa*cos^2(x - x0))/L(kappa)`` with
    ``L(a) = exp(a)*sqrt(pi)*erf(sqrt(a))/(2*sqrt(a))``. Parameters as in `maier_saupe`.
    """
    return np.asarray(I * leadbetter_norris_peak(_distance(x, x0), kappa)[0] + b)


def leadbetter_norris_jacobian(x: Number, I: Number, x0: Number, kappa: Number, b: Number = 0.0) -> Floats:  # noqa: E741
    """Derivatives of `leadbetter_norris` by I, x0, kappa and b, along the first axis."""
    peak, by_d, by_kappa = leadbetter_norris_peak(_distance(x, x0), kappa)
    return _stack(peak, -I * by_d, I * by_kappa, np.ones_like(peak))


def pseudo_voigt_peak(d: Number, gamma: Number, eta: Number) -> tuple[Floats, ...]:
    """Return the normalised peak at distance d (degrees), and its derivatives by d, gamma and eta."""
    u = np.asarray(d / gamma)
    square = u * u
    gauss = _GAUSS_HEIGHT / gamma * np.exp(-_FOUR_LN2 * square)
    cut = 1 / (1 + 4 * square)
    lorentz = 2 / np.pi / gamma * cut
    g, l = eta * gauss, (1 - eta) * lorentz  # noqa: E741
    slope = -2 * (_FOUR_LN2 * g + 4 * cut * l)  # derivative by u, over u
    return g + l, slope * u / gamma, -(g + l + slope * square) / gamma, gauss - lorentz


def maier_saupe_peak(d: Number, kappa: Number) -> tuple[Floats, ...]:
    """Return the peak of height 1 at distance d (degrees), and its derivatives by d and kappa."""
    angle = np.asarray(d) * _DEGREE
    drop = -(np.sin(angle) ** 2)
    peak = np.exp(kappa * drop)
    return peak, -_DEGREE * kappa * np.sin(2 * angle) * peak, drop * peak


def kratky_peak(d: Number, kappa: Number) -> tuple[Floats, ...]:
    """Return the peak of height 1 at distance d (degrees), and its derivatives by d and kappa."""
    return _ordered_peak(d, kappa, _kratky_factor)


def leadbetter_norris_peak(d: Number, kappa: Number) -> tuple[Floats, ...]:
    """Return the peak of height 1 at distance d (degrees), and its derivatives by d and kappa."""
    return _ordered_peak(d, kappa, _leadbetter_norris_factor)


def _ordered_peak(d: Number, kappa: Number, factor: Callable[[Floats], tuple[Floats, Floats]]) -> tuple[Floats, ...]:
    """Return g(kappa*cos^2 d)/g(kappa) and its derivatives for ``g(a) = exp(max(a, 0))*h(a)``.

    ``factor`` gives h and the derivative of ln g, both bounded, so that nothing overflows.
    """
    angle, kappa = np.asarray(d) * _DEGREE, np.asarray(kappa, dtype=float)
    cos2 = np.cos(angle) ** 2
    a = kappa * cos2
    h, by_a = factor(a)
    h_top, by_top = factor(kappa)
    peak = np.exp(np.maximum(a, 0) - np.maximum(kappa, 0)) * h / h_top
    return peak, -_DEGREE * kappa * np.sin(2 * angle) * by_a * peak, (by_a * cos2 - by_top) * peak


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

"""Fits of azimuthal profiles: what a line is on real bins, and what is reported of it.

A profile repeats every 180 degrees (against chi for a pattern with a centre of symmetry, against beta by its
definition), so the two maxima of a full circle are one peak, and a peak on a seam is as whole as any other. All
bins are fitted, unfolded; each sees the nearest copy of a peak, and the mean of the line over its own width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nxscatter.model import Floats, Ints
from nxscatter.science.fitting.jointfit import fit_joint
from nxscatter.science.fitting.leastsquares import Bools, Data, Solution, fit
from nxscatter.science.fitting.lineshapes import wrap
from nxscatter.science.fitting.models import Line
from nxscatter.science.fitting.peaks import SEARCH, bin_width, smoothed

_NARROWEST = 3.0  # FWHM in bins
# Gauss-Legendre nodes and weights that average a model over a bin, in units of its width.
_NODES, _WEIGHTS = np.sqrt(0.15) * np.array([-1.0, 0.0, 1.0]), np.array([5.0, 8.0, 5.0]) / 18


@dataclass(frozen=True)
class Window:
    """Which bins take part, and what the background may do.

    Parameters
    ----------
    width : float or None
        Full width about each peak in degrees; None: all of the profile.
    slope : bool
        The background may have a slope (for a single peak).
    onefold : bool
        The profile may be multiplied by ``1 + c*cos(angle) + s*sin(angle)``.
    """

    width: float | None = None
    slope: bool = False
    onefold: bool = False

    def holds(self, bins: Floats, centres: Floats) -> Bools:
        """Whether each bin lies in the window of any of the peaks (row, peak)."""
        if self.width is None:
            return np.ones((len(centres), len(bins)), dtype=bool)
        distance = np.abs(wrap(bins - centres[:, :, None]))
        return np.asarray((distance <= self.width / 2).any(axis=1))


@dataclass(frozen=True)
class PeakFit:
    """Fitted peaks of many profiles.

    Attributes
    ----------
    names : tuple of str
        Parameters along the last axes of ``values`` and ``covariance``, in the line's order.
    values : ndarray (row, peak, parameter)
        x0 is not folded; a slope counts from x0.
    covariance : ndarray (row, peak, parameter, parameter)
        NaN for fixed parameters.
    at_limit : ndarray of bool (row, peak, parameter)
        The parameter stands on a limit.
    curve : ndarray (row, bin)
        The model, NaN outside the window.
    converged : ndarray of bool (row,)
        Whether the fit came to its end.
    points : ndarray of int (row,)
        Number of bins fitted.
    chi2_red, R2 : ndarray (row,)
        Reduced chi square, and coefficient of determination with all bins alike.
    unexplained : ndarray (row,)
        Part of the profile's variation, beyond counting noise, that the line does not follow; 0 where the misfit is
        no more than chance.
    """

    names: tuple[str, ...]
    values: Floats
    covariance: Floats
    at_limit: Bools
    curve: Floats
    converged: Bools
    points: Ints
    chi2_red: Floats
    R2: Floats
    unexplained: Floats


def parameter_names(line: Line, onefold: bool) -> tuple[str, ...]:
    """Return what is reported of a fit: the line's own parameters, and the drift if there is one."""
    return (*line.parameters, *(("drift_cos", "drift_sin") if onefold else ()))


def fit_peaks(
    line: Line,
    bins: Floats,
    data: Data,
    centres: Floats,
    window: Window,
    theta_bragg: Floats | float = 0.0,
    shared: Sequence[str] = (),
) -> PeakFit:
    """Fit a line to profiles (row, bin), with peaks that start at ``centres`` (row, peak) in degrees.

    The narrowest peak allowed has a FWHM of three bins; x0 stays within 45 degrees of its start,
    and within the window. ``theta_bragg`` (row,) in degrees is for lines of the angle from the director. ``shared``
    names parameters of a single peak that all profiles have in common.
    """
    if "x0" in shared:  # the same copy of the peak for all
        turn = np.exp(2j * np.radians(centres))
        middle = np.degrees(np.angle(turn.sum())) / 2
        centres = middle + wrap(centres - middle)
    inside = window.holds(bins, centres)
    points = Data(data.y, data.slope, data.floor, data.use & inside)
    model = _Model(line, bins, centres, window, theta_bragg)
    start, lower, upper = _limits(line, bins, points, centres, model)
    if shared:
        columns = dict(zip(parameter_names(line, window.onefold), model.columns(0), strict=True))
        solution = fit_joint(model, start, points, lower, upper, [columns[name] for name in shared])
    else:
        solution = fit(model, start, points, lower, upper)
    return _report(model, solution, points, inside)


class _Model:
    """A background and some peaks on bins. Parameters: level, [slope], [c, s], and I, x0, shape of each peak."""

    def __init__(self, line: Line, bins: Floats, centres: Floats, window: Window, theta_bragg: Floats | float) -> None:
        self.line = line
        self.slope = window.slope and bool(line.slope)
        self.onefold = window.onefold
        self.peaks = centres.shape[1]
        self.first = 1 + self.slope + 2 * self.onefold
        self.each = 2 + len(line.shape)
        self.size = self.first + self.peaks * self.each
        width = bin_width(bins)
        self.angles = (bins[:, None] + width * _NODES).ravel()
        self.seam = width / len(_NODES)
        self.theta_bragg = np.broadcast_to(theta_bragg, len(centres))[:, None]
        self.reach = min(SEARCH, (window.width or 180.0) / 2)
        self.middle = centres[:, :1]

    def __call__(self, rows: Ints, parameters: Floats) -> tuple[Floats, Floats]:
        jacobian = np.empty((len(rows), self.size, len(self.angles)))
        columns = parameters[:, :, None]
        tilt = (self.theta_bragg[rows],) if self.line.polar else ()
        jacobian[:, 0] = 1.0
        value = np.broadcast_to(columns[:, 0], jacobian[:, 0].shape).copy()
        for peak in range(self.peaks):
            at = self.first + peak * self.each
            height, x0, *shape = (columns[:, at + index] for index in range(self.each))
            distance = self.angles - x0
            turn: float | Floats = 1.0
            if not self.line.periodic:
                distance, turn = _nearest(distance, self.seam)
            profile, by_distance, *by_shape = self.line.peak(distance, *shape, *tilt)
            value += height * profile
            jacobian[:, at] = profile
            jacobian[:, at + 1] = -height * turn * by_distance
            for index, by_one in enumerate(by_shape):
                jacobian[:, at + 2 + index] = height * by_one
        if self.slope:
            # The line is unwrapped about the start, not about x0: it must not jump while x0 moves.
            middle, x0 = self.middle[rows], columns[:, self.first + 1]
            jacobian[:, 1] = wrap(self.angles - middle) + middle - x0
            value += columns[:, 1] * jacobian[:, 1]
            jacobian[:, self.first + 1] -= columns[:, 1]
        if self.onefold:
            at = self.first - 2
            waves = np.cos(np.radians(self.angles)), np.sin(np.radians(self.angles))
            factor = 1 + columns[:, at] * waves[0] + columns[:, at + 1] * waves[1]
            jacobian *= factor[:, None, :]
            jacobian[:, at], jacobian[:, at + 1] = value * waves[0], value * waves[1]
            value = value * factor
        return (
            value.reshape(len(rows), -1, len(_NODES)) @ _WEIGHTS,
            jacobian.reshape(len(rows), self.size, -1, len(_NODES)) @ _WEIGHTS,
        )

    def columns(self, peak: int) -> list[int]:
        """Return where each reported parameter of a peak stands among the fitted ones; -1: fixed at 0."""
        at = self.first + peak * self.each
        where = {self.line.level: 0, "I": at, "x0": at + 1}
        where |= {name: at + 2 + index for index, name in enumerate(self.line.shape)}
        where[self.line.slope] = 1 if self.slope else -1
        where |= {"drift_cos": self.first - 2, "drift_sin": self.first - 1}
        return [where[name] for name in parameter_names(self.line, self.onefold)]


def _nearest(distance: Floats, width: float) -> tuple[Floats, Floats]:
    """Return the distance from the nearest of peaks 180 degrees apart, and its derivative.

    A bin half-way between two peaks, ``width`` wide, sees both: its distance is the mean over the bin. Without
    that the sum of squares would have an edge wherever a bin changes sides, and minima that no slope leads to.
    """
    distance = distance - 180 * np.rint(distance / 180)
    beyond = 90 - np.abs(distance)
    turn = np.ones_like(distance)
    near = beyond < width / 2
    turn[near] = 2 * beyond[near] / width
    distance[near] = np.copysign(90 - (beyond[near] ** 2 + width**2 / 4) / width, distance[near])
    return distance, turn


def _shape_limits(name: str, narrowest: float) -> tuple[float, float]:
    """Return the limits of a shape parameter when no FWHM below ``narrowest`` degrees can be told."""
    if name == "gamma":
        return narrowest, 180.0
    if name == "eta":
        return 0.0, 1.0
    return 0.01, float(_kappa(narrowest))


def _kappa(fwhm: float | Floats) -> Floats:
    """Return the kappa of a Maier-Saupe line with that FWHM in degrees."""
    return np.asarray(np.log(2) / np.sin(np.radians(fwhm) / 2) ** 2)


def _limits(line: Line, bins: Floats, data: Data, centres: Floats, model: _Model) -> tuple[Floats, Floats, Floats]:
    """Return first guess and limits of the fitted parameters, from the smoothed profile."""
    grid, curve, _ = smoothed(bins, data)
    narrowest = _NARROWEST * bin_width(bins)
    level = np.percentile(curve, 10, axis=1)
    top = np.stack([np.interp(c, grid, row, period=180) for c, row in zip(centres, curve, strict=True)])
    heights = np.maximum(top - level[:, None], 1e-3 * (np.abs(top) + np.abs(level[:, None])) + 1e-300)
    area = np.maximum(curve - level[:, None], 0.0).sum(axis=1) * (grid[1] - grid[0])
    fwhm = np.clip(area / heights.sum(axis=1) / 1.06, 1.2 * narrowest, max(100.0, 1.3 * narrowest))
    guesses = {"gamma": fwhm, "eta": np.full(len(level), 0.5), "kappa": _kappa(fwhm)}

    start = np.zeros((len(level), model.size))
    lower, upper = np.full_like(start, -np.inf), np.full_like(start, np.inf)
    start[:, 0] = level
    unit = line.peak(np.zeros(len(level)), *(guesses[name] for name in line.shape))[0]
    for peak in range(model.peaks):
        at = model.first + peak * model.each
        start[:, at], lower[:, at] = heights[:, peak] / unit, 0.0
        start[:, at + 1] = centres[:, peak]
        lower[:, at + 1], upper[:, at + 1] = centres[:, peak] - model.reach, centres[:, peak] + model.reach
        for index, name in enumerate(line.shape, start=at + 2):
            start[:, index] = guesses[name]
            lower[:, index], upper[:, index] = _shape_limits(name, narrowest)
    return start, lower, upper


def _report(model: _Model, solution: Solution, data: Data, inside: Bools) -> PeakFit:
    """Put fitted parameters in the order of the line, one set a peak."""
    rows = len(solution.values)
    # One further column stands for what is fixed: value 0, covariance NaN.
    values = np.concatenate([solution.values, np.zeros((rows, 1))], axis=1)
    limit = np.concatenate([solution.at_limit, np.zeros((rows, 1), dtype=bool)], axis=1)
    covariance = np.full((rows, model.size + 1, model.size + 1), np.nan)
    covariance[:, :-1, :-1] = solution.covariance
    index = np.array([model.columns(peak) for peak in range(model.peaks)])

    points = np.count_nonzero(data.use, axis=1)
    count = np.maximum(points, 1)[:, None]
    centred = np.where(data.use, data.y - np.sum(data.y, axis=1, where=data.use, keepdims=True) / count, 0.0)
    total = np.sum(centred**2, axis=1)
    residual = np.sum((data.y - solution.model) ** 2, axis=1, where=data.use)
    noise = np.sum(data.variance(solution.model), axis=1, where=data.use)
    freedom = np.maximum(points - model.size, 1)
    chi2_red = solution.chi2 / freedom
    beyond_chance = chi2_red > 1 + 5 * np.sqrt(2 / freedom)
    return PeakFit(
        names=parameter_names(model.line, model.onefold),
        values=values[:, index],
        covariance=covariance[:, index[:, :, None], index[:, None, :]],
        at_limit=limit[:, index],
        curve=np.where(inside, solution.model, np.nan),
        converged=solution.converged,
        points=points,
        chi2_red=chi2_red,
        R2=1 - residual / np.where(total > 0, total, np.nan),
        unexplained=np.where(beyond_chance, (residual - noise) / np.maximum(total - noise, 1e-300), 0.0),
    )

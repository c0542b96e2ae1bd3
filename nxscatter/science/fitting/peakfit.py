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
from nxscatter.science.fitting.line_model import LineModel
from nxscatter.science.fitting.lineshapes import wrap
from nxscatter.science.fitting.peaks import SEARCH, bin_width, smoothed

_NARROWEST = 3.0  # FWHM in bins
_DRIFT = ("drift_cos", "drift_sin")
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


def parameter_names(model: LineModel, onefold: bool) -> tuple[str, ...]:
    """Return what is reported of a fit: the line's own parameters, and the drift if there is one."""
    return (*model.names, *(_DRIFT if onefold else ()))


def fit_peaks(
    model: LineModel,
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
    curve = _PeaksOnBins(model, bins, centres, window, theta_bragg)
    start, lower, upper = _limits(curve, bins, points, centres)
    if shared:
        columns = [curve.column(name, peak=0) for name in shared]
        solution = fit_joint(curve, start, points, lower, upper, columns)
    else:
        solution = fit(curve, start, points, lower, upper)
    return _report(curve, solution, points, inside)


class _PeaksOnBins:
    """A background and some peaks, averaged over bins: the function that least squares sees.

    Attributes
    ----------
    fitted : list of (name, peak)
        The fitted parameters in the order of their columns: those of the background (peak None), then those of each
        peak, numbered from 0.
    """

    def __init__(
        self, model: LineModel, bins: Floats, centres: Floats, window: Window, theta_bragg: Floats | float
    ) -> None:
        self.model = model
        self.slope = window.slope and bool(model.slope)
        self.onefold = window.onefold
        self.peaks = centres.shape[1]
        background = [model.level, *([model.slope] if self.slope else []), *(_DRIFT if self.onefold else [])]
        self.fitted: list[tuple[str, int | None]] = [(name, None) for name in background]
        self.fitted += [(name, peak) for peak in range(self.peaks) for name in ("I", "x0", *model.shape)]
        self._column = {key: column for column, key in enumerate(self.fitted)}
        width = bin_width(bins)
        self.angles = (bins[:, None] + width * _NODES).ravel()
        self.seam = width / len(_NODES)
        self.theta_bragg = np.broadcast_to(theta_bragg, len(centres))[:, None]
        self.reach = min(SEARCH, (window.width or 180.0) / 2)
        self.middle = centres[:, :1]

    def column(self, name: str, peak: int | None = None) -> int:
        """Return where a parameter of the background, or of a peak, stands among the fitted ones."""
        return self._column[name, peak]

    def reported(self, peak: int) -> list[int]:
        """Return the column of each parameter that is reported of a peak; -1 for one that is fixed at 0."""
        names = parameter_names(self.model, self.onefold)
        return [self._column.get((name, peak), self._column.get((name, None), -1)) for name in names]

    def __call__(self, rows: Ints, parameters: Floats) -> tuple[Floats, Floats]:
        """Return the model and its jacobian on the bins, as `leastsquares.fit` asks for them."""
        value, jacobian = self._peaks(rows, parameters)
        if self.slope:
            self._add_slope(rows, parameters, value, jacobian)
        if self.onefold:
            value = self._lean(parameters, value, jacobian)
        return (
            value.reshape(len(rows), -1, len(_NODES)) @ _WEIGHTS,
            jacobian.reshape(len(rows), len(self.fitted), -1, len(_NODES)) @ _WEIGHTS,
        )

    def _peaks(self, rows: Ints, parameters: Floats) -> tuple[Floats, Floats]:
        """Return level and peaks at the nodes of all bins, with the jacobian, where slope and drift are left open."""
        jacobian = np.zeros((len(rows), len(self.fitted), len(self.angles)))
        level = self.column(self.model.level)
        jacobian[:, level] = 1.0
        value = np.broadcast_to(parameters[:, level, None], (len(rows), len(self.angles))).copy()
        for peak in range(self.peaks):
            columns = [self.column(name, peak) for name in ("I", "x0", *self.model.shape)]
            height, x0, *shape = (parameters[:, column, None] for column in columns)
            distance = self.angles - x0
            turn: float | Floats = 1.0
            if not self.model.periodic:
                distance, turn = _nearest(distance, self.seam)
            profile, by_distance, *by_shape = self.model.peak(distance, *shape, theta_bragg=self.theta_bragg[rows])
            value += height * profile
            by_peak = [profile, -height * turn * by_distance, *(height * derivative for derivative in by_shape)]
            for column, derivative in zip(columns, by_peak, strict=True):
                jacobian[:, column] = derivative
        return value, jacobian

    def _add_slope(self, rows: Ints, parameters: Floats, value: Floats, jacobian: Floats) -> None:
        """Add a slope that counts from x0; it is unwrapped about the start: it must not jump while x0 moves."""
        slope, x0 = self.column(self.model.slope), self.column("x0", peak=0)
        middle = self.middle[rows]
        jacobian[:, slope] = wrap(self.angles - middle) + middle - parameters[:, x0, None]
        value += parameters[:, slope, None] * jacobian[:, slope]
        jacobian[:, x0] -= parameters[:, slope, None]

    def _lean(self, parameters: Floats, value: Floats, jacobian: Floats) -> Floats:
        """Return the value times ``1 + c*cos(angle) + s*sin(angle)``, and bring the jacobian there."""
        columns = [self.column(name) for name in _DRIFT]
        cosine, sine = (parameters[:, column, None] for column in columns)
        waves = np.cos(np.radians(self.angles)), np.sin(np.radians(self.angles))
        factor = 1 + cosine * waves[0] + sine * waves[1]
        jacobian *= factor[:, None, :]
        for column, wave in zip(columns, waves, strict=True):
            jacobian[:, column] = value * wave
        return np.asarray(value * factor)


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


def _limits(curve: _PeaksOnBins, bins: Floats, data: Data, centres: Floats) -> tuple[Floats, Floats, Floats]:
    """Return first guess and limits of the fitted parameters, from the smoothed profile."""
    grid, profile, _ = smoothed(bins, data)
    narrowest = _NARROWEST * bin_width(bins)
    level = np.percentile(profile, 10, axis=1)  # not the minimum, which noise decides
    top = np.stack([np.interp(c, grid, row, period=180) for c, row in zip(centres, profile, strict=True)])
    heights = np.maximum(top - level[:, None], 1e-3 * (np.abs(top) + np.abs(level[:, None])) + 1e-300)
    area = np.maximum(profile - level[:, None], 0.0).sum(axis=1) * (grid[1] - grid[0])
    # A Gaussian of height 1 and FWHM 1 has the area 1.06.
    fwhm = np.clip(area / heights.sum(axis=1) / 1.06, 1.2 * narrowest, max(100.0, 1.3 * narrowest))
    guesses = curve.model.guess(fwhm)
    limits = curve.model.limits(narrowest)

    start = np.zeros((len(level), len(curve.fitted)))
    lower, upper = np.full_like(start, -np.inf), np.full_like(start, np.inf)
    start[:, curve.column(curve.model.level)] = level
    unit = curve.model.peak(np.zeros(len(level)), *guesses)[0]
    for peak in range(curve.peaks):
        height, x0 = curve.column("I", peak), curve.column("x0", peak)
        start[:, height], lower[:, height] = heights[:, peak] / unit, 0.0
        start[:, x0] = centres[:, peak]
        lower[:, x0], upper[:, x0] = centres[:, peak] - curve.reach, centres[:, peak] + curve.reach
        for name, guess, (low, high) in zip(curve.model.shape, guesses, limits, strict=True):
            column = curve.column(name, peak)
            start[:, column], lower[:, column], upper[:, column] = guess, low, high
    return start, lower, upper


def _report(curve: _PeaksOnBins, solution: Solution, data: Data, inside: Bools) -> PeakFit:
    """Put fitted parameters in the order of the line, one set a peak."""
    rows = len(solution.values)
    # One further column stands for what is fixed: value 0, covariance NaN.
    values = np.concatenate([solution.values, np.zeros((rows, 1))], axis=1)
    limit = np.concatenate([solution.at_limit, np.zeros((rows, 1), dtype=bool)], axis=1)
    covariance = np.full((rows, len(curve.fitted) + 1, len(curve.fitted) + 1), np.nan)
    covariance[:, :-1, :-1] = solution.covariance
    index = np.array([curve.reported(peak) for peak in range(curve.peaks)])

    points = np.count_nonzero(data.use, axis=1)
    count = np.maximum(points, 1)[:, None]
    centred = np.where(data.use, data.y - np.sum(data.y, axis=1, where=data.use, keepdims=True) / count, 0.0)
    total = np.sum(centred**2, axis=1)
    residual = np.sum((data.y - solution.model) ** 2, axis=1, where=data.use)
    noise = np.sum(data.variance(solution.model), axis=1, where=data.use)
    freedom = np.maximum(points - len(curve.fitted), 1)
    chi2_red = solution.chi2 / freedom
    beyond_chance = chi2_red > 1 + 5 * np.sqrt(2 / freedom)
    return PeakFit(
        names=parameter_names(curve.model, curve.onefold),
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

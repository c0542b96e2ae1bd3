"""Many small fits of one model at once: Levenberg-Marquardt in numpy, with weights that follow the model.

The variance of a point is ``slope*m + floor`` with m the model itself, as for photon counts. Weights iterated
from the model solve ``sum (y - m)/V(m) * dm/dp = 0``: this is the minimum of the deviance (for plain counts the
Poisson maximum likelihood), which serves as the measure of progress here, so that no step is taken uphill.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from nxscatter.model import Floats, Ints

Bools: TypeAlias = np.typing.NDArray[np.bool_]
Model: TypeAlias = Callable[[Ints, Floats], tuple[Floats, Floats]]

# No variance is below that of this share of one photon: weights stay finite where a model touches zero or
# passes below it, and the fit needs no wall there.
_LEAST_PHOTONS = 0.1


@dataclass(frozen=True)
class Data:
    """Points to fit, all arrays of shape (row, point).

    ``slope`` is above 0; ``use`` is False for a point without data.
    """

    y: Floats
    slope: Floats
    floor: Floats
    use: Bools

    @classmethod
    def of(cls, y: Floats, slope: Floats, floor: Floats, use: Bools) -> Data:
        """Make data in which points that are not used hold harmless numbers."""
        shape = y.shape
        slope, floor = np.broadcast_to(slope, shape), np.broadcast_to(floor, shape)
        return cls(np.where(use, y, 0.0), np.where(use, slope, 1.0), np.where(use, floor, 1.0), use)

    def rows(self, index: Ints | Bools | slice) -> Data:
        """Return the rows ``index`` alone."""
        return Data(self.y[index], self.slope[index], self.floor[index], self.use[index])

    def variance(self, model: Floats) -> Floats:
        """Variance of each point if the model were true."""
        return np.asarray(np.maximum(self.slope * model + self.floor, _LEAST_PHOTONS * self.slope**2))

    def deviance(self, model: Floats) -> Floats:
        """Half the deviance of each row, up to a constant: the integral of (t - y)/V(t) over t up to the model."""
        slope, y = self.slope, self.y
        lowest = _LEAST_PHOTONS * slope**2
        least = (lowest - self.floor) / slope  # below it V is constant
        origin = np.maximum(y, least)
        variance = slope * origin + self.floor
        z = slope * (np.maximum(model, least) - origin) / variance
        log = np.log1p(z)
        below = np.minimum(model - least, 0.0)
        terms = variance / slope**2 * (z - log) - (y - origin) / slope * log
        terms += below * (below / 2 + least - y) / lowest
        return np.asarray(np.sum(terms, axis=-1, where=self.use))


@dataclass(frozen=True)
class Solution:
    """The fitted parameters of every row.

    Attributes
    ----------
    values : ndarray (row, parameter)
        Best parameters found, also where the fit did not converge.
    covariance : ndarray (row, parameter, parameter)
        Inverse of the last weighted normal matrix, as if no limit were there; NaN where that is singular.
    model : ndarray (row, point)
        The model at ``values``.
    chi2 : ndarray (row,)
        Sum of squared residuals over the variances of the model.
    converged : ndarray of bool (row,)
        The last step moved no parameter by 0.01 of its standard error or more.
    at_limit : ndarray of bool (row, parameter)
        The parameter stands on one of its limits.
    """

    values: Floats
    covariance: Floats
    model: Floats
    chi2: Floats
    converged: Bools
    at_limit: Bools


def fit(
    model: Model, start: Floats, data: Data, lower: Floats, upper: Floats, *, max_iterations: int = 500
) -> Solution:
    """Fit one model to many rows of data, each row with its own parameters.

    Parameters
    ----------
    model : callable
        ``(rows, parameters) -> (value, jacobian)``: for the numbers of some rows (n,) and their parameters
        (n, p), the model (n, point) and its derivatives (n, p, point).
    start, lower, upper : ndarray (row, parameter)
        First guess and limits; a parameter with equal limits stays.
    data : Data
        The points.
    max_iterations : int
        After so many steps a fit counts as not converged; wide peaks on a free background need hundreds.
    """
    values = np.clip(start, lower, upper)
    converged = np.zeros(len(values), dtype=bool)
    damping = np.full(len(values), 1e-3)
    final = np.empty_like(data.y)
    hessian = np.empty((*values.shape, values.shape[1]))

    open_rows = np.arange(len(values))
    state = _State.at(model, open_rows, values, data)
    for _ in range(max_iterations):
        step = _step(state, values[open_rows], lower[open_rows], upper[open_rows], damping[open_rows])
        trial = np.clip(values[open_rows] + step, lower[open_rows], upper[open_rows])
        gain = np.sum((trial - values[open_rows]) * state.gradient, axis=1)
        # gain = d'Hd for a full step d: below 0.01^2 no parameter moves by 0.01 of its standard error.
        small = (gain < 1e-4) & (damping[open_rows] <= 1e-2)
        new = _State.at(model, open_rows, trial, data.rows(open_rows))
        better = (new.cost <= state.cost) | (small & np.isfinite(new.cost))
        state = state.replaced(better, new)
        values[open_rows[better]] = trial[better]
        damping[open_rows] = np.where(better, np.maximum(damping[open_rows] / 10, 1e-9), damping[open_rows] * 10)
        stuck = damping[open_rows] > 1e12
        converged[open_rows[small]] = True
        done = small | stuck
        if done.any():
            final[open_rows[done]] = state.value[done]
            hessian[open_rows[done]] = state.hessian[done]
            open_rows, state = open_rows[~done], state.rows(~done)
        if not len(open_rows):
            break
    final[open_rows], hessian[open_rows] = state.value, state.hessian

    covariance = inverse(hessian)
    converged &= np.isfinite(covariance).all(axis=(1, 2))
    chi2 = np.sum((data.y - final) ** 2 / data.variance(final), axis=1, where=data.use)
    at_limit = (values <= lower) | (values >= upper)
    return Solution(values, covariance, final, chi2, converged, at_limit)


@dataclass(frozen=True)
class _State:
    """The model of some rows, its cost, and the normal equations there."""

    value: Floats
    cost: Floats
    hessian: Floats
    gradient: Floats

    @classmethod
    def at(cls, model: Model, rows: Ints, parameters: Floats, data: Data) -> _State:
        value, jacobian = model(rows, parameters)
        weight = data.use / data.variance(value)
        weighted = jacobian * weight[:, None, :]
        gradient = np.matmul(weighted, (data.y - value)[:, :, None])[:, :, 0]
        return cls(value, data.deviance(value), np.matmul(weighted, jacobian.transpose(0, 2, 1)), gradient)

    def rows(self, index: Bools) -> _State:
        return _State(self.value[index], self.cost[index], self.hessian[index], self.gradient[index])

    def replaced(self, where: Bools, new: _State) -> _State:
        if where.all():
            return new
        one, two = where[:, None], where[:, None, None]
        return _State(
            np.where(one, new.value, self.value),
            np.where(where, new.cost, self.cost),
            np.where(two, new.hessian, self.hessian),
            np.where(one, new.gradient, self.gradient),
        )


def _step(state: _State, values: Floats, lower: Floats, upper: Floats, damping: Floats) -> Floats:
    """Return the damped Gauss-Newton step; a parameter on its limit that would leave it stays."""
    gradient = state.gradient
    held = ((values <= lower) & (gradient < 0)) | ((values >= upper) & (gradient > 0))
    matrix = np.where(held[:, :, None] | held[:, None, :], 0.0, state.hessian)
    diagonal = np.einsum("rpp->rp", matrix)
    diagonal += np.where(diagonal > 0, damping[:, None] * diagonal, 1.0)
    step = np.linalg.solve(matrix, np.where(held, 0.0, gradient)[:, :, None])
    return np.asarray(step[:, :, 0])


def inverse(normal: Floats) -> Floats:
    """Invert each normal matrix (row, p, p); NaN where it is singular."""
    scale = np.sqrt(np.einsum("rpp->rp", normal))
    regular = np.isfinite(normal).all(axis=(1, 2)) & (scale > 0).all(axis=1)
    scale = np.where(regular[:, None], scale, 1.0)
    scales = scale[:, :, None] * scale[:, None, :]
    roots, vectors = np.linalg.eigh(np.where(regular[:, None, None], normal / scales, np.eye(normal.shape[1])))
    regular &= roots[:, 0] > 1e-12
    roots = np.where(regular[:, None], roots, 1.0)
    found = (vectors / roots[:, None, :]) @ vectors.transpose(0, 2, 1) / scales
    return np.where(regular[:, None, None], found, np.nan)

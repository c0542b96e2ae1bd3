"""Many fits at once that have some parameters in common.

Each row is fitted with the common parameters held; what the rows then pull at them is a Newton step, whose matrix is
the information that each row has about them once its own parameters are free to follow (the Schur complement of its
normal matrix). At the end the pulls cancel: that is the minimum of the deviance of all rows together.
"""

from __future__ import annotations

import numpy as np

from nxscatter.model import Floats, Ints
from nxscatter.science.fitting.leastsquares import Bools, Data, Model, Solution, fit, inverse

_MOST_STEPS = 30
_ROWS = 200  # fitted together, which bounds the memory


def fit_joint(model: Model, start: Floats, data: Data, lower: Floats, upper: Floats, shared: list[int]) -> Solution:
    """Fit one model to many rows of data, which share the parameters number ``shared``.

    Rows whose parameters are not determined by their data take no part in the common ones. The other arguments are
    those of `~nxscatter.science.fitting.leastsquares.fit`, and so is what is returned: the covariance of a row holds
    the common parameters' own, and what it does to the row's other parameters.
    """
    found = _fit(model, start, data, lower, upper)
    information = _information(found, shared)
    known = np.isfinite(information).all(axis=(1, 2)) & found.converged
    if np.count_nonzero(known) < 2:
        return found
    total = inverse(information[known].sum(axis=0)[None])[0]
    common = total @ np.einsum("rij,rj->i", information[known], found.values[known][:, shared])
    for _ in range(_MOST_STEPS):
        held = found.values.copy()
        held[:, shared] = common
        low, high = lower.copy(), upper.copy()
        low[:, shared] = high[:, shared] = common
        found = _fit(model, held, data, low, high)
        information = _information(found, shared)
        known = np.isfinite(information).all(axis=(1, 2)) & found.converged
        if not known.any():
            break
        total = inverse(information[known].sum(axis=0)[None])[0]
        step = total @ _pull(model, found, data, shared)[known].sum(axis=0)
        if np.all(np.abs(step) < 0.01 * np.sqrt(np.diag(total))):
            return _joined(found, shared, total, known, lower, upper)
        common = np.clip(common + step, lower[known][:, shared].min(axis=0), upper[known][:, shared].max(axis=0))
    return Solution(found.values, found.covariance, found.model, found.chi2, np.zeros(len(start), bool), found.at_limit)


def _fit(model: Model, start: Floats, data: Data, lower: Floats, upper: Floats) -> Solution:
    """Fit the rows block by block."""
    parts = []
    for first in range(0, len(start), _ROWS):
        rows = slice(first, first + _ROWS)

        def of_block(numbers: Ints, parameters: Floats, first: int = first) -> tuple[Floats, Floats]:
            return model(numbers + first, parameters)

        parts.append(fit(of_block, start[rows], data.rows(rows), lower[rows], upper[rows]))
    names = ("values", "covariance", "model", "chi2", "converged", "at_limit")
    return Solution(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _information(found: Solution, shared: list[int]) -> Floats:
    """Return what each row knows of the common parameters, its own being free (row, shared, shared)."""
    return inverse(found.covariance[:, shared][:, :, shared])


def _pull(model: Model, found: Solution, data: Data, shared: list[int]) -> Floats:
    """Return the derivative of each row's (negative) deviance by the common parameters (row, shared)."""
    pulls = []
    for row in range(len(found.values)):
        one = slice(row, row + 1)
        value, jacobian = model(np.array([row]), found.values[one])
        points = data.rows(one)
        pulls.append(np.sum(jacobian[0, shared] * points.use * (points.y - value) / points.variance(value), axis=1))
    return np.array(pulls)


def _joined(found: Solution, shared: list[int], common: Floats, known: Bools, lower: Floats, upper: Floats) -> Solution:
    """Return the solution with the covariance of the common parameters in that of each row."""
    alone = found.covariance
    own = alone[:, shared][:, :, shared]
    # How a row's parameters follow the common ones; for those themselves the identity.
    follow = alone[:, :, shared] @ inverse(own)
    covariance = alone + follow @ (common - own) @ follow.transpose(0, 2, 1)
    at_limit = (found.values <= lower) | (found.values >= upper)
    return Solution(found.values, covariance, found.model, found.chi2, found.converged & known, at_limit)

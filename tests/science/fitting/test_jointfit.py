from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from nxscatter.science.fitting.jointfit import fit_joint
from support.azimuth import assert_calibrated
from support.gaussian import X, counts, data_of, gaussian
from support.gaussian import solve as solve_alone

START = (10.0, 0.3, 1.2, 2.0)


def solve(y, shared):
    rows = len(y)
    free = np.full((rows, 4), np.inf)
    return fit_joint(gaussian, np.tile(START, (rows, 1)), data_of(y), -free, free, shared)


def test_it_is_the_maximum_likelihood_of_all_rows_together():
    y = np.concatenate([counts((height, 0.2, 1.0, 1.0), 1, seed) for height, seed in ((6.0, 1), (20.0, 2), (3.0, 3))])
    found = solve(y, [1, 2])
    assert found.converged.all()
    assert (np.ptp(found.values[:, 1:3], axis=0) == 0).all()

    def likelihood(parameters):
        each = np.array([[parameters[2 + 2 * row], *parameters[:2], parameters[3 + 2 * row]] for row in range(3)])
        model = gaussian(None, each)[0]
        return np.inf if model.min() <= 0 else np.sum(model - y * np.log(model))

    start = [0.2, 1.0, 6.0, 1.0, 20.0, 1.0, 3.0, 1.0]
    options = {"xatol": 1e-6, "fatol": 1e-9, "maxiter": 20000, "maxfev": 20000, "adaptive": True}
    best = minimize(likelihood, start, method="Nelder-Mead", options=options)
    errors = np.sqrt(np.einsum("rpp->rp", found.covariance))
    np.testing.assert_allclose(found.values[0, 1:3], best.x[:2], atol=0.02 * errors[0, 1:3].min())
    np.testing.assert_allclose(found.values[:, 0], best.x[2::2], atol=0.02 * errors[:, 0].min())


def test_errors_are_true():
    trials = [solve(counts((12.0, 0.2, 1.0, 3.0), 12, seed), [1, 2]) for seed in range(60)]
    for parameter, truth in ((1, 0.2), (2, 1.0)):
        values = np.array([found.values[0, parameter] for found in trials])
        errors = np.array([np.sqrt(found.covariance[0, parameter, parameter]) for found in trials])
        assert_calibrated(values, errors, truth)
    heights = np.concatenate([found.values[:, 0] for found in trials])
    errors = np.sqrt(np.concatenate([found.covariance[:, 0, 0] for found in trials]))
    # Heights of one trial share their errors in part, so that fewer than 720 are independent.
    assert abs(((heights - 12.0) / errors).std() - 1) < 0.15


def test_many_rows_determine_what_each_alone_cannot():
    y = counts((4.0, 0.2, 1.0, 1.0), 12, seed=5)
    alone, together = solve_alone(data_of(y)), solve(y, [2])
    error = np.sqrt(together.covariance[:, 2, 2])
    assert error == pytest.approx(np.sqrt(1 / np.sum(1 / alone.covariance[:, 2, 2])), rel=0.3)
    assert (together.covariance[:, 0, 0] < alone.covariance[:, 0, 0]).mean() > 0.8


def test_a_row_that_knows_nothing_is_left_out():
    y = counts((20.0, 0.2, 1.0, 1.0), 4, seed=6)
    use = np.ones(y.shape, dtype=bool)
    use[3] = np.abs(X) > 3.5  # nothing of the peak
    free = np.full((4, 4), np.inf)
    found = fit_joint(gaussian, np.tile(START, (4, 1)), data_of(y, use), -free, free, [1, 2])
    three = solve(y[:3], [1, 2])
    assert found.converged[:3].all()
    np.testing.assert_allclose(
        found.values[0, 1:3], three.values[0, 1:3], atol=0.1 * np.sqrt(three.covariance[0, 1, 1])
    )

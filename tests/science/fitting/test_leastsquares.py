from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from nxscatter.science.fitting.leastsquares import inverse
from support.gaussian import X, counts, data_of, gaussian, solve


def test_exact_data_gives_exact_parameters():
    truth = np.array([[20.0, 0.0, 1.0, 3.0], [5.0, -1.0, 0.7, 1.0], [80.0, 0.5, 1.5, 0.5]])
    found = solve(data_of(gaussian(None, truth)[0]))
    assert found.converged.all()
    assert (np.abs(found.values - truth) < 0.01 * np.sqrt(np.einsum("rpp->rp", found.covariance))).all()
    assert (found.chi2 < 1e-3).all()


def test_it_is_the_poisson_maximum_likelihood():
    y = counts((6.0, 0.2, 1.0, 1.0), 20, seed=1)
    found = solve(data_of(y))
    for row in range(20):

        def likelihood(parameters, row=row):
            model = gaussian(None, parameters[None])[0][0]
            return np.inf if model.min() <= 0 else np.sum(model - y[row] * np.log(model))

        best = minimize(
            likelihood,
            [6.0, 0.2, 1.0, 1.0],
            method="Nelder-Mead",
            options={"xatol": 1e-7, "fatol": 1e-10, "maxiter": 4000},
        )
        error = np.sqrt(np.diag(found.covariance[row]))
        assert (np.abs(found.values[row] - best.x) < 0.02 * error).all()


def test_weights_from_the_model_leave_no_bias_at_few_counts():
    truth = np.array([14.0, 0.0, 1.0, 3.0])
    y = counts(truth, 1000, seed=2)

    def pulls(found):
        assert found.converged.all()
        return (found.values - truth) / np.sqrt(np.einsum("rpp->rp", found.covariance))

    good = pulls(solve(data_of(y)))
    np.testing.assert_allclose(good.mean(axis=0), 0, atol=0.15)
    np.testing.assert_allclose(good.std(axis=0), 1, atol=4 / np.sqrt(2000))
    # The same counts with weights of their own: low counts weigh too much and pull the background down.
    bad = pulls(solve(data_of(y, slope=1e-6, floor=np.maximum(y, 1.0))))
    assert bad[:, 3].mean() < -0.8


def test_scaled_and_averaged_counts_follow_slope_and_floor():
    truth = np.array([20.0, 0.0, 1.0, 5.0])
    y = counts(truth, 300, seed=3)
    noise = np.random.default_rng(5).normal(0, 3.0, y.shape)
    scaled = solve(data_of((y + noise) * 0.01, slope=0.01, floor=9e-4), start=(0.2, 0.1, 1.1, 0.05))
    error = np.sqrt(np.einsum("rpp->rp", scaled.covariance))
    pulls = (scaled.values - truth * [0.01, 1, 1, 0.01]) / error
    assert scaled.converged.all()
    np.testing.assert_allclose(pulls.mean(axis=0), 0, atol=4 / np.sqrt(300))
    np.testing.assert_allclose(pulls.std(axis=0), 1, atol=4 / np.sqrt(600))


def test_a_point_without_data_has_no_weight():
    y = counts((20.0, 0.0, 1.0, 3.0), 3, seed=4)
    use = np.ones(y.shape, dtype=bool)
    use[:, 30:36] = False
    holes = np.where(use, y, np.nan)
    spoiled = np.where(use, y, 1e6)
    first, second = solve(data_of(holes, use)), solve(data_of(spoiled, use))
    np.testing.assert_array_equal(first.values, second.values)
    np.testing.assert_array_equal(first.covariance, second.covariance)
    assert (np.abs(first.values - solve(data_of(y)).values) > 1e-3).any()


def test_limits_hold_and_are_told():
    y = gaussian(None, np.array([[20.0, 0.0, 1.0, 3.0]]))[0]
    upper = np.array([[np.inf, np.inf, 0.8, np.inf]])
    found = solve(data_of(y), start=(10.0, 0.3, 0.5, 2.0), upper=upper)
    assert found.converged.all()
    assert found.at_limit.tolist() == [[False, False, True, False]]
    assert found.values[0, 2] == 0.8
    # The others stand where the score by each of them is 0 with that width.
    value, jacobian = gaussian(None, found.values)
    score = np.sum(jacobian[0] * (y - value)[0] / value[0], axis=1)
    error = np.sqrt(np.diag(found.covariance[0]))
    assert (np.abs(score * error)[[0, 1, 3]] < 0.05).all()
    assert score[2] > 1


def test_rows_do_not_see_each_other():
    y = counts((20.0, 0.0, 1.0, 3.0), 6, seed=6)
    together = solve(data_of(y))
    for row in range(6):
        np.testing.assert_allclose(solve(data_of(y[[row]])).values[0], together.values[row], rtol=1e-9)


def test_what_is_not_determined_does_not_converge():
    flat = np.full((1, len(X)), 4.0)
    use = np.zeros(flat.shape, dtype=bool)
    use[0, :3] = True
    found = solve(data_of(flat, use))
    assert not found.converged.any()
    assert np.isnan(found.covariance).all()


def test_too_few_steps_are_told():
    found = solve(data_of(counts((20.0, 0.0, 1.0, 3.0), 2, seed=7)), start=(1.0, 2.0, 0.3, 9.0), max_iterations=2)
    assert not found.converged.any()


@pytest.mark.parametrize("floor", [0.0, 0.3])
def test_deviance_has_the_weighted_residual_as_its_slope(floor):
    y = np.array([[0.0, 1.0, 7.0, 2.0]])
    data = data_of(y, slope=0.5, floor=floor)
    for level in (-0.4, 0.01, 0.05, 0.0501, 0.3, 5.0):
        step = 1e-6
        numeric = (data.deviance(np.full((1, 4), level + step)) - data.deviance(np.full((1, 4), level - step))) / (
            2 * step
        )
        model = np.full((1, 4), level)
        assert numeric[0] == pytest.approx(np.sum((model - y) / data.variance(model)), rel=1e-5)


def test_inverse_of_a_singular_matrix_is_nan():
    matrices = np.array(
        [[[4.0, 1.0], [1.0, 3.0]], [[1.0, 1.0], [1.0, 1.0]], [[0.0, 0.0], [0.0, 2.0]], [[np.nan, 0.0], [0.0, 1.0]]]
    )
    found = inverse(matrices)
    np.testing.assert_allclose(found[0], np.linalg.inv(matrices[0]))
    assert np.isnan(found[1:]).all()

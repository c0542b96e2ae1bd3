from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from nxscatter.errors import ParameterError
from nxscatter.science.fitting.distributions import maier_saupe_amplitude
from nxscatter.science.fitting.lineshapes import pseudo_voigt_peak, pseudo_voigt_periodic_peak
from nxscatter.science.fitting.models import MaierSaupe, PseudoVoigt, models
from nxscatter.science.fitting.order import averages, order_parameter


def P2(c):
    return (3 * c**2 - 1) / 2


def P4(c):
    return (35 * c**4 - 30 * c**2 + 3) / 8


def over_cosine(kappa, function):
    """Integrate over exp(kappa*c^2), scaled to stay finite."""
    top = max(kappa, 0.0)
    return quad(lambda c: function(c) * np.exp(kappa * c**2 - top), 0, 1, epsabs=1e-14, epsrel=1e-12, limit=200)[0]


def over_angle(density, function, points):
    inside = sorted(point for point in points if 0 < point < np.pi)
    return quad(
        lambda t: function(np.cos(t)) * density(t) * np.sin(t),
        0,
        np.pi,
        epsabs=1e-14,
        epsrel=1e-11,
        limit=400,
        points=inside,
    )[0]


KAPPAS = np.concatenate([np.linspace(-20, 100, 25), [-0.5001, -0.4999, -1e-4, -1e-6, 0.0, 1e-6, 1e-4, 0.4999, 0.5001]])


@pytest.mark.parametrize("method", ["maier_saupe", "kratky", "leadbetter_norris"])
def test_maier_saupe_agrees_with_quadrature(method):
    S, fourth = averages(method, kappa=KAPPAS)
    for kappa, second_found, fourth_found in zip(KAPPAS, S, fourth, strict=True):
        norm = over_cosine(kappa, np.ones_like)
        assert second_found == pytest.approx(over_cosine(kappa, P2) / norm, abs=1e-9)
        assert fourth_found == pytest.approx(over_cosine(kappa, P4) / norm, abs=1e-9)


def test_known_values():
    assert order_parameter("maier_saupe", kappa=5.0) == pytest.approx(0.646, abs=5e-4)
    assert order_parameter("maier_saupe", kappa=2.0) == pytest.approx(0.297, abs=5e-4)
    peak = {"gamma": 24.643885, "eta": 0.07268734}
    assert order_parameter("pseudo_voigt", **peak) == pytest.approx(0.43710, abs=5e-6)
    assert order_parameter("pseudo_voigt_periodic", **peak) == pytest.approx(0.40183, abs=5e-6)


def test_small_kappa_has_its_series():
    kappa = np.array([-1e-4, 1e-5, 1e-4])
    np.testing.assert_allclose(
        order_parameter("maier_saupe", kappa=kappa), 2 * kappa / 15 + 4 * kappa**2 / 315, rtol=1e-8
    )


def test_large_kappa_neither_overflows_nor_is_clamped():
    S = order_parameter("maier_saupe", kappa=np.array([1e4, -1e4]))
    np.testing.assert_allclose(S, [1 - 1.5e-4, -0.5 + 0.75e-4], atol=3e-8)


@pytest.mark.parametrize("x0", [0.0, 7.0, -5.0, 90.0, 178.0])
@pytest.mark.parametrize("gamma", [6.0, 25.0, 120.0])
def test_pseudo_voigt_agrees_with_quadrature(gamma, x0):
    points = np.radians([x0 - gamma, x0, x0 + gamma])
    for eta in (0.0, 0.3, 1.0):

        def density(t, eta=eta):
            return pseudo_voigt_peak(np.degrees(t) - x0, gamma, eta)[0]

        S, fourth = averages("pseudo_voigt", gamma=gamma, eta=eta, x0=x0)
        norm = over_angle(density, np.ones_like, points)
        assert pytest.approx(over_angle(density, P2, points) / norm, abs=1e-8) == S
        assert fourth == pytest.approx(over_angle(density, P4, points) / norm, abs=1e-8)


@pytest.mark.parametrize("gamma", [1.0, 25.0, 120.0, 201.0, 205.0])
def test_periodic_pseudo_voigt_agrees_with_quadrature(gamma):
    points = np.radians([gamma / 2, gamma, 180 - gamma])
    for eta in (0.0, 0.3, 1.0):

        def density(t, eta=eta):
            return pseudo_voigt_periodic_peak(np.degrees(t), gamma, eta)[0]

        S, fourth = averages("pseudo_voigt_periodic", gamma=gamma, eta=eta)
        norm = over_angle(density, np.ones_like, points)
        assert pytest.approx(over_angle(density, P2, points) / norm, abs=1e-8) == S
        assert fourth == pytest.approx(over_angle(density, P4, points) / norm, abs=1e-8)


def test_arrays_broadcast_and_nan_stays_nan():
    S = order_parameter("pseudo_voigt", gamma=np.array([20.0, np.nan, 40.0]), eta=np.array([[0.2], [0.8]]))
    assert S.shape == (2, 3)
    assert np.isnan(S).tolist() == [[False, True, False]] * 2
    assert S[1, 2] == order_parameter("pseudo_voigt", gamma=40.0, eta=0.8)
    assert isinstance(order_parameter("maier_saupe", kappa=5.0), float)
    assert np.isnan(order_parameter("pseudo_voigt", gamma=1.0, eta=1.0, x0=-45.0))


@pytest.mark.parametrize("kappa", [-3.0, 0.2, 5.0, 40.0])
def test_derivative_is_the_covariance_with_cos2(kappa):
    norm = over_cosine(kappa, np.ones_like)

    def mean(function):
        return over_cosine(kappa, function) / norm

    (found,) = MaierSaupe().derivatives(np.array(kappa))
    for polynomial, value in zip((P2, P4), found, strict=True):
        truth = mean(lambda c, P=polynomial: P(c) * c**2) - mean(polynomial) * mean(np.square)
        assert value == pytest.approx(truth, rel=1e-6)


def test_derivatives_by_eta_follow_the_mixture():
    # S is a ratio of two sums that are linear in eta; three values of it fix the whole curve.
    etas = np.array([0.0, 0.5, 1.0])
    S = order_parameter("pseudo_voigt", gamma=30.0, eta=etas)
    weight = (S[2] - S[1]) / (S[1] - S[0])  # norm of the Lorentzian over that of the Gaussian
    at = 0.3
    rational = S[0] + (S[2] - S[0]) * at / (at + (1 - at) * weight)
    assert order_parameter("pseudo_voigt", gamma=30.0, eta=at) == pytest.approx(rational, abs=1e-10)
    slope = (S[2] - S[0]) * weight / (at + (1 - at) * weight) ** 2
    assert PseudoVoigt().derivatives(np.array(30.0), np.array(at))[1, 0] == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize(
    ("method", "parameters", "says"),
    [
        ("hermans", {"kappa": 1.0}, ", ".join(models())),
        ("maier_saupe", {"gamma": 1.0}, "no parameter 'gamma': give kappa"),
        ("pseudo_voigt", {"gamma": 1.0}, "needs eta"),
        ("pseudo_voigt", {"gamma": np.array([3.0, 0.0]), "eta": 0.5}, "gamma = 0"),
    ],
)
def test_wrong_names_and_values_are_refused(method, parameters, says):
    with pytest.raises(ParameterError, match=says):
        order_parameter(method, **parameters)


@pytest.mark.parametrize("kappa", [0.01, 0.7, 5.0, 300.0])
def test_a_line_of_some_height_in_units_of_the_normalised_distribution(kappa):
    theta = np.linspace(0, np.pi, 200_001)
    total = np.trapezoid(np.exp(kappa * (np.cos(theta) ** 2 - 1)) * np.sin(theta), theta)
    covariance = np.array([[4.0, 0.3], [0.3, 0.09]])
    amplitude, error = maier_saupe_amplitude(10.0, kappa, covariance)
    assert amplitude == pytest.approx(10.0 * total, rel=1e-7)
    steps = 1e-4 * np.eye(2)
    gradient = [(maier_saupe_amplitude(10 + dI, kappa + dk, covariance)[0] - amplitude) / 1e-4 for dI, dk in steps]
    assert error == pytest.approx(np.sqrt(gradient @ covariance @ np.array(gradient)), rel=1e-2)
    assert np.isnan(maier_saupe_amplitude(np.nan, np.nan, covariance)).all()


@pytest.mark.parametrize("theta_bragg", [0.0, 15.0])
def test_amplitude_of_the_normalised_distribution(theta_bragg):
    height, kappa = 30.0, 4.0
    covariance = np.array([[4.0, -0.1], [-0.1, 0.01]])

    def amplitude(height, kappa):
        norm = quad(lambda t: np.exp(kappa * np.cos(t) ** 2) * np.sin(t), 0, np.pi)[0]
        return height / np.exp(kappa * np.cos(np.radians(theta_bragg)) ** 2) * norm

    found, error = maier_saupe_amplitude(height, kappa, covariance, theta_bragg)
    assert found == pytest.approx(amplitude(height, kappa), rel=1e-9)
    slope = [
        (amplitude(height + 1e-4, kappa) - amplitude(height - 1e-4, kappa)) / 2e-4,
        (amplitude(height, kappa + 1e-4) - amplitude(height, kappa - 1e-4)) / 2e-4,
    ]
    assert error == pytest.approx(np.sqrt(slope @ covariance @ slope), rel=1e-6)
    assert np.isnan(maier_saupe_amplitude(height, float("nan"), covariance)).all()

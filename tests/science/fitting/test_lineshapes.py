from __future__ import annotations

import inspect
from functools import partial

import numpy as np
import pytest
from scipy.integrate import quad

from nxscatter.science.fitting import lineshapes
from nxscatter.science.fitting.lineshapes import wrap
from nxscatter.science.fitting.models import LINES

X = np.linspace(-100, 100, 401)
KAPPAS = (-20.0, -1.0, -0.01, 0.01, 0.049, 0.051, 1.0, 30.0)
CASES = [
    ("pseudo_voigt", (3.0, 50.0, 7.0, 25.0, 0.3, 0.01)),
    ("pseudo_voigt_periodic", (3.0, 50.0, 7.0, 25.0, 0.3)),
    ("pseudo_voigt_periodic", (3.0, 50.0, 7.0, 170.0, 0.3)),
    *(("maier_saupe", (30.0, 7.0, kappa, 0.01, 2.0)) for kappa in KAPPAS),
    *(("kratky", (30.0, 7.0, kappa, 2.0)) for kappa in KAPPAS),
    *(("leadbetter_norris", (30.0, 7.0, kappa, 2.0)) for kappa in KAPPAS),
]


@pytest.mark.parametrize("theta_bragg", [0.0, 15.0])
@pytest.mark.parametrize(("name", "parameters"), CASES)
def test_jacobian_is_the_derivative(name, parameters, theta_bragg):
    tilt = {"theta_bragg": theta_bragg} if LINES[name].polar else {}
    line = partial(getattr(lineshapes, name), **tilt)
    jacobian = getattr(lineshapes, f"{name}_jacobian")(X, *parameters, **tilt)
    assert jacobian.shape == (len(parameters), len(X))
    size = np.abs(line(X, *parameters)).max()
    for index, value in enumerate(parameters):
        step = 1e-5 * max(abs(value), 1.0)
        high, low = (list(parameters) for _ in range(2))
        high[index] += step
        low[index] -= step
        numeric = (line(X, *high) - line(X, *low)) / (2 * step)
        np.testing.assert_allclose(jacobian[index], numeric, rtol=1e-6, atol=1e-9 * size)


@pytest.mark.parametrize("name", LINES)
def test_table_agrees_with_the_functions(name):
    line = LINES[name]
    positional = [
        key
        for key, item in inspect.signature(getattr(lineshapes, name)).parameters.items()
        if item.kind != item.KEYWORD_ONLY
    ]
    assert tuple(positional[1:]) == line.parameters
    assert set(line.parameters) == {"I", "x0", line.level, *line.shape} | ({line.slope} - {""})
    assert len(line.peak(X, *np.ones(len(line.shape)))) == 2 + len(line.shape)


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
def test_pseudo_voigt_has_the_area_and_the_width_it_says(eta):
    area = quad(lambda x: lineshapes.pseudo_voigt(x, 0, 40.0, 0.0, 20.0, eta), -np.inf, np.inf, limit=200)[0]
    assert area == pytest.approx(40.0, rel=1e-7)
    top, half = lineshapes.pseudo_voigt(np.array([7.0, 17.0]), 0, 40.0, 7.0, 20.0, eta)
    assert half == pytest.approx(top / 2, rel=1e-12)


def test_eta_weights_the_gaussian():
    far = lineshapes.pseudo_voigt(100.0, 0, 1.0, 0.0, 20.0, np.array([1.0, 0.0]))
    assert far[0] < 1e-20
    assert far[1] == pytest.approx(2 / np.pi / 20 / (1 + 4 * 25))


def test_a_period_puts_the_peak_on_both_sides_of_the_circle():
    values = lineshapes.pseudo_voigt(np.array([-177.0, 3.0, 93.0]), 1.0, 5.0, 3.0, 20.0, 0.5, period=180)
    assert values[0] == values[1]
    assert values[2] == lineshapes.pseudo_voigt(-87.0, 1.0, 5.0, 3.0, 20.0, 0.5)


@pytest.mark.parametrize("gamma", [5.0, 60.0])
def test_periodic_pseudo_voigt_is_the_sum_of_its_images(gamma):
    images = 180.0 * np.arange(-4000, 4001)
    total = [lineshapes.pseudo_voigt(x - images, 0, 1.0, 0, gamma, 0.3).sum() for x in (0.0, 20.0, 90.0)]
    # The Lorentzians left out, beyond 4000 turns, add gamma/(2 pi)*2/(180^2*4000) each.
    left_out = 0.7 * gamma / np.pi / 180**2 / 4000.5
    found = lineshapes.pseudo_voigt_periodic(np.array([0.0, 20.0, 90.0]), 0, 1.0, 0, gamma, 0.3)
    np.testing.assert_allclose(found, np.array(total) + left_out, rtol=1e-9)


@pytest.mark.parametrize("kappa", [-20.0, -0.01, 0.02, 0.3, 5.0, 100.0])
@pytest.mark.parametrize(("name", "power"), [("kratky", 0), ("leadbetter_norris", 1)])
def test_equatorial_lines_are_the_integrals_that_define_them(name, power, kappa):
    def integral(chi):
        def of(w):
            cosine = np.cos(np.radians(chi)) * np.cos(w)
            return np.exp(kappa * (cosine**2 - max(np.sign(kappa), 0.0))) * np.cos(w) ** power

        return quad(of, 0, np.pi / 2, epsabs=0, epsrel=1e-12)[0]

    for chi in (0.0, 20.0, 70.0, 90.0):
        found = getattr(lineshapes, name)(chi, 1.0, 0.0, kappa)
        assert found == pytest.approx(integral(chi) / integral(0.0), rel=1e-10)


@pytest.mark.parametrize("name", ["maier_saupe", "kratky", "leadbetter_norris"])
def test_the_bragg_angle_tilts_the_angle_to_the_director(name):
    """The same distribution seen at the same polar angles, once across the beam and once at a Bragg angle."""
    theta_bragg, kappa = 20.0, 4.0
    line = getattr(lineshapes, name)
    azimuth = np.linspace(0, 180, 91)  # from the director
    polar = np.degrees(np.arccos(np.cos(np.radians(theta_bragg)) * np.cos(np.radians(azimuth))))
    to_peak = 0.0 if name == "maier_saupe" else 90.0
    wide = line(azimuth, 1.0, to_peak, kappa, theta_bragg=theta_bragg)
    narrow = line(polar, 1.0, to_peak, kappa)
    top = np.argmax(wide)
    np.testing.assert_allclose(wide, narrow / narrow[top], rtol=1e-10)


@pytest.mark.parametrize("name", ["maier_saupe", "kratky", "leadbetter_norris"])
def test_ordered_lines_stay_finite(name):
    for kappa in (1e4, -20.0, 0.0):
        values = getattr(lineshapes, name)(X, 2.0, 0.0, kappa)
        slopes = getattr(lineshapes, f"{name}_jacobian")(X, 2.0, 0.0, kappa)
        assert np.isfinite(values).all()
        assert np.isfinite(slopes).all()
        assert values[200] == pytest.approx(2.0)


def test_wrap_keeps_the_lower_end():
    np.testing.assert_array_equal(wrap(np.array([-90.0, 90.0, 270.0, 89.0, 1e3])), [-90, -90, -90, 89, -80])

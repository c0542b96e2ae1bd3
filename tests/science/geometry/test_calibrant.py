"""The distance from the rings of a calibrant."""

from __future__ import annotations

import numpy as np
import pytest

from nxscatter.errors import ParameterError, StepError
from nxscatter.science.geometry.calibrant import calibrant_angles, fit_distance

WAVELENGTH = 1.54189
BEHENATE = np.degrees(2 * np.arcsin(WAVELENGTH * np.arange(1, 20) / (2 * 58.38)))
CUBIC = np.degrees(2 * np.arcsin(0.5 * np.sqrt([1, 2, 3, 4, 5, 6, 8, 9, 10, 11]) / (2 * 4.1569)))


def radii(angles, distance=1.2):
    return distance * np.tan(np.radians(angles))


def test_silver_behenate_has_orders_of_58_angstrom():
    np.testing.assert_allclose(calibrant_angles("AgBh", WAVELENGTH)[:19], BEHENATE, rtol=1e-6)


def test_lanthanum_hexaboride_is_cubic():
    np.testing.assert_allclose(calibrant_angles("LaB6", 0.5)[:10], CUBIC, rtol=1e-4)


def test_an_unknown_calibrant_is_refused_with_the_known_ones():
    with pytest.raises(ParameterError, match="AgBh"):
        calibrant_angles("AgBr", 1.0)


@pytest.mark.parametrize("guess", [0.4, 1.2, 2.46])
@pytest.mark.parametrize("angles", [BEHENATE[:4], BEHENATE[1:4], CUBIC[:5], CUBIC[2:7], CUBIC[[0, 1, 3, 4, 6]]])
def test_the_distance_is_found_from_a_wrong_one(angles, guess):
    lines = BEHENATE if angles[0] in BEHENATE else CUBIC
    found = fit_distance(radii(angles), lines, guess)
    assert found.distance == pytest.approx(1.2, rel=1e-9)
    np.testing.assert_array_equal(lines[found.lines - 1], angles)


def test_the_error_is_that_of_repeated_measurements():
    rng = np.random.default_rng(0)
    found = [fit_distance(radii(BEHENATE[:5]) + rng.normal(0, 2e-5, 5), BEHENATE, 1.2) for _ in range(400)]
    pulls = np.array([(one.distance - 1.2) / one.error for one in found])
    # Student's t with 4 degrees of freedom has a standard deviation of sqrt(2).
    assert abs(pulls.mean()) < 0.25
    assert np.std(pulls) == pytest.approx(np.sqrt(2), abs=0.4)


def test_a_strange_ring_is_left_out():
    mixed = np.sort([*radii(BEHENATE[:4]), radii(1.23 * BEHENATE[1])])
    found = fit_distance(mixed, BEHENATE, 1.2)
    assert found.distance == pytest.approx(1.2, rel=1e-9)
    assert found.lines.tolist() == [1, 2, 0, 3, 4]


def test_a_strange_first_ring_is_left_out():
    mixed = np.sort([*radii(BEHENATE[:4]), radii(0.37 * BEHENATE[0])])
    assert fit_distance(mixed, BEHENATE, 1.2).lines.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("rings", [[], [0.03], [0.03, 0.0413], [0.03, 0.0413, 0.0671, 0.1005]])
def test_rings_that_do_not_fit_are_refused(rings):
    with pytest.raises(StepError, match="ring"):
        fit_distance(np.array(rings), CUBIC[:4], 1.2)

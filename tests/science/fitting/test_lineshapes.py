from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from nxscatter.science.fitting.lineshapes import pseudo_voigt_peak, pseudo_voigt_periodic_peak, wrap


@pytest.mark.parametrize("eta", [0.0, 0.3, 1.0])
def test_pseudo_voigt_has_the_area_and_the_width_it_says(eta: float) -> None:
    area = quad(lambda d: pseudo_voigt_peak(d, 20.0, eta)[0], -np.inf, np.inf, limit=200)[0]
    assert area == pytest.approx(1.0, rel=1e-7)
    top, half = pseudo_voigt_peak(np.array([0.0, 10.0]), 20.0, eta)[0]
    assert half == pytest.approx(top / 2, rel=1e-12)


def test_eta_weights_the_gaussian() -> None:
    far = pseudo_voigt_peak(100.0, 20.0, np.array([1.0, 0.0]))[0]
    assert far[0] < 1e-20
    assert far[1] == pytest.approx(2 / np.pi / 20 / (1 + 4 * 25))


@pytest.mark.parametrize("gamma", [5.0, 60.0])
def test_periodic_pseudo_voigt_is_the_sum_of_its_images(gamma: float) -> None:
    images = 180.0 * np.arange(-4000, 4001)
    total = [pseudo_voigt_peak(d - images, gamma, 0.3)[0].sum() for d in (0.0, 20.0, 90.0)]
    # The Lorentzians left out, beyond 4000 turns, add gamma/(2 pi)*2/(180^2*4000) each.
    left_out = 0.7 * gamma / np.pi / 180**2 / 4000.5
    found = pseudo_voigt_periodic_peak(np.array([0.0, 20.0, 90.0]), gamma, 0.3)[0]
    np.testing.assert_allclose(found, np.array(total) + left_out, rtol=1e-9)


def test_wrap_keeps_the_lower_end() -> None:
    np.testing.assert_array_equal(wrap(np.array([-90.0, 90.0, 270.0, 89.0, 1e3])), [-90, -90, -90, 89, -80])

from __future__ import annotations

import numpy as np
import pytest

from nxscatter.science.fitting.harmonics import analyse
from nxscatter.science.fitting.profile_data import measured
from support.azimuth import CHI, assert_calibrated, gappy, line, profiles


def of(intensity, **options):
    return analyse(CHI, measured(profiles(intensity, **options)))


def test_harmonics_of_a_known_profile():
    angle = np.radians(CHI)
    found = of(5 * (1 + 0.3 * np.cos(2 * (angle - np.radians(25))) + 0.1 * np.cos(4 * angle)), pixels=gappy())
    assert found.mean[0] == pytest.approx(5, rel=0.05)  # bins in gaps are not in it
    assert found.a2[0] == pytest.approx(0.3)
    assert found.a4[0] == pytest.approx(0.1)
    assert found.phase[0] == pytest.approx(25)
    assert found.S[0] == pytest.approx(4 / 15 * 0.3 / (1 - 0.1))


def test_S_is_the_order_parameter_of_its_distribution():
    theta = np.radians(np.arange(0.005, 180, 0.01))
    weight = (1 + 0.4 * np.cos(2 * theta)) * np.sin(theta)
    S = np.sum((3 * np.cos(theta) ** 2 - 1) / 2 * weight) / np.sum(weight)
    assert of(1 + 0.4 * np.cos(2 * np.radians(CHI))).S[0] == pytest.approx(S, abs=1e-6)


@pytest.mark.parametrize("level", [0.01, 0.28, 20.0])
def test_isotropic_rings_pass_for_oriented_as_seldom_as_claimed(level):
    rng = np.random.default_rng(11)
    found = of(np.full(360, level), pixels=gappy(), frames=3000, rng=rng)
    for probability in (0.1, 0.01):
        often = np.mean(found.p < probability)
        assert often < probability + 4 * np.sqrt(probability / 3000)
        assert often > probability / 2 - 4 * np.sqrt(probability / 3000)
    assert found.oriented(0.02).mean() < 0.004
    assert (found.oriented(0.02) <= (found.S > 0.02)).all()


def test_error_of_S_is_true():
    rng = np.random.default_rng(12)
    intensity = 4 * (1 + 0.3 * np.cos(2 * np.radians(CHI - 25)))
    found = of(intensity, pixels=gappy(), frames=300, rng=rng)
    assert_calibrated(found.S, found.S_error, 4 / 15 * 0.3 / (1 - 0.1))


def test_oriented_rings_are_found_however_sharp():
    rng = np.random.default_rng(13)
    for kappa in (1.0, 15.0, 300.0):
        assert of(line("maier_saupe", (kappa,), 25.0), frames=20, rng=rng).oriented(0.02).all()


def test_fourfold_rings_are_oriented_when_several_peaks_are_asked_for():
    rng = np.random.default_rng(14)
    found = of(1 + 0.5 * np.cos(4 * np.radians(CHI)), frames=20, rng=rng)
    assert not found.oriented(0.02).any()
    assert found.oriented(0.02, several=True).all()


def test_a_wrong_centre_is_left_out_on_request():
    intensity = 20 * (1 + 0.5 * np.cos(np.radians(CHI)))
    intensity[200:290] = np.nan
    data = measured(profiles(np.nan_to_num(intensity), pixels=np.where(np.isnan(intensity), 0, 50)))
    assert analyse(CHI, data).a2[0] > 0.05
    assert analyse(CHI, data, onefold=True).a2[0] < 1e-9


def test_what_is_not_determined_is_nan():
    few = np.zeros(360, dtype=int)
    few[100:104] = 50
    found = of(np.ones(360), pixels=few)
    assert np.isnan([found.S[0], found.S_error[0], found.p[0]]).all()
    assert not found.oriented(0.02)[0]
    assert np.isnan(of(np.zeros(360)).p[0])

from __future__ import annotations

import numpy as np
import pytest

from nxscatter.science.fitting.lineshapes import wrap
from nxscatter.science.fitting.peaks import bin_width, coverage, find_peaks, smoothed
from nxscatter.science.fitting.profile_data import measured
from support.azimuth import BETA, CHI, line, profiles


def data_of(intensity, **options):
    return measured(profiles(intensity, **options))


def test_coverage_counts_either_side():
    sides = np.abs(wrap(CHI - 20, 360)) <= 45  # a quarter of the circle, half of the half circle
    use = np.stack([sides, sides | np.roll(sides, 180), sides | np.roll(sides, 90), np.ones(360, dtype=bool)])
    np.testing.assert_allclose(coverage(CHI, use), [0.5, 0.5, 1, 1], atol=0.01)
    assert coverage(CHI, use[:1], np.array([200.0]), 60.0) == 1
    assert coverage(CHI, use[:1], np.array([65.0]), 60.0) == pytest.approx(0.5, abs=0.02)
    np.testing.assert_allclose(coverage(BETA, np.stack([BETA <= 90, BETA >= 0])), [0.5, 1], atol=0.01)


def test_bin_width():
    assert bin_width(CHI) == 1
    assert bin_width(np.arange(-176.0, 181.0, 4.0)) == 4


def test_smoothing_averages_both_sides_and_bridges_gaps():
    intensity = 5 + 0.02 * wrap(CHI)
    pixels = np.where(np.abs(wrap(CHI - 30)) < 25, 0, 50)
    grid, curve, error = smoothed(CHI, data_of(intensity, pixels=pixels))
    assert curve.shape == error.shape == (1, 180)
    middle = np.abs(grid) < 70
    np.testing.assert_allclose(curve[0, middle], 5 + 0.02 * grid[middle], atol=0.2)
    rng = np.random.default_rng(41)
    repeats = smoothed(CHI, data_of(np.full(360, 4.0), frames=400, rng=rng))
    assert repeats[1][:, 40].std() == pytest.approx(repeats[2][:, 40].mean(), rel=0.15)


@pytest.mark.parametrize("x0", [-90.0, -30.0, 25.0, 89.0])
def test_the_maximum_is_found_wherever_it_stands(x0):
    found = find_peaks(CHI, data_of(line("maier_saupe", (10.0,), x0)), None, 1)
    assert abs(wrap(found[0] - x0)) <= 1


def test_a_target_outweighs_the_maximum():
    two = line("maier_saupe", (60.0,), -40.0) + 0.3 * line("maier_saupe", (60.0,), 40.0)
    assert find_peaks(CHI, data_of(two), None, 1)[0] == -40
    assert find_peaks(CHI, data_of(two), 230.0, 1)[0] == 40


def test_several_peaks_come_strongest_first():
    three = sum(
        height * line("maier_saupe", (80.0,), x0, background=0.0)
        for height, x0 in ((1.0, -90.0), (3.0, 10.0), (2.0, 50.0))
    )
    data = data_of(20 * three, rng=np.random.default_rng(42))
    np.testing.assert_allclose(wrap(find_peaks(CHI, data, None, 3)[0]), [10, 50, -90], atol=2)
    np.testing.assert_allclose(find_peaks(CHI, data, None, 2)[0], [10, 50], atol=2)
    np.testing.assert_allclose(wrap(find_peaks(CHI, data, None, "auto")[0]), [10, 50, -90], atol=2)


def test_noise_has_no_peaks_of_its_own():
    data = data_of(np.full(360, 3.0), frames=50, rng=np.random.default_rng(43))
    assert {len(found) for found in find_peaks(CHI, data, None, "auto")} == {1}

"""Radial means and the peaks in a curve."""

from __future__ import annotations

import numpy as np
import pytest

from nxscatter.science.geometry import qspace
from nxscatter.science.pixels.radial import find_peaks, radial_profile, radii, radius_to_q
from nxscatter.steps.binning import Binning
from nxscatter.steps.caving import Caving
from support.scattering import make_geometry, make_image, q_at, radius_map, ring_pattern

GEOMETRY = make_geometry()


def test_annuli_hold_the_mean_of_their_valid_pixels():
    rng = np.random.default_rng(0)
    image = make_image(rng.poisson(7, (2, *GEOMETRY.shape)), rng.random(GEOMETRY.shape) < 0.2)
    profile = radial_profile(image, GEOMETRY)
    annulus = np.floor(radius_map(GEOMETRY) / 2)
    for number in (0, 1, 10, len(profile.radius) - 1):
        members = (annulus == number) & np.isfinite(image.intensity)
        values = image.intensity[members]
        assert profile.radius[number] == 2 * number + 1
        assert profile.q[number] == pytest.approx(q_at(GEOMETRY, 2 * number + 1))
        if len(values):
            assert profile.intensity[number] == pytest.approx(values.mean())
            assert profile.errors[number] == pytest.approx(np.sqrt(values.sum() / 2) / len(values))
        else:
            assert np.isnan(profile.intensity[number])


def test_radius_is_that_of_a_detector_across_the_beam():
    np.testing.assert_allclose(radii(GEOMETRY), radius_map(GEOMETRY))
    tilted = make_geometry(distance=0.02, rot1=20.0, rot2=-35.0)
    np.testing.assert_allclose(radius_to_q(tilted, radii(tilted)), qspace.q_map(tilted), rtol=1e-12)


def test_filled_pixels_count_in_the_mean_and_not_in_its_error():
    rng = np.random.default_rng(1)
    invalid = rng.random(GEOMETRY.shape) < 0.3
    image = make_image(rng.poisson(7, (1, *GEOMETRY.shape)), invalid)
    full, bare = radial_profile(Caving()(image, GEOMETRY), GEOMETRY), radial_profile(image, GEOMETRY)
    np.testing.assert_allclose(full.errors[:50], bare.errors[:50])
    assert not np.allclose(full.intensity[:50], bare.intensity[:50])


def test_binned_variance_is_used():
    rng = np.random.default_rng(1)
    image = make_image(rng.poisson(7, (1, *GEOMETRY.shape)))
    fine = radial_profile(image, GEOMETRY)
    coarse = radial_profile(Binning(factor=2)(image), GEOMETRY.binned(2))
    # An annulus of binned pixels holds four times the pixels, so that its error is half as large.
    assert np.median(coarse.errors[5:25] / fine.errors[10:50:2]) == pytest.approx(0.5**0.5, abs=0.05)


def test_hot_pixels_are_left_out_and_bright_arcs_are_not():
    geometry = make_geometry(200, 200)
    pattern = ring_pattern(geometry, [(60, 5, 400.0)], kappa=20.0, director=30.0)
    frame = np.random.default_rng(2).poisson(pattern)
    clean = radial_profile(make_image(frame[np.newaxis]), geometry)
    assert clean.hot.size == 0
    hot = np.array([200 * 20 + 30, 200 * 150 + 60, 200 * 150 + 61, 0, 39_999])
    frame.reshape(-1)[hot] = 50_000
    spoilt = radial_profile(make_image(frame[np.newaxis]), geometry)
    np.testing.assert_array_equal(np.sort(spoilt.hot), np.sort(hot))
    known = np.isfinite(spoilt.intensity)
    np.testing.assert_allclose(spoilt.intensity[known], clean.intensity[known], rtol=0.1)


@pytest.mark.parametrize("place", [20.0, 20.3, 20.8])
@pytest.mark.parametrize("fwhm", [2.6, 8.0])
def test_a_peak_is_measured_between_samples(place, fwhm):
    x = np.arange(60.0)
    curve = 5 + 10 * np.exp(-4 * np.log(2) * ((x - place) / fwhm) ** 2)
    (peak,) = find_peaks(curve, np.full(60, 0.1))
    assert peak.position == pytest.approx(place, abs=0.1)
    assert peak.fwhm == pytest.approx(fwhm, rel=0.15)
    assert peak.height == pytest.approx(curve.max())
    assert peak.prominence == pytest.approx(curve.max() - 5, abs=1e-6)
    assert peak.significance == pytest.approx(peak.prominence / np.hypot(0.1, 0.1))


def test_prominence_is_measured_from_the_higher_valley():
    curve = np.array([0.0, 4, 3, 9, 2, 5, 1])
    assert [peak.prominence for peak in find_peaks(curve, np.ones(7))] == [1, 8, 3]


def test_gaps_separate_and_edges_are_no_peaks():
    curve = np.array([9.0, 1, 2, 1, np.nan, 8, 7, np.nan, 1, 3, 2, 6])
    assert [peak.position for peak in find_peaks(curve, np.ones(12))] == [2, 9]
    assert find_peaks(np.full(10, 3.0), np.ones(10)) == []
    assert find_peaks(np.full(10, np.nan), np.ones(10)) == []


def test_an_uncertain_sample_is_no_valley():
    curve = np.array([2.0, 2, 6, 2, 2, 0.0])
    errors = np.array([0.1, 0.1, 0.1, 0.1, 0.1, 3.0])
    (peak,) = find_peaks(curve, errors)
    assert peak.prominence == 4

"""The median filter: brute force, invalid pixels, and errors by simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nxscatter.errors import ParameterError
from nxscatter.results import PixelFlag
from nxscatter.science.pixels.medians import nan_median
from nxscatter.steps.caving import Caving
from nxscatter.steps.median_filter import MedianFilter
from support.scattering import make_geometry, make_image

SHAPE = (23, 31)


def counts(level=40.0, frames=1, seed=0):
    return np.random.default_rng(seed).poisson(level, (frames, *SHAPE))


def holes(share=0.25, seed=1):
    return np.random.default_rng(seed).random(SHAPE) < share


def brute_force(image, size):
    """The median of each pixel's window by slices, NaN where the pixel is invalid."""
    reach, result = size // 2, np.full(image.shape, np.nan)
    for row, column in np.argwhere(np.isfinite(image)):
        window = image[max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1]
        result[row, column] = np.median(window[np.isfinite(window)])
    return result


@pytest.mark.parametrize("size", [3, 5, 7])
def test_each_pixel_is_the_median_of_the_valid_ones_around_it(size):
    image = make_image(counts(), holes())
    filtered = MedianFilter(size=size)(image)
    np.testing.assert_array_equal(filtered.intensity, brute_force(image.intensity, size))
    np.testing.assert_array_equal(filtered.flags, image.flags)


@given(hnp.arrays(float, (4, 9), elements=st.floats(-9, 9) | st.just(float("nan"))))
@settings(deadline=None)
def test_nan_median_is_numpys(values):
    known = np.isfinite(values).any(axis=-1)
    np.testing.assert_allclose(nan_median(values)[known], np.nanmedian(values[known], axis=-1))
    assert np.isnan(nan_median(values)[~known]).all()


def test_invalid_pixels_neither_spread_nor_heal():
    image = make_image(counts(), holes(0.6))
    filtered = MedianFilter()(image)
    np.testing.assert_array_equal(np.isnan(filtered.intensity), np.isnan(image.intensity))
    np.testing.assert_array_equal(np.isnan(filtered.variance), np.isnan(image.intensity))


def test_a_hot_pixel_is_gone_with_its_error():
    frames = counts()
    frames[0, 10, 10] = 10**6
    filtered = MedianFilter()(make_image(frames))
    assert 25 < filtered.intensity[10, 10] < 55
    assert filtered.variance[10, 10] == pytest.approx(np.pi / 2 * filtered.intensity[10, 10])


def test_a_stored_variance_and_gain_are_filtered_too():
    plain = make_image(counts(), holes())
    scaled = replace(plain, intensity=plain.intensity / 10, variance=plain.intensity / 100, gain=np.full(SHAPE, 0.1))
    filtered, scaled = MedianFilter()(plain), MedianFilter()(scaled)
    np.testing.assert_allclose(scaled.variance, filtered.variance / 100)
    np.testing.assert_allclose(scaled.gain, np.pi / 20)


def test_errors_of_means_are_right_or_a_little_too_large():
    """Means over regions larger than the window: pi/2 is the limit, small windows do better."""
    means, variances = [], []
    for seed in range(400):
        filtered = MedianFilter()(make_image(counts(200.0, seed=seed)))
        means.append(filtered.intensity[4:-4, 4:-4].mean())
        variances.append(filtered.variance[4:-4, 4:-4].mean())
    pixels = (SHAPE[0] - 8) * (SHAPE[1] - 8)
    claimed = np.mean(variances) / pixels
    assert 0.65 < np.var(means) / claimed < 1


def test_frames_are_filtered_one_by_one():
    image = make_image(counts(frames=3), holes())
    filtered = MedianFilter(size=5)(image)
    index = np.random.default_rng(5).permutation(SHAPE[0] * SHAPE[1])[:300]
    gather = filtered.stage.gather(index)
    for number, frame in enumerate(filtered.stage.raw):
        alone = MedianFilter(size=5)(make_image(frame[np.newaxis], holes()))
        values, variances = gather(frame, number)
        np.testing.assert_array_equal(values, alone.intensity.reshape(-1)[index])
        np.testing.assert_array_equal(variances, alone.variance.reshape(-1)[index])


def test_filled_pixels_stay_without_variance():
    geometry = make_geometry(*SHAPE)
    caved = Caving()(make_image(counts(), holes()), geometry)
    filtered = MedianFilter()(caved)
    filled = caved.flags == PixelFlag.FILLED
    assert filled.any()
    assert np.isfinite(filtered.intensity[filled]).all()
    assert np.isnan(filtered.variance[filled]).all()
    values, variances = filtered.stage.gather(np.flatnonzero(filled))(counts()[0], 0)
    np.testing.assert_array_equal(values, filtered.intensity[filled])
    assert np.isnan(variances).all()


def test_few_photons_are_told():
    assert any("photons" in note for note in MedianFilter()(make_image(counts(3.0))).notes)
    assert MedianFilter()(make_image(counts(40.0))).notes == ()
    assert MedianFilter()(make_image(counts(3.0, frames=10))).notes == ()


@pytest.mark.parametrize("turn", [np.rot90, np.transpose])
def test_a_turned_image_is_filtered_like_the_image(turn):
    image = make_image(counts(), holes())
    turned = replace(image, intensity=turn(image.intensity), flags=turn(image.flags), stage=None)
    np.testing.assert_array_equal(MedianFilter()(turned).intensity, turn(MedianFilter()(image).intensity))


@pytest.mark.parametrize("size", [1, 2, 4, 33])
def test_a_window_without_a_middle_is_refused(size):
    with pytest.raises(ParameterError, match="size"):
        MedianFilter(size=size)

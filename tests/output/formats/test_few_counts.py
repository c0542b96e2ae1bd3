"""Errors of pixels and bins that counted little or nothing: never 0, and no weighted mean comes out wrong."""

from __future__ import annotations

import numpy as np
import pytest

from nxscatter.output.formats.few_counts import curve_errors, image_errors
from nxscatter.results import Image


def poisson(level: float, frames: int = 1, seed: int = 1) -> Image:
    counts = np.random.default_rng(seed).poisson(level * frames, (200, 220)) / frames
    flags = np.zeros(counts.shape, dtype=np.uint16)
    counts[:10], flags[:10] = np.nan, 1
    return Image(intensity=counts, flags=flags, frames=frames)


@pytest.mark.parametrize("level", [0.02, 0.5, 3.0, 200.0])
@pytest.mark.parametrize("frames", [1, 4])
def test_a_weighted_mean_is_the_background(level: float, frames: int) -> None:
    image = poisson(level, frames)
    errors = image_errors(image)
    use = np.isfinite(image.intensity)
    assert (errors[use] > 0).all()
    assert np.isnan(errors[~use]).all()
    weights = errors[use] ** -2
    mean = np.sum(weights * image.intensity[use]) / np.sum(weights)
    assert mean == pytest.approx(level, rel=0.08)
    # and the errors are as large as the scatter
    assert np.mean(errors[use] ** 2) == pytest.approx(level / frames, rel=0.1)


def test_many_counts_keep_their_own_errors() -> None:
    image = poisson(200.0)
    use = np.isfinite(image.intensity)
    np.testing.assert_array_equal(image_errors(image)[use], np.sqrt(image.intensity[use]))


def test_where_nothing_was_counted_at_all_the_error_is_one_count_among_the_neighbours() -> None:
    empty = Image(intensity=np.zeros((20, 20)), flags=np.zeros((20, 20), dtype=np.uint16))
    assert image_errors(empty)[10, 10] == pytest.approx(1 / 20)  # 400 pixels are all that there are


def test_filled_pixels_have_no_error() -> None:
    image = poisson(0.5)
    image.flags[50, 50] = 1 << 15
    assert np.isnan(image_errors(image)[50, 50])


def test_a_bin_without_counts_has_the_error_of_one_count() -> None:
    intensity = np.array([2.0, 0.0, np.nan, 0.0, 0.5])
    errors = np.array([0.2, 0.0, np.nan, 0.0, 0.1])
    np.testing.assert_allclose(curve_errors(intensity, errors), [0.2, 0.02, np.nan, 0.02, 0.1])
    np.testing.assert_array_equal(curve_errors(np.zeros(3), np.zeros(3)), np.zeros(3))

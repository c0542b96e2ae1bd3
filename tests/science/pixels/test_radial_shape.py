"""Bins that see part of their ring's width tell what whole ones would."""

from __future__ import annotations

import numpy as np
import pytest

from nxscatter.model import Floats
from nxscatter.science.pixels.radial_shape import BinCorrection, radial_shape

BINS, PER_BIN = 72, 60


def ring(contrast: float, background: float) -> tuple[Floats, Floats, np.ndarray, Floats]:
    """Values, places and bins of the pixels of a noiseless ring, and the mean of each bin over the whole width."""
    rng = np.random.default_rng(3)
    place = rng.uniform(-1, 1, BINS * PER_BIN)
    number = np.repeat(np.arange(BINS), PER_BIN)
    angle = np.radians(number * 360 / BINS)
    oriented = 1 + contrast * np.cos(2 * angle)
    values = background + oriented * np.exp(-((place / 0.6) ** 2))
    width = np.linspace(-1, 1, 20001)
    mean = background + (1 + contrast * np.cos(2 * np.radians(np.arange(BINS) * 360 / BINS))) * np.mean(
        np.exp(-((width / 0.6) ** 2))
    )
    return values, place, number, mean


def corrected(values: Floats, place: Floats, number: np.ndarray, partial: np.ndarray) -> tuple[Floats, np.ndarray]:
    shape = radial_shape(values, place, number, partial, width=20.0)
    assert shape is not None
    count = np.bincount(number, minlength=BINS)
    offset, scale = (np.bincount(number, part, BINS) / np.maximum(count, 1) for part in (shape.alpha, shape.beta))
    means = np.bincount(number, values, BINS) / np.maximum(count, 1)
    return (means - offset) / np.where(scale > 0, scale, 1), shape.lost


@pytest.mark.parametrize("contrast", [0.0, 0.9])
@pytest.mark.parametrize("background", [0.0, 3.0])
@pytest.mark.parametrize("seen", [(-1.0, 0.0), (0.2, 1.0), (-0.3, 0.3)])
def test_a_part_of_the_width_gives_the_mean_of_all_of_it(
    contrast: float, background: float, seen: tuple[float, float]
) -> None:
    values, place, number, mean = ring(contrast, background)
    cut = (number < 20) & ((place < seen[0]) | (place > seen[1]))
    values, place, number = values[~cut], place[~cut], number[~cut]
    partial = np.arange(BINS) < 20
    found, lost = corrected(values, place, number, partial)
    plain = np.bincount(number, values, BINS) / np.bincount(number, minlength=BINS)
    use = partial & ~lost
    # what is left is where the few pixels of a bin happen to lie
    assert np.abs(found[use] - mean[use]).mean() < 0.4 * np.abs(plain[use] - mean[use]).mean()
    assert np.abs(found[use] - mean[use]).max() < 0.08 * (mean[use].max() - background)
    np.testing.assert_array_equal(found[~partial], plain[~partial])


def test_a_bin_that_sees_only_the_foot_is_lost() -> None:
    values, place, number, _ = ring(0.5, 0.0)
    cut = (number == 3) & (place < 0.93)
    shape = radial_shape(values[~cut], place[~cut], number[~cut], np.arange(BINS) == 3, width=20.0)
    assert shape is not None
    assert np.flatnonzero(shape.lost).tolist() == [3]


def test_nothing_to_correct_and_no_shape_to_correct_by() -> None:
    values, place, number, _ = ring(0.5, 1.0)
    assert radial_shape(values, place, number, np.zeros(BINS, dtype=bool), width=20.0) is None
    assert radial_shape(values, place, number, np.ones(BINS, dtype=bool), width=20.0) is None


def test_the_variance_follows_the_mean() -> None:
    correction = BinCorrection(np.array([[0.5]]), np.array([[0.8]]), np.array([[False]]))
    mean, error = correction.means(np.array([[4.5]]), np.array([[0.3]]))
    slope, floor = correction.variance_law(np.array([[0.02]]), np.array([[0.0]]))
    assert mean == pytest.approx(5.0)
    # the same variance, 0.02*4.5, of a mean that is divided by 0.8
    assert slope * mean + floor == pytest.approx(0.02 * 4.5 / 0.8**2)
    assert error == pytest.approx(0.3 / 0.8)

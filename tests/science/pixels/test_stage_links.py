"""The chain applied frame by frame gives the images of the steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nxscatter.science.pixels.stage_links import BinnedStage, CavedStage, MaskedStage, RawStage, block_means, partner
from support.scattering import Stack

ROWS, COLUMNS = 7, 8


@pytest.fixture
def frame():
    return np.random.default_rng(1).integers(0, 50, (ROWS, COLUMNS)).astype(np.uint32)


@pytest.fixture
def raw(frame):
    return RawStage(Stack(frame[np.newaxis]))


def whole(stage, frame):
    """Values and variances of a stage's whole image."""
    rows, columns = stage.shape
    values, variances = stage.gather(np.arange(rows * columns))(frame, 0)
    return values.reshape(rows, columns), variances.reshape(rows, columns)


def test_raw_counts_are_their_own_variance(raw, frame):
    values, variances = whole(raw, frame)
    assert values.dtype == np.float64
    np.testing.assert_array_equal(values, frame)
    np.testing.assert_array_equal(variances, frame)


def test_masked_pixels_are_nan_and_no_others(raw, frame):
    invalid = np.zeros((ROWS, COLUMNS), dtype=bool)
    invalid[2, 3] = invalid[6, 7] = True
    stage = MaskedStage(raw, invalid)
    for array in whole(stage, frame):
        np.testing.assert_array_equal(np.isnan(array), invalid)
        np.testing.assert_array_equal(array[~invalid], frame[~invalid])
    assert stage.raw is raw.raw
    valid_only = stage.gather(np.flatnonzero(~invalid))(frame, 0)[0]
    np.testing.assert_array_equal(valid_only, frame[~invalid])


def test_binned_pixels_are_means_of_the_valid_ones(raw, frame):
    invalid = np.zeros((ROWS, COLUMNS), dtype=bool)
    invalid[0:2, 0:2] = True
    invalid[0, 2] = True
    stage = BinnedStage(MaskedStage(raw, invalid), 2)
    assert stage.shape == (3, 4)
    values, variances = whole(stage, frame)
    assert np.isnan(values[0, 0])
    assert np.isnan(variances[0, 0])
    three = frame[0:2, 2:4][~invalid[0:2, 2:4]]
    assert values[0, 1] == pytest.approx(three.mean())
    assert variances[0, 1] == pytest.approx(three.sum() / 9)
    assert values[2, 3] == pytest.approx(frame[4:6, 6:8].mean())
    assert variances[2, 3] == pytest.approx(frame[4:6, 6:8].sum() / 16)


def test_filled_pixels_have_their_partners_value_and_no_variance(raw, frame):
    filled = np.zeros((ROWS, COLUMNS), dtype=bool)
    filled[1, 2] = True
    values, variances = whole(CavedStage(raw, filled, (6, 7)), frame)
    assert values[1, 2] == frame[5, 5]
    assert np.isnan(variances[1, 2])
    np.testing.assert_array_equal(values[~filled], frame[~filled])
    np.testing.assert_array_equal(variances[~filled], frame[~filled])


def test_links_work_on_each_other(raw, frame):
    invalid = np.zeros((ROWS, COLUMNS), dtype=bool)
    invalid[0:2, 0:2] = True
    filled = np.zeros((3, 4), dtype=bool)
    filled[0, 0] = True
    stage = CavedStage(BinnedStage(MaskedStage(raw, invalid), 2), filled, (2, 3))
    values, variances = whole(stage, frame)
    assert values[0, 0] == pytest.approx(frame[4:6, 6:8].mean())
    assert np.isnan(variances[0, 0])
    assert np.isfinite(variances[2, 3])
    assert stage.shape == (3, 4)


@settings(deadline=None)
@given(rows=st.integers(0, 30), columns=st.integers(0, 30), at=st.integers(0, 200))
def test_a_pixel_is_its_partners_partner(rows, columns, at):
    width = 31
    once = partner(np.array([at]), width, (rows, columns))
    assert partner(once, width, (rows, columns)) == at


def test_filled_pixels_count_in_a_mean_and_not_in_its_variance():
    values = np.array([[4.0], [8.0], [6.0], [np.nan]])
    variances = np.array([[4.0], [8.0], [np.nan], [np.nan]])
    means, of_means = block_means(values, variances)
    assert means == 6.0
    assert of_means == (4 + 8) / 2**2

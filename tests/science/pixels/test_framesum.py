"""Sums of frames are exact for whole numbers, whatever their type and however large they grow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nxscatter.science.pixels.framesum import FrameSum

LIMITS = {"u1": (0, 255), "u2": (0, 65535), "i2": (-32768, 32767), "i4": (-(2**31), 2**31 - 1), "u4": (0, 2**32 - 2)}


def summed(frames):
    total = np.zeros(frames[0].shape)
    added = FrameSum(total)
    for frame in frames:
        added.add(frame)
    added.carry()
    return total


@settings(deadline=None)
@given(data=st.data(), kind=st.sampled_from([*LIMITS, ">u4", ">i4"]), number=st.integers(1, 30))
def test_whole_numbers_of_any_type_add_up_exactly(data, kind, number):
    low, high = LIMITS[kind[-2:]]
    value = st.integers(low, high) | st.sampled_from([low, high, high - 1, 0, 1])
    frames = [np.array([data.draw(value) for _ in range(3)], dtype=kind) for _ in range(number)]
    np.testing.assert_array_equal(
        summed(frames), np.sum([frame.astype(object) for frame in frames], axis=0).astype(float)
    )


def test_a_dead_pixel_spoils_no_other():
    frame = np.array([[2**32 - 1, 3], [2**31 - 1, 0]], dtype=np.uint32)
    total = summed([frame] * 7)
    assert total[0, 1] == 21
    assert total[1, 0] == 7 * (2**31 - 1)
    assert total[1, 1] == 0


def test_large_counts_are_carried_before_they_overflow():
    frame = np.full(4, 10**9, dtype=np.uint32)
    np.testing.assert_array_equal(summed([frame] * 1000), np.full(4, 1e12))


@pytest.mark.parametrize("kind", ["f4", "f8", "u8", "i8"])
def test_other_types_are_added_in_double_precision(kind):
    frame = np.array([1.0, 2.0**40, 3.0]).astype(kind)
    np.testing.assert_array_equal(summed([frame] * 5), 5 * frame.astype(float))


def test_not_a_number_stays():
    assert np.isnan(summed([np.array([np.nan]), np.array([1.0])])[0])

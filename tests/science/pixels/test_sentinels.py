"""Marks of detectors: found whatever their type, value and place; counts, peaks and noise are left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nxscatter.model import Array
from nxscatter.science.pixels.sentinels import find_marks, is_suspect, named

SHAPE = (120, 100)
NOTHING = np.zeros(SHAPE, bool)


def counts(peak: float = 150.0, flat: float = 3.0, seed: int = 0) -> Array:
    """A ring on a flat background."""
    y, x = np.indices(SHAPE)
    radius = np.hypot(y - 60, x - 50)
    return np.random.default_rng(seed).poisson(flat + peak * np.exp(-(((radius - 30) / 3) ** 2)))


def isolated(share: float = 0.004, seed: int = 1) -> Array:
    return np.random.default_rng(seed).random(SHAPE) < share


def gap(first: int = 40, width: int = 4, axis: int = 1) -> Array:
    where = np.zeros(SHAPE, bool)
    where[(slice(None), slice(first, first + width))[:: 1 if axis == 1 else -1]] = True
    return where


def sentinels(frame: Array, invalid: Array = NOTHING) -> dict[float, Array]:
    if not is_suspect(frame):
        return {}
    return {mark.value: mark.where for mark in find_marks(frame, invalid) if mark.kind == "sentinel"}


@pytest.mark.parametrize(
    ("dtype", "value", "beside"),
    [
        ("uint32", 2**32 - 2, 2**32 - 1),
        ("uint64", 2**64 - 2, 2**64 - 1),
        ("int64", 2**32 - 2, 2**32 - 1),
        ("float64", 2**32 - 2, 2**32 - 1),
        ("float32", 2**16 - 2, 2**16 - 1),
        ("uint32", 2**16 - 2, 2**16 - 1),
        ("int32", 2**31 - 1, None),
        ("int32", 2**16 - 1, -1),
        ("int16", 2**15 - 1, -2),
        ("uint16", 2**12 - 1, None),
        ("uint32", 2**20 - 1, 2**20 - 2),
        ("int32", -2, -1),
        ("int16", -1, -2),
        ("float32", -2, -1),
        ("int32", -3, None),
        ("int32", -10, -1),
        ("float64", -9999, None),
    ],
)
def test_isolated_marks_and_those_in_gaps_are_found(dtype: str, value: int, beside: int | None) -> None:
    frame, bad = counts().astype(dtype), isolated()
    if beside is not None:
        frame[gap()] = beside
        bad &= ~gap()
    frame[bad] = value
    found = sentinels(frame)
    np.testing.assert_array_equal(found[value], bad)
    if beside is not None:
        np.testing.assert_array_equal(found[beside], gap())
    assert len(found) == (1 if beside is None else 2)


def test_the_ends_of_a_byte_are_found_beside_counts_of_200() -> None:
    frame = np.clip(counts(), 0, 250).astype("uint8")
    frame[gap(axis=0)] = 255
    bad = isolated() & ~gap(axis=0)
    frame[bad] = 254
    np.testing.assert_array_equal(sentinels(frame)[254], bad)


def test_65535_is_a_mark_although_some_pixels_count_60000() -> None:
    frame = counts(peak=58000.0).astype("uint32")
    bad = isolated()
    frame[bad] = 65535
    np.testing.assert_array_equal(sentinels(frame)[65535], bad)


def test_gaps_within_modules_are_found() -> None:
    frame = counts(peak=4.0, flat=0.05).astype("int32")
    where = gap(width=3) & (np.indices(SHAPE)[0] < 50)
    frame[where] = -1
    np.testing.assert_array_equal(sentinels(frame)[-1], where)


def test_pixels_that_a_mask_names_are_not_told_again() -> None:
    frame = counts().astype("int32")
    frame[gap()] = -1
    assert sentinels(frame, gap()) == {}


def test_a_saturated_ring_is_told_as_saturation() -> None:
    for dtype, end in (("uint16", 65535), ("uint32", 65535), ("uint16", 4095), ("uint8", 255)):
        frame = np.minimum(counts(peak=3.0 * end), end).astype(dtype)
        (mark,) = find_marks(frame, NOTHING)
        assert (mark.value, mark.kind) == (end, "saturated")
        np.testing.assert_array_equal(mark.where, frame == end)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.05, 300), st.sampled_from(["uint8", "uint16", "int32", "float32"]))
def test_counts_have_no_marks(seed: int, peak: float, dtype: str) -> None:
    frame = np.minimum(counts(peak=min(peak, 180.0), seed=seed), 253 if dtype == "uint8" else 10**6).astype(dtype)
    assert not find_marks(frame, NOTHING) if is_suspect(frame) else True


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.02, 5))
def test_noise_about_0_is_data(seed: int, dark: float) -> None:
    random = np.random.default_rng(seed)
    frame = (counts(peak=20.0, flat=dark, seed=seed) - random.poisson(dark, SHAPE)).astype("int32")
    assert all(mark.kind == "unsure" for mark in find_marks(frame, NOTHING))
    assert sentinels(frame.astype("float32") - np.float32(0.3)) == {}


def test_a_single_count_at_the_end_of_a_short_type_is_one() -> None:
    frame = counts(peak=50.0).astype("uint32")
    frame[5, 5] = 255
    assert sentinels(frame) == {}


def test_values_are_named_by_their_powers() -> None:
    assert named(2**32 - 2) == "4294967294 (2**32 - 2)"
    assert named(-1) == "-1"
    assert named(float(2**32)) == "4294967296 (2**32, rounded)"

"""Masking: every source, its reason, and exact numbers."""

from __future__ import annotations

import numpy as np
import pytest

from nxscatter.errors import StepError
from nxscatter.model import Attachment
from nxscatter.results import PixelFlag
from nxscatter.steps.masking import Masking
from support.scattering import Stack, make_detector, make_geometry

SHAPE = (6, 7)
DETECTOR = make_detector(make_geometry(*SHAPE))


def counts(dtype: str = "uint32", frames: int = 1) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 90, (frames, *SHAPE)).astype(dtype)


def mask_at(*pixels: tuple[int, int], value: int = 1, dtype: str = "uint8") -> np.ndarray:
    mask = np.zeros(SHAPE, dtype=dtype)
    for pixel in pixels:
        mask[pixel] = value
    return mask


def run(frames, masks=(), detector=DETECTOR, **parameters):
    return Masking(**parameters)(Stack(frames), detector, tuple(masks))


def test_every_mask_leaves_its_reason():
    masks = [
        Attachment("gaps.edf", mask_at((0, 0)), "gaps"),
        Attachment("stop.edf", mask_at((0, 0), (1, 1)), "beamstop"),
        Attachment("other.edf", mask_at((2, 2), value=7), "mask"),
        Attachment("pixel_mask", mask_at((3, 3), value=2, dtype="uint32"), "pixel_mask"),
        Attachment("high", mask_at((4, 4), value=2**31, dtype="uint32"), "pixel_mask"),
    ]
    mine = Attachment("mine.edf", mask_at((5, 5)), "mask")
    image = run(counts(), masks, mask=(mine,))
    expected = {
        (0, 0): PixelFlag.GAP | PixelFlag.BEAMSTOP,
        (1, 1): PixelFlag.BEAMSTOP,
        (2, 2): PixelFlag.MASKED,
        (3, 3): PixelFlag.DEAD,
        (4, 4): PixelFlag.MASKED,
        (5, 5): PixelFlag.MASKED,
    }
    for pixel, flag in expected.items():
        assert image.flags[pixel] == flag
    assert np.count_nonzero(image.flags) == len(expected)
    assert image.flags.dtype == np.uint16
    np.testing.assert_array_equal(np.isnan(image.intensity), image.flags != 0)


def test_a_measured_zero_is_data():
    frames = counts()
    frames[0, 1, 1] = 0
    image = run(frames)
    assert image.intensity[1, 1] == 0
    assert image.flags[1, 1] == 0


def test_masks_of_the_file_can_be_dropped_and_the_users_stay():
    masks = [Attachment("gaps", mask_at((0, 0)), "gaps")]
    mine = Attachment("mine", mask_at((5, 5)))
    image = run(counts(), masks, use_file_masks=False, mask=(mine,))
    assert np.argwhere(image.flags).tolist() == [[5, 5]]


def test_a_stack_of_masks_is_their_union():
    stack = np.stack([mask_at((0, 0)), mask_at((1, 1))])
    image = run(counts(), [Attachment("stack", stack, "mask")])
    assert np.argwhere(image.flags).tolist() == [[0, 0], [1, 1]]


@pytest.mark.parametrize(
    ("dtype", "flag"),
    [("uint8", PixelFlag.SATURATED), ("uint16", PixelFlag.SATURATED), ("uint32", PixelFlag.DEAD)],
)
def test_an_unsigned_types_maximum_is_no_count(dtype, flag):
    frames = counts(dtype)
    frames[0, 2, 3] = np.iinfo(dtype).max
    image = run(frames)
    assert image.flags[2, 3] == flag
    assert np.isnan(image.intensity[2, 3])
    assert np.nanmax(image.intensity) < 90


def test_a_signed_types_maximum_is_a_count():
    frames = counts("int16")
    frames[0, 2, 3] = 32767
    assert run(frames).intensity[2, 3] == 32767


@pytest.mark.parametrize(
    ("dtype", "dummy", "ddummy", "values", "out"),
    [
        ("int32", -1.5, 0.6, [-2, -1, 0, -3], [True, True, False, False]),
        ("int32", -10.0, 0.0, [-10, -9, -11, 10], [True, False, False, False]),
        ("float32", -9999.1, 0.0, [-9999.1, -9999.0, 9999.1, 0], [True, False, False, False]),
        ("uint32", -1.0, 0.1, [0, 1, 2, 3], [False] * 4),
        ("uint32", 2.0**32 - 2, 0.0, [2**32 - 2, 1, 2, 3], [True, False, False, False]),
        ("int32", 0.0, 0.5, [0, 1, 2, 3], [False] * 4),
        ("int32", float("nan"), 0.5, [0, 1, 2, 3], [False] * 4),
    ],
)
def test_dummies_are_no_counts_and_dummy_zero_means_none(dtype, dummy, ddummy, values, out):
    frames = counts(dtype)
    frames[0, 0, :4] = np.array(values, dtype=dtype)
    image = run(frames, detector=make_detector(make_geometry(*SHAPE), dummy=dummy, ddummy=ddummy))
    assert (image.flags[0, :4] == int(PixelFlag.DUMMY)).tolist() == out
    assert np.isnan(image.intensity[0, :4]).tolist() == out


def test_nan_and_infinity_are_no_counts():
    frames = counts("float32")
    frames[0, 1, 1], frames[0, 2, 2] = np.nan, np.inf
    image = run(frames)
    assert np.argwhere(image.flags == int(PixelFlag.NOT_A_NUMBER)).tolist() == [[1, 1], [2, 2]]


def test_saturation_is_a_parameter():
    frames = counts()
    image = run(frames, saturation=80)
    np.testing.assert_array_equal(image.flags == int(PixelFlag.SATURATED), frames[0] >= 80)


def test_a_pixel_invalid_in_one_frame_is_invalid_in_the_mean_and_in_every_frame():
    frames = counts(frames=3)
    frames[1, 4, 4] = 2**32 - 1
    image = run(frames)
    assert image.frames == 3
    assert np.argwhere(image.flags).tolist() == [[4, 4]]
    valid = image.flags == 0
    np.testing.assert_array_equal(image.intensity[valid], frames.mean(axis=0)[valid])
    values, _ = image.stage.gather(np.array([4 * SHAPE[1] + 4, 0]))(frames[0], 0)
    assert np.isnan(values[0])
    assert values[1] == frames[0, 0, 0]


@pytest.mark.parametrize(
    ("value", "dtype", "kind"),
    [
        (2**24 - 1, "uint32", np.float32),
        (2**24 + 1, "uint32", np.float64),
        (2**31 - 1, "int32", np.float64),
        (-(2**24) - 1, "int32", np.float64),
        (0.1, "float32", np.float32),
        (0.1, "float64", np.float64),
    ],
)
def test_counts_stay_exact(value, dtype, kind):
    frames = counts(dtype)
    frames[0, 3, 3] = value
    image = run(frames)
    assert image.intensity.dtype == kind
    assert image.intensity[3, 3] == frames[0, 3, 3]


def test_masked_counts_do_not_cost_precision():
    frames = counts()
    frames[0, 0, 0], frames[0, 1, 1] = 2**32 - 1, 2**30
    image = run(frames, [Attachment("hot", mask_at((1, 1)), "mask")])
    assert image.intensity.dtype == np.float32


def test_raw_frames_are_not_touched():
    frames = counts()
    before = frames.copy()
    run(frames, [Attachment("gaps", mask_at((0, 0)), "gaps")])
    np.testing.assert_array_equal(frames, before)


def test_mask_of_another_shape_is_refused_with_both_shapes():
    with pytest.raises(StepError, match=r"mask odd\.edf has shape \(3, 3\), the image \(6, 7\)"):
        run(counts(), [Attachment("odd.edf", np.zeros((3, 3)), "mask")])


def test_a_text_is_no_mask():
    with pytest.raises(StepError, match=r"mask note\.txt is a text"):
        run(counts(), [Attachment("note.txt", "hello", "mask")])


def test_no_pixel_left_is_an_error_that_names_the_masks():
    with pytest.raises(StepError, match=r"no pixel of 42 is left: masks all\.edf.*--no-mask"):
        run(counts(), [Attachment("all.edf", np.ones(SHAPE), "mask")])


def test_an_inverted_mask_is_suspected():
    mask = np.ones(SHAPE)
    mask[0, 0] = 0
    image = run(counts(), [Attachment("inverted.edf", mask, "mask")])
    assert any("inverted.edf takes out 98%" in note for note in image.notes)
    assert run(counts(), [Attachment("gaps", mask_at((0, 0)), "gaps")]).notes == ()


def test_negative_data_without_a_dummy_are_pointed_out():
    frames = counts("int32")
    frames[0, 0, 0] = -1
    assert any("below 0" in note for note in run(frames).notes)

"""Masking: every source, its reason, and exact numbers."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from nxscatter.errors import StepError
from nxscatter.model import Array, Attachment, Exposure
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


def test_a_mark_can_be_kept_as_a_count():
    frames = counts("int16")
    frames[0, 2, 3] = 32767
    assert run(frames).flags[2, 3] == PixelFlag.SENTINEL
    assert run(frames, keep_sentinels=True).intensity[2, 3] == 32767


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
    described = make_detector(make_geometry(*SHAPE), dummy=dummy, ddummy=ddummy)
    image = run(frames, detector=described, keep_sentinels=True)
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
    image = run(frames, keep_sentinels=True)
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
    assert any("below 0" in note for note in run(frames, keep_sentinels=True).notes)


def stack(*values: float | None, dtype: str = "uint32") -> Array:
    """Frames of counts, or of one value all over."""
    frames = counts(dtype, len(values))
    for frame, value in zip(frames, values, strict=True):
        if value is not None:
            frame[...] = value
    return frames


@pytest.mark.parametrize(
    ("dtype", "values", "lost"),
    [
        ("uint32", (None, 0, None), [1]),
        ("uint32", (None, None, 0, 0), [2, 3]),
        ("uint32", (0, None), [0]),
        ("uint32", (None, 2**32 - 1), [1]),
        ("uint16", (0, None, 65535), [0, 2]),
        ("int32", (None, 7, -1), [1, 2]),
        ("float32", (None, np.nan, 0), [1, 2]),
        ("uint32", (None, None), []),
    ],
)
def test_frames_of_one_value_are_left_out_and_named(
    dtype: str, values: tuple[float | None, ...], lost: list[int]
) -> None:
    frames = stack(*values, dtype=dtype)
    mask = mask_at((0, 0))
    frames[:, 0, 0] = 1  # masked pixels do not count
    image = run(frames, mask=(Attachment("stop", mask),))
    kept = [number for number in range(len(values)) if number not in lost]
    assert image.frames == len(kept)
    assert image.pixels.kept.tolist() == kept
    np.testing.assert_allclose(image.intensity, np.where(mask, np.nan, frames[kept].mean(axis=0)))
    assert any("--keep-frames" in note for note in image.notes) == bool(lost)
    assert not lost or any(", ".join(map(str, lost)) in note for note in image.notes)


def test_unwritten_frames_can_be_kept() -> None:
    image = run(stack(None, 0), keep_frames=True)
    assert (image.frames, image.left_out) == (2, None)


def test_frames_without_a_count_are_data_where_next_to_nothing_is_counted() -> None:
    frames = np.zeros((9, *SHAPE), "uint32")
    frames[0, 2, 2] = frames[4, 3, 3] = 1
    assert run(frames).frames == 9
    assert run(np.zeros((3, *SHAPE), "uint32")).frames == 3


def test_frames_that_lack_a_part_are_left_out_or_doubted() -> None:
    frames, exposure = counts(frames=3), Exposure(unwritten=np.array([1]))
    image = Masking()(Stack(frames), DETECTOR, (), exposure)
    assert image.pixels.kept.tolist() == [0, 2]
    assert image.doubts == ()
    for step, stored in ((Masking(keep_frames=True), frames), (Masking(), frames[:1])):
        lacking = Exposure(unwritten=np.array([1 if step.keep_frames else 0]))
        (doubt,) = step(Stack(stored), DETECTOR, (), lacking).doubts
        assert doubt.status == "lost_frames"


def test_marks_in_one_frame_of_a_stack_are_out_in_all() -> None:
    frames = counts(frames=3)
    frames[1, 2, 2] = 2**32 - 2
    image = run(frames)
    assert image.flags[2, 2] == PixelFlag.SENTINEL
    assert any("1 pixel holds 4294967294 (2**32 - 2)" in note and "keep_sentinels" in note for note in image.notes)


def test_saturation_is_a_doubt() -> None:
    y, x = np.indices((60, 60))
    frame = np.minimum(3e5 * np.exp(-((y - 30) ** 2 + (x - 30) ** 2) / 50), 65535).astype("uint16")
    detector = make_detector(make_geometry(60, 60))
    (doubt,) = Masking()(Stack(frame[np.newaxis]), detector, ()).doubts
    assert (doubt.status, "saturated" in doubt.reason) == ("suspect_pixels", True)
    mask = Attachment("peak", (frame == 65535).astype("uint8"))
    assert Masking(mask=(mask,))(Stack(frame[np.newaxis]), detector, ()).doubts == ()


@pytest.mark.parametrize(("share", "said"), [(0.7, "invert"), (0.5, ""), (0.0, "no pixel")])
def test_masks_that_seem_to_be_the_wrong_way_round_are_told(share: float, said: str) -> None:
    mask = (np.arange(42).reshape(SHAPE) < share * 42).astype("uint8")
    notes = run(counts(), mask=(Attachment("mine", mask, "mask"),)).notes
    assert any("mine" in note and said in note for note in notes) == bool(said)


def test_a_mask_of_the_users_settles_a_missing_one() -> None:
    assert run(counts()).settles == ()
    assert run(counts(), mask=(Attachment("mine", mask_at((0, 0))),)).settles == ("mask_missing",)


def test_variances_of_the_file_take_the_place_of_those_of_counting() -> None:
    frames, given = counts(frames=2), np.full((2, *SHAPE), 12.0)
    step = partial(Masking(), Stack(frames), DETECTOR, (), Exposure())
    image = step((Attachment("a.edf, variance", given, "variance"),))
    np.testing.assert_allclose(image.variance_at(slice(None)), 6.0)
    assert image.stage is not None
    values, variances = image.stage.gather(np.arange(5))(frames[1], 1)
    np.testing.assert_array_equal(values, frames[1].reshape(-1)[:5])
    np.testing.assert_array_equal(variances, 12.0)
    counted = step((Attachment("a.edf, variance", np.maximum(frames, 1.0), "variance"),))
    assert counted.variance is None

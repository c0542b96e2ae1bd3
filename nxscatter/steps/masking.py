"""Which pixels are data: every source of a mask, and why each pixel is out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nxscatter.errors import StepError
from nxscatter.fields import param
from nxscatter.model import Array, Attachment, Detector, Doubt, Exposure, Ints
from nxscatter.results import Image, PixelFlag
from nxscatter.results.stages import FrameReader, Pixels
from nxscatter.science.pixels.mean_frame import MeanFrame, set_flag
from nxscatter.science.pixels.measured_frames import MeasuredFrames
from nxscatter.science.pixels.sentinels import named
from nxscatter.science.pixels.stage_links import MaskedStage, RawStage, VarianceStage
from nxscatter.steps.framewise import FramewiseStep, ImageStep

_ROLE_FLAGS = {"gaps": PixelFlag.GAP, "beamstop": PixelFlag.BEAMSTOP}
_NEXUS_BITS = 0x1FF  # bits 0 to 8 of a pixel_mask are reasons, the others are not defined
# Below 2**24 every whole number is exact in float32.
_EXACT_IN_FLOAT32 = 2**24
_SAME = 0.02  # relative difference of variances that are those of counting
_MOSTLY = 0.99  # of the pixels
_KEEP = "--set masking.keep_sentinels=true keeps them"
_SUSPICIOUS_SHARE = 0.6  # of a detector, taken out by one mask


@dataclass(frozen=True)
class MaskingOfHeaders(FramewiseStep, ImageStep):
    """Mean of all frames with every pixel that is no data set to NaN, as mask files and header say.

    A pixel is invalid when a mask file marks it (non-zero means ignore), when it holds the header's dummy value
    or NaN, and when an unsigned image holds its type's maximum. Counters of 32 and 64 bits never get there by
    counting, so the detector marked such a pixel as dead; 8 and 16 bits may have run over, which is flagged as
    saturated. A pixel that is invalid in any frame is invalid in the mean and in every frame.

    The intensity is float32 where that loses nothing (one frame of counts below 2**24, or of float32), else
    float64.
    """

    name = "masking"
    version = 1
    takes_masks = True
    mask: tuple[Attachment, ...] = param("", "mask files: non-zero means ignore", default=())
    use_file_masks: bool = param("", "use the masks that belong to the file", default=True)
    saturation: float | None = param("counts", "counts from which on a pixel is saturated", default=None, above=0)

    def plan(self, raw: FrameReader, detector: Detector) -> MeanFrame:
        """Ask for the mean of all frames, and for what their values say of each pixel."""
        return MeanFrame(raw.shape[1:], detector, self.saturation)

    def pixels(self, raw: FrameReader, detector: Detector, masks: tuple[Attachment, ...]) -> Pixels:
        """Return the pixels as the masks and the first frame tell them.

        Raises
        ------
        StepError
            When a mask has another shape than the image, or no pixel is left.
        """
        marked, _ = self._marked(raw.shape[1:], masks)
        return self._pixels(raw, marked | self.plan(raw, detector).flags_of(raw.read(0)), masks)

    def finish(
        self,
        plan: MeanFrame,
        arrays: tuple[Array, ...],
        raw: FrameReader,
        detector: Detector,
        masks: tuple[Attachment, ...],
    ) -> Image:
        """Return the mean image; ``masks`` are the ones that belong to the file.

        Raises
        ------
        StepError
            When a mask has another shape than the image, or no pixel is left.
        """
        mean, flags_of_values = arrays
        marked, notes = self._marked(raw.shape[1:], masks)
        flags = marked | flags_of_values
        pixels = self._pixels(raw, flags, masks)
        intensity = mean if raw.shape[0] > 1 else mean.astype(_lossless_type(mean, flags))
        np.copyto(intensity, np.nan, where=flags != 0)
        if np.nanmin(intensity) < 0:
            notes.append("pixels below 0 are taken as data, as no dummy value or mask says otherwise")
        return Image(
            intensity=intensity,
            flags=flags,
            frames=pixels.frames,
            stage=pixels.stage,
            notes=tuple(notes),
            settles=("mask_missing",) if self.mask else (),
        )

    def _sources(self, masks: tuple[Attachment, ...]) -> tuple[Attachment, ...]:
        return (*(masks if self.use_file_masks else ()), *self.mask)

    def _marked(self, shape: tuple[int, int], masks: tuple[Attachment, ...]) -> tuple[Ints, list[str]]:
        """Return the flags that mask files set, and warnings."""
        flags = np.zeros(shape, dtype=np.uint16)
        notes = []
        for source in self._sources(masks):
            marked = _mask_flags(source, shape)
            share = np.count_nonzero(marked) / marked.size
            if share > _SUSPICIOUS_SHARE:
                notes.append(
                    f"mask {source.name} takes out {share:.0%} of the pixels: non-zero means ignore; invert it if 1 "
                    "means valid in it"
                )
            elif share == 0 and source.role == "mask":
                notes.append(f"mask {source.name} takes out no pixel: non-zero means ignore")
            flags |= marked
        return flags, notes

    def _pixels(self, raw: FrameReader, flags: Ints, masks: tuple[Attachment, ...]) -> Pixels:
        invalid = flags != 0
        if invalid.all():
            names = _names(self._sources(masks))
            raise StepError(f"no pixel of {invalid.size} is left: {names}; give other masks or --no-mask")
        return Pixels(flags, MaskedStage(RawStage(raw), invalid), frames=raw.shape[0])


@dataclass(frozen=True)
class Masking(MaskingOfHeaders):
    """Mean of the frames with every pixel that is no data set to NaN.

    A pixel is invalid when a mask file marks it (non-zero means ignore), when it holds the header's dummy value
    or NaN, and when an unsigned image holds its type's maximum. Counters of 32 and 64 bits never get there by
    counting, so the detector marked such a pixel as dead; 8 and 16 bits may have run over, which is flagged as
    saturated. So is a value that no count is, as it stands apart from all others: 2**32 - 2 or 65535 alone among small
    numbers, -1 and -2 in gaps. A pixel that is invalid in any frame is invalid in the mean and in every frame.

    Frames that were never written are left out: those of which the file lacks a part, and those whose pixels all hold
    one value while other frames do not.

    The intensity is float32 where that loses nothing (one frame of counts below 2**24, or of float32), else
    float64.
    """

    name = "masking"
    version = 2
    keep_sentinels: bool = param("", "take values that seem to mark pixels without data as counts", default=False)
    keep_frames: bool = param("", "average the frames that were never written, too", default=False)

    def plan(  # type: ignore[override]  # version 1 knows nothing of masks and exposure
        self, raw: FrameReader, detector: Detector, masks: tuple[Attachment, ...] = (), exposure: Exposure | None = None
    ) -> MeasuredFrames:
        """Ask for the mean of the frames that were written, and for what their values say of each pixel."""
        marked, _ = self._marked(raw.shape[1:], masks)
        unwritten = () if self.keep_frames else _unwritten(exposure)
        return MeasuredFrames(
            MeanFrame(raw.shape[1:], detector, self.saturation),
            marked != 0,
            unwritten if len(unwritten) < raw.shape[0] else (),
            leave_out=not self.keep_frames,
            look=not self.keep_sentinels,
        )

    def pixels(
        self, raw: FrameReader, detector: Detector, masks: tuple[Attachment, ...], exposure: Exposure | None = None
    ) -> Pixels:
        """Return the pixels as the masks and the first frame tell them.

        Raises
        ------
        StepError
            When a mask has another shape than the image, or no pixel is left.
        """
        marked, _ = self._marked(raw.shape[1:], masks)
        plan = self.plan(raw, detector, masks, exposure)
        first = next((number for number in range(raw.shape[0]) if number not in plan.unwritten), 0)
        pixels = self._pixels(raw, marked | plan.flags_of(raw.read(first)), masks)
        return replace(pixels, frames=raw.shape[0] - len(plan.unwritten), left_out=plan.unwritten)

    def finish(  # type: ignore[override]
        self,
        plan: MeasuredFrames,
        arrays: tuple[Array, ...],
        raw: FrameReader,
        detector: Detector,
        masks: tuple[Attachment, ...],
        exposure: Exposure | None = None,
        auxiliary: tuple[Attachment, ...] = (),
    ) -> Image:
        """Return the mean image; ``masks`` are the ones that belong to the file, ``auxiliary`` may hold a variance.

        Raises
        ------
        StepError
            When a mask has another shape than the image, or no pixel is left.
        """
        _, _, lost, values, kinds, counts = arrays
        image = super().finish(plan, arrays[:2], raw, detector, masks)  # type: ignore[arg-type]
        left_out = lost.tolist()
        notes = list(image.notes)
        if left_out:
            notes.append(f"{_numbers(left_out)} never written, or not in whole, and left out; --keep-frames keeps them")
        doubts = []
        if lacking := [number for number in _unwritten(exposure) if number not in left_out]:
            reason = f"{_numbers(lacking)} never written, or not in whole, and averaged: give a complete file"
            doubts.append(Doubt("lost_frames", reason))
        for value, kind, count in zip(values, kinds, counts.tolist(), strict=True):
            said = self._said_of(value, kind, count)
            if isinstance(said, Doubt):
                doubts.append(said)
            elif said:
                notes.append(said)
        image = replace(
            image,
            frames=raw.shape[0] - len(left_out),
            left_out=lost if left_out else None,
            notes=tuple(notes),
            doubts=tuple(doubts),
        )
        given = next((file for file in auxiliary if file.role == "variance"), None)
        return image if given is None else _with_variance(image, given, raw)

    def _said_of(self, value: float, kind: str, count: int) -> Doubt | str:
        """Return a warning about a mark of the detector, or a doubt about what cannot be mended."""
        held = f"{count} pixel{'s hold' if count > 1 else ' holds'} {named(value)}"
        if kind == "sentinel":
            return f"{held}, which stands apart from all counts and is masked; {_KEEP}"
        if self.saturation is not None and value >= self.saturation:
            return ""
        said = "the end of the counter beside high counts: saturated, and masked"
        remedy = "the tops of these peaks are lost; mask them, or expose for a shorter time"
        if kind == "unsure":
            said = "neither in gaps nor apart from the counts, and taken as data"
            remedy = "give a mask or masking.saturation if they are none"
        return Doubt("suspect_pixels", f"{held}, {said}: {remedy}")


def _unwritten(exposure: Exposure | None) -> tuple[int, ...]:
    return () if exposure is None or exposure.unwritten is None else tuple(exposure.unwritten.tolist())


def _with_variance(image: Image, given: Attachment, raw: FrameReader) -> Image:
    """Return the image with the variance that came with its frames, where that is not the one of counting."""
    stack = np.asarray(given.content, dtype=float)
    if stack.shape != raw.shape:
        note = f"{given.name} has the shape {stack.shape}, the frames {raw.shape}: not used"
        return replace(image, notes=(*image.notes, note))
    counted = np.maximum(image.intensity, 0) / image.frames
    variance = stack[image.pixels.kept].sum(axis=0) / image.frames**2
    variance = np.where(np.isnan(variance) | np.isnan(counted), counted, variance)
    # errors are often the square roots of the counts, with 1 for none
    same = np.abs(variance - counted) <= np.maximum(_SAME * counted, (counted < 1 / image.frames) / image.frames)
    valid = np.isfinite(counted)
    if np.count_nonzero(same & valid) >= _MOSTLY * np.count_nonzero(valid) or not np.any(variance[valid] > 0):
        return image
    smallest = variance[valid & (variance > 0)].min()
    variance[valid] = np.maximum(variance[valid], smallest)
    stage = MaskedStage(VarianceStage(RawStage(raw), np.maximum(stack, smallest)), ~valid)
    return replace(image, variance=variance, stage=stage)


def _numbers(frames: Sequence[int]) -> str:
    which = ", ".join(map(str, frames[:10])) + (" ..." if len(frames) > 10 else "")
    return f"frames {which} (counted from 0) were" if len(frames) > 1 else f"frame {which} (counted from 0) was"


def _mask_flags(mask: Attachment, shape: tuple[int, ...]) -> Ints:
    """Return a mask file's contribution, uint16 of ``shape``; a stack of masks counts as their union."""
    if isinstance(mask.content, str):
        raise StepError(f"mask {mask.name} is a text: give an image")
    content = mask.content
    if content.shape[-2:] != shape or content.ndim not in (2, 3):
        turned = "; it would fit transposed" if content.shape[-2:] == shape[::-1] else ""
        raise StepError(
            f"mask {mask.name} has shape {content.shape}, the image {shape}: give a mask of its shape{turned}"
        )
    layers = content.reshape(-1, *shape)
    flags = np.zeros(shape, dtype=np.uint16)
    for layer in layers:
        if mask.role == "pixel_mask" and layer.dtype.kind in "ui":
            bits = layer.astype(np.int64)
            flags |= (bits & _NEXUS_BITS).astype(np.uint16)
            set_flag(flags, (bits & ~_NEXUS_BITS) != 0, PixelFlag.MASKED)
        else:
            set_flag(flags, layer != 0, _ROLE_FLAGS.get(mask.role, PixelFlag.MASKED))
    return flags


def _lossless_type(frame: Array, flags: Ints) -> type[np.floating]:
    """Return float32 when it holds every valid value of a frame exactly, else float64."""
    if frame.dtype.kind == "f":
        return np.float32 if frame.dtype.itemsize <= 4 else np.float64
    valid = flags == 0
    largest = np.max(frame, where=valid, initial=0)
    smallest = 0 if frame.dtype.kind == "u" else np.min(frame, where=valid, initial=0)
    return np.float32 if max(largest, -int(smallest)) < _EXACT_IN_FLOAT32 else np.float64


def _names(masks: tuple[Attachment, ...]) -> str:
    return "masks " + ", ".join(mask.name for mask in masks) if masks else "all are dead, dummies or NaN"

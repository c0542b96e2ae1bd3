"""Which pixels are data: every source of a mask, and why each pixel is out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nxscatter.errors import StepError
from nxscatter.fields import param
from nxscatter.model import Array, Attachment, Detector, Ints
from nxscatter.results import Image, PixelFlag
from nxscatter.results.stages import FrameReader, Pixels
from nxscatter.science.pixels.mean_frame import MeanFrame, set_flag
from nxscatter.science.pixels.stage_links import MaskedStage, RawStage
from nxscatter.steps.framewise import FramewiseStep, ImageStep

_ROLE_FLAGS = {"gaps": PixelFlag.GAP, "beamstop": PixelFlag.BEAMSTOP}
_NEXUS_BITS = 0x1FF  # bits 0 to 8 of a pixel_mask are reasons, the others are not defined
# Below 2**24 every whole number is exact in float32.
_EXACT_IN_FLOAT32 = 2**24
_SUSPICIOUS_SHARE = 0.6  # of a detector, taken out by one mask


@dataclass(frozen=True)
class Masking(FramewiseStep, ImageStep):
    """Mean of all frames with every pixel that is no data set to NaN.

    A pixel is invalid when a mask file marks it (non-zero means ignore), when it holds the header's dummy value
    or NaN, and when an unsigned image holds its type's maximum. Counters of 32 and 64 bits never get there by
    counting, so the detector marked such a pixel as dead; 8 and 16 bits may have run over, which is flagged as
    saturated. A pixel that is invalid in any frame is invalid in the mean and in every frame.

    The intensity is float32 where that loses nothing (one frame of counts below 2**24, or of float32), else
    float64.
    """

    name = "masking"
    version = 1
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


def _mask_flags(mask: Attachment, shape: tuple[int, ...]) -> Ints:
    """Return a mask file's contribution, uint16 of ``shape``; a stack of masks counts as their union."""
    if isinstance(mask.content, str):
        raise StepError(f"mask {mask.name} is a text: give an image")
    content = mask.content
    if content.shape[-2:] != shape or content.ndim not in (2, 3):
        raise StepError(f"mask {mask.name} has shape {content.shape}, the image {shape}: give a mask of its shape")
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

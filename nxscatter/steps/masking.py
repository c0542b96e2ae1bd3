"""Which pixels are data: every source of a mask, and why each pixel is out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nxscatter.errors import StepError
from nxscatter.fields import param
from nxscatter.model import Array, Attachment, Detector, Floats, Ints
from nxscatter.results import Image, PixelFlag
from nxscatter.results.stages import FrameReader
from nxscatter.science.pixels.framesum import FrameSum
from nxscatter.science.pixels.stage_links import MaskedStage, RawStage
from nxscatter.step import Step

_ROLE_FLAGS = {"gaps": PixelFlag.GAP, "beamstop": PixelFlag.BEAMSTOP}
_NEXUS_BITS = 0x1FF  # bits 0 to 8 of a pixel_mask are reasons, the others are not defined
# Below 2**24 every whole number is exact in float32.
_EXACT_IN_FLOAT32 = 2**24
_BAND = 1 << 18  # pixels at a time, few enough for the processor's cache
_SUSPICIOUS_SHARE = 0.9  # of a detector, taken out by one mask


@dataclass(frozen=True)
class Masking(Step):
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

    def __call__(self, raw: FrameReader, detector: Detector, masks: tuple[Attachment, ...]) -> Image:
        """Return the mean image; ``masks`` are the ones that belong to the file.

        Raises
        ------
        StepError
            When a mask has another shape than the image, or no pixel is left.
        """
        sources = (*(masks if self.use_file_masks else ()), *self.mask)
        flags = np.zeros(raw.shape[1:], dtype=np.uint16)
        notes = []
        for source in sources:
            marked = _mask_flags(source, flags.shape)
            share = np.count_nonzero(marked) / marked.size
            if share > _SUSPICIOUS_SHARE:
                notes.append(f"mask {source.name} takes out {share:.0%} of the pixels: non-zero means ignore")
            flags |= marked
        intensity = self._average(raw, detector, flags)
        invalid = flags != 0
        if invalid.all():
            raise StepError(f"no pixel of {invalid.size} is left: {_sources(sources)}; give other masks or --no-mask")
        np.copyto(intensity, np.nan, where=invalid)
        if np.nanmin(intensity) < 0:
            notes.append("pixels below 0 are taken as data, as no dummy value or mask says otherwise")
        return Image(
            intensity=intensity,
            flags=flags,
            frames=raw.shape[0],
            stage=MaskedStage(RawStage(raw), invalid),
            notes=tuple(notes),
        )

    def _average(self, raw: FrameReader, detector: Detector, flags: Ints) -> Floats:
        """Return the mean of all frames, and add to ``flags`` what their values say."""
        number = raw.shape[0]
        if number == 1:
            frame = raw.read(0)
            for where, flag in self._reasons(frame, detector):
                _add(flags, where, flag)
            return frame.astype(_lossless_type(frame, flags))
        total = np.zeros(flags.shape)
        rows = max(1, _BAND // flags.shape[1])
        bands = [slice(first, first + rows) for first in range(0, len(flags), rows)]
        sums = [FrameSum(total[band]) for band in bands]
        seen: dict[tuple[int, int], Array] = {}
        for frame in raw:
            for place, (band, added) in enumerate(zip(bands, sums, strict=True)):
                for where, flag in self._reasons(frame[band], detector):
                    key = place, int(flag)
                    if key not in seen or np.greater(where, seen[key]).any():  # mostly the same in all frames
                        _add(flags[band], where, flag)
                        seen[key] = where
                added.add(frame[band])
        for added in sums:
            added.carry()
        return total / number

    def _reasons(self, frame: Array, detector: Detector) -> Iterator[tuple[Array, int]]:
        """Yield what the values of a frame say: where a pixel is invalid, and why."""
        kind = frame.dtype
        if kind.kind == "u":
            full = PixelFlag.DEAD if kind.itemsize >= 4 else PixelFlag.SATURATED
            yield frame == np.iinfo(kind).max, full
        elif kind.kind == "f":
            yield ~np.isfinite(frame), PixelFlag.NOT_A_NUMBER
        if np.isfinite(detector.dummy) and detector.dummy != 0:  # Dummy = 0 means none
            dummies = _dummies(frame, detector.dummy, detector.ddummy)
            if dummies is not None:
                yield dummies, PixelFlag.DUMMY
        if self.saturation is not None:
            yield frame >= self.saturation, PixelFlag.SATURATED


def _add(flags: Ints, where: Array, flag: int) -> None:
    if where.any():
        flags |= where * np.uint16(flag)


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
            _add(flags, (bits & ~_NEXUS_BITS) != 0, PixelFlag.MASKED)
        else:
            _add(flags, layer != 0, _ROLE_FLAGS.get(mask.role, PixelFlag.MASKED))
    return flags


def _dummies(frame: Array, dummy: float, ddummy: float) -> Array | None:
    """Return where a frame holds the dummy value, None when its type cannot."""
    low, high = dummy - ddummy, dummy + ddummy
    if frame.dtype.kind == "f":
        # A dummy written as text need not be the nearest number of the image's type.
        slack = 4 * float(np.finfo(frame.dtype).eps) * abs(dummy)
        return np.asarray((frame >= low - slack) & (frame <= high + slack))
    limits = np.iinfo(frame.dtype)
    first, last = max(int(np.ceil(low)), limits.min), min(int(np.floor(high)), limits.max)
    if first > last:
        return None
    return np.asarray(frame == first if first == last else (frame >= first) & (frame <= last))


def _lossless_type(frame: Array, flags: Ints) -> type[np.floating]:
    """Return float32 when it holds every valid value of a frame exactly, else float64."""
    if frame.dtype.kind == "f":
        return np.float32 if frame.dtype.itemsize <= 4 else np.float64
    valid = flags == 0
    largest = np.max(frame, where=valid, initial=0)
    smallest = 0 if frame.dtype.kind == "u" else np.min(frame, where=valid, initial=0)
    return np.float32 if max(largest, -int(smallest)) < _EXACT_IN_FLOAT32 else np.float64


def _sources(masks: tuple[Attachment, ...]) -> str:
    return "masks " + ", ".join(mask.name for mask in masks) if masks else "all are dead, dummies or NaN"

"""The mean of a stack's frames, and which pixels are no data by what they hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nxscatter.model import Array, Detector, Ints
from nxscatter.results import PixelFlag
from nxscatter.results.stages import Accumulator, Reduction
from nxscatter.science.pixels.framesum import FrameSum

_BAND = 1 << 18  # pixels at a time, few enough for the processor's cache


@dataclass(frozen=True, eq=False)
class MeanFrame(Reduction):
    """Mean of all frames, and what their values say: pixels that are no data in any of them.

    Parameters
    ----------
    shape : (rows, columns)
        Of a frame.
    detector : Detector
        Whose dummy value it is.
    saturation : float or None
        Counts from which on a pixel is saturated.
    """

    shape: tuple[int, int]
    detector: Detector
    saturation: float | None

    def start(self, frames: int) -> Accumulator:
        """Begin anew. The arrays are the mean, a single frame in its own type, and flags (rows, columns)."""
        return _SingleFrame(self) if frames == 1 else _RunningMean(self)

    def flags_of(self, frame: Array) -> Ints:
        """Return the flags that the values of a frame set, uint16 (rows, columns)."""
        flags = np.zeros(self.shape, dtype=np.uint16)
        for where, flag in self.reasons(frame):
            set_flag(flags, where, flag)
        return flags

    def reasons(self, frame: Array) -> Iterator[tuple[Array, int]]:
        """Yield what the values of a frame, or of a part of it, say: where a pixel is invalid, and why."""
        kind = frame.dtype
        if kind.kind == "u":
            full = PixelFlag.DEAD if kind.itemsize >= 4 else PixelFlag.SATURATED
            yield frame == np.iinfo(kind).max, full
        elif kind.kind == "f":
            yield ~np.isfinite(frame), PixelFlag.NOT_A_NUMBER
        if np.isfinite(self.detector.dummy) and self.detector.dummy != 0:  # Dummy = 0 means none
            dummies = _dummies(frame, self.detector.dummy, self.detector.ddummy)
            if dummies is not None:
                yield dummies, PixelFlag.DUMMY
        if self.saturation is not None:
            yield frame >= self.saturation, PixelFlag.SATURATED


class _SingleFrame(Accumulator):
    """The mean of one frame is the frame."""

    def __init__(self, wanted: MeanFrame) -> None:
        self._wanted = wanted

    def add(self, frame: Array, number: int) -> None:
        self._frame = frame

    def arrays(self) -> tuple[Array, ...]:
        return self._frame, self._wanted.flags_of(self._frame)


class _RunningMean(Accumulator):
    """Sums and flags of many frames, in bands of rows that fit the processor's cache."""

    def __init__(self, wanted: MeanFrame) -> None:
        self._wanted = wanted
        self._frames = 0
        self._flags = np.zeros(wanted.shape, dtype=np.uint16)
        self._total = np.zeros(wanted.shape)
        rows = max(1, _BAND // wanted.shape[1])
        self._bands = [slice(first, first + rows) for first in range(0, wanted.shape[0], rows)]
        self._sums = [FrameSum(self._total[band]) for band in self._bands]
        self._seen: dict[tuple[int, int], Array] = {}

    def add(self, frame: Array, number: int) -> None:
        self._frames += 1
        for place, (band, added) in enumerate(zip(self._bands, self._sums, strict=True)):
            for where, flag in self._wanted.reasons(frame[band]):
                key = place, int(flag)
                if key not in self._seen or np.greater(where, self._seen[key]).any():  # mostly the same in all frames
                    set_flag(self._flags[band], where, flag)
                    self._seen[key] = where
            added.add(frame[band])

    def arrays(self) -> tuple[Array, ...]:
        for added in self._sums:
            added.carry()
        return self._total / self._frames, self._flags


def set_flag(flags: Ints, where: Array, flag: int) -> None:
    """Set the bits of a flag where a condition holds."""
    if where.any():
        flags |= where * np.uint16(flag)


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

"""The mean of the frames of a stack that were written, and which pixels are no data by what they hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nxscatter.model import Array, Floats, Ints
from nxscatter.results import PixelFlag
from nxscatter.results.stages import Accumulator, Reduction
from nxscatter.science.pixels.framesum import FrameSum
from nxscatter.science.pixels.mean_frame import MeanFrame, set_flag
from nxscatter.science.pixels.sentinels import Mark, find_marks, is_suspect

_BAND = 1 << 18  # pixels at a time, few enough for the processor's cache
_SAMPLE = 1000  # pixels that tell at once that a frame is not the same all over
_COUNTS = 25  # expected in a frame, from which on a frame of zeros was not measured


@dataclass(frozen=True, eq=False)
class MeasuredFrames(Reduction):
    """Mean of the frames that were written, flags of pixels that are no data, and the marks of detectors.

    Parameters
    ----------
    values : MeanFrame
        What a frame's values say of its pixels.
    masked : ndarray of bool (rows, columns)
        Pixels that masks take out.
    unwritten : tuple of int
        Frames of which the file lacks a part; they are not averaged.
    leave_out : bool
        Leave frames out that hold one value all over while others do not.
    look : bool
        Look for values that mark pixels without data.
    """

    values: MeanFrame
    masked: Array
    unwritten: tuple[int, ...]
    leave_out: bool
    look: bool

    def start(self, frames: int) -> Accumulator:
        """Begin anew.

        The arrays are the mean (a single frame in its own type), flags (rows, columns), the numbers of the frames that
        are left out, and of each mark its value, its kind and the number of its pixels.
        """
        return _Measured(self, frames)

    def flags_of(self, frame: Array) -> Ints:
        """Return the flags that the values of a frame set, uint16 (rows, columns)."""
        one = _Measured(self, 1)
        one.add(frame, 0)
        return one.flags


class _Measured(Accumulator):
    """Sums and flags, in bands of rows that fit the processor's cache."""

    def __init__(self, wanted: MeasuredFrames, frames: int) -> None:
        shape = wanted.values.shape
        self._wanted, self._frames = wanted, frames
        self.flags = np.zeros(shape, dtype=np.uint16)
        self._data = np.flatnonzero(~wanted.masked)
        self._seen: dict[tuple[int, int], Array] = {}
        self._marks: list[Mark] = []
        self._lost: list[int] = []
        self._constant: dict[int, float] = {}
        self._of_constant = np.zeros(shape, dtype=np.uint16)
        self._single: Array | None = None
        self._total = np.zeros(shape)
        rows = max(1, _BAND // shape[1])
        self._bands = [slice(first, first + rows) for first in range(0, shape[0], rows)]
        self._sums = [FrameSum(self._total[band]) for band in self._bands]

    def add(self, frame: Array, number: int) -> None:
        """Take in a frame, unless it was never written."""
        if self._frames == 1:
            self._single = frame
        elif number in self._wanted.unwritten:
            self._lost.append(number)
            return
        elif self._wanted.leave_out and self._is_constant(frame):
            self._constant[number] = float(frame.reshape(-1)[self._data[0]])
            self._of_constant |= self._wanted.values.flags_of(frame)
            return
        for place, (band, added) in enumerate(zip(self._bands, self._sums, strict=True)):
            self._judge(frame[band], band, place)
            if self._frames > 1:
                added.add(frame[band])
        self._find_marks(frame)

    def arrays(self) -> tuple[Array, ...]:
        """Return what was gathered."""
        for added in self._sums:
            added.carry()
        mean = self._total if self._single is None else self._single
        taken = self._frames - len(self._lost) - len(self._constant)
        left_out = sorted([*self._lost, *self._constant])
        if not taken:  # there is nothing but frames of one value: then it is what was measured
            left_out, taken = self._lost, len(self._constant)
            self._total += sum(self._constant.values())
            self.flags |= self._of_constant
        elif self._constant and self._total[self._valid].sum() < _COUNTS * taken:
            # where next to nothing is counted, a frame of zeros is one that was measured
            zeros = [number for number, value in self._constant.items() if value == 0]
            left_out = [number for number in left_out if number not in zeros]
            taken += len(zeros)
        if self._single is None:
            mean = self._total / taken
        return (
            mean,
            self.flags,
            np.array(left_out, dtype=int),
            np.array([mark.value for mark in self._marks], dtype=object),
            np.array([mark.kind for mark in self._marks], dtype=object),
            np.array([np.count_nonzero(mark.where) for mark in self._marks], dtype=int),
        )

    @property
    def _valid(self) -> Array:
        return np.asarray((self.flags == 0) & ~self._wanted.masked)

    def _judge(self, part: Array, band: slice, place: int) -> None:
        """Flag the pixels that are no data in a part of a frame."""
        for where, flag in self._wanted.values.reasons(part):
            key = place, int(flag)
            if key not in self._seen or np.greater(where, self._seen[key]).any():  # mostly the same in all frames
                set_flag(self.flags[band], where, flag)
                self._seen[key] = where

    def _is_constant(self, frame: Array) -> bool:
        """Tell whether a frame holds one value all over, masked pixels aside."""
        values = frame.reshape(-1)
        return _same(values[self._data[:: max(1, len(self._data) // _SAMPLE)]]) and _same(values[self._data])

    def _find_marks(self, frame: Array) -> None:
        if not self._wanted.look or not is_suspect(frame):
            return
        known = ~self._valid
        if known.any():
            rest = np.where(known, np.zeros(1, frame.dtype), frame)
            if not is_suspect(rest) and (self._marks or not self._may_be_saturated(frame)):
                return
        no_data = self._wanted.masked | ((self.flags & (PixelFlag.DUMMY | PixelFlag.NOT_A_NUMBER)) != 0)
        for mark in find_marks(frame, no_data):
            is_maximum = frame.dtype.kind == "u" and mark.value == np.iinfo(frame.dtype).max
            if not (mark.kind == "sentinel" and is_maximum):  # which is flagged already
                self._add_mark(mark)

    def _add_mark(self, mark: Mark) -> None:
        if mark.kind != "unsure":
            set_flag(self.flags, mark.where, PixelFlag.SENTINEL if mark.kind == "sentinel" else PixelFlag.SATURATED)
        for place, known in enumerate(self._marks):
            if (known.value, known.kind) == (mark.value, mark.kind):
                self._marks[place] = Mark(mark.value, known.where | mark.where, mark.kind)
                return
        self._marks.append(mark)

    def _may_be_saturated(self, frame: Array) -> bool:
        """Tell whether a short unsigned type is at its maximum where no mask says so."""
        short = frame.dtype.kind == "u" and frame.dtype.itemsize <= 2
        return short and bool(np.any((frame == np.iinfo(frame.dtype).max) & ~self._wanted.masked))


def _same(values: Floats) -> bool:
    if not len(values):
        return False
    return bool(np.all(values == values[0]) or (values.dtype.kind == "f" and np.all(np.isnan(values))))

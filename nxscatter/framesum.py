"""Sums of many frames, at the speed of memory."""

from __future__ import annotations

import numpy as np

from nxscatter.model import Array, Floats

_ROOM = 2**31 - 1


class FrameSum:
    """Sum of frames in double precision, exact for whole numbers while it is below 2**53.

    Whole numbers of up to 32 bits are added in 32 bits, many times faster than in double precision, and carried over
    before they could overflow. What an unsigned 32-bit pixel adds by holding its type's maximum, the mark of a dead
    one, is not defined.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._carried = np.zeros(shape)
        self._part = np.zeros(shape, np.int32)
        self._room = _ROOM

    def add(self, frame: Array) -> None:
        """Add one frame."""
        if frame.dtype.kind not in "iu" or frame.dtype.itemsize > 4:
            self._carried += frame
            return
        # seen as signed, the maximum is -1 and does not take up the room of the others
        part = frame.view(frame.dtype.str.replace("u", "i")) if frame.dtype.itemsize == 4 else frame
        low, high = int(part.min()), int(part.max())
        if frame.dtype.kind == "u" and low < -1:
            self._carried += frame
            return
        largest = max(high, -low)
        if largest > self._room:
            self._carry()
        np.add(self._part, part, out=self._part)
        self._room -= largest

    @property
    def total(self) -> Floats:
        """The sum of what was added."""
        self._carry()
        return self._carried

    def _carry(self) -> None:
        self._carried += self._part
        self._part[...] = 0
        self._room = _ROOM

"""Sums of many frames, at the speed of memory."""

from __future__ import annotations

import numpy as np

from nxscatter.model import Array, Floats

_ROOM = 2**31 - 1  # the largest number of the 32 bits in which frames are added up


class FrameSum:
    """Sum of frames in double precision, exact for whole numbers while it is below 2**53.

    Whole numbers of up to 32 bits are added in 32 bits, many times faster than in double precision, and carried over
    before they could overflow. What an unsigned 32-bit pixel adds by holding its type's maximum, the mark of a dead
    one, is not defined.

    Parameters
    ----------
    total : ndarray of float64
        Where to add to.
    """

    def __init__(self, total: Floats) -> None:
        self._total = total
        self._part = np.zeros(total.shape, np.int32)
        self._room = _ROOM

    def add(self, frame: Array) -> None:
        """Add one frame."""
        kind = frame.dtype
        if kind.kind not in "iu" or kind.itemsize > 4:
            self._total += frame
            return
        # seen as signed, the maximum is -1 and takes up no room
        part = frame.view(kind.str.replace("u", "i")) if kind.itemsize == 4 else frame
        low, high = int(part.min()), int(part.max())
        if kind.kind == "u" and low < -1:
            self._total += frame
            return
        largest = max(high, -low)
        if largest > self._room:
            self.carry()
        np.add(self._part, part, out=self._part)
        self._room -= largest

    def carry(self) -> None:
        """Bring what was added over to the total."""
        self._total += self._part
        self._part[...] = 0
        self._room = _ROOM

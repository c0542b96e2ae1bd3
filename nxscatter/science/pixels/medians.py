"""Median filters of images with missing pixels, and the stage that applies one frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nxscatter.model import Array, Floats, Ints
from nxscatter.results.stages import Gather
from nxscatter.science.pixels.stage_links import Link

# Variance of a median relative to that of a mean, for many values of a normal distribution.
_PRICE = np.pi / 2


@dataclass(frozen=True, eq=False)
class FilteredStage(Link):
    """Each valid pixel becomes the median of the valid ones in a square window about it.

    Parameters
    ----------
    size : int
        Pixels along one side of the window, an odd number.
    """

    size: int

    def gather(self, index: Ints) -> Gather:
        """Return a function from a frame to medians and their variances at ``index``."""
        window, outside = self._window(index)
        middle = self.size**2 // 2
        take = self.before.gather(window)

        def take_medians(frame: Array, number: int) -> tuple[Floats, Floats]:
            found = []
            for values in take(frame, number):
                medians = nan_median(np.where(outside, np.nan, values))
                found.append(np.where(np.isfinite(values[..., middle]), medians, np.nan))
            return found[0], _PRICE * found[1]

        return take_medians

    def _window(self, index: Ints) -> tuple[Ints, Array]:
        """Return the pixels in the window of each one along a last axis, and which of them are beyond the image."""
        rows, columns = self.shape
        reach = np.arange(self.size) - self.size // 2
        row, column = (np.expand_dims(place, -1) for place in np.divmod(index, columns))
        row, column = row + np.repeat(reach, self.size), column + np.tile(reach, self.size)
        outside = (row < 0) | (row >= rows) | (column < 0) | (column >= columns)
        return np.where(outside, 0, row * columns + column), outside


def nan_median(values: Floats) -> Floats:
    """Return the median over the last axis of the values that are not NaN; NaN where all are.

    numpy's own does that one after the other in Python.
    """
    ordered = np.sort(values, axis=-1)  # NaN last
    number = np.count_nonzero(np.isfinite(ordered), axis=-1, keepdims=True)
    lower, upper = (
        np.take_along_axis(ordered, middle, axis=-1) for middle in (np.maximum(number - 1, 0) // 2, number // 2)
    )
    return np.asarray((lower + upper)[..., 0] / 2)

"""Median filter: each pixel replaced by the median of its neighbourhood, which removes hot pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nxscatter.chain import Link
from nxscatter.errors import ParameterError
from nxscatter.frames import Gather
from nxscatter.model import Array, Floats, Ints, param
from nxscatter.results import Image
from nxscatter.step import Step

# Variance of a median relative to that of a mean, for many values of a normal distribution.
_PRICE = np.pi / 2
_FEW_PHOTONS = 15
_PHOTONS_LOST = 0.14  # what the median of a window of Poisson counts lies below their mean, by simulation
_BLOCK = 1 << 18  # pixels at a time


@dataclass(frozen=True)
class MedianFilter(Step):
    """Median of the valid pixels in a square window about each valid pixel.

    Invalid pixels count in no window and stay invalid, so that neither dummies nor the edges of gaps spread; beyond
    the image there are no pixels. Of an even number of values it is the mean of the two in the middle. A frame taken
    from a stack is filtered by itself, and the mean of filtered frames is not the filtered mean.

    Neighbouring pixels share what was measured, so their errors cannot be independent. The variance of a pixel is
    therefore not that of its median: it is the median of its neighbours' variances times pi/2, with which the error
    of a mean over many pixels is right or too large (by up to 15 % for means over regions larger than the window,
    more for narrow ones), never too small.
    """

    name = "median_filter"
    version = 1
    size: int = param("", "pixels along one side of the window, an odd number", default=3, minimum=3, maximum=31)

    def __post_init__(self) -> None:
        """Refuse an even window, which has no middle."""
        super().__post_init__()
        if self.size % 2 == 0:
            raise ParameterError(f"{self.name}.size = {self.size}: give an odd number")

    def __call__(self, image: Image) -> Image:
        """Return the filtered image; a pixel filled by caving keeps its variance of NaN."""
        intensity = _filtered(image.intensity, self.size)
        intensity[~np.isfinite(image.intensity)] = np.nan
        variances = image.variance_at(slice(None)).reshape(intensity.shape)
        spread = intensity / image.frames if image.variance is None else _filtered(image.variance, self.size)
        spread[~np.isfinite(variances)] = np.nan
        return replace(
            image,
            intensity=intensity,
            variance=_PRICE * spread,
            gain=None if image.gain is None else _PRICE * image.gain,
            auto={},
            stage=None if image.stage is None else FilteredStage(image.stage, self.size),
            notes=(*image.notes, *_too_few(image.intensity, variances)),
        )


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
        row, column = (np.expand_dims(one, -1) for one in np.divmod(index, columns))
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


def _filtered(image: Floats, size: int) -> Floats:
    """Return the median of the window about every pixel, of its type; NaN without a value in it."""
    windows = sliding_window_view(np.pad(image, size // 2, constant_values=np.nan), (size, size))
    medians = np.empty_like(image)
    rows = max(1, _BLOCK // image.shape[1])
    for first in range(0, len(image), rows):
        part = windows[first : first + rows]
        medians[first : first + rows] = nan_median(part.reshape(*part.shape[:2], -1))
    return medians


def _too_few(intensity: Floats, variances: Floats) -> tuple[str, ...]:
    """Return a warning when the typical pixel has so few photons that the median lies well below the mean."""
    known = np.isfinite(variances)
    values, spread = intensity[known], variances[known]
    photons = np.divide(values**2, spread, out=np.zeros_like(values), where=spread > 0)
    typical = float(np.median(photons)) if len(photons) else 0.0
    if typical >= _FEW_PHOTONS:
        return ()
    return (
        f"half of the pixels have {typical:.3g} photons or fewer: the median of so few lies about {_PHOTONS_LOST} "
        "photons below their mean; bin the image instead",
    )

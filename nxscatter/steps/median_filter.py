"""Median filter: each pixel replaced by the median of its neighbourhood, which removes hot pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nxscatter.errors import ParameterError
from nxscatter.fields import param
from nxscatter.model import Floats
from nxscatter.results import Image
from nxscatter.results.stages import Pixels
from nxscatter.science.pixels.medians import _PRICE, FilteredStage, nan_median
from nxscatter.steps.framewise import ImageStep

_FEW_PHOTONS = 15  # below, the offset of the median is more than 1 % of the counts
_PHOTONS_LOST = 0.14  # what the median of a window of Poisson counts lies below their mean, by simulation
_BLOCK = 1 << 18  # pixels at a time


@dataclass(frozen=True)
class MedianFilter(ImageStep):
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

    def pixels(self, image: Pixels) -> Pixels:
        """Return the pixels: the same are valid."""
        return replace(image, stage=None if image.stage is None else FilteredStage(image.stage, self.size))

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
            stage=self.pixels(image.pixels).stage,
            notes=(*image.notes, *_too_few(image.intensity, variances)),
        )


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

"""Means of an image's pixels in bins (rings by azimuth, sectors by q), of the mean image or of each frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nxscatter.errors import StepError
from nxscatter.model import Array, Exposure, Floats, Ints
from nxscatter.results import Image
from nxscatter.results.stages import Gather, Pixels
from nxscatter.science.pixels.azimuth_bins import Sum


@dataclass(frozen=True, eq=False)
class PixelBins:
    """Valid pixels and how they are summed up.

    Parameters
    ----------
    index : ndarray of int
        Flat indices of valid pixels, the measured ones first, then the filled ones.
    measured : int
        How many are measured.
    total : callable
        From pixel values, which may leave out the filled ones, to their sum in each bin.
    """

    index: Ints
    measured: int
    total: Sum

    @classmethod
    def of(cls, pixels: Pixels, index: Ints, label: Ints, shape: tuple[int, int]) -> PixelBins:
        """Return the bins of valid pixels; ``label`` is the flat number of each one's bin in ``shape``."""
        filled = pixels.flags.reshape(-1)[index] != 0
        order = np.argsort(filled, kind="stable")
        index, label = index[order], label[order]

        def total(values: Floats) -> Floats:
            sums = np.bincount(label[: len(values)], values, shape[0] * shape[1])
            return np.asarray(sums, dtype=float).reshape(shape)

        return cls(index, int(np.count_nonzero(~filled)), total)

    @cached_property
    def valid_count(self) -> Floats:
        """Valid pixels in each bin, measured or filled."""
        return self.total(np.ones(len(self.index)))

    @cached_property
    def measured_count(self) -> Floats:
        """Measured pixels in each bin."""
        return self.total(np.ones(self.measured))

    def mean(self, image: Image) -> tuple[Floats, Floats]:
        """Return the bins' intensity in the mean image and its standard error.

        The intensity is NaN without a valid pixel, the error without a measured one.
        """
        values = np.asarray(image.intensity.reshape(-1)[self.index], dtype=float)
        variances = image.variance_at(self.index[: self.measured])
        return self.averages(self.total(values), self.total(variances))

    def averages(self, values: Floats, variances: Floats) -> tuple[Floats, Floats]:
        """Turn sums of intensities and of their variances, (..., row, bin), into means and their standard errors.

        They take the place of the sums, of which there may be many frames.
        """
        with np.errstate(invalid="ignore"):
            values /= self.valid_count
            # A dark-subtracted image may sum up to less than 0 counts: then its Poisson error is 0, not NaN.
            np.sqrt(np.maximum(variances, 0, out=variances), out=variances)
            variances /= self.measured_count
        return values, variances


@dataclass(frozen=True, eq=False)
class FrameSums:
    """Sums of the pixels of a frame in bins, and of their variances.

    Parameters
    ----------
    step : str
        Name of the asking step, for its error messages.
    pixels : Pixels
        The image's.
    bins : PixelBins
        The bins.
    """

    step: str
    pixels: Pixels
    bins: PixelBins

    @cached_property
    def _gathers(self) -> tuple[Gather, Gather]:
        """How measured and filled pixels are made of a raw frame."""
        stage, index, measured = self.pixels.chain(self.step), self.bins.index, self.bins.measured
        return stage.gather(index[:measured]), stage.gather(index[measured:])

    def __call__(self, frame: Array, number: int) -> tuple[Floats, Floats]:
        """Return the sums of a raw frame, (row, bin).

        Raises
        ------
        StepError
            When the image has lost its frames.
        """
        measured, filled = self._gathers
        values, variances = measured(frame, number)
        spread = self.bins.total(variances)
        all_measured = self.bins.measured == len(self.bins.index)
        if all_measured and values is variances:  # the variance of a count is the count
            return spread, spread
        return self.bins.total(np.concatenate([values, filled(frame, number)[0]])), spread


def of_kept(image: Image, arrays: Sequence[Array]) -> Sequence[Array]:
    """Return arrays of each raw frame without those of frames that the image leaves out."""
    return arrays if image.left_out is None else [array[image.pixels.kept] for array in arrays]


def frame_times(step: str, image: Image, exposure: Exposure | None) -> Floats:
    """Return when each frame began, in s after the first; NaN when the file does not say.

    Raises
    ------
    StepError
        When frames and times differ in number.
    """
    if exposure is None or not len(exposure.elapsed):
        return np.full(image.frames, np.nan)
    if len(exposure.elapsed) != image.pixels.stack:
        raise StepError(
            f"{step}: {len(exposure.elapsed)} start times for {image.pixels.stack} frames: "
            "use frames = 'mean', or convert the raw file again"
        )
    return exposure.elapsed[image.pixels.kept]

"""Means of an image's pixels in cells (rings by azimuth, sectors by q), of the mean image or of each frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nxscatter.errors import StepError
from nxscatter.model import Array, Exposure, Floats, Ints
from nxscatter.results import Image
from nxscatter.results.stages import Stage
from nxscatter.science.pixels.azimuth_bins import Sum
from nxscatter.science.pixels.single_pass import PerFrame, of_each


@dataclass(frozen=True, eq=False)
class Cells:
    """Valid pixels and how they are summed up.

    Parameters
    ----------
    step : str
        Name of the asking step, for its error messages.
    image : Image
        Where the pixels are.
    index : ndarray of int
        Flat indices of valid pixels, the measured ones first, then the filled ones.
    measured : int
        How many are measured.
    total : callable
        From pixel values, which may leave out the filled ones, to their sum in each cell.
    """

    step: str
    image: Image
    index: Ints
    measured: int
    total: Sum

    @classmethod
    def of(cls, step: str, image: Image, index: Ints, label: Ints, shape: tuple[int, int]) -> Cells:
        """Return the cells of valid pixels; ``label`` is the flat number of each one's cell in ``shape``."""
        filled = image.flags.reshape(-1)[index] != 0
        order = np.argsort(filled, kind="stable")
        index, label = index[order], label[order]

        def total(values: Floats) -> Floats:
            sums = np.bincount(label[: len(values)], values, shape[0] * shape[1])
            return np.asarray(sums, dtype=float).reshape(shape)

        return cls(step, image, index, int(np.count_nonzero(~filled)), total)

    @cached_property
    def pixels(self) -> Floats:
        """Valid pixels in each cell."""
        return self.total(np.ones(len(self.index)))

    @cached_property
    def hits(self) -> Floats:
        """Measured pixels in each cell."""
        return self.total(np.ones(self.measured))

    def mean(self) -> tuple[Floats, Floats]:
        """Return the cells' intensity in the mean image and its standard error.

        The intensity is NaN without a valid pixel, the error without a measured one.
        """
        values = np.asarray(self.image.intensity.reshape(-1)[self.index], dtype=float)
        variances = self.image.variance_at(self.index[: self.measured])
        return self._averages(self.total(values), self.total(variances))

    def each_frame(self) -> tuple[Floats, Floats]:
        """Return the same of each frame, along a first axis.

        Raises
        ------
        StepError
            When the image cannot be made frame by frame.
        """
        if self.image.stage is None:
            raise StepError(
                f"{self.step}.frames = 'each' needs the raw frames, and the image has lost them: use 'mean'"
            )
        return self._averages(*of_each(self.image.stage.raw, self._sums_of_frame(self.image.stage)))

    def _sums_of_frame(self, stage: Stage) -> PerFrame:
        total, measured = self.total, stage.gather(self.index[: self.measured])
        filled = stage.gather(self.index[self.measured :])
        all_measured = self.measured == len(self.index)

        def sums(frame: Array, number: int) -> tuple[Floats, Floats]:
            values, variances = measured(frame, number)
            spread = total(variances)
            if all_measured and values is variances:  # the variance of a count is the count
                return spread, spread
            return total(np.concatenate([values, filled(frame, number)[0]])), spread

        return sums

    def _averages(self, values: Floats, variances: Floats) -> tuple[Floats, Floats]:
        """Turn sums into a mean and its standard error."""
        with np.errstate(invalid="ignore"):
            # A dark-subtracted image may sum up to less than 0 counts: then its Poisson error is 0, not NaN.
            return values / self.pixels, np.sqrt(np.maximum(variances, 0)) / self.hits


def frame_times(step: str, image: Image, exposure: Exposure | None) -> Floats:
    """Return when each frame began, in s after the first; NaN when the file does not say.

    Raises
    ------
    StepError
        When frames and times differ in number.
    """
    if exposure is None or not len(exposure.elapsed):
        return np.full(image.frames, np.nan)
    if len(exposure.elapsed) != image.frames:
        raise StepError(
            f"{step}: {len(exposure.elapsed)} start times for {image.frames} frames: "
            "use frames = 'mean', or convert the raw file again"
        )
    return exposure.elapsed

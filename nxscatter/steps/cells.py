"""Means of an image's pixels in cells (rings by azimuth, sectors by q), of the mean image or of each frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nxscatter.errors import StepError
from nxscatter.model import Exposure, Floats, Ints
from nxscatter.results import Image
from nxscatter.steps.azimuth_bins import Sum


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
        return self._means(values, self.image.variance_at(self.index[: self.measured]))

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
        gather = self.image.stage.gather(self.index)
        intensity = np.empty((self.image.frames, *self.pixels.shape))
        errors = np.empty_like(intensity)
        for number, frame in enumerate(self.image.stage.raw):
            values, variances = gather(frame, number)
            intensity[number], errors[number] = self._means(values, variances[: self.measured])
        return intensity, errors

    def _means(self, values: Floats, variances: Floats) -> tuple[Floats, Floats]:
        with np.errstate(invalid="ignore"):
            # A dark-subtracted image may sum up to less than 0 counts: then its Poisson error is 0, not NaN.
            errors = np.sqrt(np.maximum(self.total(variances), 0)) / self.hits
            return self.total(values) / self.pixels, errors


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

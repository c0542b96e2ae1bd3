"""Coarser pixels: blocks of an image averaged, never its frames."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nxscatter.errors import StepError
from nxscatter.fields import param
from nxscatter.model import Array
from nxscatter.results import Image, PixelFlag
from nxscatter.results.stages import Pixels
from nxscatter.science.pixels.stage_links import BinnedStage, block_means
from nxscatter.steps.framewise import ImageStep


@dataclass(frozen=True)
class Binning(ImageStep):
    """Mean of the valid pixels in blocks of ``factor`` x ``factor``.

    Rows and columns at the end that do not fill a block are left out. A block is invalid only when none of its
    pixels is valid, and then carries the reasons of all; without a measured pixel but with filled ones it is
    filled.
    """

    name = "binning"
    version = 1
    factor: int = param("", "pixels along one side of a block", default=2, minimum=1)

    def pixels(self, image: Pixels) -> Pixels:
        """Return the pixels of the binned image.

        Raises
        ------
        StepError
            When a block is larger than the image.
        """
        if self.factor == 1:
            return image
        shape = image.flags.shape
        if self.factor > min(shape):
            raise StepError(f"binning.factor = {self.factor}: an image of {shape} pixels has no such block")
        valid, measured = (_blocks(which, self.factor).any(axis=0) for which in (image.valid, image.flags == 0))
        reasons = np.bitwise_or.reduce(_blocks(image.flags, self.factor), axis=0)
        flags = np.where(valid, np.where(measured, 0, int(PixelFlag.FILLED)), reasons)
        return Pixels(
            flags=flags.astype(np.uint16),
            stage=None if image.stage is None else BinnedStage(image.stage, self.factor),
            frames=image.frames,
            binning=image.binning * self.factor,
            left_out=image.left_out,
        )

    def __call__(self, image: Image) -> Image:
        """Return the binned image; its ``binning`` says how the geometry follows.

        Raises
        ------
        StepError
            As `pixels`.
        """
        if self.factor == 1:
            return image
        pixels, shape = self.pixels(image.pixels), image.intensity.shape
        values = _blocks(image.intensity, self.factor)
        variances = _blocks(image.variance_at(slice(None)).reshape(shape), self.factor)
        intensity, variance = block_means(values, variances)
        gain = None
        if image.gain is not None or image.variance is None:
            gains = _blocks(image.gain_at(slice(None)).reshape(shape), self.factor)
            gain = block_means(values, np.where(np.isfinite(variances), gains, np.nan))[1]
        return replace(
            image,
            intensity=intensity,
            variance=variance,
            gain=gain,
            flags=pixels.flags,
            binning=pixels.binning,
            auto={},
            stage=pixels.stage,
        )


def _blocks(image: Array, factor: int) -> Array:
    """Return the pixels of each block along a first axis: (rows, columns) -> (b*b, rows/b, columns/b)."""
    rows, columns = image.shape[0] // factor, image.shape[1] // factor
    cropped = image[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor)
    return cropped.transpose(1, 3, 0, 2).reshape(-1, rows, columns)

"""Absolute scale: the factors of a pixel and of a frame from counts to cross-sections, with error propagation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nxscatter.errors import StepError
from nxscatter.model import Array, Attachment, Floats, Ints
from nxscatter.results import Geometry
from nxscatter.results.stages import Gather
from nxscatter.science.geometry import qspace
from nxscatter.science.pixels.stage_links import Link


def solid_angle(geometry: Geometry) -> Floats:
    """Return the solid angle of every pixel, (rows, columns), in sr.

    ``area * cos(a) / r^2``, with the angle a between the detector's normal and the way r from the sample to the pixel:
    ``pixel_size_y * pixel_size_x * distance / r^3``. Without tilt that falls off as the cube of cos(2 theta).
    """
    return np.asarray(geometry.pixel_size_y * geometry.pixel_size_x / geometry.distance**2 * obliquity(geometry))


def obliquity(geometry: Geometry) -> Floats:
    """Return the solid angle of every pixel, (rows, columns), relative to that of one at normal incidence."""
    where = qspace.pixels(geometry)
    return np.asarray((geometry.distance / np.sqrt(where.t1**2 + where.t2**2 + where.t3**2)) ** 3)


def polarization(geometry: Geometry, factor: float) -> Floats:
    """Return by what polarization reduces the scattering towards every pixel, (rows, columns).

    A dipole scatters ``1 - (e.s)^2`` of a beam with its electric field along e in direction s, here averaged over the
    horizontal and the vertical part of the beam.

    Parameters
    ----------
    geometry : Geometry
        Where the detector stands.
    factor : float
        Horizontal minus vertical part of the beam: 1 horizontal, 0 unpolarized, -1 vertical.
    """
    where = qspace.pixels(geometry)
    seen = (1 + factor) / 2 * where.t2**2 + (1 - factor) / 2 * where.t1**2
    return np.asarray(1 - seen / (where.t1**2 + where.t2**2 + where.t3**2))


def mean_counts(image: Attachment | None, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Return the mean of an image's frames and the variance of that mean, by Poisson's law.

    Parameters
    ----------
    image : Attachment or None
        Counts (rows, columns) or (frame, rows, columns). None: no image.
    shape : tuple of int
        Rows and columns that it must have.

    Returns
    -------
    mean, variance : ndarray
        NaN where a pixel is negative, not finite or has its unsigned type's maximum in any frame. Zeros of no
        dimension without an image.

    Raises
    ------
    StepError
        When the image is a text or has another shape.
    """
    if image is None:
        return np.zeros(()), np.zeros(())
    content = image.content
    if isinstance(content, str):
        raise StepError(f"{image.name} is a text: give an image")
    if content.ndim not in (2, 3) or content.shape[-2:] != shape:
        raise StepError(f"{image.name} has shape {content.shape}, the image {shape}: give one of its shape")
    frames = content.reshape(-1, *shape)
    lost = ~np.isfinite(frames) | (frames < 0)
    if frames.dtype.kind == "u":
        lost |= frames == np.iinfo(frames.dtype).max
    mean = np.where(lost, 0, frames).mean(axis=0, dtype=float)
    mean[lost.any(axis=0)] = np.nan
    return mean, mean / len(frames)


@dataclass(frozen=True, eq=False)
class Correction:
    """What turns counts into corrected intensity, pixel by pixel.

    With the weight w of a frame (one over its monitor, transmission and time) the intensity of a pixel is
    ``factor * (w * (counts - dark) - share * (background - dark))``. The dark image that is subtracted twice is the
    same one, so that its variance enters as that of ``(w - share) * dark``.

    Parameters
    ----------
    factor : ndarray (rows, columns) or ()
        Scale over flat field, solid angle, polarization and thickness.
    dark, dark_variance, background, background_variance : ndarray (rows, columns) or ()
        Counts a frame and the variance of that mean; 0 without such an image.
    share : float
        Weight of the background's counts.
    """

    factor: Floats
    dark: Floats
    dark_variance: Floats
    background: Floats
    background_variance: Floats
    share: float

    @property
    def subtracts(self) -> bool:
        """Whether anything is subtracted."""
        return bool(self.dark.ndim or self.background.ndim)

    @property
    def known(self) -> Array:
        """Where none of its images lacks a value: bool (rows, columns) or ()."""
        return np.asarray(np.isfinite(self.factor) & np.isfinite(self.dark) & np.isfinite(self.background))

    def at(self, index: Ints) -> Correction:
        """Return the correction of the pixels at flat ``index``."""

        def take(values: Floats) -> Floats:
            return values.reshape(-1)[index] if values.ndim else values

        return Correction(
            take(self.factor),
            take(self.dark),
            take(self.dark_variance),
            take(self.background),
            take(self.background_variance),
            self.share,
        )

    def apply(self, counts: Floats, variances: Floats, weight: float) -> tuple[Floats, Floats]:
        """Return corrected intensities and their variances of a frame of this weight."""
        background = self.share * (self.background - self.dark)
        intensity = self.factor * (weight * (counts - self.dark) - background)
        from_dark = (weight - self.share) ** 2 * self.dark_variance
        variance = weight**2 * variances + from_dark + self.share**2 * self.background_variance
        return intensity, self.factor**2 * variance


@dataclass(frozen=True, eq=False)
class CorrectedStage(Link):
    """Counts corrected, each frame by its own weight.

    Parameters
    ----------
    correction : Correction
        Of all pixels.
    weights : ndarray (frame,)
        One over monitor, transmission and time of each frame.
    """

    correction: Correction
    weights: Floats

    def gather(self, index: Ints) -> Gather:
        """Return a function from a frame to values and variances at ``index``."""
        take, correction = self.before.gather(index), self.correction.at(index)

        def take_corrected(frame: Array, number: int) -> tuple[Floats, Floats]:
            return correction.apply(*take(frame, number), float(self.weights[number]))

        return take_corrected

"""Radial integration: intensity against radius, and the peaks in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nxscatter.model import Array, Floats, Ints
from nxscatter.results import Geometry, Image, PixelFlag
from nxscatter.science.geometry import qspace

ANNULUS = 2.0  # width in pixels


@dataclass(frozen=True, eq=False)
class RadialProfile:
    """Mean intensity of the valid pixels of annuli, 2 pixels wide, about the direct beam.

    Attributes
    ----------
    radius : ndarray (annulus,)
        Middle of each annulus, in pixels of a detector across the beam.
    q : ndarray (annulus,)
        The same in 1/angstrom.
    intensity, errors : ndarray (annulus,)
        Mean of valid pixels and its standard error from measured ones; NaN without any.
    hot : ndarray of int
        Flat indices of the hot pixels that were left out.
    """

    radius: Floats
    q: Floats
    intensity: Floats
    errors: Floats
    hot: Ints


@dataclass(frozen=True)
class Peak:
    """A peak of a sampled curve; positions and widths in samples.

    ``prominence`` is the height above the higher of the two valleys beside the peak, ``significance`` the same in
    units of its standard deviation, ``height`` the curve's value at the top.
    """

    position: float
    fwhm: float
    height: float
    prominence: float
    significance: float


def pixel_size(geometry: Geometry) -> float:
    """Return the size in m of a square pixel of the same area."""
    return float(np.sqrt(geometry.pixel_size_y * geometry.pixel_size_x))


def radius_to_q(geometry: Geometry, radius: Floats | float) -> Floats:
    """Return q (1/angstrom) at a distance of ``radius`` pixels from the direct beam, across the beam."""
    two_theta = np.arctan(np.asarray(radius) * pixel_size(geometry) / geometry.distance)
    return np.asarray(4 * np.pi / geometry.wavelength * np.sin(two_theta / 2))


def radii(geometry: Geometry, index: Ints | None = None) -> Floats:
    """Return the distance in pixels from the direct beam, across the beam, of all pixels or of ``index``.

    It is ``distance*tan(2 theta)``, and infinite where a tilted detector reaches behind the sample.
    """
    where = qspace.pixels(geometry, index)
    radius = np.asarray(where.t1**2 + where.t2**2)  # a hypot over all pixels would take three times as long
    np.sqrt(radius, out=radius)
    if where.t3.ndim:
        with np.errstate(divide="ignore"):
            radius *= np.where(where.t3 > 0, geometry.distance / where.t3, np.inf)
    radius *= 1 / pixel_size(geometry)
    return radius


def variance_per_intensity(image: Image) -> float:
    """Return the variance of a pixel's mean intensity per unit of it: 1/frames for plain counts."""
    if image.variance is None:
        return 1 / image.frames
    known = np.isfinite(image.variance) & np.isfinite(image.intensity)
    return float(np.sum(image.variance, where=known) / np.sum(image.intensity, where=known))


def radial_profile(image: Image, geometry: Geometry) -> RadialProfile:
    """Return the mean of valid pixels against radius, without hot pixels.

    Nothing is clipped around the circle, which would take the bright arcs of an oriented ring for outliers: a hot
    pixel stands out from its annulus and from its neighbours.
    """
    annulus, number = _annuli(image, geometry)

    def sums(weights: Array | None = None) -> Floats:
        return np.asarray(np.bincount(annulus, weights, number + 1)[:number], dtype=float)

    values = image.intensity.reshape(-1)
    pixels, total = sums(), sums(values)
    hot = _hot_pixels(image, annulus, total / np.maximum(pixels, 1))
    np.subtract.at(pixels, annulus[hot], 1)
    np.subtract.at(total, annulus[hot], values[hot])
    measured: Floats
    variance: Floats
    if image.variance is None and not np.any(image.flags == int(PixelFlag.FILLED)):
        measured, variance = pixels, total / image.frames
    else:
        of_pixels = image.variance_at(slice(None)).copy()
        of_pixels[hot] = np.nan
        known = np.isfinite(of_pixels)
        measured, variance = sums(known), sums(np.where(known, of_pixels, 0))
    middle = (np.arange(number) + 0.5) * ANNULUS
    with np.errstate(invalid="ignore", divide="ignore"):
        errors = np.sqrt(np.maximum(variance, 0)) / measured
        return RadialProfile(middle, radius_to_q(geometry, middle), total / pixels, errors, hot)


def _annuli(image: Image, geometry: Geometry) -> tuple[Ints, int]:
    """Return the annulus of each pixel, flat, and how many there are; invalid pixels are in one beyond the last."""
    scaled = radii(geometry)
    scaled *= 1 / ANNULUS
    invalid = ~(np.isfinite(image.intensity) & np.isfinite(scaled))
    number = int(np.max(scaled, where=~invalid, initial=0)) + 1
    np.copyto(scaled, number, where=invalid)
    return scaled.astype(np.intp).reshape(-1), number


def _hot_pixels(image: Image, annulus: Ints, mean: Floats) -> Ints:
    """Return the flat indices of pixels that stand out from their annulus and from their neighbours."""
    values, gain = image.intensity.reshape(-1), variance_per_intensity(image)
    limits = np.append(_far_above(mean, gain), np.inf).astype(values.dtype)
    suspects = np.flatnonzero(values > limits[annulus])
    around = np.pad(image.intensity, 1, constant_values=np.nan)
    row, column = np.divmod(suspects, image.intensity.shape[1])
    beside = [(i, j) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    neighbours = np.stack([around[row + i, column + j] for i, j in beside], axis=1)
    neighbours[np.isnan(neighbours).all(axis=1)] = 0
    return suspects[values[suspects] > _far_above(np.nanmedian(neighbours, axis=1), gain)]


def _far_above(level: Floats, gain: float) -> Floats:
    """Return what neither chance nor the shape of a pattern brings about where ``level`` is expected."""
    return np.asarray(3 * level + 8 * np.sqrt(gain * np.maximum(level, gain)))


def find_peaks(curve: Floats, errors: Floats) -> list[Peak]:
    """Return all local maxima of a curve in ascending order; NaN separates stretches that are searched alone.

    Prominence and half-prominence width are those of topography: a peak's valleys are the lowest points between it
    and the next higher point on either side, or the end of the curve.
    """
    peaks = []
    for first, stop in _finite_stretches(curve):
        part, sigma = curve[first:stop], errors[first:stop]
        tops = 1 + np.flatnonzero((part[1:-1] > part[:-2]) & (part[1:-1] >= part[2:]))
        found = (_peak(part, sigma, int(top), first) for top in tops)
        peaks += [peak for peak in found if peak is not None]
    return peaks


def _finite_stretches(curve: Floats) -> list[tuple[int, int]]:
    finite = np.concatenate([[False], np.isfinite(curve), [False]])
    edges = np.flatnonzero(finite[1:] != finite[:-1])
    return [(int(first), int(stop)) for first, stop in zip(edges[::2], edges[1::2], strict=True)]


def _peak(curve: Floats, errors: Floats, top: int, offset: int) -> Peak | None:
    higher = np.flatnonzero(curve > curve[top])
    start = int(higher[higher < top].max(initial=-1)) + 1
    stop = int(higher[higher > top].min(initial=len(curve)))
    # Two standard deviations up, lest an annulus of few pixels be taken for the deepest valley.
    ceiling = curve + 2 * np.where(np.isnan(errors), np.inf, errors)
    valleys = start + int(np.argmin(ceiling[start:top])), top + 1 + int(np.argmin(ceiling[top + 1 : stop]))
    valley = max(valleys, key=lambda where: curve[where])
    prominence = curve[top] - curve[valley]
    if not prominence > 0:
        return None
    half = curve[top] - prominence / 2
    left, right = _crossing(curve, half, top, -1), _crossing(curve, half, top, +1)
    inside = np.arange(int(np.ceil(left)), int(np.floor(right)) + 1)
    weights = curve[inside] - half
    with np.errstate(divide="ignore"):
        significance = prominence / np.hypot(errors[top], errors[valley])
    return Peak(
        position=offset + float(np.sum(weights * inside) / np.sum(weights)),
        fwhm=right - left,
        height=float(curve[top]),
        prominence=float(prominence),
        significance=float(significance),
    )


def _crossing(curve: Floats, level: float, top: int, step: int) -> float:
    """Return where the curve first falls to ``level`` on one side of the top, between samples."""
    inner = top
    while curve[inner + step] > level:
        inner += step
    outer = inner + step
    return inner + step * float((curve[inner] - level) / (curve[inner] - curve[outer]))

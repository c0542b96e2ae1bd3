"""The common centre of rings, from where each lies in sectors of azimuth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nxscatter.model import Floats, Ints
from nxscatter.results import Geometry, Image
from nxscatter.science.geometry import qspace
from nxscatter.science.pixels.radial import pixel_size, radii, radius_to_q, variance_per_intensity

_SECTORS = 36  # of 10 degrees: narrow against the first harmonic, wide enough for counts to show a ring
_FEWEST = 8  # sectors that show a ring, in all
_AGREEING = 0.6  # share of the sectors that must agree
_SIGNIFICANCE = 5.0  # of a ring in a sector
_SYSTEMATIC = 0.1  # pixels to which the place of a ring in a sector is trusted at best
_SETTLED = 0.02  # pixels by which the centre still moves
_LARGEST_ERROR = 1.0  # pixels


@dataclass(frozen=True)
class RingCenter:
    """Centre of rings with its standard errors, in pixels of the image (0.5 = middle of pixel 0)."""

    y: float
    x: float
    y_error: float
    x_error: float


@dataclass(frozen=True, eq=False)
class _Surroundings:
    """Pixels on and beside a ring: where they are about the first centre (square pixels), and their values."""

    x: Floats
    y: Floats
    sector: Ints
    values: Floats


@dataclass(frozen=True, eq=False)
class _Sighting:
    """Where sectors see a ring: azimuth in the stored image (rad), radius and its standard error (pixels)."""

    azimuth: Floats
    radius: Floats
    errors: Floats


def fit_center(
    image: Image,
    geometry: Geometry,
    rings: Sequence[float],
    widths: Sequence[float],
    windows: Sequence[float],
    most_pixels: float = np.inf,
) -> RingCenter | None:
    """Fit the centre that rings have in common.

    A ring whose centre is off by (dx, dy) is seen at ``R + dx cos(azimuth) + dy sin(azimuth)``. That is fitted to all
    rings at once, each with its own R, without the sectors that lie off by more than 4 robust standard deviations,
    and repeated about the new centre until it stays.

    Parameters
    ----------
    image : Image
        Image, NaN where invalid.
    geometry : Geometry
        Geometry of that image (binned as it is), where the search begins.
    rings, widths, windows : sequence of float
        Radius of each ring, its FWHM, and how far to look for it on either side, in pixels.
    most_pixels : float
        About how many pixels of each ring to look at, evenly spread; all by default.

    Returns
    -------
    RingCenter or None
        Centre in place of the geometry's; None when fewer than 8 sectors show a ring, when they do not agree, or
        leave one of the coordinates uncertain by more than a pixel.
    """
    looks = list(zip(rings, widths, windows, strict=True))
    around = [_surroundings(image, geometry, ring, window, most_pixels) for ring, _, window in looks]
    gain = variance_per_intensity(image)
    x = y = 0.0
    for _ in range(10):
        seen = [_sight(ring_pixels, x, y, gain, *look) for ring_pixels, look in zip(around, looks, strict=True)]
        fitted = _fit_shift(seen)
        if fitted is None:
            return None
        dx, dy, x_error, y_error = fitted
        x, y = x + dx, y + dy
        if np.hypot(dx, dy) < _SETTLED:
            break
    if not max(x_error, y_error) < _LARGEST_ERROR:
        return None
    to_rows, to_columns = (pixel_size(geometry) / size for size in (geometry.pixel_size_y, geometry.pixel_size_x))
    return RingCenter(
        float(geometry.center_y + y * to_rows),
        float(geometry.center_x + x * to_columns),
        float(y_error * to_rows),
        float(x_error * to_columns),
    )


def measured_pixels(image: Image, index: Ints) -> tuple[Ints, Floats]:
    """Return those of some pixels that are valid and measured, not filled by caving, and their values."""
    values = np.asarray(image.intensity.reshape(-1)[index], dtype=float)
    use = np.isfinite(values) & (image.flags.reshape(-1)[index] == 0)
    return index[use], values[use]


def fit_ellipse(
    image: Image,
    geometry: Geometry,
    rings: Sequence[float],
    widths: Sequence[float],
    windows: Sequence[float],
    most_pixels: float = np.inf,
) -> tuple[float, float]:
    """Return by how much the rings about a geometry's centre are ellipses: amplitude and standard error in pixels.

    The radial position of the largest ring is fitted with harmonics 1 and 2 of the azimuth. Arguments are those of
    `fit_center`. Where too little is seen, both are infinite.
    """
    seen = _sightings(image, geometry, rings, widths, windows, most_pixels)
    if not seen:
        return 0.0, np.inf
    azimuth, radius, errors = (
        np.concatenate([getattr(sighting, key) for sighting in seen]) for key in ("azimuth", "radius", "errors")
    )
    number = np.repeat(np.arange(len(seen)), [len(sighting.radius) for sighting in seen])
    if len(radius) < 2 * _FEWEST:
        return 0.0, np.inf
    relative = np.asarray(rings)[number] / max(rings)
    design = np.column_stack(
        [
            *(harmonic(azimuth) for harmonic in (np.cos, np.sin)),
            *(harmonic(2 * azimuth) * relative for harmonic in (np.cos, np.sin)),
            number[:, np.newaxis] == np.arange(len(seen)),
        ]
    )
    weights = 1 / np.hypot(errors, _SYSTEMATIC)
    matrix = design * weights[:, np.newaxis]
    used = matrix.any(axis=0)
    if np.linalg.cond(matrix[:, used]) > 1e3 or len(radius) <= np.count_nonzero(used):
        return 0.0, np.inf
    covariance = np.linalg.inv(matrix[:, used].T @ matrix[:, used])
    values = covariance @ matrix[:, used].T @ (radius * weights)
    residuals = radius * weights - matrix[:, used] @ values
    # sectors that see another thing, and the ring's own shape, are worth what they scatter
    scale = np.sum(residuals**2) / (len(radius) - len(values))
    return float(np.hypot(values[2], values[3])), float(np.sqrt(scale * max(covariance[2, 2], covariance[3, 3])))


def sectors_that_see(
    image: Image,
    geometry: Geometry,
    rings: Sequence[float],
    widths: Sequence[float],
    windows: Sequence[float],
    most_pixels: float = np.inf,
) -> int:
    """Return in how many sectors (of 36) the best seen ring shows; arguments as for `fit_center`."""
    seen = _sightings(image, geometry, rings, widths, windows, most_pixels)
    return max((len(sighting.radius) for sighting in seen), default=0)


def _sightings(
    image: Image,
    geometry: Geometry,
    rings: Sequence[float],
    widths: Sequence[float],
    windows: Sequence[float],
    most_pixels: float,
) -> list[_Sighting]:
    """Return where each ring is seen about the geometry's centre."""
    gain = variance_per_intensity(image)
    return [
        _sight(_surroundings(image, geometry, ring, window, most_pixels), 0.0, 0.0, gain, ring, width, window)
        for ring, width, window in zip(rings, widths, windows, strict=True)
    ]


def one_in(inner: float, outer: float, most: float) -> int:
    """Return of how many pixels between two radii (pixels) to take one, so that about ``most`` are left."""
    return max(1, round(np.pi * (outer**2 - inner**2) / most))


def _surroundings(
    image: Image, geometry: Geometry, ring: float, window: float, most_pixels: float = np.inf
) -> _Surroundings:
    """Return the valid pixels within one and a half windows of a ring, so that the centre has room to move."""
    reach = np.array([max(ring - 1.5 * window, 0), ring + 1.5 * window])
    every = one_in(reach[0], reach[1], most_pixels)
    inner, outer = radius_to_q(geometry, reach).tolist()
    index = qspace.pixels_between(geometry, inner, outer, every)
    index, values = measured_pixels(image, index)
    beam_y, beam_x = qspace.direct_beam(geometry)
    row, column = np.divmod(index, geometry.columns)
    y = (row + 0.5 - beam_y) * geometry.pixel_size_y
    x = (column + 0.5 - beam_x) * geometry.pixel_size_x
    sector = np.floor((np.arctan2(y, x) / (2 * np.pi) + 0.5) * _SECTORS).astype(np.int64) % _SECTORS
    stretch = radii(geometry, index) / np.maximum(np.hypot(x, y), 1e-12)
    return _Surroundings(x * stretch, y * stretch, sector, values)


def _sight(
    around: _Surroundings, x: float, y: float, gain: float, ring: float, width: float, window: float
) -> _Sighting:
    """Return where each sector sees a ring about (x, y): the peak of its mean intensity in steps of one pixel.

    Sectors keep the pixels that they have about the first centre: what that means for their azimuth matters no
    more once (x, y) has settled.
    """
    low = max(ring - window, 0.0)
    steps = int(np.ceil(ring + window - low))
    step = np.floor(np.sqrt((around.x - x) ** 2 + (around.y - y) ** 2) - low).astype(np.int64)
    inside = (step >= 0) & (step < steps)
    cell, shape = (around.sector * steps + step)[inside], (_SECTORS, steps)
    pixels = np.bincount(cell, minlength=_SECTORS * steps).reshape(shape)
    total = np.bincount(cell, around.values[inside], _SECTORS * steps).reshape(shape)

    whole = np.flatnonzero(np.count_nonzero(pixels, axis=1) > 0.9 * steps)
    some = np.maximum(pixels[whole], 1)
    return _centroids(
        azimuth=(whole + 0.5) / _SECTORS * 2 * np.pi - np.pi,
        radius=low + np.arange(steps) + 0.5,
        curves=np.where(pixels[whole] > 0, total[whole] / some, np.nan),
        variances=np.maximum(total[whole], 0) / some**2 * gain,
        width=width,
    )


def _centroids(azimuth: Floats, radius: Floats, curves: Floats, variances: Floats, width: float) -> _Sighting:
    """Return the peaks of curves (sector, radius) above straight backgrounds.

    A peak's place is the centroid under a Gaussian window of the ring's width, which is moved there until it stays.
    """
    margin = max(len(radius) // 6, 2)  # more than the steps that may be missing
    start = np.nanmean(curves[:, :margin], axis=1, keepdims=True)
    end = np.nanmean(curves[:, -margin:], axis=1, keepdims=True)
    across = np.linspace(0, 1, len(radius))
    signal = np.nan_to_num(curves - start * (1 - across) - end * across)
    smooth = np.lib.stride_tricks.sliding_window_view(signal, 5, axis=1).mean(axis=2)
    place = radius[np.argmax(smooth, axis=1) + 2]
    for _ in range(12):
        weights = np.exp(-4 * np.log(2) * ((radius - place[:, np.newaxis]) / width) ** 2)
        area = np.sum(weights * signal, axis=1)
        noise = np.sqrt(np.sum(weights**2 * variances, axis=1))
        seen = area > _SIGNIFICANCE * noise
        moved = np.sum(weights * signal * radius, axis=1) / np.where(seen, area, 1)
        place = np.where(seen, np.clip(moved, radius[0], radius[-1]), place)
    # The window follows the peak half way, so that noise moves the place twice as far as a fixed window's centroid.
    scatter = np.sqrt(np.sum((weights * (radius - place[:, np.newaxis])) ** 2 * variances, axis=1))
    seen &= np.minimum(place - radius[0], radius[-1] - place) > width / 2
    return _Sighting(azimuth[seen], place[seen], 2 * scatter[seen] / area[seen])


def _fit_shift(seen: Sequence[_Sighting]) -> Floats | None:
    """Return dx, dy and their standard errors, in square pixels; None when there is too little to fit."""
    seen = [sight for sight in seen if len(sight.radius)]
    if sum(len(sight.radius) for sight in seen) < _FEWEST:
        return None
    azimuth, radius, errors = (
        np.concatenate([getattr(sight, key) for sight in seen]) for key in ("azimuth", "radius", "errors")
    )
    ring = np.repeat(np.arange(len(seen)), [len(sight.radius) for sight in seen])
    design = np.column_stack([np.cos(azimuth), np.sin(azimuth), ring[:, np.newaxis] == np.arange(len(seen))])
    weights = 1 / np.hypot(errors, _SYSTEMATIC)
    keep = np.ones(len(radius), dtype=bool)
    for _ in range(5):
        matrix = design[keep] * weights[keep, np.newaxis]
        used = matrix.any(axis=0)
        free = np.count_nonzero(keep) - np.count_nonzero(used)
        fewest = max(_FEWEST, _AGREEING * len(keep))
        if np.count_nonzero(keep) < fewest or free < 1 or np.linalg.cond(matrix[:, used]) > 1e6:
            return None
        values = np.zeros(design.shape[1])
        values[used] = np.linalg.lstsq(matrix[:, used], radius[keep] * weights[keep], rcond=None)[0]
        off = np.abs(radius - design @ values)
        keep = off <= max(4 * 1.4826 * np.median(off[keep]), 5 * _SYSTEMATIC)
    residuals = (radius - design @ values)[keep] * weights[keep]
    covariance = np.linalg.inv(matrix[:, used].T @ matrix[:, used]) * np.sum(residuals**2) / free
    return np.array([*values[:2], *np.sqrt(np.diag(covariance)[:2])])

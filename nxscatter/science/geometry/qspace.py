"""From pixels to reciprocal space: q, azimuth and angles of every pixel, and the pixels of a ring.

Positions are those of pixel middles in the laboratory frame: t1 upwards, t2 horizontal, t3 along the beam, in
metres, turned by the detector's rotations as pyFAI defines them (Kieffer & Karkoulis 2013). For raster
orientation 1 without tilt, t1 runs along rows and t2 along columns.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from nxscatter.model import RASTER_AXES, Floats, Ints, rotation_matrix
from nxscatter.results import Geometry

# The numbers that fix where pixels are; notes and errors of a Geometry are no part of a cache key.
_NUMBERS = (
    "wavelength",
    "distance",
    "pixel_size_y",
    "pixel_size_x",
    "center_y",
    "center_x",
    "rows",
    "columns",
    "rot1",
    "rot2",
    "rot3",
    "orientation",
)
_Key: TypeAlias = tuple[Hashable, ...]


@dataclass(frozen=True, eq=False)
class Pixels:
    """Positions of pixels in the laboratory frame (m) and what follows from them.

    The three arrays broadcast against each other: to the image (rows, columns), or to the pixels asked for.
    """

    t1: Floats
    t2: Floats
    t3: Floats
    wavelength: float

    @property
    def two_theta(self) -> Floats:
        """Scattering angle, degrees."""
        return np.asarray(np.degrees(2 * self._theta))

    @property
    def q(self) -> Floats:
        """Modulus of the scattering vector, 1/angstrom: ``4 pi sin(theta)/wavelength``."""
        return np.asarray(4 * np.pi / self.wavelength * np.sin(self._theta))

    @property
    def chi(self) -> Floats:
        """Azimuth, degrees in (-180, 180]: 0 along t2, 90 along t1."""
        chi = np.degrees(np.arctan2(self.t1, self.t2))
        # atan2 gives -180 for a negative zero: the seam belongs to +180.
        return np.asarray(np.where(chi == -180, 180.0, chi))

    @property
    def phi(self) -> Floats:
        """Azimuth folded to [0, 180), degrees."""
        return np.asarray(np.mod(self.chi, 180.0))

    @property
    def beta(self) -> Floats:
        """Angle between q and its horizontal axis, ``acos(qx/q)``, degrees in 0..180; 0 at q = 0."""
        azimuth = np.arctan2(self.t1, self.t2)
        theta = self._theta
        # As an arctangent, which stays exact near 0 and 180 where the arccosine loses half its digits.
        across = np.hypot(np.sin(azimuth), np.cos(azimuth) * np.sin(theta))
        return np.asarray(np.degrees(np.arctan2(across, np.cos(azimuth) * np.cos(theta))))

    @property
    def qx(self) -> Floats:
        """Horizontal component of q (q_parr), 1/angstrom."""
        return np.asarray(2 * np.pi / self.wavelength * self.t2 / self._length)

    @property
    def qz(self) -> Floats:
        """Vertical component of q, 1/angstrom."""
        return np.asarray(2 * np.pi / self.wavelength * self.t1 / self._length)

    @property
    def qy(self) -> Floats:
        """Component of q along the beam, 1/angstrom, never positive: ``-q sin(theta)``."""
        # 1 - cos(2 theta) without the cancellation at small angles, and without an arctangent for each pixel.
        length = self._length
        return np.asarray(-2 * np.pi / self.wavelength * (self.t1**2 + self.t2**2) / (length * (length + self.t3)))

    @property
    def q_perp(self) -> Floats:
        """Component of q perpendicular to the horizontal axis, ``hypot(qy, qz)``, 1/angstrom."""
        return np.sqrt(self.qy**2 + self.qz**2)

    @property
    def _theta(self) -> Floats:
        return np.asarray(np.arctan2(np.hypot(self.t1, self.t2), self.t3) / 2)

    @property
    def _length(self) -> Floats:
        return np.asarray(np.sqrt(self.t1**2 + self.t2**2 + self.t3**2))


def pixels(geometry: Geometry, index: Ints | None = None) -> Pixels:
    """Return the positions of pixels.

    Parameters
    ----------
    geometry : Geometry
        Where the detector stands.
    index : ndarray of int, optional
        Flat pixel indices; all pixels of the image without it.
    """
    if index is None:
        row, column = np.arange(geometry.rows)[:, np.newaxis], np.arange(geometry.columns)[np.newaxis, :]
    else:
        row, column = np.divmod(index, geometry.columns)
    return positions(geometry, row + 0.5, column + 0.5)


def positions(geometry: Geometry, y: Floats, x: Floats) -> Pixels:
    """Return the laboratory positions of points of the image; ``y`` and ``x`` in pixels, 0.5 = middle of pixel 0."""
    along_columns = (x - geometry.center_x) * geometry.pixel_size_x
    along_rows = (y - geometry.center_y) * geometry.pixel_size_y
    plane = {}
    for axis, offset in zip(RASTER_AXES[geometry.orientation], (along_columns, along_rows), strict=True):
        plane[abs(axis)] = offset if axis > 0 else -offset
    in_detector = (plane[2], plane[1], np.asarray(geometry.distance))
    t1, t2, t3 = (_combine(row, in_detector) for row in _rotation(geometry))
    return Pixels(t1, t2, t3, geometry.wavelength)


def locate(geometry: Geometry, q: Floats | float, chi: Floats | float) -> tuple[Floats, Floats]:
    """Return where scattering at ``q`` (1/angstrom) and ``chi`` (degrees) meets the detector's plane.

    Returns
    -------
    (y, x) : ndarrays
        In pixels of the stored image, 0.5 = middle of pixel 0; NaN where it never meets the plane.
    """
    two_theta, azimuth = np.radians(two_theta_of(q, geometry.wavelength)), np.radians(chi)
    direction = np.stack(
        np.broadcast_arrays(np.sin(two_theta) * np.sin(azimuth), np.sin(two_theta) * np.cos(azimuth), np.cos(two_theta))
    )
    p1, p2, p3 = np.tensordot(_rotation(geometry).T, direction, axes=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        stretch = np.where(p3 > 0, geometry.distance / p3, np.nan)
        plane = {2: p1 * stretch, 1: p2 * stretch}
    column_axis, row_axis = RASTER_AXES[geometry.orientation]
    x = np.sign(column_axis) * plane[abs(column_axis)] / geometry.pixel_size_x + geometry.center_x
    y = np.sign(row_axis) * plane[abs(row_axis)] / geometry.pixel_size_y + geometry.center_y
    return np.asarray(y), np.asarray(x)


def direct_beam(geometry: Geometry) -> tuple[float, float]:
    """Return row and column of the direct beam in pixels, 0.5 = middle of pixel 0."""
    y, x = locate(geometry, 0.0, 0.0)
    return float(y), float(x)


def tilt(geometry: Geometry) -> float:
    """Return the angle between the detector's normal and the beam, degrees."""
    r1, r2 = np.radians(geometry.rot1), np.radians(geometry.rot2)
    # Half-angle form of acos(cos r1 cos r2), exact for small tilts.
    half = np.sin(r1 / 2) ** 2 + np.cos(r1) * np.sin(r2 / 2) ** 2
    return float(np.degrees(2 * np.arcsin(np.sqrt(half))))


def two_theta_of(q: Floats | float, wavelength: float) -> Floats:
    """Return the scattering angle (degrees) of ``q`` (1/angstrom), NaN beyond the limit ``4 pi/wavelength``."""
    sine = np.asarray(q, dtype=float) * wavelength / (4 * np.pi)
    return np.asarray(np.degrees(2 * np.arcsin(np.where(sine <= 1, sine, np.nan))))


def q_map(geometry: Geometry) -> Floats:
    """Return |q| of every pixel, (rows, columns), 1/angstrom."""
    return pixels(geometry).q


def chi_map(geometry: Geometry) -> Floats:
    """Return the azimuth of every pixel, (rows, columns), degrees in (-180, 180]."""
    return pixels(geometry).chi


def q_range(geometry: Geometry) -> tuple[float, float]:
    """Return the smallest and the largest q (1/angstrom) on the detector, pixel edges included."""
    rows, columns = geometry.shape
    y = np.concatenate([np.arange(rows + 1.0)] * 2 + [np.zeros(columns + 1), np.full(columns + 1, rows)])
    x = np.concatenate([np.zeros(rows + 1), np.full(rows + 1, columns)] + [np.arange(columns + 1.0)] * 2)
    border = positions(geometry, y, x).q
    beam_y, beam_x = direct_beam(geometry)
    inside = 0 <= beam_y <= rows and 0 <= beam_x <= columns
    return 0.0 if inside else float(border.min()), float(border.max())


def ring_pixels(geometry: Geometry, q: float, half_width: float) -> tuple[Ints, Floats, Floats]:
    """Return the pixels with ``|q(pixel) - q| <= half_width``; cached by geometry.

    Returns
    -------
    index : ndarray of int
        Flat pixel indices, ascending; empty when the ring misses the detector.
    chi, beta : ndarray
        Their azimuth and their angle to the horizontal q axis, degrees. The arrays are read-only.
    """
    return _ring_pixels(_key(geometry), float(q), float(half_width))


def sector_pixels(geometry: Geometry, middle: float, width: float) -> tuple[Ints, Floats]:
    """Return the pixels of a sector of azimuth, across the seam at 180 degrees where it must; cached by geometry.

    Parameters
    ----------
    geometry : Geometry
        Where the detector stands.
    middle : float
        Azimuth of the sector's middle, degrees, -180 to 180.
    width : float
        Full angular width, degrees; both edges belong to the sector.

    Returns
    -------
    index : ndarray of int
        Flat pixel indices, ascending.
    q : ndarray
        Their q, 1/angstrom. The arrays are read-only.
    """
    return _sector_pixels(_key(geometry), float(middle), float(width))


def pixels_between(geometry: Geometry, low: float, high: float, every: int = 1) -> Ints:
    """Return the flat indices, ascending, of the pixels with ``low <= q <= high`` (1/angstrom), or one in ``every``."""
    if geometry.rot1 or geometry.rot2:
        q = _tilted_q_map(_key(geometry))
        return np.asarray(np.flatnonzero((q >= low) & (q <= high))[::every])
    index = _between_circles(geometry, max(low, 0.0), high)[::every]
    q = pixels(geometry, index).q
    return np.asarray(index[(q >= low) & (q <= high)])


def _key(geometry: Geometry) -> _Key:
    return tuple(getattr(geometry, name) for name in _NUMBERS)


def _from_key(key: _Key) -> Geometry:
    return Geometry(**dict(zip(_NUMBERS, key, strict=True)))  # type: ignore[arg-type]


@lru_cache(maxsize=32)
def _ring_pixels(key: _Key, q: float, half_width: float) -> tuple[Ints, Floats, Floats]:
    geometry = _from_key(key)
    index = pixels_between(geometry, q - half_width, q + half_width)
    where = pixels(geometry, index)
    found = (index, where.chi, where.beta)
    for array in found:
        array.flags.writeable = False
    return found


@lru_cache(maxsize=32)
def _sector_pixels(key: _Key, middle: float, width: float) -> tuple[Ints, Floats]:
    away = np.abs(_flat_chi(key) - middle)
    index = np.flatnonzero(np.minimum(away, 360 - away) <= width / 2)
    found = (index, pixels(_from_key(key), index).q)
    for array in found:
        array.flags.writeable = False
    return found


@lru_cache(maxsize=1)
def _flat_chi(key: _Key) -> Floats:
    return chi_map(_from_key(key)).reshape(-1)


@lru_cache(maxsize=1)
def _tilted_q_map(key: _Key) -> Floats:
    return q_map(_from_key(key))


def _between_circles(geometry: Geometry, q_low: float, q_high: float) -> Ints:
    """Return the pixels between two circles of q, and at most one more at either end of a row's stretch.

    The circles cut every row of pixels in at most two stretches, so that no map of the image is needed.
    """
    low, high = (_radius(geometry, q) for q in (q_low, q_high))
    height = (np.arange(geometry.rows) + 0.5 - geometry.center_y) * geometry.pixel_size_y
    rows = np.flatnonzero(np.abs(height) <= high)
    outer = np.sqrt(high**2 - height[rows] ** 2) / geometry.pixel_size_x
    inner = np.sqrt(np.clip(low**2 - height[rows] ** 2, 0, None)) / geometry.pixel_size_x
    middle = geometry.center_x - 0.5
    first = np.floor(np.stack([middle - outer, middle + inner], axis=1))
    last = np.ceil(np.stack([middle - inner, middle + outer], axis=1))
    first[:, 1] = np.maximum(first[:, 1], last[:, 0] + 1)
    first = np.clip(first, 0, None)
    length = (np.minimum(last, geometry.columns - 1) - first + 1).clip(0, None).astype(np.int64).ravel()
    start = (rows[:, np.newaxis] * geometry.columns + np.where(length.reshape(-1, 2) > 0, first, 0)).ravel()
    ends = np.cumsum(length)
    steps = np.arange(length.sum()) - np.repeat(ends - length, length)
    return np.asarray(np.repeat(start.astype(np.int64), length) + steps)


def _radius(geometry: Geometry, q: float) -> float:
    """Distance (m) from the beam's centre at which an untilted detector sees q; inf when it never does."""
    two_theta = np.radians(two_theta_of(q, geometry.wavelength))
    return float(geometry.distance * np.tan(two_theta)) if two_theta < np.pi / 2 else float("inf")


def _combine(coefficients: Floats, vectors: tuple[Floats, ...]) -> Floats:
    """Sum up, leaving out zeros so that without tilt no vector is broadcast to a map before it must be."""
    terms = [a * vector for a, vector in zip(coefficients, vectors, strict=True) if a != 0]
    return np.asarray(sum(terms[1:], start=terms[0]))


def _rotation(geometry: Geometry) -> Floats:
    """Matrix from the detector's frame to the laboratory's."""
    return rotation_matrix(geometry.rot1, geometry.rot2, geometry.rot3)

"""Azimuthal integration: equal bins of azimuth, and sums (weighted histograms) of a ring's pixels in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from nxscatter.model import Array, Floats, Ints
from nxscatter.results import Geometry
from nxscatter.science.geometry import pyfai_bridge, qspace

# From pixel values to their sums by ring and bin; values may leave out pixels at the end.
Sum: TypeAlias = Callable[[Floats], Floats]

_WIDEST = 0.5  # relative half-width beyond which a ring is none


@dataclass(frozen=True)
class AzimuthBins:
    """Bins of equal width.

    Parameters
    ----------
    angle : str
        ``"chi"``: bins centred on 0, 90 and 180 degrees, the last one lying on both sides of the seam.
        ``"beta"``: bins centred on 0 to 180 degrees, the first and the last being half a bin.
    full_circle : int
        Number of bins in 360 degrees, a multiple of 4.
    """

    angle: str
    full_circle: int

    @property
    def width(self) -> float:
        """Width of a bin, degrees."""
        return 360 / self.full_circle

    @property
    def centers(self) -> Floats:
        """Middle of each bin, degrees, ascending."""
        half = self.full_circle // 2
        return np.arange(1 - half if self.angle == "chi" else 0, half + 1) * self.width

    def number(self, angle: Floats) -> Ints:
        """Return the number of the bin of each angle (degrees)."""
        # Rounding half up, where numpy rounds half to even, treats all quadrants alike.
        step = np.floor(angle / self.width + 0.5).astype(np.int64)
        return np.asarray((step - 1 + self.full_circle // 2) % self.full_circle if self.angle == "chi" else step)

    def on_detector(self, geometry: Geometry, q: float) -> Array:
        """Return which bins have their middle on the detector at ``q``."""
        if self.angle == "chi":
            return _inside(geometry, q, self.centers)
        theta = np.radians(qspace.two_theta_of(q, geometry.wavelength) / 2)
        with np.errstate(invalid="ignore"):  # beta is never smaller than theta
            chi = np.degrees(np.arccos(np.cos(np.radians(self.centers)) / np.cos(theta)))
        return _inside(geometry, q, chi) | _inside(geometry, q, -chi)

    def tolerance_to_fill(self, geometry: Geometry, q: float) -> float:
        """Return the relative half-width with which a ring has pixels in its bins, NaN when none has.

        It gives a bin two pixels on average, and the ring a width of one pixel.
        """
        y, x = qspace.locate(geometry, q, 0.0)
        beam_y, beam_x = qspace.direct_beam(geometry)
        radius = float(np.hypot(y - beam_y, x - beam_x))
        enough = max(1 / (radius**2 * np.radians(self.width)), 0.5 / radius)
        return float(np.ceil(enough * 1000) / 1000) if enough < _WIDEST else float("nan")


def own_sum(label: Ints, measured: int, rings: int, bins: int) -> Sum:
    """Return sums of runs of equal labels.

    Parameters
    ----------
    label : ndarray of int
        ``ring * bins + bin`` of each pixel: ascending among the first ``measured`` pixels, and among the others.
    measured, rings, bins : int
        How many there are.
    """
    runs = []
    for part in (slice(0, measured), slice(measured, len(label))):
        present, starts = np.unique(label[part], return_index=True)
        if len(present):
            runs.append((part, present, starts))

    def total(values: Floats) -> Floats:
        sums = np.zeros(rings * bins)
        for part, present, starts in runs:
            if part.start < len(values):
                sums[present] += np.add.reduceat(values[part], starts)
        return sums.reshape(rings, bins)

    return total


def pyfai_sum(geometry: Geometry, index: Ints, label: Ints, rings: int, bins: int) -> Sum:
    """Return sums by pyFAI over chi, ring by ring, everything outside the ring being masked.

    pyFAI gets half bins from -180 on, without pixel splitting, which are added in pairs across the seam. Of its
    engines the pure Python histogram is the one that keeps azimuths in double precision; the others move pixels
    that lie within 1e-5 degrees of a bin's edge.
    """
    integrator = pyfai_bridge.integrator(geometry)
    members = [np.flatnonzero(label // bins == ring) for ring in range(rings)]

    def total(values: Floats) -> Floats:
        sums = np.empty((rings, bins))
        for ring, member in enumerate(members):
            image, outside = np.zeros(geometry.shape), np.ones(geometry.shape, dtype=bool)
            outside.reshape(-1)[index[member]] = False
            given = member[member < len(values)]
            image.reshape(-1)[index[given]] = values[given]
            result = integrator.integrate1d_ng(
                pyfai_bridge.turn(image, geometry.orientation),
                2 * bins,
                unit="chi_deg",
                radial_range=(-180, 180),
                mask=pyfai_bridge.turn(outside, geometry.orientation),
                correctSolidAngle=False,
                method=("no", "histogram", "python"),
            )
            sums[ring] = np.roll(result.sum_signal, -1).reshape(bins, 2).sum(axis=1)
        return sums

    return total


def _inside(geometry: Geometry, q: float, chi: Floats) -> Array:
    y, x = qspace.locate(geometry, q, chi)
    return np.asarray((y >= 0) & (y <= geometry.rows) & (x >= 0) & (x <= geometry.columns))

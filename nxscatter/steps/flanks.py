"""The background under a ring, from a band of q on either side of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nxscatter import qspace
from nxscatter.model import Floats, Ints
from nxscatter.results import Geometry
from nxscatter.steps.ring_choice import RingChoice


@dataclass(frozen=True, eq=False)
class Flanks:
    """The bands of some rings: first those inside of each ring, then those outside.

    Attributes
    ----------
    rings : ndarray (ring,)
        Ring centres, 1/angstrom.
    reach : (inner, outer)
        Where a band begins and ends, as distances from the ring relative to q.
    index, angle : list of ndarray
        Flat pixel indices of each band and their angle in degrees; empty where it misses the detector.
    """

    rings: Floats
    reach: tuple[float, float]
    index: list[Ints]
    angle: list[Floats]

    @classmethod
    def of(cls, geometry: Geometry, rings: Floats, reach: tuple[float, float], angle: str) -> Flanks:
        """Find the pixels; ``angle`` is ``"chi"`` or ``"beta"``."""
        middle, half_width = sum(reach) / 2, (reach[1] - reach[0]) / 2
        bands = [
            qspace.ring_pixels(geometry, q * (1 + side * middle), q * half_width) for side in (-1, 1) for q in rings
        ]
        return cls(rings, reach, [index for index, _, _ in bands], [chi if angle == "chi" else b for _, chi, b in bands])

    def behind(self, chosen: RingChoice) -> RingChoice:
        """Return the rings with the bands as further rings, for summing up."""
        return replace(chosen, index=[*chosen.index, *self.index], angle=[*chosen.angle, *self.angle])

    def share(self, intensity: Floats, pixels: Floats) -> Floats:
        """Return what the sum of both bands is multiplied by to give the background at the ring, (ring, 1).

        A power law through the means of both bands all around tells it, since a decaying background is lower at the
        ring than half-way between its flanks: 1/2 for a flat one. Bins with few counts only give the level.

        Parameters
        ----------
        intensity : ndarray (..., band, bin)
            Means of pixels, NaN without any.
        pixels : ndarray (band, bin)
            How many they are.
        """
        frames = intensity.reshape(-1, *pixels.shape)
        weight = np.where(np.isfinite(frames), pixels, 0.0)
        total = np.sum(np.nan_to_num(frames) * weight, axis=(0, 2))
        with np.errstate(invalid="ignore"):
            inside, outside = (total / weight.sum(axis=(0, 2))).reshape(2, -1)
        middle = sum(self.reach) / 2
        positive = (inside > 0) & (outside > 0)
        ratio = np.where(positive, outside, 1.0) / np.where(positive, inside, 1.0)
        exponent = -np.log1p(-middle) / (np.log1p(middle) - np.log1p(-middle))
        return np.asarray(ratio**exponent / (1 + ratio))[:, None]

    def warnings(self, widths: Floats, pixels: Floats) -> list[str]:
        """Say which flanks hold another ring, of half-widths ``widths``, and which have no valid pixel."""
        notes = []
        for number, q in enumerate(self.rings):
            name = f"the ring at q = {q:.4g} 1/angstrom"
            away = np.abs(self.rings - q)
            held = (away + widths >= self.reach[0] * q) & (away - widths <= self.reach[1] * q)
            others = ", ".join(f"{one:.4g}" for one in self.rings[held & (np.arange(len(away)) != number)])
            if others:
                notes.append(f"the flanks of {name} hold the ring at {others}: give other flanks")
            for side, band in (("inner", number), ("outer", number + len(self.rings))):
                if not pixels[band].any():
                    notes.append(f"the {side} flank of {name} has no valid pixel: it gives no background")
        return notes


def under_rings(share: Floats, intensity: Floats, errors: Floats) -> tuple[Floats, Floats]:
    """Return the background under each bin of the rings and its standard error, (..., ring, bin).

    Parameters
    ----------
    share : ndarray (ring, 1)
        Of `Flanks.share`.
    intensity, errors : ndarray (..., row, bin)
        Mean intensity of the rings, the bands inside of them and those outside, and standard errors; NaN without a
        pixel.
    """
    rings = len(share)
    inside, outside = (slice(rings, 2 * rings), slice(2 * rings, None))
    level = share * (intensity[..., inside, :] + intensity[..., outside, :])
    return level, share * np.hypot(errors[..., inside, :], errors[..., outside, :])

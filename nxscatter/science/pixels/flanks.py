"""The background under a ring, from a band of q on either side of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nxscatter.model import Floats, Ints
from nxscatter.results import Geometry, Image
from nxscatter.science.fitting.leastsquares import inverse
from nxscatter.science.geometry import qspace
from nxscatter.science.pixels.ring_choice import RingChoice

_PARTS = 6  # of a band, in which its radial course is seen
_ROUGH = 0.02  # of the background; between the bands that becomes several times as much


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
        angles = [chi if angle == "chi" else beta for _, chi, beta in bands]
        return cls(rings, reach, [index for index, _, _ in bands], angles)

    def behind(self, chosen: RingChoice) -> RingChoice:
        """Return the rings with the bands as further rings, for summing up."""
        return replace(chosen, index=[*chosen.index, *self.index], angle=[*chosen.angle, *self.angle])

    def shares(self, image: Image, geometry: Geometry) -> tuple[Floats, Floats, list[str]]:
        """Return what the sum of both bands is to be multiplied by to give the background at the ring.

        A decaying background is lower at the ring than half-way between its flanks. Its course is taken from all
        azimuths together: a parabola of ln I against ln q through both bands. Bands that do not follow one hold
        something else, the ring's own foot or another ring.

        Returns
        -------
        share : ndarray (ring,)
            1/2 for a flat background; NaN when the bands give none.
        error : ndarray (ring,)
            Relative standard error.
        notes : list of str
            Why bands give none.
        """
        found = [self._share(image, geometry, number) for number in range(len(self.rings))]
        notes = [
            f"the flanks of the ring at q = {q:.4g} 1/angstrom give no background: {why}"
            for q, (_, _, why) in zip(self.rings, found, strict=True)
            if why
        ]
        return np.array([share for share, _, _ in found]), np.array([error for _, error, _ in found]), notes

    def _share(self, image: Image, geometry: Geometry, number: int) -> tuple[float, float, str]:
        index = np.concatenate([self.index[number], self.index[number + len(self.rings)]])
        index = index[image.flags.reshape(-1)[index] == 0]
        away = qspace.pixels(geometry, index).q / self.rings[number] - 1
        depth = (np.abs(away) - self.reach[0]) / (self.reach[1] - self.reach[0])
        part = np.clip((depth * _PARTS).astype(int), 0, _PARTS - 1) + np.where(away > 0, _PARTS, 0)

        def total(values: Floats | None = None) -> Floats:
            return np.asarray(np.bincount(part, values, 2 * _PARTS), dtype=float)

        pixels = total()
        sums, variance = total(image.intensity.reshape(-1)[index]), total(image.variance_at(index))
        seen = (sums > 0) & (variance > 0)
        if not (seen[:_PARTS].any() and seen[_PARTS:].any()):
            return np.nan, np.nan, "one has no measured pixel, or no intensity above 0"
        x, y = total(np.log1p(away))[seen] / pixels[seen], np.log(sums[seen] / pixels[seen])
        basis = np.stack([np.ones_like(x), x, x**2])
        weight = sums[seen] ** 2 / variance[seen]
        covariance = inverse(((weight * basis) @ basis.T)[None])[0]
        course = covariance @ (weight * basis) @ y
        residual = (y - course @ basis) ** 2
        rough = np.sqrt(max(np.mean(residual - 1 / weight), 0.0))
        if rough > _ROUGH:
            return np.nan, np.nan, f"they stray by {rough:.1%} from a smooth course, so that something else is in them"
        scatter = max(np.sum(weight * residual) / max(len(y) - 3, 1), 1.0)
        both = sums.reshape(2, _PARTS).sum(axis=1) / pixels.reshape(2, _PARTS).sum(axis=1)
        return float(np.exp(course[0]) / both.sum()), float(np.sqrt(scatter * covariance[0, 0])), ""


def under_rings(shares: Floats, intensity: Floats, errors: Floats) -> tuple[Floats, Floats]:
    """Return the background under each bin of the rings and its standard error, (..., ring, bin).

    Parameters
    ----------
    shares : ndarray (ring,)
        Of `Flanks.shares`.
    intensity, errors : ndarray (..., row, bin)
        Mean intensity of the rings, the bands inside of them and those outside, and standard errors; NaN without a
        pixel.
    """
    rings, share = len(shares), shares[:, None]
    inside, outside = slice(rings, 2 * rings), slice(2 * rings, None)
    level = share * (intensity[..., inside, :] + intensity[..., outside, :])
    return level, share * np.hypot(errors[..., inside, :], errors[..., outside, :])

"""The radial shape of a ring, for bins of azimuth that see only a part of its width.

Where a gap or the detector's edge takes part of a bin's radial width, its mean is that of another part of the ring:
too high beside the ring's top, too low on its foot. The ring's own shape, from the bins that are whole, tells by how
much. The intensity at the radial position u and the azimuth chi is taken as ``alpha(u) + beta(u)*F(chi)``, F being the
mean over the whole width: an oriented ring (beta) on a background or an isotropic ring (alpha).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nxscatter.model import Floats, Ints

_MOST_BANDS = 12  # parts of a ring's width, of at least a pixel each
_FEWEST_BINS = 12  # whole bins that tell a shape
_SMOOTH = 9  # bins over which is averaged, so that noise does not flatten the slope
_LEAST_SHARE = 0.3  # of the ring's oriented intensity, below which a bin sees too little to be corrected

Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class RadialShape:
    """What each pixel sees of a ring: ``alpha + beta*F``, F being the mean over the ring's whole width.

    Attributes
    ----------
    alpha, beta : ndarray (pixel,)
        0 and 1 for pixels of bins that need no correction.
    lost : ndarray of bool (bin,)
        Bins that see too little of the ring.
    """

    alpha: Floats
    beta: Floats
    lost: Bools


def radial_shape(values: Floats, place: Floats, number: Ints, partial: Bools, width: float) -> RadialShape | None:
    """Return what the pixels of partial bins see of a ring; None when there is nothing to correct, or no shape.

    Parameters
    ----------
    values : ndarray (pixel,)
        Intensity of the ring's valid pixels.
    place : ndarray (pixel,)
        Radial position in the ring, from -1 (inner edge) to 1.
    number : ndarray of int (pixel,)
        Bin of each pixel.
    partial : ndarray of bool (bin,)
        Bins that lack part of their radial width.
    width : float
        Full width of the ring in pixels.
    """
    if not partial.any():
        return None
    bands = int(np.clip(width, 2, _MOST_BANDS))
    band = np.minimum(((place + 1) / 2 * bands).astype(np.int64), bands - 1)
    cell, cells = number * bands + band, len(partial) * bands
    pixels = np.bincount(cell, minlength=cells).reshape(-1, bands)
    total = np.bincount(cell, values, cells).reshape(-1, bands)
    whole = ~partial & (pixels > 0).all(axis=1)
    if np.count_nonzero(whole) < _FEWEST_BINS:
        return None
    means = total[whole] / pixels[whole]
    shares = pixels[whole].sum(axis=0) / pixels[whole].sum()
    level, slope = _regression(means, means @ shares)
    level, slope = level - level @ shares, slope / (slope @ shares)

    middles = (np.arange(bands) + 0.5) / bands * 2 - 1
    concerned = partial[number]
    alpha, beta = np.zeros(len(values)), np.ones(len(values))
    alpha[concerned] = _interpolated(place[concerned], middles, level)
    beta[concerned] = _interpolated(place[concerned], middles, slope)
    seen = np.bincount(number, np.maximum(beta, 0), len(partial))
    usual = np.median(np.bincount(number, minlength=len(partial))[whole])
    return RadialShape(alpha, beta, partial & (seen < _LEAST_SHARE * usual))


def _regression(means: Floats, profile: Floats) -> tuple[Floats, Floats]:
    """Return level and slope of each band's means over the profile, (band,).

    Where the profile varies no more than its noise, all of a band is taken as proportional to it.
    """
    noise = np.var(profile - _smoothed(profile)) / _SMOOTH
    # the same averaging of both keeps the relation and takes the noise away
    means, profile = np.stack([_smoothed(band) for band in means.T], axis=1), _smoothed(profile)
    ratio = means.mean(axis=0) / profile.mean()
    away = profile - profile.mean()
    varies = np.mean(away**2)
    if varies < 4 * noise:
        return np.zeros(len(ratio)), ratio
    bend = (means - ratio * profile[:, np.newaxis]).T @ away / len(away) / varies
    return -bend * profile.mean(), ratio + bend


def _smoothed(curve: Floats) -> Floats:
    return np.convolve(np.pad(curve, _SMOOTH // 2, mode="wrap"), np.full(_SMOOTH, 1 / _SMOOTH), mode="valid")


def _interpolated(place: Floats, middles: Floats, values: Floats) -> Floats:
    """Return values between the middles of bands, and continued straight to the ring's edges."""
    step = middles[1] - middles[0]
    ends = [middles[0] - step, *middles, middles[-1] + step]
    heights = [2 * values[0] - values[1], *values, 2 * values[-1] - values[-2]]
    return np.asarray(np.interp(place, ends, heights))


@dataclass(frozen=True, eq=False)
class BinCorrection:
    """How the means of bins become those of their ring's whole width: ``(mean - offset)/scale``.

    Attributes
    ----------
    offset, scale : ndarray (ring, bin)
        0 and 1 where a bin is whole.
    lost : ndarray of bool (ring, bin)
        Bins that see too little of their ring to tell anything.
    """

    offset: Floats
    scale: Floats
    lost: Bools

    def means(self, intensity: Floats, errors: Floats) -> tuple[Floats, Floats]:
        """Return corrected means and their standard errors, (..., ring, bin); NaN for lost bins."""
        gone = np.where(self.lost, np.nan, 1.0)
        return (intensity - self.offset) / self.scale * gone, errors / self.scale * gone

    def variance_law(self, slope: Floats, floor: Floats) -> tuple[Floats, Floats]:
        """Return slope and floor of the variance as a function of the corrected mean, (ring, bin)."""
        return slope / self.scale, (slope * self.offset + floor) / self.scale**2

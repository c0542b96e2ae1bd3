"""Standard errors where few quanta were counted, for programs that weigh by them.

The square root of the counts themselves gives a pixel that counted 0 an error of 0, which SasView leaves out, and one
that counted little too small an error: a weighted mean of Poisson counts then comes out too low (a background of 0.5
counts a pixel as 1.27 without the zeros, as 0.3 with an error of 1 for them). Here such a pixel has the error of what
is expected there, from the mean of its neighbours: at least one count among all of them.
"""

from __future__ import annotations

import numpy as np

from nxscatter.model import Floats
from nxscatter.results import Image

STATEMENT = "errors where few or no counts are: of the mean of the neighbours, at least one count among them"
_FEW = 25.0  # counts; above, the pixel's own count is within 4 % of its expectation's share in a weighted mean
_BOXES = (7, 21, 63)  # pixels along one side of the neighbourhood
_ENOUGH = 30.0  # counts in it, which tell the expectation to a fifth


def image_errors(image: Image) -> Floats:
    """Return the standard error of each pixel of an image, (rows, columns).

    NaN for an invalid pixel, and for a filled one, which is no measurement of its own; never 0.
    """
    from scipy.ndimage import uniform_filter

    shape = image.intensity.shape
    variance = image.variance_at(slice(None)).reshape(shape)
    gain = np.broadcast_to(image.gain_at(slice(None)), (variance.size,)).reshape(shape)
    measured = np.isfinite(variance)
    if not measured.any():
        return np.sqrt(variance)
    usual = np.median(gain[measured & np.isfinite(gain)]) if np.isfinite(gain[measured]).any() else 1.0
    gain = np.where(np.isfinite(gain), gain, usual)
    counted = np.where(measured, image.intensity, 0.0)
    few = measured & (counted < _FEW * gain)
    if not few.any():
        return np.sqrt(variance)
    expected = np.zeros(shape)
    for box in _BOXES:
        # the next larger neighbourhood only where this one has counted too little
        wanting = few & (expected == 0)
        if not wanting.any():
            break
        pixels = np.maximum(uniform_filter(measured.astype(float), box, mode="constant") * box**2, 1.0)
        total = uniform_filter(counted.astype(float), box, mode="constant") * box**2
        enough = total > _ENOUGH * gain if box < _BOXES[-1] else True
        expected = np.where(wanting & enough, np.maximum(total, gain) / pixels, expected)
    # what was subtracted carries a variance of its own, which stays
    rest = np.maximum(variance - gain * np.maximum(counted, 0.0), 0.0)
    return np.sqrt(np.where(few, gain * expected + rest, variance))


def curve_errors(intensity: Floats, errors: Floats) -> Floats:
    """Return the standard errors of a curve (bin,), in place of 0 that of one count in the bin.

    The variance per intensity of the nearest bin that counted anything tells what one count is.
    """
    empty = np.isfinite(intensity) & (errors == 0)
    counted = np.flatnonzero((errors > 0) & (intensity > 0))
    if not empty.any() or not len(counted):
        return errors
    one_count = errors[counted] ** 2 / intensity[counted]
    nearest = np.abs(np.flatnonzero(empty)[:, np.newaxis] - counted).argmin(axis=1)
    found = errors.copy()
    found[empty] = one_count[nearest]
    return found

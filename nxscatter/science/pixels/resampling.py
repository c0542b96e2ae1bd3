"""The bootstrap of profiles: balanced half-samples of the pixels, whose scatter is the error whatever the noise."""

from __future__ import annotations

import numpy as np

from nxscatter.model import Floats, Ints
from nxscatter.results import Geometry, Image
from nxscatter.science.geometry import qspace
from nxscatter.science.pixels.pixel_bins import PixelBins


def half_samples(bins: PixelBins, image: Image, label: Ints, geometry: Geometry, number: int, seed: int) -> Floats:
    """Return the mean intensity of every bin in ``number`` half-samples of its measured pixels.

    Within each bin pixels next to each other in q make pairs. A half-sample takes one of each pair twice and the
    other not at all, as chance has it. The scatter of its mean is that of the mean itself (McCarthy 1969), without
    what makes pixels of a ring differ by their place across it. The pixel left over in an odd number keeps its weight,
    and the others' part grows accordingly; a bin of a single pixel tells nothing of scatter and is NaN.

    Parameters
    ----------
    bins : PixelBins
        Pixels of the bins, measured ones first.
    image : Image
        The mean image.
    label : ndarray of int
        Flat number of each pixel's bin.
    geometry : Geometry
        Geometry of the image.
    number, seed : int
        How many, and the seed of chance.

    Returns
    -------
    ndarray (number, row, bin)
    """
    measured = slice(0, bins.measured)
    index, label = bins.index[measured], label[measured]
    order = np.lexsort((qspace.pixels(geometry, index).q, label))
    ordered = label[order]
    # Position within the bin: pairs begin at even ones whose successor is in the same bin.
    place = np.arange(len(ordered)) - np.searchsorted(ordered, ordered)
    first = np.flatnonzero((place[:-1] % 2 == 0) & (ordered[:-1] == ordered[1:]))
    values = np.asarray(image.intensity.reshape(-1)[index[order]], dtype=float)
    difference, pair = values[first] - values[first + 1], ordered[first]

    shape, count = bins.measured_count.shape, bins.measured_count.reshape(-1)
    odd = np.where(count % 2 == 1, count, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.sqrt(np.where(odd > 0, odd / (odd - 1), 1.0)) / count
    scale[count < 2] = np.nan
    mean, _ = bins.mean(image)
    generator = np.random.default_rng(seed)
    found = np.empty((number, *shape))
    for replicate in found:
        sign = generator.integers(0, 2, len(pair), dtype=np.int8) * 2.0 - 1
        replicate[...] = (np.bincount(pair, sign * difference, count.size) * scale).reshape(shape)
    return found + mean

"""Profiles of resampled pixels: what their scatter says of the errors, whatever counting statistics say."""

from __future__ import annotations

import numpy as np

from nxscatter.model import Floats, Ints
from nxscatter.results import Geometry
from nxscatter.science.geometry import qspace
from nxscatter.science.pixels.pixel_bins import Cells


def half_samples(cells: Cells, label: Ints, geometry: Geometry, number: int, seed: int) -> Floats:
    """Return the mean intensity of every cell in ``number`` half-samples of its measured pixels.

    Within each cell pixels next to each other in q make pairs. A half-sample takes one of each pair twice and the
    other not at all, as chance has it. The scatter of its mean is that of the mean itself (McCarthy 1969), without
    what makes pixels of a ring differ by their place across it. The pixel left over in an odd number keeps its weight,
    and the others' part grows accordingly; a cell of a single pixel tells nothing of scatter and is NaN.

    Parameters
    ----------
    cells : Cells
        Pixels of the mean image, measured ones first.
    label : ndarray of int
        Flat number of each one's cell.
    geometry : Geometry
        Geometry of the image.
    number, seed : int
        How many, and the seed of chance.

    Returns
    -------
    ndarray (number, row, bin)
    """
    measured = slice(0, cells.measured)
    index, label = cells.index[measured], label[measured]
    order = np.lexsort((qspace.pixels(geometry, index).q, label))
    cell = label[order]
    # Position within the cell: pairs begin at even ones whose successor is in the same cell.
    place = np.arange(len(cell)) - np.searchsorted(cell, cell)
    first = np.flatnonzero((place[:-1] % 2 == 0) & (cell[:-1] == cell[1:]))
    values = np.asarray(cells.image.intensity.reshape(-1)[index[order]], dtype=float)
    difference, pair = values[first] - values[first + 1], cell[first]

    shape, hits = cells.hits.shape, cells.hits.reshape(-1)
    odd = np.where(hits % 2 == 1, hits, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.sqrt(np.where(odd > 0, odd / (odd - 1), 1.0)) / hits
    scale[hits < 2] = np.nan
    mean, _ = cells.mean()
    generator = np.random.default_rng(seed)
    found = np.empty((number, *shape))
    for replicate in found:
        sign = generator.integers(0, 2, len(pair), dtype=np.int8) * 2.0 - 1
        replicate[...] = (np.bincount(pair, sign * difference, hits.size) * scale).reshape(shape)
    return found + mean

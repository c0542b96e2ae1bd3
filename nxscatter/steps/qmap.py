"""Intensity on a regular grid of reciprocal space, where rings are as round at wide angles as at small ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nxscatter.errors import ParameterError, StepError
from nxscatter.fields import param
from nxscatter.model import Floats, Ints
from nxscatter.results import Geometry, Image, PixelFlag, QMap
from nxscatter.science.geometry import qspace
from nxscatter.step import Step

_MOST_CELLS = 1 << 26  # half a gigabyte in double precision: a slip in `cell` shall not fill the memory
_BLOCK = 1 << 17  # pixels at a time, few enough for the processor's cache


@dataclass(frozen=True)
class QSpaceMap(Step):
    """Mean intensity of the valid pixels in the cells of a grid of q_parr and q_perp.

    ``q_parr`` is the horizontal component of q, and ``q_perp = hypot(qy, qz)`` what lies across it with the sign of
    qz (+ on the side of +rows, in raster orientation 1). Zero is the middle of a cell. At wide angles a wedge about
    ``q_perp = 0`` is empty: no pixel sees it, because qy is not 0 there.

    A pixel is shared by area among the cells that it overlaps, two along either axis; its size is that of a pixel at
    the beam. Nothing is interpolated: a cell that no valid pixel overlaps is NaN.
    """

    name = "qmap"
    version = 1
    cell: float | None = param("1/angstrom", "side of a cell; none: one pixel at the beam", default=None, above=0)
    q_max: float | None = param("1/angstrom", "largest |q_parr| and |q_perp|; none: all", default=None, above=0)

    def __call__(self, image: Image, geometry: Geometry) -> QMap:
        """Return the map.

        Raises
        ------
        ParameterError
            When a cell is smaller than a pixel at the beam, which would leave holes.
        StepError
            When no valid pixel lies within ``q_max``, or the map would have more than 67 million cells.
        """
        geometry = geometry.binned(image.binning)
        side = max(geometry.pixel_size_y, geometry.pixel_size_x)
        pixel = 2 * np.pi / geometry.wavelength * side / geometry.distance
        cell = pixel if self.cell is None else self.cell
        if cell < pixel * (1 - 1e-9):
            raise ParameterError(
                f"{self.name}.cell = {cell:g} is less than a pixel at the beam: give at least {pixel:.3g} 1/angstrom"
            )
        first, last = self._limits(geometry, cell)
        area, total, measured, variance = _sums(image, geometry, cell, min(pixel / cell, 1.0), first, last)
        if not area.any():
            raise StepError(f"{self.name}: no pixel of the map is valid: give a larger q_max or other masks")
        with np.errstate(invalid="ignore"):
            intensity, errors = total / area, np.sqrt(np.maximum(variance, 0)) / measured
        return QMap(
            q_parr=cell * np.arange(first[1], last[1] + 1),
            q_perp=cell * np.arange(first[0], last[0] + 1),
            intensity=intensity,
            intensity_errors=errors,
            pixels=area,
            notes=tuple(dict.fromkeys((*image.notes, *geometry.notes))),
            auto={"cell": cell} if self.cell is None else {},
            units=image.units,
        )

    def _limits(self, geometry: Geometry, cell: float) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the numbers of the first and the last cell along q_perp and q_parr; number 0 is the middle."""
        inside = np.zeros(geometry.shape, dtype=bool)
        inside[1:-1, 1:-1] = True
        reach = float("inf") if self.q_max is None else self.q_max
        first, last = [], []
        for q in _components(geometry, np.flatnonzero(~inside)):
            low, high = max(q.min(), -reach) / cell, min(q.max(), reach) / cell
            first.append(int(np.floor(low + 0.5)))
            last.append(int(np.floor(high + 0.5)))
        sides = [end - start + 1 for start, end in zip(first, last, strict=True)]
        if min(sides) < 1:
            raise StepError(f"{self.name}: no pixel within q_max = {reach:g} 1/angstrom: give a larger one")
        if sides[0] * sides[1] > _MOST_CELLS:
            raise StepError(
                f"{self.name}: the map would have {sides[0]} x {sides[1]} cells: "
                f"give {self.name}.cell above {cell:.3g} 1/angstrom"
            )
        return (first[0], first[1]), (last[0], last[1])


def _components(geometry: Geometry, index: Ints) -> tuple[Floats, Floats]:
    """Return q_perp with the sign of qz, and q_parr, of pixels."""
    where = qspace.pixels(geometry, index)
    return np.copysign(where.q_perp, where.qz), where.qx


def _sums(
    image: Image, geometry: Geometry, cell: float, size: float, first: tuple[int, int], last: tuple[int, int]
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return sums over the pixels of each cell.

    Parameters
    ----------
    size : float
        Side of a pixel in cells, at most 1.
    first, last : tuple of int
        Numbers of the first and the last cell along either axis.

    Returns
    -------
    area, total, measured, variance : ndarray (q_perp, q_parr)
        Area of valid pixels, intensity times area, area of measured pixels, variance of ``total``.
    """
    # One more cell on every side takes what falls beside the map.
    shape = last[0] - first[0] + 3, last[1] - first[1] + 3
    area, total, variance = (np.zeros(shape[0] * shape[1]) for _ in range(3))
    filled = bool(np.any(image.flags & PixelFlag.FILLED))
    measured = np.zeros_like(area) if filled else area
    intensity = image.intensity.reshape(-1)
    for start in range(0, intensity.size, _BLOCK):
        index = start + np.flatnonzero(np.isfinite(intensity[start : start + _BLOCK]))
        corner, down, right = _overlaps(_components(geometry, index), cell, size, first, shape)
        inside = corner >= 0
        index, corner, down, right = index[inside], corner[inside], down[inside], right[inside]
        if not len(index):
            continue
        values, spread = np.asarray(intensity[index], dtype=float), image.variance_at(index)
        known = np.isfinite(spread)
        spread = np.where(known, spread, 0)
        lowest, highest = int(corner.min()), int(corner.max())
        corner -= lowest
        number = highest - lowest + 1
        for step, weights in (
            (0, (1 - down) * (1 - right)),
            (1, (1 - down) * right),
            (shape[1], down * (1 - right)),
            (shape[1] + 1, down * right),
        ):
            here = slice(lowest + step, lowest + step + number)
            area[here] += np.bincount(corner, weights, number)
            total[here] += np.bincount(corner, weights * values, number)
            variance[here] += np.bincount(corner, weights**2 * spread, number)
            if filled:
                measured[here] += np.bincount(corner, weights * known, number)
    cropped = (sums.reshape(shape)[1:-1, 1:-1] for sums in (area, total, measured, variance))
    area, total, measured, variance = cropped
    return area, total, measured, variance


def _overlaps(
    q: tuple[Floats, Floats], cell: float, size: float, first: tuple[int, int], shape: tuple[int, int]
) -> tuple[Ints, Floats, Floats]:
    """Return the flat number of the lowest cell that each pixel overlaps, and its share in the next along each axis.

    The number is -1 for a pixel that reaches beyond ``shape``.
    """
    lowest, shares = [], []
    inside = np.ones(q[0].shape, dtype=bool)
    for component, start, length in zip(q, first, shape, strict=True):
        place = component / cell - (start - 1) + 0.5  # in cells, 0 = beginning of the first
        low = np.floor(place - size / 2)
        shares.append(np.clip((place + size / 2 - low - 1) / size, 0, 1))
        inside &= (low >= 0) & (low < length - 1)
        lowest.append(low)
    number = np.where(inside, lowest[0] * shape[1] + lowest[1], -1).astype(np.int64)
    return number, shares[0], shares[1]

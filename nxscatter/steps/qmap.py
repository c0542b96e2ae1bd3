"""Intensity on a regular grid of reciprocal space, where rings are round at any angle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nxscatter import qspace
from nxscatter.errors import ParameterError, StepError
from nxscatter.model import Array, Floats, Ints, param
from nxscatter.radial import pixel_size
from nxscatter.results import Geometry, Image, QMap
from nxscatter.step import Step

_MOST_CELLS = 1 << 26


@dataclass(frozen=True)
class QSpaceMap(Step):
    """Mean intensity of the valid pixels in the cells of a grid of q_parr and q_perp.

    ``q_parr`` is the horizontal component of q and ``q_perp = hypot(qy, qz)`` what lies across it, with the sign of
    qz: positive above the beam (along +rows in raster orientation 1). What a flat image shows on a straight line through the beam is curved in q:
    around ``q_perp = 0`` a region stays empty, which an incident beam across the director cannot reach.

    A pixel is shared among the (up to four) cells that it overlaps, by area; its size is that of a pixel at the
    beam, at most that of a cell. Nothing is interpolated: a cell that no valid pixel overlaps is NaN.
    """

    name = "qmap"
    version = 1
    cell: float | None = param("1/angstrom", "side of a cell; none: one pixel at the beam", default=None, above=0)
    q_max: float | None = param("1/angstrom", "largest |q_parr| and |q_perp|; none: all", default=None, above=0)

    def __call__(self, image: Image, geometry: Geometry) -> QMap:
        ...

"""Caving: pixels without data filled from their partners across the beam."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import floor

import numpy as np

from nxscatter.fields import param
from nxscatter.model import Ints
from nxscatter.results import Geometry, Image, PixelFlag
from nxscatter.results.stages import Pixels
from nxscatter.science.geometry import qspace
from nxscatter.science.pixels.stage_links import CavedStage, partner
from nxscatter.steps.framewise import ImageStep

_LARGEST_TILT = 1.0  # degrees


@dataclass(frozen=True)
class Caving(ImageStep):
    """Fill invalid pixels by the point symmetry of scattering about the direct beam.

    The partner of row r is ``k - r`` with ``k = floor(2*center - 0.5)`` for every row, and likewise for columns,
    so that each pixel is its partner's partner. Whatever can be filled is filled in one pass. Filled pixels are
    flagged FILLED in place of the reason they were invalid for, and their variance is NaN; all others keep their
    value to the last bit.
    """

    name = "caving"
    version = 2

    def pixels(self, image: Pixels, geometry: Geometry) -> Pixels:
        """Return the pixels, of which those that can be filled are."""
        return image if self._is_tilted(geometry) else self._filled(image, geometry)[0]

    def __call__(self, image: Image, geometry: Geometry) -> Image:
        """Return the filled image; the image itself, with a note, on a detector tilted by more than 1 degree.

        There partners no longer see the same q, and gaps stay gaps.
        """
        if self._is_tilted(geometry):
            tilt = qspace.tilt(geometry)
            note = (
                f"caving: no pixel is filled, a detector tilted by {tilt:.2f} degrees sees no point-symmetric pattern"
            )
            return replace(image, notes=(*image.notes, note), auto={})
        pixels, holes, partners = self._filled(image.pixels, geometry)
        intensity = image.intensity.copy()
        intensity.reshape(-1)[holes] = image.intensity.reshape(-1)[partners]
        return replace(image, intensity=intensity, flags=pixels.flags, auto={}, stage=pixels.stage)

    def _is_tilted(self, geometry: Geometry) -> bool:
        return qspace.tilt(geometry) > _LARGEST_TILT

    def _filled(self, pixels: Pixels, geometry: Geometry) -> tuple[Pixels, Ints, Ints]:
        """Return the pixels with the holes filled, and flat indices of these and of their partners."""
        beam_y, beam_x = qspace.direct_beam(geometry.binned(pixels.binning))
        sums = floor(2 * beam_y - 0.5), floor(2 * beam_x - 0.5)

        rows, columns = pixels.flags.shape
        valid = pixels.valid.reshape(-1)
        holes = np.flatnonzero(~valid)
        row, column = np.divmod(holes, columns)
        inside = (sums[0] - rows < row) & (row <= sums[0]) & (sums[1] - columns < column) & (column <= sums[1])
        holes = holes[inside]
        partners = partner(holes, columns, sums)
        holes, partners = holes[valid[partners]], partners[valid[partners]]

        flags = pixels.flags.copy()
        flags.reshape(-1)[holes] = int(PixelFlag.FILLED)
        filled = np.zeros(flags.shape, dtype=bool)
        filled.reshape(-1)[holes] = True
        stage = None if pixels.stage is None else CavedStage(pixels.stage, filled, sums)
        return replace(pixels, flags=flags, stage=stage), holes, partners


@dataclass(frozen=True)
class CavingVersion1(Caving):
    """Caving with a parameter that changes nothing: replays the records that were made so."""

    name = "caving"
    version = 1
    max_iter: int = param("", "largest number of passes, of which one is enough", default=10, minimum=1)

"""Caving: pixels without data filled from their partners across the beam."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import floor

import numpy as np

from nxscatter.fields import param
from nxscatter.results import Geometry, Image, PixelFlag
from nxscatter.science.geometry import qspace
from nxscatter.science.pixels.stage_links import CavedStage, partner
from nxscatter.step import Step

_LARGEST_TILT = 1.0  # degrees


@dataclass(frozen=True)
class Caving(Step):
    """Fill invalid pixels by the point symmetry of scattering about the direct beam.

    The partner of row r is ``k - r`` with ``k = floor(2*center - 0.5)`` for every row, and likewise for columns,
    so that each pixel is its partner's partner. Whatever can be filled is filled in one pass. Filled pixels are
    flagged FILLED in place of the reason they were invalid for, and their variance is NaN; all others keep their
    value to the last bit.
    """

    name = "caving"
    version = 1
    max_iter: int = param("", "accepted for old recipes; one pass fills all that can be filled", default=10, minimum=1)

    def __call__(self, image: Image, geometry: Geometry) -> Image:
        """Return the filled image; the image itself, with a note, on a detector tilted by more than 1 degree.

        There partners no longer see the same q, and gaps stay gaps.
        """
        tilt = qspace.tilt(geometry)
        if tilt > _LARGEST_TILT:
            note = (
                f"caving: no pixel is filled, a detector tilted by {tilt:.2f} degrees sees no point-symmetric pattern"
            )
            return replace(image, notes=(*image.notes, note), auto={})
        beam_y, beam_x = qspace.direct_beam(geometry.binned(image.binning))
        sums = floor(2 * beam_y - 0.5), floor(2 * beam_x - 0.5)

        rows, columns = image.intensity.shape
        valid = np.isfinite(image.intensity).reshape(-1)
        holes = np.flatnonzero(~valid)
        row, column = np.divmod(holes, columns)
        inside = (sums[0] - rows < row) & (row <= sums[0]) & (sums[1] - columns < column) & (column <= sums[1])
        holes = holes[inside]
        holes = holes[valid[partner(holes, columns, sums)]]

        intensity, flags = image.intensity.copy(), image.flags.copy()
        intensity.reshape(-1)[holes] = image.intensity.reshape(-1)[partner(holes, columns, sums)]
        flags.reshape(-1)[holes] = int(PixelFlag.FILLED)
        filled = np.zeros(intensity.shape, dtype=bool)
        filled.reshape(-1)[holes] = True
        return replace(
            image,
            intensity=intensity,
            flags=flags,
            auto={},
            stage=None if image.stage is None else CavedStage(image.stage, filled, sums),
        )

"""Every pixel of a ring against its angle, without bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nxscatter.errors import StepError
from nxscatter.fields import param
from nxscatter.model import Attachment
from nxscatter.results import Geometry, Image, PixelProfiles, Rings
from nxscatter.science.pixels.ring_choice import choose_rings
from nxscatter.step import Step


@dataclass(frozen=True)
class AzimuthalPixels(Step):
    """One pair of angle and intensity for each pixel of a ring, sorted by angle; NaN where a pixel is invalid."""

    name = "azimuthal_pixels"
    version = 1
    takes_rings = True
    q: tuple[float, ...] = param("1/angstrom", "ring centres; none: the rings that were found", default=(), above=0)
    tolerance: float = param("", "half-width of a ring, relative to q", default=0.02, above=0, maximum=0.5)
    angle: str = param("", "angle to the q_parr axis, or azimuth", default="beta", choices=("chi", "beta"))
    hkl: tuple[str, ...] = param("", "reflection of each ring, as a label", default=())
    cif: Attachment | None = param("", "crystal structure that gave q", default=None)

    def __call__(self, image: Image, geometry: Geometry, rings: Rings | None = None) -> PixelProfiles:
        """Return the pixels of the mean image.

        Raises
        ------
        StepError
            When there is no ring, or one lies outside the detector.
        """
        chosen = choose_rings(
            self.name,
            geometry.binned(image.binning),
            q=self.q,
            hkl=self.hkl,
            tolerance=self.tolerance,
            angle=self.angle,
            rings=rings,
        )
        if chosen.missing:
            raise StepError(chosen.missing[0])
        orders = [np.argsort(angle, kind="stable") for angle in chosen.angle]
        index = np.concatenate([pixels[order] for pixels, order in zip(chosen.index, orders, strict=True)])
        row, column = np.divmod(index, image.intensity.shape[1])
        return PixelProfiles(
            angle=self.angle,
            q=chosen.q,
            q_width=chosen.q_width,
            hkl=chosen.hkl,
            first=np.cumsum([0, *map(len, orders[:-1])]),
            pixel_angle=np.concatenate([angle[order] for angle, order in zip(chosen.angle, orders, strict=True)]),
            intensity=np.asarray(image.intensity.reshape(-1)[index], dtype=float),
            row=row,
            column=column,
            notes=tuple(dict.fromkeys((*image.notes, *geometry.notes, *(rings.notes if rings else ())))),
            auto=chosen.auto,
            units=image.units,
        )

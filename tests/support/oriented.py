"""Frames of one ring of oriented rods on a small detector, for tests of what can be wrong with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nxscatter.model import Floats
from nxscatter.results import Geometry, Image
from nxscatter.science.geometry import qspace
from nxscatter.simulate import Camera, Pattern, Ring

GEOMETRY = Geometry(
    wavelength=1.0,
    distance=3.0,
    pixel_size_y=400e-6,
    pixel_size_x=400e-6,
    center_y=118.3,
    center_x=91.7,
    rows=220,
    columns=200,
)
Q = 0.05  # 1/angstrom, 60 pixels from the centre


def moved(geometry: Geometry, distance: float, direction: float) -> Geometry:
    """Return a geometry whose centre is off by so many pixels, towards so many degrees."""
    angle = np.radians(direction)
    return replace(
        geometry,
        center_y=geometry.center_y + distance * np.sin(angle),
        center_x=geometry.center_x + distance * np.cos(angle),
    )


def turned_by(geometry: Geometry, axis: str, angle: float) -> Geometry:
    """Return a geometry with its detector turned by so many degrees (``rot1`` or ``rot2``), the beam where it was."""
    turned = replace(geometry, **{axis: angle})  # type: ignore[arg-type]
    beam_y, beam_x = qspace.direct_beam(turned)
    return replace(
        turned,
        center_y=turned.center_y + geometry.center_y - beam_y,
        center_x=turned.center_x + geometry.center_x - beam_x,
    )


def expose(
    kappa: float,
    *,
    director: float = 30.0,
    height: float = 200.0,
    width: float = 0.006,
    flat: float = 2.0,
    geometry: Geometry = GEOMETRY,
    seed: int = 0,
) -> Floats:
    """Return counts of one frame, (rows, columns): a Maier-Saupe distribution of ``kappa``, isotropic for 0."""
    shape = {"model": "maier_saupe", "director": director, "kappa": kappa} if kappa else {"model": "isotropic"}
    ring = Ring(q=Q, height=height, width=width, **shape)  # type: ignore[arg-type]
    (counts,) = Camera("detector", geometry, dtype="int32", dummy=-1).expose((Pattern((ring,), flat=flat),), 1.0, seed)
    found: Floats = counts.astype(float)
    found[found < 0] = np.nan
    return found


def image_of(counts: Floats) -> Image:
    """Return an image whose NaN are masked."""
    return Image(intensity=counts, flags=np.where(np.isfinite(counts), 0, 1).astype(np.uint16))

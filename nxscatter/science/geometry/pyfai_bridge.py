"""The same geometry in pyFAI's terms: images turned to raster orientation 1, and pyFAI's integrator for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from nxscatter.model import RASTER_AXES, Array
from nxscatter.results import Geometry


def upright(geometry: Geometry) -> Geometry:
    """Return the geometry of the image that `turn` brings to raster orientation 1."""
    columns_axis, rows_axis = RASTER_AXES[geometry.orientation]
    x = geometry.center_x if columns_axis > 0 else geometry.columns - geometry.center_x
    y = geometry.center_y if rows_axis > 0 else geometry.rows - geometry.center_y
    flipped = replace(geometry, center_x=x, center_y=y, orientation=1)
    if abs(columns_axis) == 1:
        return flipped
    return replace(
        flipped,
        rows=geometry.columns,
        columns=geometry.rows,
        center_y=x,
        center_x=y,
        pixel_size_y=geometry.pixel_size_x,
        pixel_size_x=geometry.pixel_size_y,
    )


def turn(image: Array, orientation: int) -> Array:
    """Return an image stored in ``orientation`` as it looks in raster orientation 1 (a view)."""
    columns_axis, rows_axis = RASTER_AXES[orientation]
    flipped = image[:: np.sign(rows_axis), :: np.sign(columns_axis)]
    return flipped if abs(columns_axis) == 1 else flipped.T


def integrator(geometry: Geometry) -> Any:
    """Return pyFAI's azimuthal integrator for images that `turn` brought to raster orientation 1.

    pyFAI knows four of the eight orientations, and its versions differ in what they do with them.
    """
    from pyFAI.detectors import Detector
    from pyFAI.integrator.azimuthal import AzimuthalIntegrator

    stands = upright(geometry)
    detector = Detector(stands.pixel_size_y, stands.pixel_size_x, max_shape=stands.shape, orientation=3)
    return AzimuthalIntegrator(
        dist=stands.distance,
        poni1=stands.center_y * stands.pixel_size_y,
        poni2=stands.center_x * stands.pixel_size_x,
        rot1=np.radians(stands.rot1),
        rot2=np.radians(stands.rot2),
        rot3=np.radians(stands.rot3),
        detector=detector,
        wavelength=stands.wavelength * 1e-10,
    )

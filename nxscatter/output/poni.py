"""The geometry in use as a PONI file, which pyFAI and the programs that build on it read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nxscatter.errors import ContainerError
from nxscatter.model import RASTER_AXES, image_frame, rotation_angles, rotation_matrix
from nxscatter.output.files import write_file
from nxscatter.output.names import safe_name
from nxscatter.results import Geometry
from nxscatter.steps.geometry import DetectorGeometry
from nxscatter.store.selection import of_kind
from nxscatter.version import __version__

if TYPE_CHECKING:
    from nxscatter.store.container import Container

_PYFAI = {1: 3, 2: 4, 3: 2, 4: 1}  # its orientations, of the raster orientations that it knows
_IMAGE_AXES = 1  # raster orientation in which columns and rows run along the axes themselves


def extract_poni(container: Container, folder: str | Path) -> Path:
    """Write the geometry in use as a PONI file named after the raw file.

    It is that of the newest record of a geometry, refined or set; without one, that of the header.

    Raises
    ------
    ContainerError
        When a file of that name is there already, or cannot be written.
    StepError
        When there is no record and the header does not tell the whole geometry.
    """
    path = Path(folder).expanduser() / f"{safe_name(Path(container.origin.file_name).stem)}.poni"
    if path.exists():
        raise ContainerError(f"{path}: is there already; extract into another folder")
    records = of_kind(container.records, Geometry)
    if records:
        geometry, origin = records[-1].load(), f"record {records[-1].name}"
    else:
        geometry, origin = DetectorGeometry()(container.beam, container.detector), "the header"
    assert isinstance(geometry, Geometry)
    about = f"Geometry of {container.origin.file_name}: {origin}, written by nxscatter {__version__}"
    return write_file(path, poni_text(geometry, about).encode())


def poni_text(geometry: Geometry, about: str) -> str:
    """Return a PONI file of version 2.1, with ``about`` as a comment.

    pyFAI knows no orientation in which rows and columns change places; for one of these the axes are those of the
    image, so that pyFAI's azimuth counts from its columns.
    """
    orientation, lines = geometry.orientation, [about]
    angles = (geometry.rot1, geometry.rot2, geometry.rot3)
    if orientation not in _PYFAI:
        lines.append(f"Raster orientation {orientation}: the azimuth of pyFAI counts from the columns of the image")
        angles = rotation_angles(image_frame(rotation_matrix(*angles), orientation))
        orientation = _IMAGE_AXES
    columns, rows = RASTER_AXES[orientation]
    y = geometry.rows - geometry.center_y if rows < 0 else geometry.center_y
    x = geometry.columns - geometry.center_x if columns < 0 else geometry.center_x
    config = {
        "pixel1": float(geometry.pixel_size_y),
        "pixel2": float(geometry.pixel_size_x),
        "max_shape": [int(geometry.rows), int(geometry.columns)],
        "orientation": _PYFAI[orientation],
    }
    values = {
        "Distance": geometry.distance,
        "Poni1": y * geometry.pixel_size_y,
        "Poni2": x * geometry.pixel_size_x,
        **{f"Rot{axis}": angle for axis, angle in enumerate(np.radians(angles), 1)},
        "Wavelength": geometry.wavelength * 1e-10,
    }
    return "\n".join(
        [
            "# Nota: C-Order, 1 refers to the Y axis, 2 to the X axis",
            *(f"# {' '.join(line.split())}" for line in lines),
            "poni_version: 2.1",
            "Detector: Detector",
            f"Detector_config: {json.dumps(config)}",
            *(f"{key}: {float(value)!r}" for key, value in values.items()),
            "",
        ]
    )

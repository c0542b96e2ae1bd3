"""NXsas files as other programs write them: frames with what is told of the detector's place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nxscatter.model import Scan
from nxscatter.results import Geometry
from nxscatter.steps.geometry import DetectorGeometry

SIZE = 3e-4
COUNTS = np.arange(1, 301 * 201, 1).reshape(-1)[: 300 * 200].reshape(300, 200).astype("int32")
DETECTOR: dict[str, tuple[Any, str]] = {
    "distance": (0.2, "m"),
    "x_pixel_size": (SIZE, "m"),
    "y_pixel_size": (SIZE, "m"),
    "beam_center_x": (90.5, "pixel"),
    "beam_center_y": (160.25, "pixel"),
}


def write_nxsas(path: Path, fields: dict[str, tuple[Any, str]] | None = None, counts: Any = COUNTS) -> Path:
    """Write a file; ``fields`` of the detector replace those of ``DETECTOR``, a value of None leaves one out."""
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry.attrs["NX_class"] = "NXentry"
        entry["definition"], entry["title"] = "NXsas", "rods_100mT"
        instrument = group(entry, "instrument", "NXinstrument")
        detector = group(instrument, "detector", "NXdetector")
        detector["data"] = counts
        put(group(instrument, "monochromator", "NXmonochromator"), "wavelength", 1.0, "angstrom")
        for name, (value, units) in (DETECTOR | (fields or {})).items():
            if value is not None:
                put(detector, name, value, units)
    return path


def group(parent: h5py.Group, name: str, nx_class: str) -> h5py.Group:
    made = parent.create_group(name)
    made.attrs["NX_class"] = nx_class
    return made


def put(parent: h5py.Group, name: str, value: Any, units: str, **attributes: Any) -> None:
    parent[name] = value
    if units:
        parent[name].attrs["units"] = units
    parent[name].attrs.update(attributes)


def add_chain(path: Path, *axes: tuple[str, float, str, Any, Any], start: str = "") -> Path:
    """Add axes (type, value, units, vector, offset in m), of which each depends on the next, the detector on the first.

    ``start`` is what the detector's depends_on says in place of the first axis' path.
    """
    with h5py.File(path, "a") as file:
        detector = file["entry/instrument/detector"]
        home = group(detector, "transformations", "NXtransformations")
        for number, (kind, value, units, vector, offset) in enumerate(axes):
            following = f"axis_{number + 1}" if number + 1 < len(axes) else "."
            attributes = {"transformation_type": kind, "vector": np.array(vector, float), "depends_on": following}
            if offset is not None:
                attributes |= {"offset": np.array(offset, float), "offset_units": "m"}
            put(home, f"axis_{number}", value, units, **attributes)
        detector["depends_on"] = start or "transformations/axis_0"
    return path


def geometry(scan: Scan) -> Geometry:
    return DetectorGeometry()(scan.beam, scan.detector)

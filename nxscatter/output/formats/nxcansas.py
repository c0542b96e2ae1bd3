"""NXcanSAS 1.1 files: each image and each curve I(q) in one of its own, with its history of records."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscatter.output.files import writing
from nxscatter.output.formats.few_counts import STATEMENT
from nxscatter.output.formats.q_images import QImage, image_suffix, placed_images, q_image
from nxscatter.output.formats.radial_curves import Curve, radial_curves
from nxscatter.output.names import Names
from nxscatter.plain import canonical_json
from nxscatter.results import Geometry
from nxscatter.science.geometry import qspace
from nxscatter.store.nexus.transaction import hdf5_file
from nxscatter.store.selection import of_kind

if TYPE_CHECKING:
    import h5py

    from nxscatter.store.container import Container
    from nxscatter.store.record import Record

FOLDER = Path("NXcanSAS")
_UNITS = ("1/m", "1/cm", "m2/g", "cm2/g")  # that the standard knows for an intensity


def export(container: Container, folder: Path, records: Sequence[Record]) -> list[Path]:
    """Write the last images, radial profiles and sectors as ``.h5`` files."""
    names = Names.of(container)
    written = []
    for record, image, geometry in placed_images(container, records):
        path = folder / FOLDER / f"{names.shot}{image_suffix(record)}.h5"
        with writing(path) as temporary:
            _write_file(temporary, container, names, record, image.units, q_image(image, geometry))
        written.append(path)
    for curve in radial_curves(names, records):
        path = folder / FOLDER / curve.file.with_suffix(".h5").name
        with writing(path) as temporary:
            _write_file(temporary, container, names, curve.record, curve.units, curve)
        written.append(path)
    return written


def _write_file(
    path: Path, container: Container, names: Names, record: Record, units: str, content: QImage | Curve
) -> None:
    with hdf5_file(path) as file:
        file.attrs.update(NX_class="NXroot", default="entry")
        entry = _group(file, "entry", "NXentry", "SASentry", version="1.1", default="data")
        entry["definition"] = "NXcanSAS"
        label = f", {content.label}" if isinstance(content, Curve) else ""
        entry["title"] = f"{container.title}{label}"
        entry["run"] = names.image
        _write_data(entry, units, content)
        _write_instrument(entry, container, record)
        sample = container.sample
        group = _group(entry, "sample", "NXsample", "SASsample")
        group["name"] = sample.name
        if np.isfinite(sample.magnetic_field):
            group["details"] = f"magnetic field {sample.magnetic_field:g} mT"
        for number, step in enumerate((*record.ancestors, record), 1):
            _write_process(entry, f"process_{number:02d}", step)


def _write_data(entry: h5py.Group, units: str, content: QImage | Curve) -> None:
    """Write intensity, errors and mask; an image has no ``axes``, which would be a matrix each."""
    axes: dict[str, Any] = {"I_axes": "Q", "Q_indices": 0, "mask_indices": 0, "axes": ["Q"]}
    if isinstance(content, QImage):
        axes = {"I_axes": "Q,Q", "Q_indices": [0, 1], "mask_indices": [0, 1]}
    data = _group(entry, "data", "NXdata", "SASdata", signal="I", mask="mask", **axes)
    data["Q"] = content.q if isinstance(content, Curve) else np.stack([content.qx, content.qz])
    data["Q"].attrs["units"] = "1/angstrom"
    for name, values in (("I", content.intensity), ("I_errors", content.errors)):
        data[name] = np.ascontiguousarray(values)
        data[name].attrs["units"] = units if units in _UNITS else "arbitrary"
        data[name].attrs["long_name"] = f"{'intensity' if name == 'I' else 'standard error'} ({units})"
    data["I_errors"].attrs["long_name"] = f"standard error ({units}); {STATEMENT}"
    data["I"].attrs["uncertainties"] = "I_errors"
    missing = ~(np.isfinite(content.intensity) & np.isfinite(content.errors))
    data["mask"] = missing.astype(np.uint8)  # 1 where there is no measurement


def _write_instrument(entry: h5py.Group, container: Container, record: Record) -> None:
    instrument = _group(entry, "instrument", "NXinstrument", "SASinstrument")
    instrument["name"] = container.instrument
    source = _group(instrument, "source", "NXsource", "SASsource")
    source["probe"] = "x-ray"
    geometries = of_kind(record.ancestors, Geometry)
    if not geometries:
        return
    geometry = geometries[-1].load_as(Geometry)
    _length(source, "incident_wavelength", geometry.wavelength, "angstrom")
    detector = _group(instrument, "detector", "NXdetector", "SASdetector")
    detector["name"] = container.detector.name
    beam_y, beam_x = qspace.direct_beam(geometry) if qspace.tilt(geometry) else (geometry.center_y, geometry.center_x)
    lengths = {
        "SDD": geometry.distance / np.cos(np.radians(qspace.tilt(geometry))),
        "x_pixel_size": geometry.pixel_size_x,
        "y_pixel_size": geometry.pixel_size_y,
        "beam_center_x": beam_x * geometry.pixel_size_x,
        "beam_center_y": beam_y * geometry.pixel_size_y,
    }
    for name, value in lengths.items():
        _length(detector, name, value, "m")


def _write_process(entry: h5py.Group, name: str, record: Record) -> None:
    """Write one record of the history, its parameters as terms."""
    group = _group(entry, name, "NXprocess", "SASprocess")
    group["name"] = record.name
    group["date"] = record.date
    group["description"] = f"{record.step} version {record.step_version}, nxscatter {record.program_version}"
    terms = [f"{key} = {canonical_json(value)}" for key, value in record.parameters.items()]
    terms += [f"{key} = {canonical_json(value)}, chosen automatically" for key, value in record.auto.items()]
    for number, term in enumerate([*terms, f"sha256 of the record = {record.checksum}"], 1):
        group[f"term{number}"] = term


def _length(group: h5py.Group, name: str, value: float, units: str) -> None:
    group[name] = float(value)
    group[name].attrs["units"] = units


def _group(parent: h5py.Group, name: str, nexus: str, cansas: str, **attributes: Any) -> h5py.Group:
    group = parent.create_group(name)
    group.attrs.update(NX_class=nexus, canSAS_class=cansas, **attributes)
    return group

"""NumPy files of images in q space."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from nxscatter.output.export import export
from nxscatter.results import Geometry, Image, QMap
from nxscatter.science.geometry import qspace
from nxscatter.store.container import Container


def test_files_hold_the_images_and_maps_of_the_container(exportable_file: Path, tmp_path: Path) -> None:
    box = Container(exportable_file)
    written = {path.name: path for path in export(box, tmp_path, ["npz"])}
    assert set(written) == {"SAXS_rods_1000mT_Img00376.npz", "SAXS_rods_1000mT_Img00376_qmap.npz"}
    assert {path.parent for path in written.values()} == {tmp_path / "png_images"}

    image, geometry, grid = (box.latest(name).load() for name in ("caving", "geometry", "qmap"))
    assert isinstance(image, Image)
    assert isinstance(geometry, Geometry)
    assert isinstance(grid, QMap)
    with np.load(written["SAXS_rods_1000mT_Img00376.npz"], allow_pickle=False) as found:
        assert set(found.files) == {"Qx", "QZ", "Z"}
        np.testing.assert_array_equal(found["Z"], image.intensity)
        assert found["Z"].dtype == image.intensity.dtype
        np.testing.assert_array_equal(np.hypot(found["Qx"], found["QZ"]) > 0.05, _horizontal(geometry) > 0.05)
    with np.load(written["SAXS_rods_1000mT_Img00376_qmap.npz"], allow_pickle=False) as found:
        np.testing.assert_array_equal(found["Qx"], grid.q_parr)
        np.testing.assert_array_equal(found["QZ"], grid.q_perp)
        np.testing.assert_array_equal(found["Z"], grid.intensity)


def _horizontal(geometry: Geometry) -> np.ndarray:
    """Part of q across the beam: q cos(theta)."""
    q = qspace.q_map(geometry)
    return np.asarray(q * np.cos(np.arcsin(q * geometry.wavelength / (4 * np.pi))))


def test_nothing_in_a_file_tells_when_it_was_written(exportable_file: Path, tmp_path: Path) -> None:
    one, other = (export(Container(exportable_file), tmp_path / name, ["npz"]) for name in ("a", "b"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]
    with zipfile.ZipFile(one[0]) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}

"""NXcanSAS files: what SasView's loader makes of them, what validators say, and the history inside."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from nxscatter.output.export import export
from nxscatter.results import Sectors
from nxscatter.store.container import Container
from support.sasdata_case import loaded, measured, stored_image

IMAGE, SECTOR = "rods_1000mT_Img00376.h5", "rods_1000mT_sector02_Img00376.h5"


@pytest.fixture(scope="module")
def exported(exportable_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    written = export(Container(exportable_file), tmp_path_factory.mktemp("nxcansas"), ["nxcansas"])
    return {path.name: path for path in written}


def test_one_file_an_image_and_one_a_curve(exported: dict[str, Path]) -> None:
    curves = ("full", "sector01", "sector02")
    assert set(exported) == {IMAGE, *(f"rods_1000mT_{one}_Img00376.h5" for one in curves)}
    assert {path.parent.name for path in exported.values()} == {"NXcanSAS"}


def test_an_image_is_loaded_as_two_dimensional_data(exported: dict[str, Path], exportable_file: Path) -> None:
    data, image = loaded(exported[IMAGE]), stored_image(Container(exportable_file))
    kept = measured(image)
    assert type(data).__name__ == "Data2D"
    assert (data.Q_unit, data.mask.all()) == ("A^{-1}", True)
    np.testing.assert_array_equal(data.data, image.intensity[kept])
    np.testing.assert_array_equal(data.err_data, image.errors[kept])
    # the loader multiplies q by a factor of 1
    np.testing.assert_allclose(data.qx_data, image.qx[kept], rtol=3e-16)
    np.testing.assert_allclose(data.qy_data, image.qz[kept], rtol=3e-16)


def test_what_is_no_measurement_is_masked(exported: dict[str, Path], exportable_file: Path) -> None:
    image = stored_image(Container(exportable_file))
    with h5py.File(exported[IMAGE]) as file:
        np.testing.assert_array_equal(file["entry/data/mask"][()] == 0, measured(image))
        np.testing.assert_array_equal(file["entry/data/I"][()], image.intensity)


def test_a_curve_is_loaded_with_units_and_errors(exported: dict[str, Path], exportable_file: Path) -> None:
    data, sectors = loaded(exported[SECTOR]), Container(exportable_file).latest("radial_sectors").load()
    assert isinstance(sectors, Sectors)
    kept = np.isfinite(sectors.intensity[1]) & np.isfinite(sectors.intensity_errors[1])
    assert type(data).__name__ == "Data1D"
    assert (data.x_unit, data.y_unit) == ("A^{-1}", "arbitrary")  # the standard knows no counts
    np.testing.assert_allclose(data.x, sectors.q[kept], rtol=3e-16)
    np.testing.assert_array_equal(data.y, sectors.intensity[1][kept])
    np.testing.assert_array_equal(data.dy, sectors.intensity_errors[1][kept])
    with h5py.File(exported[SECTOR]) as file:
        assert file["entry/data/I"].attrs["long_name"] == "intensity (counts)"


def test_the_loader_finds_sample_instrument_and_history(exported: dict[str, Path], exportable_file: Path) -> None:
    data, box = loaded(exported[SECTOR]), Container(exportable_file)
    assert (data.title, data.run) == ("rods_1000mT, chi = 90 ± 5 degrees", ["00376"])
    assert (data.sample.name, data.sample.details) == ("rods", ["magnetic field 1000 mT"])
    assert (data.instrument, data.source.wavelength) == ("ID02", box.beam.wavelength)
    (detector,) = data.detector
    assert (detector.distance, detector.distance_unit) == (box.detector.distance, "m")
    assert [step.name for step in data.process] == ["geometry_v1", "masking_v1", "caving_v1", "radial_sectors_v1"]
    sectors = data.process[-1]
    assert sectors.date == box.latest("radial_sectors").date
    assert "width = 10.0" in sectors.term
    assert f"sha256 of the record = {box.latest('radial_sectors').checksum}" in sectors.term


def test_validators_accept_a_curve(exported: dict[str, Path], capfd: pytest.CaptureFixture[str]) -> None:
    from nexusformat.nexus.validate import validate_application
    from pynxtools.dataconverter.validation import validate_hdf_group_against

    path = exported[SECTOR]
    assert validate_application(str(path), application="NXcanSAS") == (0, 0)
    with h5py.File(path) as file:
        assert validate_hdf_group_against("NXcanSAS", file["entry"], str(path))


def test_nexusformat_accepts_an_image(exported: dict[str, Path], capfd: pytest.CaptureFixture[str]) -> None:
    from nexusformat.nexus.validate import validate_application

    assert validate_application(str(exported[IMAGE]), application="NXcanSAS") == (0, 0)


def test_the_same_records_give_the_same_bytes(exported: dict[str, Path], exportable_file: Path, tmp_path: Path) -> None:
    again = export(Container(exportable_file), tmp_path, ["nxcansas"])
    assert [path.read_bytes() for path in again] == [exported[path.name].read_bytes() for path in again]
    with h5py.File(again[0]) as file:
        assert h5py.h5g.get_objinfo(file["entry/data/I"].id).mtime == 0

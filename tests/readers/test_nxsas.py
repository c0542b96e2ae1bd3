"""Generic NXsas files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from nxscatter.errors import ReadError
from nxscatter.model import Hdf5Frames, Scan
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.registry import read_scan
from nxscatter.science.geometry import qspace
from nxscatter.steps.geometry import DetectorGeometry

COUNTS = np.arange(60, dtype="int32").reshape(2, 6, 5)
LENGTHS: dict[str, tuple[float, str]] = {
    "distance": (1500.0, "mm"),
    "x_pixel_size": (75.0, "um"),
    "y_pixel_size": (0.15, "mm"),
    "beam_center_x": (0.75, "mm"),
    "beam_center_y": (3.5, "pixels"),
}


def write(path: Path, lengths: dict[str, tuple[float, str]] = LENGTHS, wavelength: Any = (0.1, "nm")) -> Path:
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry1")
        entry.attrs["NX_class"], entry["definition"] = "NXentry", [b"NXsas"]
        entry["title"] = "Co12_-100mT"
        instrument = entry.create_group("saxs")
        instrument.attrs["NX_class"] = "NXinstrument"
        detector, monochromator = instrument.create_group("pilatus"), instrument.create_group("mono")
        detector.attrs["NX_class"], monochromator.attrs["NX_class"] = "NXdetector", "NXmonochromator"
        detector["data"] = COUNTS
        for name, (value, unit) in lengths.items():
            detector[name] = [value]
            if unit:
                detector[name].attrs["units"] = unit
        monochromator["wavelength"] = wavelength[0]
        if wavelength[1]:
            monochromator["wavelength"].attrs["units"] = wavelength[1]
    return path


def test_units_are_converted(tmp_path: Path) -> None:
    scan = read_scan(write(tmp_path / "a.h5"))
    found = scan.detector
    assert (found.distance, found.pixel_size_x, found.pixel_size_y, scan.beam.wavelength) == (1.5, 7.5e-5, 1.5e-4, 1.0)
    assert (found.center_x, found.center_y) == pytest.approx((10.0, 3.5))
    assert (scan.sample.name, scan.sample.magnetic_field, found.name) == ("Co12", -100.0, "pilatus")
    assert isinstance(scan.frames, Hdf5Frames)
    assert scan.frames.shape == (2, 6, 5)


def without(*names: str) -> dict[str, tuple[float, str]]:
    return {name: (value, "" if name in names else unit) for name, (value, unit) in LENGTHS.items()}


@pytest.mark.parametrize("name", LENGTHS)
def test_a_length_without_units_is_asked_for(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a.h5", without(name))
    value = f"{LENGTHS[name][0]:g}"
    with pytest.raises(ReadError, match=rf"^a\.h5: dataset {name} = {value} has no units; supply it with --units$"):
        read_scan(path)
    unit = LENGTHS[name][1]
    for option in (f"{name}={unit}", unit):
        scan = read_scan(path, options=ReadOptions(units=option))
        assert scan.detector == read_scan(write(tmp_path / "b.h5")).detector


def test_one_unit_for_all_lengths_is_not_the_wavelength_s(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", wavelength=(1.0, ""))
    with pytest.raises(ReadError, match=r"dataset wavelength = 1 has no units; supply it with --units"):
        read_scan(path, options=ReadOptions(units="mm"))
    assert read_scan(path, options=ReadOptions(units="mm,wavelength=angstrom")).beam.wavelength == 1.0


@pytest.mark.parametrize("units", ["mm", "distance=mm", "mm,distance=mm"])
def test_a_unit_in_the_file_wins_over_the_option(tmp_path: Path, units: str) -> None:
    """Also one that only a description has: a centre in pixels is none in mm."""
    path = write(tmp_path / "a.h5", without("beam_center_y"))
    with h5py.File(path, "a") as file:
        centre = file["entry1/saxs/pilatus/beam_center_y"]
        centre.attrs["NDAttrDescription"] = "vertical position of beam center on CCD, pixels"
    assert read_scan(path, options=ReadOptions(units=units)).detector.center_y == 3.5


@pytest.mark.parametrize(
    ("units", "name", "own"),
    [
        ("distance=m", "distance", "mm"),
        ("beam_center_y=mm", "beam_center_y", "pixels"),
        ("mm,beam_center_x=px", "beam_center_x", "mm"),
        ("wavelength=angstrom", "wavelength", "nm"),
    ],
)
def test_a_unit_that_contradicts_the_file_s_is_an_error_that_names_both(
    tmp_path: Path, units: str, name: str, own: str
) -> None:
    said = units.rpartition("=")[2]
    message = rf"^a\.h5: dataset {name} is in '{own}', --units says '{said}'; leave {name} out of it$"
    with pytest.raises(ReadError, match=message):
        read_scan(write(tmp_path / "a.h5"), options=ReadOptions(units=units))


def test_a_length_that_cannot_be_is_told_with_the_unit_that_it_looks_like(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", LENGTHS | {"distance": (1500.0, "m")})
    with pytest.raises(
        ReadError, match="distance = 1500 cannot be a distance in m, it looks like mm; supply it with --p"
    ):
        read_scan(path)
    path = write(tmp_path / "a.h5", without("x_pixel_size"))
    with pytest.raises(ReadError, match=r"x_pixel_size = 75 cannot be a pixel size in mm, it looks like um; .*--units"):
        read_scan(path, options=ReadOptions(units="mm"))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("distance", (0.0, "m"), "distance = 0 must be above 0"),
        ("x_pixel_size", (-1.0, "m"), "x_pixel_size = -1 must be above 0"),
        ("distance", (1.0, "keV"), "distance has the unit 'keV'"),
        ("beam_center_x", (1.0, "s"), "beam_center_x has the unit 's'"),
    ],
)
def test_impossible_lengths_are_errors(tmp_path: Path, name: str, value: tuple[float, str], message: str) -> None:
    with pytest.raises(ReadError, match=message):
        read_scan(write(tmp_path / "a.h5", LENGTHS | {name: value}))


def test_a_missing_length_is_an_error_or_nan_with_a_note(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", {name: value for name, value in LENGTHS.items() if name != "distance"})
    with pytest.raises(ReadError, match="dataset distance is missing; supply it with --poni"):
        read_scan(path)
    scan = read_scan(path, options=ReadOptions(skip_calibration=True))
    assert math.isnan(scan.detector.distance)
    assert scan.detector.pixel_size_x == 7.5e-5
    assert "dataset distance is missing (--poni)" in scan.origin.notes


def test_the_sample_s_own_field_and_the_clock(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        sample, data = file.create_group("entry1/sample"), file.create_group("entry1/data")
        sample.attrs["NX_class"], data.attrs["NX_class"] = "NXsample", "NXdata"
        sample["name"], sample["magnetic_field"] = "rods", 0.25
        sample["magnetic_field"].attrs["units"] = "T"
        data["t"], data.attrs["axes"] = [1.0, 3.0], ["t", "y", "x"]
        data["t"].attrs["units"] = "min"
        file["entry1/saxs/pilatus/count_time"] = 500.0
        file["entry1/saxs/pilatus/count_time"].attrs["units"] = "ms"
        file["entry1/saxs/pilatus/pixel_mask"] = np.ones((6, 5), "uint32")
    scan = read_scan(path)
    assert (scan.sample.name, scan.sample.magnetic_field) == ("rods", 250.0)
    assert scan.exposure.elapsed.tolist() == [0.0, 120.0]
    assert scan.exposure.time.tolist() == [0.5, 0.5]
    assert [one.role for one in scan.masks] == ["pixel_mask"]


def test_more_than_one_detector_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        file.copy("entry1/saxs/pilatus", "entry1/saxs/eiger")
    with pytest.raises(ReadError, match="one NXdetector with images is wanted, there are: eiger, pilatus"):
        read_scan(path)


def test_the_ten_frames_of_the_aps(shared_data: Path) -> None:
    scan: Scan = read_scan(shared_data / "NXsas_10frames_example.hdf5")
    assert scan.shape == (10, 195, 487)
    assert (scan.detector.distance, scan.detector.pixel_size_x) == (0.5408, 0.000172)
    assert (scan.detector.center_x, scan.detector.center_y) == pytest.approx((99.95, -5.65), abs=1e-9)
    assert scan.beam.wavelength == pytest.approx(0.59040224)
    assert scan.sample.name == "pinSAXS for IN625AB_775C_240min"
    assert scan.start_time is not None
    assert scan.start_time.isoformat() == "2016-06-23T18:02:31+00:00"
    assert scan.exposure.elapsed[:2].tolist() == [0.0, 27 * 60.0]
    assert [(one.name, one.role) for one in scan.auxiliary] == [("blank", "background")]


def test_units_that_only_a_description_names(shared_data: Path) -> None:
    scan = read_scan(shared_data / "APS_SAXS_NXsas.hdf")
    assert scan.shape == (1, 195, 487)
    geometry = DetectorGeometry()(scan.beam, scan.detector)
    assert qspace.direct_beam(geometry) == pytest.approx((-4.96451977, 93.59196523))
    assert scan.detector.distance / np.cos(np.radians(qspace.tilt(geometry))) == pytest.approx(0.44792234)
    assert scan.detector.pixel_size_x == pytest.approx(0.00015)
    assert scan.beam.wavelength == pytest.approx(0.44280041)
    assert "dataset distance has no units; 'mm' is taken from its NDAttrDescription" in scan.origin.notes
    assert math.isnan(scan.sample.magnetic_field)
    assert "magnetic_field of the sample has no unit of field, it is not used" in scan.origin.notes

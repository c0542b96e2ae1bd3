"""What headers of images tell beside their pixels."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fabio
import numpy as np
import pytest

from nxscatter.model import SYNCHROTRON, Scan
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.headers.image_header import read_image_header
from nxscatter.readers.headers.sources import source_type
from nxscatter.readers.registry import read_scan

LINES = """# Detector: PILATUS 300K, S/N 3-0110-G
# 2011-05-20T15:01:29.123
# Pixel_size 172e-6 m x 75e-6 m
# Silicon sensor, thickness 0.000320 m
# Exposure_time 1.500000 s
# Exposure_period 2.000000 s
# Wavelength 1.0332 A
# Beam_xy (120.00, 300.50) pixels"""
COUNTS = np.arange(12, dtype="int32").reshape(3, 4)
PONI = (
    'Detector: Detector\nDetector_config: {"pixel1": 75e-6, "pixel2": 172e-6}\nDistance: 1\nPoni1: 0\nPoni2: 0\n'
    "Rot1: 0\nRot2: 0\nRot3: 0\n"
)


def read(path: Path, poni: str = PONI) -> Scan:
    calibration = path.with_suffix(".poni")
    calibration.write_text(poni)
    return read_scan(path, options=ReadOptions(poni=calibration))


def write_cbf(path: Path, text: str = LINES) -> Path:
    image = fabio.cbfimage.CbfImage(data=COUNTS)
    image.header["_array_data.header_contents"] = text
    image.write(str(path))
    return path


def test_a_cbf_file_of_dectris(tmp_path: Path) -> None:
    scan = read(write_cbf(tmp_path / "a.cbf"))
    assert scan.detector.name == "PILATUS 300K, S/N 3-0110-G"
    assert scan.start_time == datetime(2011, 5, 20, 15, 1, 29, 123000, tzinfo=UTC)
    assert scan.exposure.time.tolist() == [1.5]
    assert scan.beam.wavelength == 1.0332
    assert "a.poni has no Wavelength, that of the image's header is used" in scan.origin.notes
    assert (scan.source_type, scan.origin.doubts) == (SYNCHROTRON, ())


def test_a_calibration_of_another_detector_is_doubted(tmp_path: Path) -> None:
    scan = read(write_cbf(tmp_path / "a.cbf"), PONI.replace("172e-6", "75e-6") + "Wavelength: 1.0332e-10\n")
    assert [doubt.status for doubt in scan.origin.doubts] == ["off_geometry"]
    assert "a.poni has pixels of 75 um along x, the frames' file 172" in scan.origin.doubts[0].reason


@pytest.mark.parametrize(
    "date", ["# 2011/May/20 15:01:29.123", "# 2011-05-20T15:01:29.123", "# Date: 2011-05-20T15:01:29.123"]
)
def test_dates_of_older_and_newer_files(date: str) -> None:
    notes: list[str] = []
    found = read_image_header("a.cbf", {"contents": LINES.replace("# 2011-05-20T15:01:29.123", date)}, notes)
    assert found.date == datetime(2011, 5, 20, 15, 1, 29, 123000, tzinfo=UTC)
    assert len(notes) == 1
    assert "UTC is assumed" in notes[0]


def test_a_tiff_file_tells_by_its_tags_and_its_description(tmp_path: Path) -> None:
    from PIL import Image

    path = tmp_path / "a.tif"
    tags = {270: LINES.replace("# 2011-05-20T15:01:29.123\n", ""), 272: "PILATUS 1M\0\0\0", 306: "2024:03:01 12:00:00"}
    Image.fromarray(COUNTS).save(path, tiffinfo=tags)
    scan = read(path)
    assert scan.detector.name == "PILATUS 300K, S/N 3-0110-G"
    assert scan.start_time == datetime(2024, 3, 1, 12, tzinfo=UTC)
    assert (scan.exposure.time.tolist(), scan.beam.wavelength) == ([1.5], 1.0332)
    assert scan.origin.header["Model"] == "PILATUS 1M"


def test_an_edf_file_of_lima(tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    header = {"time": "Fri Mar  1 12:00:00 2024", "acq_expo_time": "0.25", "camera_name": "frelon"}
    fabio.edfimage.EdfImage(COUNTS, header).write(str(path))
    scan = read(path, PONI + "Wavelength: 1.5418e-10\n")
    assert (scan.detector.name, scan.exposure.time.tolist()) == ("frelon", [0.25])
    assert scan.start_time == datetime(2024, 3, 1, 12, tzinfo=UTC)
    assert scan.source_type == "Fixed Tube X-ray"


@pytest.mark.parametrize(
    "header", [{}, {"a": "# Exposure_time 0.000 s\n# Wavelength 0.00 A\n# Pixel_size 0 x 0\n# Detector: 5"}]
)
def test_what_was_never_set_is_not_told(header: dict[str, Any]) -> None:
    notes: list[str] = []
    found = read_image_header("a.cbf", header, notes)
    assert (found.detector, found.exposure_time, found.date, notes) == ("", None, None, [])
    assert all(map(math.isnan, (found.pixel_size_x, found.pixel_size_y, found.wavelength)))


def test_what_cannot_be_read_is_a_note() -> None:
    notes: list[str] = []
    found = read_image_header("a.cbf", {"Exposure_time": "long", "Date": "0001-01-01T00:00:00"}, notes)
    assert (found.exposure_time, found.date) == (None, None)
    assert "Exposure_time = 'long' is not a number" in notes[0]
    assert "cannot be the date of a measurement" in notes[1]


def test_the_real_image(shared_data: Path) -> None:
    options = ReadOptions(poni=shared_data / "CeO2_Pilatus1M.poni")
    scan = read_scan(shared_data / "CeO2_Pilatus1M.tif", options=options)
    assert (scan.detector.name, scan.exposure.time.tolist()) == ("PILATUS 1M-F", [3.0])
    assert scan.start_time == datetime(2014, 10, 24, 16, 33, 9, tzinfo=UTC)
    assert scan.origin.doubts == ()


@pytest.mark.parametrize(
    ("wavelength", "kind"),
    [
        (1.54189, "Fixed Tube X-ray"),
        (1.5406, "Fixed Tube X-ray"),
        (0.7107, "Fixed Tube X-ray"),
        (1.3402, "Metal Jet X-ray"),
        (1.0, SYNCHROTRON),
        (1.55, SYNCHROTRON),
        (math.nan, SYNCHROTRON),
    ],
)
def test_a_source_is_a_laboratory_s_where_the_wavelength_is_that_of_an_anode(wavelength: float, kind: str) -> None:
    notes: list[str] = []
    assert source_type(wavelength, notes) == kind
    assert len(notes) == 1

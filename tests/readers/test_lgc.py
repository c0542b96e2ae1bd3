"""LGC EDF files and line-eraser composites."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fabio.edfimage import EdfImage

from nxscatter.errors import ReadError
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.lgc import LgcReader
from nxscatter.readers.registry import read_scan

COUNTS = np.arange(30, dtype="int32").reshape(6, 5)
HEADER = {
    "SampleDistance": "2.46",
    "WaveLength": "1.54189e-10",
    "PSize_1": "0.000172",
    "PSize_2": "0.000172",
    "Center_1": "2.5",
    "Center_2": "3.5",
    "Comment": "Co12_100mT",
    "Date": "2020-01-31T10:00:00",
    "ExposureTime": "120",
    "Dummy": "-1.5",
    "DDummy": "0.6",
}


def write(path: Path, header: dict[str, Any] = HEADER, counts: Any = COUNTS) -> Path:
    EdfImage(counts, {key: str(value) for key, value in header.items()}).write(str(path))
    return path


def test_the_real_file(shared_data: Path) -> None:
    path = shared_data / "xeuss_AgBh_2018-01-31-OT_0_13459.edf"
    scan = read_scan(path)
    assert scan.origin.reader == "lgc"
    assert scan.shape == (1, 1043, 981)
    assert isinstance(scan.frames, np.ndarray)
    assert (scan.frames.dtype, int(scan.frames.min())) == (np.dtype("int32"), -2)
    assert (scan.beam.wavelength, scan.detector.distance, scan.detector.pixel_size_x) == (1.54189, 2.46, 0.000172)
    assert (scan.detector.center_x, scan.detector.center_y) == (348.0, 903.0)
    assert (scan.detector.dummy, scan.detector.ddummy, scan.detector.orientation) == (-1.5, 0.6, 1)
    assert (scan.sample.name, scan.title) == ("AG BH", "AG BH")
    assert math.isnan(scan.sample.magnetic_field)
    assert scan.start_time == datetime(2018, 1, 31, 9, 41, 46, tzinfo=UTC)
    assert scan.exposure.time.tolist() == [120.0]
    assert scan.origin.header["Center_1"] == "348"
    assert scan.origin.notes == (
        "title 'AG BH' names no magnetic field (--field-mT)",
        "Date = 'Wed Jan 31 09:41:46 2018' names no time zone: UTC is assumed",
        "the wavelength is that of a Cu anode: the source is taken for a laboratory's",
    )
    assert (scan.instrument, scan.source_name, scan.source_type) == ("unknown", "unknown", "Fixed Tube X-ray")


def test_an_instrument_is_what_the_header_calls_it(tmp_path: Path) -> None:
    scan = read_scan(write(tmp_path / "a.edf", HEADER | {"Instrument": "Xeuss", "Facility": "CEA", "Beamline": "5"}))
    assert (scan.instrument, scan.source_name) == ("Xeuss", "CEA")


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
def test_keys_are_found_in_any_case(tmp_path: Path, case: Any) -> None:
    path = write(tmp_path / "a_0_00001.edf", {case(key): value for key, value in HEADER.items()})
    scan = read_scan(path)
    np.testing.assert_array_equal(scan.frames, COUNTS[None])
    assert (scan.detector.distance, scan.detector.center_x, scan.detector.center_y) == (2.46, 2.5, 3.5)
    assert (scan.sample.name, scan.sample.magnetic_field) == ("Co12", 100.0)
    assert scan.start_time == datetime(2020, 1, 31, 10, tzinfo=UTC)


def test_the_detector_s_tilt_offset_and_orientation_are_honoured(tmp_path: Path) -> None:
    tilts = {"DetectorRotation_1": 0.01, "DetectorRotation_2": 0.02, "DetectorRotation_3": -0.03}
    added = tilts | {"Offset_1": 10, "Offset_2": 20, "RasterOrientation": 3, "Detector": "pilatus"}
    detector = read_scan(write(tmp_path / "a.edf", HEADER | added)).detector
    assert (detector.rot1, detector.rot2, detector.rot3) == pytest.approx(tuple(map(math.degrees, (0.02, 0.01, -0.03))))
    assert (detector.offset_x, detector.offset_y, detector.orientation) == (10.0, 20.0, 3)
    assert detector.name == "pilatus"


@pytest.mark.parametrize("missing", [1, 60, 119])
def test_a_truncated_file_is_an_error_and_no_zeros(tmp_path: Path, missing: int) -> None:
    path = write(tmp_path / "a.edf")
    path.write_bytes(path.read_bytes()[:-missing])
    with pytest.raises(ReadError, match=r"^a\.edf: is truncated, its header declares \d+ bytes and it has \d+"):
        read_scan(path)


def composite(folder: Path, header: dict[str, Any], frames: bool = True) -> Path:
    if frames:
        write(folder / "OT_0_00012.edf", HEADER | {"Center_1": 11, "Center_2": 12, "SampleDistance": 1.25})
        write(folder / "OT_0_00013.edf", HEADER | {"Center_1": 21, "Center_2": 22})
    return write(folder / "OT_vd_0_00012-00013.edf", header)


def test_a_composite_takes_its_centre_from_two_frames(tmp_path: Path) -> None:
    scan = read_scan(composite(tmp_path, HEADER))
    assert (scan.detector.center_x, scan.detector.center_y, scan.detector.distance) == (11.0, 22.0, 2.46)
    assert "Center_1 is that of OT_0_00012.edf, Center_2 that of OT_0_00013.edf" in scan.origin.notes
    assert scan.origin.header["Center_1"] == "2.5"


def test_a_composite_without_a_geometry_takes_the_first_frame_s(tmp_path: Path) -> None:
    scan = read_scan(composite(tmp_path, {"WaveLength": "1e-10", "Comment": "Co12_1T"}))
    assert (scan.detector.center_x, scan.detector.center_y, scan.detector.distance) == (11.0, 22.0, 1.25)
    assert scan.beam.wavelength == 1.0
    assert "SampleDistance, PSize_1, PSize_2 are those of OT_0_00012.edf" in scan.origin.notes


def test_missing_frames_of_a_composite_are_an_error_unless_calibration_is_skipped(tmp_path: Path) -> None:
    path = composite(tmp_path, HEADER, frames=False)
    with pytest.raises(ReadError, match=r"^OT_vd_0_00012-00013\.edf: .*OT_0_00012\.edf is not in its folder"):
        read_scan(path)
    scan = read_scan(path, options=ReadOptions(skip_calibration=True))
    assert math.isnan(scan.detector.center_x)
    assert math.isnan(scan.detector.center_y)
    assert scan.detector.distance == 2.46


def test_edf_files_without_saxs_keywords_are_left_to_others(tmp_path: Path) -> None:
    reader = LgcReader()
    assert reader.recognises(write(tmp_path / "a.edf"))
    assert not reader.recognises(write(tmp_path / "b.edf", {"title": "mask"}))
    assert not reader.recognises(tmp_path / "absent.edf")

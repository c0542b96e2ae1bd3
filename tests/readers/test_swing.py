"""SOLEIL SWING files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from nxscatter.errors import ReadError
from nxscatter.model import Hdf5Frames
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.registry import read_scan

COUNTS = np.arange(60, dtype="uint32").reshape(2, 6, 5)
EIGER = {
    "distance": 6219.5,
    "pixel_size_x": 75.0,
    "pixel_size_z": 150.0,
    "dir_beam_x": 2.5,
    "dir_beam_z": 3.25,
    "nb_frames": 2,
    "binning_x": 1,
    "binning_y": 2,
    "exposure_time": 0.5,
}


def write(path: Path, counts: Any = COUNTS, eiger: dict[str, Any] = EIGER, entry: str = "ENTRY") -> Path:
    with h5py.File(path, "w") as file:
        for name, value in eiger.items():
            file[f"{entry}/SWING/EIGER-4M/{name}"] = [value]
        file[f"{entry}/SWING/i11-c-c03__op__mono/wavelength"] = [1.0332]
        file[f"{entry}/sample_info/ChemSAXS/sample_name"] = b"Co12_1.4T"
        file[f"{entry}/scan_data/eiger_image"] = counts
    return path


@pytest.mark.parametrize("entry", ["ENTRY", "sample_00012"])
def test_the_beamline_s_units(tmp_path: Path, entry: str) -> None:
    scan = read_scan(write(tmp_path / "a.nxs", entry=entry))
    found = scan.detector
    assert (found.distance, found.pixel_size_x, found.pixel_size_y) == (6.2195, 7.5e-5, 1.5e-4)
    assert (found.center_x, found.center_y, scan.beam.wavelength) == (2.5, 3.25, 1.0332)
    assert (found.name, found.binning_x, found.binning_y) == ("EIGER-4M", 1, 2)
    assert (scan.sample.name, scan.sample.magnetic_field) == ("Co12", 1400.0)
    assert scan.exposure.time.tolist() == [0.5, 0.5]
    assert scan.origin.notes == ("exposure_time is taken to be in s",)
    assert (scan.origin.reader, scan.instrument, scan.source_name) == ("swing", "SWING", "SOLEIL")
    assert isinstance(scan.frames, Hdf5Frames)
    assert scan.frames.shape == (2, 6, 5)


def test_a_dimension_too_many_is_taken_away(tmp_path: Path) -> None:
    scan = read_scan(write(tmp_path / "a.nxs", COUNTS[:, None]))
    np.testing.assert_array_equal(scan.frames, COUNTS)


def test_a_number_of_frames_that_differs_is_noted(tmp_path: Path) -> None:
    scan = read_scan(write(tmp_path / "a.nxs", eiger=EIGER | {"nb_frames": 3}))
    assert "nb_frames is 3, the file has 2 frames" in scan.origin.notes


def test_missing_and_impossible_values_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="dataset distance = 0 must be above 0"):
        read_scan(write(tmp_path / "a.nxs", eiger=EIGER | {"distance": 0}))
    path = write(tmp_path / "b.nxs", eiger={key: value for key, value in EIGER.items() if key != "dir_beam_x"})
    with pytest.raises(ReadError, match="dataset dir_beam_x is missing; supply it with --poni"):
        read_scan(path)
    assert math.isnan(read_scan(path, options=ReadOptions(skip_calibration=True)).detector.center_x)
    with h5py.File(path, "a") as file:
        del file["ENTRY/scan_data"]
    with pytest.raises(ReadError, match="dataset scan_data/eiger_image is missing"):
        read_scan(path)

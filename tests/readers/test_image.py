"""Plain images with a PONI file."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from fabio.edfimage import EdfImage

from nxscatter.errors import ReadError
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.registry import read_scan


def test_a_real_image_with_its_calibration(shared_data: Path) -> None:
    poni = shared_data / "CeO2_Pilatus1M.poni"
    scan = read_scan(shared_data / "CeO2_Pilatus1M.tif", options=ReadOptions(poni=poni, field_mT=5.0))
    assert (scan.origin.reader, scan.origin.type, scan.shape) == ("image", "image/tiff", (1, 1043, 981))
    assert (scan.beam.wavelength, scan.detector.distance) == (0.4066, 0.208651380603)
    assert scan.detector.center_x == pytest.approx(0.0799601126306 / 0.000172)
    assert scan.detector.center_y == pytest.approx(0.0872948482846 / 0.000172)
    assert scan.detector.rot1 == pytest.approx(math.degrees(-0.0184422457059))
    assert (scan.sample.name, scan.sample.magnetic_field) == ("CeO2_Pilatus1M", 5.0)
    assert [one.role for one in scan.auxiliary] == ["poni"]
    assert scan.origin.notes == (
        "DateTime = '2014:10:24 16:33:09' names no time zone: UTC is assumed",
        "the sample's name is taken from the file's",
        "nothing names the source: it is taken for a synchrotron",
    )


def test_without_a_poni_file_the_option_is_named(tmp_path: Path) -> None:
    path = tmp_path / "Co12_100mT.edf"
    EdfImage(np.ones((3, 4), "int32")).write(str(path))
    with pytest.raises(ReadError, match=r"^Co12_100mT\.edf: an image has no geometry; supply it with --poni$"):
        read_scan(path)
    scan = read_scan(path, options=ReadOptions(skip_calibration=True, orient=4))
    assert math.isnan(scan.detector.distance)
    assert (scan.detector.orientation, scan.sample.name, scan.sample.magnetic_field) == (4, "Co12", 100.0)


def test_a_poni_file_without_a_wavelength_is_an_error(tmp_path: Path) -> None:
    poni = tmp_path / "a.poni"
    poni.write_text("PixelSize1: 1e-4\nPixelSize2: 1e-4\nDistance: 1\nPoni1: 0\nPoni2: 0\nRot1: 0\nRot2: 0\nRot3: 0\n")
    EdfImage(np.ones((3, 4), "int32")).write(str(tmp_path / "a.edf"))
    with pytest.raises(ReadError, match=r"^a\.poni: key Wavelength is missing"):
        read_scan(tmp_path / "a.edf", options=ReadOptions(poni=poni))

"""PONI files."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from nxscatter.errors import ReadError
from nxscatter.model import Detector
from nxscatter.readers.headers.poni import read_poni

PLACE = "Distance: 0.2\nPoni1: 0.003\nPoni2: 0.004\nRot1: 0.1\nRot2: -0.2\nRot3: 0.3\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "calibration.poni"
    path.write_text(text)
    return path


def test_version_1(shared_data: Path) -> None:
    poni = read_poni(shared_data / "CeO2_Pilatus1M.poni")
    assert (poni.pixel1, poni.pixel2, poni.distance, poni.wavelength) == (0.000172, 0.000172, 0.208651380603, 0.4066)
    assert poni.rot1 == pytest.approx(math.degrees(-0.0184422457059))
    assert poni.orientation == 1
    assert poni.attachment.role == "poni"
    assert "Poni1: 0.0872948482846" in str(poni.attachment.content)


def test_version_2_with_pixel_sizes(tmp_path: Path) -> None:
    config = '{"pixel1": 1e-4, "pixel2": 2e-4, "max_shape": [10, 20], "orientation": 3}'
    poni = read_poni(write(tmp_path, f"poni_version: 2.1\nDetector: Detector\nDetector_config: {config}\n{PLACE}"))
    assert (poni.pixel1, poni.pixel2, poni.orientation) == (1e-4, 2e-4, 1)
    assert math.isnan(poni.wavelength)


def test_version_2_with_a_detector_s_name(tmp_path: Path) -> None:
    text = f'Detector: Pilatus1M\nDetector_config: {{"orientation": 3}}\n{PLACE}Wavelength: 1e-10\n'
    poni = read_poni(write(tmp_path, text))
    assert (poni.pixel1, poni.wavelength) == (0.000172, 1.0)


@pytest.mark.parametrize("orientation", [1, 2, 3, 4])
def test_orientations_put_every_pixel_where_pyfai_puts_it(tmp_path: Path, orientation: int) -> None:
    from pyFAI.detectors import Detector as PyfaiDetector

    rows, columns, pixel1, pixel2 = 6, 9, 1e-4, 2e-4
    config = f'{{"pixel1": {pixel1}, "pixel2": {pixel2}, "orientation": {orientation}}}'
    poni = read_poni(write(tmp_path, f"Detector: Detector\nDetector_config: {config}\n{PLACE}"))
    placed = poni.place(Detector("d", rows, columns, *[math.nan] * 5))  # type: ignore[arg-type]
    y, x, _ = PyfaiDetector(
        pixel1, pixel2, max_shape=(rows, columns), orientation=orientation
    ).calc_cartesian_positions()
    backwards_x, backwards_y = {1: (1, 1), 2: (-1, 1), 3: (1, -1), 4: (-1, -1)}[placed.orientation]
    index_y, index_x = np.meshgrid(np.arange(rows) + 0.5, np.arange(columns) + 0.5, indexing="ij")
    np.testing.assert_allclose(
        backwards_y * (index_y - placed.center_y) * pixel1, y - poni.poni1, atol=1e-9
    )  # pyFAI keeps pixel positions in single precision
    np.testing.assert_allclose(
        backwards_x * (index_x - placed.center_x) * pixel2, x - poni.poni2, atol=1e-9
    )  # pyFAI keeps pixel positions in single precision


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Detector '' is not known"),
        ("PixelSize1: 1e-4\nPixelSize2: 1e-4\n" + PLACE.replace("0.2", "0"), "distance = 0 must be above 0"),
        ("PixelSize1: 1e-4\nPixelSize2: 1e-4\n" + PLACE.replace("0.003", "x"), "poni1 = x is not a number"),
        ("PixelSize1: 1e-4\n" + PLACE, "pixelsize2 = None is not a number"),
        ("PixelSize1: 1e-4\nPixelSize2: 1e-4\nSplineFile: /etc/passwd\n" + PLACE, "SplineFile is not supported"),
        ("Detector: Detector\nDetector_config: {oops\n" + PLACE, "Detector_config is not readable"),
        ("Detector: Detector\nDetector_config: {}\n" + PLACE, "no fixed pixel size"),
        ("Detector: Unheard\n" + PLACE, "'unheard' is not known"),
        ('Detector_config: {"pixel1": 1e-4, "pixel2": 1e-4, "orientation": 6}\n' + PLACE, "orientation 6"),
        ("PixelSize1: 1e-4\nPixelSize2: 1e-4\nWavelength: 0\n" + PLACE, "wavelength = 0 must be above 0"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ReadError, match=r"calibration\.poni") as raised:
        read_poni(write(tmp_path, text))
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_or_huge_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no such PONI file"):
        read_poni(tmp_path / "absent.poni")
    with pytest.raises(ReadError, match="too large"):
        read_poni(write(tmp_path, "#" * (2**20 + 1)))

"""SaxsKeyword headers to beam and detector."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nxscatter.errors import ReadError
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.headers.keywords import Keywords
from nxscatter.readers.headers.saxskeywords import detector_rotations, normalization_factor, read_geometry

HEADER = {
    "SampleDistance": 2.46,
    "WaveLength": "1.54189e-10",
    "PSize_1": b"0.000172",
    "PSize_2": 0.000086,
    "Center_1": "348.25",
    "Center_2": 903.0,
}


def geometry(header: dict[str, Any], **options: Any) -> Any:
    keys = Keywords("scan.edf", header)
    beam, placed = read_geometry(keys, (1043, 981), "pilatus", ReadOptions(**options))
    return beam, placed.detector, placed.files, keys.notes


def test_axis_1_is_x_and_axis_2_is_y() -> None:
    beam, detector, poni, notes = geometry(HEADER)
    assert beam.wavelength == 1.54189
    assert math.isnan(beam.polarization)
    assert (detector.rows, detector.columns, detector.distance) == (1043, 981, 2.46)
    assert (detector.pixel_size_x, detector.pixel_size_y) == (0.000172, 0.000086)
    assert (detector.center_x, detector.center_y) == (348.25, 903.0)
    assert (detector.offset_x, detector.offset_y, detector.orientation) == (0.0, 0.0, 1)
    assert (poni, notes) == ((), [])


def test_what_the_header_adds_is_honoured_and_binning_only_recorded() -> None:
    added = {"offset_1": 10, "OFFSET_2": 20.5, "RasterOrientation": "3", "BSize_1": 2, "BSize_2": "4"}
    beam, detector, _, _ = geometry(HEADER | added | {"polarization_factor": 0.95})
    assert (detector.offset_x, detector.offset_y, detector.orientation) == (10.0, 20.5, 3)
    assert (detector.binning_x, detector.binning_y) == (2, 4)
    assert (detector.center_x, detector.pixel_size_x) == (348.25, 0.000172)
    assert beam.polarization == 0.95


@pytest.mark.parametrize(("dummy", "expected"), [("-1.5", -1.5), (-10, -10.0), (4294967295, 4294967295.0)])
def test_dummy_values(dummy: Any, expected: float) -> None:
    _, detector, _, _ = geometry(HEADER | {"Dummy": dummy, "DDummy": 0.6})
    assert (detector.dummy, detector.ddummy) == (expected, 0.6)


@pytest.mark.parametrize("header", [{}, {"Dummy": 0, "DDummy": 0.1}, {"dummy": "0.0"}])
def test_dummy_zero_means_none(header: dict[str, Any]) -> None:
    _, detector, _, _ = geometry(HEADER | header)
    assert math.isnan(detector.dummy)
    assert detector.ddummy == 0.0


@pytest.mark.parametrize("key", list(HEADER))
def test_a_missing_key_is_an_error_with_its_remedy_or_a_note(key: str) -> None:
    header = {name: value for name, value in HEADER.items() if name != key}
    with pytest.raises(ReadError, match=f"^scan.edf: header key {key} is missing; supply it with --poni$"):
        geometry(header)
    beam, detector, _, notes = geometry(header, skip_calibration=True)
    assert notes == [f"header key {key} is missing (--poni)"]
    values = [beam.wavelength, detector.distance, detector.pixel_size_x, detector.pixel_size_y]
    assert sum(map(math.isnan, [*values, detector.center_x, detector.center_y])) == 1


@pytest.mark.parametrize("key", ["SampleDistance", "WaveLength", "PSize_1", "PSize_2"])
@pytest.mark.parametrize("value", [0, "-1e-10"])
def test_zero_and_negative_lengths_are_errors(key: str, value: Any) -> None:
    with pytest.raises(ReadError, match=rf"header key {key} = (0|-1e-10) must be above 0; supply it with --poni"):
        geometry(HEADER | {key: value})


def test_a_centre_off_the_detector_is_none() -> None:
    _, detector, _, _ = geometry(HEADER | {"Center_2": -5.5})
    assert detector.center_y == -5.5


def test_a_wavelength_that_cannot_be_in_metres_asks_for_its_unit() -> None:
    header = HEADER | {"WaveLength": 1.54189}
    with pytest.raises(ReadError, match="--units wavelength=angstrom"):
        geometry(header)
    beam, _, _, _ = geometry(header, units="wavelength=angstrom")
    assert beam.wavelength == 1.54189
    beam, _, _, _ = geometry(HEADER | {"WaveLength": 0.154189}, units="wavelength=nm")
    assert beam.wavelength == 1.54189
    beam, _, _, _ = geometry(HEADER | {"WaveLength": "1.54189_Angstrom"})
    assert beam.wavelength == 1.54189


@pytest.mark.parametrize("value", [0, 9, "x"])
def test_an_orientation_is_1_to_8(value: Any) -> None:
    with pytest.raises(ReadError, match="RasterOrientation"):
        geometry(HEADER | {"RasterOrientation": value})
    with pytest.raises(ReadError, match=r"--orient = .*: must be 1 to 8"):
        geometry(HEADER, orient=value)


def test_the_option_overrides_the_orientation() -> None:
    assert geometry(HEADER | {"RasterOrientation": 2}, orient="7")[1].orientation == 7


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_a_rotation_turns_pixels_as_pyfai_turns_them(axis: int) -> None:
    """One tilt: rotation about the fast axis (1) moves rows, about the slow one (2) columns, about 3 both."""
    from pyFAI.detectors import Detector
    from pyFAI.geometry import Geometry

    angle, size, distance = 0.2, 1e-4, 0.5
    rotations = detector_rotations(Keywords("f", {f"DetectorRotation_{axis}": str(angle)}))
    made = Geometry(
        distance, 0, 0, *np.radians(rotations), detector=Detector(size, size, max_shape=(4, 3), orientation=3)
    )
    t3, t1, t2 = made.calc_pos_zyx(corners=False)
    rows, columns = np.meshgrid((np.arange(4) + 0.5) * size, (np.arange(3) + 0.5) * size, indexing="ij")
    cos, sin = math.cos(angle), math.sin(angle)
    expected = {
        1: (rows * cos - distance * sin, columns, rows * sin + distance * cos),
        2: (rows, columns * cos + distance * sin, distance * cos - columns * sin),
        3: (rows * cos - columns * sin, rows * sin + columns * cos, np.full((4, 3), distance)),
    }[axis]
    for found, wanted in zip((t1, t2, t3), expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-9)  # pyFAI keeps pixel positions in single precision


def test_rotations_are_in_radians_unless_they_say_otherwise() -> None:
    keys = Keywords("f", {"DetectorRotation_1": 0.1, "DetectorRotation_2": "2_deg", "DetectorRotation_3": "3 deg"})
    assert detector_rotations(keys) == pytest.approx((2.0, math.degrees(0.1), 3.0))


def test_a_poni_file_replaces_the_header_s_geometry(tmp_path: Path) -> None:
    path = tmp_path / "a.poni"
    path.write_text(
        "PixelSize1: 1e-4\nPixelSize2: 2e-4\nDistance: 0.3\nPoni1: 0.01\nPoni2: 0.02\nRot1: 0.1\nRot2: 0\nRot3: 0\n"
    )
    header = {"WaveLength": 1e-10, "Offset_1": 5, "Dummy": -1, "DetectorRotation_1": 1}
    beam, detector, poni, _ = geometry(header, poni=path)
    assert (beam.wavelength, detector.distance, detector.offset_x, detector.dummy) == (1.0, 0.3, 0.0, -1.0)
    assert (detector.center_x, detector.center_y) == pytest.approx((100.0, 100.0))
    assert (detector.rot1, detector.rot2) == (pytest.approx(math.degrees(0.1)), 0.0)
    assert [(one.name, one.role) for one in poni] == [("a.poni", "poni")]


def test_the_normalization_factor_is_the_headers_or_unknown() -> None:
    assert normalization_factor(Keywords("scan.edf", {"NormalizationFactor": "2.5"})) == 2.5
    assert math.isnan(normalization_factor(Keywords("scan.edf", {})))


@pytest.mark.parametrize(
    ("key", "value", "unit", "name"),
    [("SampleDistance", 2460, "mm", "distance"), ("PSize_1", 172, "um", "x_pixel_size"), ("PSize_2", 0.172, "mm", "")],
)
def test_a_length_that_cannot_be_in_metres_asks_for_its_unit(key: str, value: float, unit: str, name: str) -> None:
    header = HEADER | {key: value}
    with pytest.raises(
        ReadError, match=rf"{key} = {value} cannot be a .* in m, it looks like {unit}, name its unit as"
    ):
        geometry(header)
    _, detector, _, _ = geometry(header, units=f"{name}={unit}" if name else unit)
    found = {"SampleDistance": detector.distance, "PSize_1": detector.pixel_size_x, "PSize_2": detector.pixel_size_y}
    assert found[key] == pytest.approx(value * {"mm": 1e-3, "um": 1e-6}[unit])
    others = geometry(HEADER)[1]  # what is m already is left alone
    assert detector.center_x == others.center_x
    assert key == "SampleDistance" or detector.distance == others.distance


def test_a_unit_in_the_header_and_another_one_in_the_option_are_an_error_that_names_both() -> None:
    header = HEADER | {"SampleDistance": "2460 mm"}
    assert geometry(header, units="distance=mm")[1].distance == 2.46
    with pytest.raises(ReadError, match=r"SampleDistance is in 'mm', --units says 'cm'; leave distance out of it"):
        geometry(header, units="distance=cm")


def test_a_swapped_centre_and_a_flip_are_for_headers_too() -> None:
    _, detector, _, _ = geometry(HEADER | {"PSize_2": 0.000172}, swap_center=True, orient="flip-y")
    assert (detector.center_x, detector.center_y) == pytest.approx((903.0, 1043 - 348.25))
    assert detector.orientation == 3


def test_what_a_header_says_beside_a_poni_file_is_compared(tmp_path: Path) -> None:
    path = tmp_path / "a.poni"
    path.write_text(
        "PixelSize1: 3e-4\nPixelSize2: 3e-4\nDistance: 0.3\nPoni1: 0.01\nPoni2: 0.02\nRot1: 0\nRot2: 0\nRot3: 0\n"
    )
    keys = Keywords("scan.edf", HEADER | {"SampleDistance": "no number"})
    _, placed = read_geometry(keys, (1043, 981), "pilatus", ReadOptions(poni=path))
    assert [doubt.status for doubt in placed.doubts] == ["off_geometry"] * 2

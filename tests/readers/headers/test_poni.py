"""PONI files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from nxscatter.errors import ReadError
from nxscatter.model import RASTER_AXES, Detector
from nxscatter.readers.headers.poni import read_poni

PLACE = "Distance: 0.2\nPoni1: 0.003\nPoni2: 0.004\nRot1: 0.1\nRot2: -0.2\nRot3: 0.3\n"


def blank(rows: int, columns: int) -> Detector:
    return Detector("d", rows, columns, *[math.nan] * 5)  # type: ignore[arg-type]


def write(folder: Path, text: str) -> Path:
    path = folder / "calibration.poni"
    path.write_text(text)
    return path


def test_version_1(shared_data: Path) -> None:
    poni = read_poni(shared_data / "CeO2_Pilatus1M.poni")
    assert (poni.sensor.pixel1, poni.sensor.pixel2, poni.distance, poni.wavelength) == (
        0.000172,
        0.000172,
        0.208651380603,
        0.4066,
    )
    assert poni.rot1 == pytest.approx(math.degrees(-0.0184422457059))
    assert poni.orientation == 1
    assert poni.attachment.role == "poni"
    assert "Poni1: 0.0872948482846" in str(poni.attachment.content)


def test_version_2_with_pixel_sizes(tmp_path: Path) -> None:
    config = '{"pixel1": 1e-4, "pixel2": 2e-4, "max_shape": [10, 20], "orientation": 3}'
    poni = read_poni(write(tmp_path, f"poni_version: 2.1\nDetector: Detector\nDetector_config: {config}\n{PLACE}"))
    assert (poni.sensor.pixel1, poni.sensor.pixel2, poni.orientation) == (1e-4, 2e-4, 1)
    assert poni.sensor.shape == (10, 20)
    assert math.isnan(poni.wavelength)


def test_version_2_with_a_detector_s_name(tmp_path: Path) -> None:
    text = f'Detector: Pilatus1M\nDetector_config: {{"orientation": 3}}\n{PLACE}Wavelength: 1e-10\n'
    poni = read_poni(write(tmp_path, text))
    assert (poni.sensor.pixel1, poni.sensor.shape, poni.wavelength) == (0.000172, (1043, 981), 1.0)


@pytest.mark.parametrize("orientation", [1, 2, 3, 4])
def test_orientations_put_every_pixel_where_pyfai_puts_it(tmp_path: Path, orientation: int) -> None:
    from pyFAI.detectors import Detector as PyfaiDetector

    rows, columns, pixel1, pixel2 = 6, 9, 1e-4, 2e-4
    config = f'{{"pixel1": {pixel1}, "pixel2": {pixel2}, "orientation": {orientation}}}'
    poni = read_poni(write(tmp_path, f"Detector: Detector\nDetector_config: {config}\n{PLACE}"))
    placed = poni.place(blank(rows, columns)).detector
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
        ("", "is no PONI file, it has none of the keys distance"),
        ("Detector_config: {}\n" + PLACE, "Detector '' is not known and no PixelSize1 is given"),
        ("PixelSize1: 1e-4\nPixelSize2: 1e-4\n" + PLACE.replace("0.2", "0", 1), "distance = 0 must be above 0"),
        ("PixelSize1: 1e-4\nPixelSize2: 1e-4\n" + PLACE.replace("0.003", "x"), "poni1 = x is not a number"),
        ("PixelSize1: 1e-4\n" + PLACE, "key pixelsize2 is missing"),
        ("PixelSize1: 1e-4\nPixelSize2: 1e-4\nSplineFile: /etc/passwd\n" + PLACE, "SplineFile is not supported"),
        ("Detector: Detector\nDetector_config: {oops\n" + PLACE, "Detector_config is not readable"),
        ("Detector: Detector\nDetector_config: {}\n" + PLACE, "no fixed pixel size"),
        ("Detector: Unheard\n" + PLACE, "'Unheard' is not known"),
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


GENERIC = 'Detector: Detector\nDetector_config: {"pixel1": 1e-4, "pixel2": 1e-4, "max_shape": [30, 20]}\n' + PLACE
OLD = "# Calibration done at Tue Jan  5 10:00:00 2016\nPixelSize1: 3e-4\nPixelSize2: 3e-4\nDistance: 1\nPoni1: 0.01\n"
OLD += "Poni2: 0.01\nRot1: 0\nRot2: 0\nRot3: 0\nSplineFile: /old.spline\nWavelength: 2e-10\n"
NEW = "poni_version: 2.1\n" + GENERIC.replace("[30, 20]", '[30, 20], "orientation": 2')


@pytest.mark.parametrize(
    "head", ["", "# Nota: C-Order, 1 refers to the Y axis\n# Calibration done at Mon May 13 2024\n"]
)
@pytest.mark.parametrize(
    "old", [OLD, OLD.replace("# Calibration done", "# Done"), NEW.replace("0.2", "0.9", 1), OLD * 2]
)
def test_only_the_last_calibration_of_a_file_counts(tmp_path: Path, old: str, head: str) -> None:
    poni = read_poni(write(tmp_path, old + head + NEW))
    alone = read_poni(write(tmp_path, NEW))
    assert (poni.distance, poni.sensor, poni.orientation) == (0.2, alone.sensor, 3)
    assert math.isnan(poni.wavelength)
    appended = read_poni(write(tmp_path, NEW + OLD.replace("SplineFile: /old.spline\n", "")))
    assert (appended.sensor.pixel1, appended.sensor.shape, appended.orientation) == (3e-4, None, 1)


@pytest.mark.parametrize("frame", [(31, 20), (30, 19), (1043, 981), (15, 20 * 3), (10, 13)])
def test_frames_of_another_shape_are_an_error_that_names_both(tmp_path: Path, frame: tuple[int, int]) -> None:
    poni = read_poni(write(tmp_path, GENERIC))
    with pytest.raises(ReadError, match=rf"of 30 x 20 pixels, the frames have {frame[0]} x {frame[1]}; ") as raised:
        poni.place(blank(*frame))
    whole = frame == (15, 60)
    assert ("if these are only binned 2:1 x 1:3 give --rebin-poni" in str(raised.value)) == whole
    if not whole:
        with pytest.raises(ReadError, match="give a calibration of such frames with --poni"):
            poni.place(blank(*frame), rebin=True)


def test_a_named_detector_s_shape_is_compared_too(tmp_path: Path) -> None:
    poni = read_poni(write(tmp_path, "Detector: Eiger4M\nDetector_config: {}\n" + PLACE))
    with pytest.raises(ReadError, match=r"of 2167 x 2070 pixels \(Eiger4M\), the frames have 300 x 260"):
        poni.place(blank(300, 260))
    perkin = 'Detector: Perkin detector\nDetector_config: {"pixel1": 4e-4, "pixel2": 4e-4}\n' + PLACE
    assert read_poni(write(tmp_path, perkin)).sensor.shape == (1024, 1024)


@pytest.mark.parametrize(("frame", "factor"), [((60, 40), 0.5), ((15, 10), 2), ((10, 10), (3, 2))])
def test_a_calibration_is_scaled_to_other_bins_on_demand(tmp_path: Path, frame: tuple[int, int], factor: Any) -> None:
    poni = read_poni(write(tmp_path, GENERIC))
    with pytest.raises(ReadError, match="give --rebin-poni"):
        poni.place(blank(*frame))
    found = poni.place(blank(*frame), rebin=True)
    y, x = np.broadcast_to(factor, 2)
    placed = found.detector
    assert (placed.pixel_size_y, placed.pixel_size_x) == pytest.approx((1e-4 * y, 1e-4 * x))
    assert (placed.center_y, placed.center_x) == pytest.approx((30 / y, 40 / x))
    assert len(found.notes) == 1
    assert "is scaled to pixels of" in found.notes[0]
    assert poni.place(blank(30, 20), rebin=True) == poni.place(blank(30, 20))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_user_s_orientation_says_how_frames_lie_to_the_calibrated_ones(tmp_path: Path, orientation: int) -> None:
    """A picture is turned as orientation n has it, and every pixel stays where it was in the laboratory."""
    poni = read_poni(write(tmp_path, GENERIC))
    columns, rows = RASTER_AXES[orientation]
    upright = abs(rows) == 2
    placed = poni.place(blank(*((30, 20) if upright else (20, 30))), orientation).detector
    assert placed.orientation == orientation
    y, x = 3.5, 7.5  # of the frame as it is stored
    along = {rows: (y - placed.center_y) * placed.pixel_size_y, columns: (x - placed.center_x) * placed.pixel_size_x}
    plane = {abs(axis): math.copysign(1, axis) * offset for axis, offset in along.items()}
    stored = {abs(rows): placed.rows - y if rows < 0 else y, abs(columns): placed.columns - x if columns < 0 else x}
    assert plane[2] == pytest.approx(stored[2] * 1e-4 - poni.poni1)
    assert plane[1] == pytest.approx(stored[1] * 1e-4 - poni.poni2)


def test_transposed_frames_are_told_the_option(tmp_path: Path) -> None:
    poni = read_poni(write(tmp_path, GENERIC))
    with pytest.raises(ReadError, match=r"the frames have 20 x 30; if these are only transposed give --orient 5"):
        poni.place(blank(20, 30))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("1e-4", "300", "pixel1 = 300 cannot be a pixel size in m, it looks like um; a PONI file has m"),
        ("1e-4", "0.172", "pixel1 = 0.172 cannot be a pixel size in m, it looks like mm; a PONI file has m"),
        ("Distance: 0.2", "Distance: 200", "distance = 200 cannot be a distance in m, it looks like mm"),
        (
            "Distance: 0.2",
            "Wavelength: 1.0\nDistance: 0.2",
            "wavelength = 1 cannot be a wavelength in m, it looks like a",
        ),
        ("Distance: 0.2", "Distance: 0,2", "distance = 0,2 is not a number; it has a decimal comma"),
        ("Poni1: 0.003", "Poni1: 160.3", "poni1 = 160.3 cannot be in m, it looks like pixels"),
        ("Rot1: 0.1", "Rot1: 30", "rot1 = 30 cannot be in rad, it looks like degrees"),
        ("Rot1: 0.1\n", "", "key rot1 is missing"),
    ],
)
def test_values_in_other_units_are_recognised(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GENERIC
    with pytest.raises(ReadError, match=r"^calibration\.poni: ") as raised:
        read_poni(write(tmp_path, GENERIC.replace(old, new)))
    assert message in str(raised.value)


def test_what_is_no_poni_file_is_told_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.poni"
    path.write_bytes(GENERIC.encode("utf-16"))
    with pytest.raises(
        ReadError, match=r"^a\.poni: is no PONI file as pyFAI writes it: its text is UTF-16; save it as"
    ):
        read_poni(path)
    path.write_text('{"application": "pyfai-integrate", "dist": 1}')
    with pytest.raises(ReadError, match="is no PONI file but a JSON one"):
        read_poni(path)
    with h5py.File(path, "w") as file:
        file["entry/definition"] = "NXcalibration"
    with pytest.raises(ReadError, match="is no PONI file but an HDF5 one"):
        read_poni(path)
    path.write_text("Sample: rods\n")
    with pytest.raises(ReadError, match="is no PONI file, it has none of the keys"):
        read_poni(path)
    path.write_bytes(b"\xef\xbb\xbf" + GENERIC.replace("\n", "\r\n").encode())  # of a Windows editor, and legible
    assert read_poni(path).distance == 0.2


@pytest.mark.parametrize(("distance", "doubted"), [(10.0, False), (0.05, True)])
def test_the_depth_of_the_sensor_is_doubted_where_it_moves_rings(
    tmp_path: Path, distance: float, doubted: bool
) -> None:
    text = GENERIC.replace("[30, 20]", '[30, 20], "sensor": {"material": "Si", "thickness": 1e-3}')
    text = "poni_version: 3\n" + text.replace("Distance: 0.2", f"Distance: {distance}") + "Parallax: "
    found = read_poni(write(tmp_path, f"{text}True\n")).place(blank(30, 20))
    assert [doubt.status for doubt in found.doubts] == ["off_geometry"] * doubted
    said = found.doubts[0].reason if doubted else found.notes[0]
    assert "Parallax is True, and the depth of the sensor is not accounted for here: it moves" in said
    without = read_poni(write(tmp_path, f"{text}False\n")).place(blank(30, 20))
    assert (without.notes, without.doubts) == ((), ())


def test_pixels_of_several_sizes_are_doubted(tmp_path: Path) -> None:
    found = read_poni(write(tmp_path, "Detector: Xpad S540 flat\nDetector_config: {}\n" + PLACE)).place(blank(960, 560))
    assert [doubt.status for doubt in found.doubts] == ["off_geometry"]
    assert "taken as equal and flat" in found.doubts[0].reason

"""What options change about any file's geometry: flips, orientations, exchanged centres, contradictions."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nxscatter.errors import ReadError
from nxscatter.model import Beam, Detector
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.headers.geometry import place, swapped, unplaced_detector
from nxscatter.readers.registry import read_scan
from nxscatter.results import Geometry
from nxscatter.science.geometry import qspace
from nxscatter.steps.geometry import DetectorGeometry

DETECTOR = Detector("d", 30, 20, 0.2, 1e-4, 2e-4, 11.25, 7.5, rot1=3.0, rot2=-4.0, rot3=5.0)
PLACE = "Distance: 0.2\nPoni1: 0.001125\nPoni2: 0.0015\nRot1: 0.1\nRot2: -0.05\nRot3: 0\nWavelength: 1e-10\n"
PONI = 'Detector: Detector\nDetector_config: {"pixel1": 1e-4, "pixel2": 2e-4, "max_shape": [30, 20]}\n' + PLACE


def geometry(detector: Detector) -> Geometry:
    return DetectorGeometry()(Beam(1.0), detector)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("flip", "axes"), [("flip-x", 1), ("flip-y", 0), ("FLIP-XY", (0, 1))])
@pytest.mark.parametrize("offset", [0.0, 6.0])
def test_a_flipped_image_has_its_pixels_where_they_were(orientation: int, flip: str, axes: Any, offset: float) -> None:
    """q and azimuth of the image as its geometry tells it, turned over as the image is stored."""
    told = replace(DETECTOR, orientation=orientation, offset_y=offset, offset_x=-offset)
    stored = place(told, ReadOptions(orient=flip)).detector
    for quantity in (qspace.q_map, qspace.chi_map):
        np.testing.assert_allclose(quantity(geometry(stored)), np.flip(quantity(geometry(told)), axes), atol=1e-9)


@pytest.mark.parametrize("flip", ["flip-x", "flip-y", "flip-xy"])
def test_a_flip_of_a_calibrated_image_is_the_orientation_that_a_poni_file_could_tell(tmp_path: Path, flip: str) -> None:
    path = tmp_path / "a.poni"
    path.write_text(PONI)
    blank = unplaced_detector("d", (30, 20), ReadOptions())
    flipped = place(blank, ReadOptions(poni=path, orient=flip)).detector
    number = place(blank, ReadOptions(poni=path, orient=flipped.orientation)).detector
    assert flipped == number
    pyfai = {2: 4, 3: 2, 4: 1}[flipped.orientation]
    path.write_text(PONI.replace("[30, 20]", f'[30, 20], "orientation": {pyfai}'))
    assert place(blank, ReadOptions(poni=path)).detector == number


def test_an_exchanged_centre_keeps_its_lengths() -> None:
    found = swapped(replace(DETECTOR, offset_y=1.0))
    assert (found.center_y - 1.0) * 1e-4 == pytest.approx(DETECTOR.center_x * 2e-4)
    assert found.center_x * 2e-4 == pytest.approx((DETECTOR.center_y - 1.0) * 1e-4)
    twice = swapped(found)
    assert (twice.center_y, twice.center_x) == pytest.approx((DETECTOR.center_y, DETECTOR.center_x))
    assert place(DETECTOR, ReadOptions(swap_center=True)).detector == swapped(DETECTOR)


def test_no_option_changes_nothing() -> None:
    assert place(DETECTOR, ReadOptions()).detector == DETECTOR


@pytest.mark.parametrize("orient", ["flip", "flip-z", "9", "", "0"])
def test_what_is_no_orientation_is_an_error_that_lists_them(orient: str) -> None:
    with pytest.raises(ReadError, match="must be 1 to 8; give one, or flip-x, flip-y, flip-xy, with --orient"):
        unplaced_detector("d", (3, 4), ReadOptions(orient=orient))


@pytest.mark.parametrize(
    ("own", "wavelength", "doubted"),
    [
        ({}, 1.0, []),
        ({}, math.nan, []),
        ({"pixel_size_y": math.nan, "pixel_size_x": math.nan}, 1.002, []),
        ({"pixel_size_y": 1.72e-4}, 1.0, ["pixels of 100 um along y, the frames' file 172"]),
        ({}, 1.54189, ["a wavelength of 1 angstrom, the frames' file 1.5419"]),
    ],
)
def test_a_calibration_that_contradicts_the_frames_is_doubted(
    tmp_path: Path, own: dict[str, float], wavelength: float, doubted: list[str]
) -> None:
    path = tmp_path / "a.poni"
    path.write_text(PONI)
    placed = place(replace(DETECTOR, **own), ReadOptions(poni=path), wavelength)  # type: ignore[arg-type]
    assert [doubt.status for doubt in placed.doubts] == ["off_geometry"] * len(doubted)
    for doubt, text in zip(placed.doubts, doubted, strict=True):
        assert f"a.poni has {text}; give the calibration of these frames with --poni" == doubt.reason


def test_a_real_image_that_is_stored_upside_down_has_its_rings_sharp(shared_data: Path) -> None:
    """Reflections 111, 200, 220 and 311 of CeO2 stand out of their surroundings by 10 and more."""
    options = ReadOptions(poni=shared_data / "CeO2_Pilatus1M.poni", orient="flip-y")
    scan = read_scan(shared_data / "CeO2_Pilatus1M.tif", options=options)
    counts = np.asarray(scan.frames)[0].astype(float)
    q = qspace.q_map(DetectorGeometry()(scan.beam, scan.detector))
    for reflection in (2.0110, 2.3220, 3.2838, 3.8507):
        on = np.abs(q - reflection) < 0.004
        near = (np.abs(q - reflection) < 0.2) & (counts >= 0)
        assert counts[on & near].mean() > 10 * np.median(counts[near])

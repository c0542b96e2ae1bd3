"""The geometry step: the header's values, replaced or refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nxscatter.errors import ParameterError, StepError
from nxscatter.model import Beam, Detector
from nxscatter.steps.geometry import DetectorGeometry

BEAM = Beam(1.54)
DETECTOR = Detector(
    "test", 100, 120, 2.5, 1e-4, 2e-4, 40.5, 60.25, offset_y=3.0, offset_x=-2.0, rot1=1.0, orientation=3
)


def test_center_is_the_headers_without_its_offset():
    geometry = DetectorGeometry()(BEAM, DETECTOR)
    assert (geometry.center_y, geometry.center_x) == (37.5, 62.25)
    assert geometry.shape == (100, 120)
    assert (geometry.wavelength, geometry.distance) == (1.54, 2.5)
    assert (geometry.pixel_size_y, geometry.pixel_size_x) == (1e-4, 2e-4)
    assert (geometry.rot1, geometry.orientation) == (1.0, 3)


def test_given_values_take_the_place_of_the_headers():
    step = DetectorGeometry(center_x=50.0, center_y=20.0, distance=1.0, wavelength=0.9)
    geometry = step(BEAM, DETECTOR)
    assert (geometry.center_y, geometry.center_x) == (17.0, 52.0)
    assert (geometry.wavelength, geometry.distance) == (0.9, 1.0)


@pytest.mark.parametrize(
    ("change", "key", "remedy"),
    [
        ({"distance": float("nan")}, "SampleDistance", "geometry.distance"),
        ({"distance": 0.0}, "SampleDistance", "geometry.distance"),
        ({"distance": -1.0}, "SampleDistance", "geometry.distance"),
        ({"pixel_size_y": 0.0}, "PSize_2", "--poni"),
        ({"pixel_size_x": float("nan")}, "PSize_1", "--poni"),
        ({"center_x": float("nan")}, "Center_1", "geometry.center_x"),
        ({"center_y": float("inf")}, "Center_2", "geometry.center_y"),
    ],
)
def test_what_cannot_be_is_refused_with_key_and_remedy(change, key, remedy):
    with pytest.raises(StepError) as caught:
        DetectorGeometry()(BEAM, replace(DETECTOR, **change))
    assert key in str(caught.value)
    assert remedy in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wavelength", [0.0, -1.0, float("nan")])
def test_missing_wavelength_is_refused_unless_given(wavelength):
    with pytest.raises(StepError, match=r"WaveLength.*geometry\.wavelength"):
        DetectorGeometry()(Beam(wavelength), DETECTOR)
    assert DetectorGeometry(wavelength=1.2)(Beam(wavelength), DETECTOR).wavelength == 1.2


def test_unknown_orientation_is_refused():
    with pytest.raises(StepError, match="RasterOrientation = 9"):
        DetectorGeometry()(BEAM, replace(DETECTOR, orientation=9))


def test_impossible_parameters_are_refused_where_they_are_set():
    with pytest.raises(ParameterError, match=r"geometry\.wavelength"):
        DetectorGeometry(wavelength=0.0)

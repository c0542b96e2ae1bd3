"""The rings' own centre against the geometry's: found from anywhere near, told with its cause."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nxscatter.model import Floats
from nxscatter.science.pixels.center_check import center_doubts, check_center, mistaken, symmetry_center
from support.oriented import GEOMETRY, expose, image_of, moved, turned_by

Q = [0.05]


@pytest.mark.parametrize("kappa", [0.0, 2.0, 20.0])
def test_a_right_centre_is_left_alone(kappa: float) -> None:
    check = check_center(image_of(expose(kappa)), GEOMETRY, Q)
    assert check.center is not None
    assert not check.differs
    assert center_doubts(check, GEOMETRY) == ()


@pytest.mark.parametrize("kappa", [0.0, 2.0, 20.0])
@pytest.mark.parametrize("distance", [3.0, 10.0, 25.0])
@pytest.mark.parametrize("direction", [10.0, 130.0])
def test_a_wrong_centre_is_found(kappa: float, distance: float, direction: float) -> None:
    wrong = moved(GEOMETRY, distance, direction)
    check = check_center(image_of(expose(kappa)), wrong, Q)
    assert check.center is not None
    assert check.far
    assert np.hypot(check.center.y - GEOMETRY.center_y, check.center.x - GEOMETRY.center_x) < 0.2 + distance / 20
    (doubt,) = center_doubts(check, wrong)
    assert doubt.status == "off_centre"
    assert f"{wrong.center_x:.1f}" in doubt.reason


def test_a_centre_of_a_binned_image_is_told_in_stored_pixels() -> None:
    wrong = moved(GEOMETRY, 10.0, 0.0)
    (doubt,) = center_doubts(check_center(image_of(expose(2.0)), wrong, Q), wrong, binning=2)
    assert f"{2 * wrong.center_x:.1f}" in doubt.reason


def test_filled_pixels_tell_nothing() -> None:
    image = image_of(expose(0.0))
    filled = replace(image, flags=np.full_like(image.flags, 1 << 15))
    assert check_center(filled, GEOMETRY, Q).center is None


def test_no_ring_no_centre_no_doubt() -> None:
    check = check_center(image_of(expose(0.0, height=0.0)), GEOMETRY, Q)
    assert check.center is None
    assert center_doubts(check, GEOMETRY) == ()


def test_a_swapped_centre_is_named() -> None:
    swapped = replace(GEOMETRY, center_y=GEOMETRY.center_x, center_x=GEOMETRY.center_y)
    check = check_center(image_of(expose(2.0)), swapped, Q)
    assert check.remedy == "--swap-center"


@pytest.mark.parametrize("option", ["--orient flip-x", "--orient flip-y", "--orient flip-xy"])
def test_a_flipped_image_is_named(option: str) -> None:
    flipped = dict(mistaken(GEOMETRY))[option]
    check = check_center(image_of(expose(2.0)), flipped, Q)
    # a flip of a flip is the image; two flips in one is told by the centre as well
    assert dict(mistaken(flipped))[check.remedy].center_y == pytest.approx(GEOMETRY.center_y)
    assert dict(mistaken(flipped))[check.remedy].center_x == pytest.approx(GEOMETRY.center_x)


@pytest.mark.parametrize("axis", ["rot1", "rot2"])
def test_a_turned_detector_makes_ellipses(axis: str) -> None:
    told_nothing, turned = GEOMETRY, turned_by(GEOMETRY, axis, 25.0)
    check = check_center(image_of(expose(2.0, geometry=turned)), told_nothing, Q)
    assert {doubt.status for doubt in center_doubts(check, GEOMETRY)} & {"off_geometry", "off_centre"}
    told = check_center(image_of(expose(2.0, geometry=turned)), turned, Q)
    assert center_doubts(told, turned) == ()


def test_the_centre_of_symmetry_needs_no_ring() -> None:
    y, x = np.indices(GEOMETRY.shape) + 0.5
    pattern: Floats = 1000 * np.exp(-np.hypot(y - 100.0, x - 80.0) / 10) + 5
    noisy = np.random.default_rng(1).poisson(pattern).astype(float)
    noisy[40:60] = np.nan
    found = symmetry_center(noisy)
    assert found is not None
    assert np.hypot(found[0] - 100.0, found[1] - 80.0) < 4


def test_noise_has_no_centre_of_symmetry() -> None:
    assert symmetry_center(np.random.default_rng(1).poisson(5.0, (200, 180)).astype(float)) is None

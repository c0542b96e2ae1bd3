"""The centre that rings have in common."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nxscatter.science.pixels.ring_center import fit_center
from support.scattering import make_geometry, make_image, ring_pattern

RINGS, WIDTHS, WINDOWS = [60.0, 95.0], [9.0, 9.0], [17.0, 17.0]
GEOMETRY = make_geometry(240, 250)


def exposure(geometry=GEOMETRY, seed=0, **pattern):
    counts = ring_pattern(geometry, [(60, 4, 30.0), (95, 4, 15.0)], **pattern)
    return make_image(np.random.default_rng(seed).poisson(counts)[np.newaxis])


@pytest.mark.parametrize("off", [(0.0, 0.0), (4.0, -6.0), (-9.0, 3.0)])
def test_the_centre_is_found_from_a_wrong_one(off):
    wrong = replace(GEOMETRY, center_y=GEOMETRY.center_y + off[0], center_x=GEOMETRY.center_x + off[1])
    center = fit_center(exposure(), wrong, RINGS, WIDTHS, WINDOWS)
    assert center.y == pytest.approx(GEOMETRY.center_y, abs=0.1)
    assert center.x == pytest.approx(GEOMETRY.center_x, abs=0.1)


def test_errors_are_those_of_repeated_measurements():
    centers = [fit_center(exposure(seed=seed), GEOMETRY, RINGS, WIDTHS, WINDOWS) for seed in range(25)]
    for axis in ("y", "x"):
        scatter = np.std([getattr(one, axis) for one in centers])
        claimed = np.mean([getattr(one, f"{axis}_error") for one in centers])
        assert 0.5 < scatter / claimed < 2


def test_oriented_rings_fix_the_centre_across_their_arcs_less():
    center = fit_center(exposure(kappa=8.0), GEOMETRY, RINGS, WIDTHS, WINDOWS)
    assert center.x == pytest.approx(GEOMETRY.center_x, abs=0.3)
    assert center.y == pytest.approx(GEOMETRY.center_y, abs=0.6)
    assert center.y_error > 1.5 * center.x_error


def test_oblong_pixels_have_a_centre_in_pixels():
    geometry = make_geometry(240, 250, pixel_size_y=0.8e-4, pixel_size_x=1.25e-4)
    y = (np.arange(240)[:, np.newaxis] + 0.5 - geometry.center_y) * 0.8
    x = (np.arange(250) + 0.5 - geometry.center_x) * 1.25
    counts = 2 + 30 * np.exp(-((np.hypot(y, x) - 60) ** 2) / 32)
    image = make_image(np.random.default_rng(0).poisson(counts)[np.newaxis])
    wrong = replace(geometry, center_y=geometry.center_y + 4, center_x=geometry.center_x - 4)
    center = fit_center(image, wrong, RINGS[:1], WIDTHS[:1], WINDOWS[:1])
    assert center.y == pytest.approx(geometry.center_y, abs=0.15)
    assert center.x == pytest.approx(geometry.center_x, abs=0.15)


def test_no_ring_has_no_centre():
    flat = make_image(np.random.default_rng(0).poisson(5, (1, 240, 250)))
    assert fit_center(flat, GEOMETRY, RINGS, WIDTHS, WINDOWS) is None


def test_a_short_arc_has_no_centre():
    azimuth = np.degrees(
        np.arctan2(np.arange(240)[:, np.newaxis] + 0.5 - GEOMETRY.center_y, np.arange(250) + 0.5 - GEOMETRY.center_x)
    )
    image = exposure()
    image.intensity[np.abs(azimuth) > 25] = np.nan
    assert fit_center(image, GEOMETRY, RINGS[:1], WIDTHS[:1], WINDOWS[:1]) is None

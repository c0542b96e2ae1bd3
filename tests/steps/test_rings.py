"""Finding rings: simulated ones of every kind, and silver behenate as measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nxscatter.model import Beam, Detector
from nxscatter.results import Image, Rings
from nxscatter.steps.binning import Binning
from nxscatter.steps.geometry import DetectorGeometry
from nxscatter.steps.masking import Masking
from nxscatter.steps.rings import FindRings
from support.scattering import Stack, make_geometry, make_image, q_at, radius_map, ring_pattern

GEOMETRY = make_geometry(360, 350)
RINGS = [(80.0, 5.0, 20.0), (130.0, 4.0, 10.0)]


def exposure(rings=RINGS, geometry=GEOMETRY, seed=0, gaps=True, hot=0, shadow=0.0, **pattern) -> Image:
    """Poisson counts of rings with module gaps, hot pixels and the shadow of an unmasked beamstop."""
    rng = np.random.default_rng(seed)
    expected = ring_pattern(geometry, rings, **pattern)
    expected[radius_map(geometry) < shadow] *= 1e-3
    frame = rng.poisson(expected)
    frame.reshape(-1)[rng.integers(0, frame.size, hot)] = rng.integers(300, 30_000, hot)
    invalid = np.zeros(frame.shape, dtype=bool)
    if gaps:
        invalid[120:128] = invalid[:, 230:236] = True
    return make_image(frame[np.newaxis], invalid)


def expect(found: Rings, *radius: float, geometry=GEOMETRY, rel: float = 0.01) -> None:
    assert found.q == pytest.approx([q_at(geometry, one) for one in radius], rel=rel)


@pytest.mark.parametrize("seed", range(3))
def test_rings_are_found_where_they_are(seed):
    found = FindRings()(exposure(seed=seed), GEOMETRY)
    expect(found, 80, 130, rel=0.003)
    assert found.fwhm_pixels == pytest.approx([5 * 2.355, 4 * 2.355], rel=0.15)
    assert found.fwhm == pytest.approx(found.fwhm_pixels * q_at(GEOMETRY, 1.0), rel=1e-3)
    assert found.height == pytest.approx([20, 10], rel=0.15)
    assert np.all(found.prominence > 8)
    assert (found.center_y, found.center_x) == pytest.approx((GEOMETRY.center_y, GEOMETRY.center_x), abs=0.15)
    assert found.notes == ()


def test_the_radial_profile_is_kept():
    found = FindRings()(exposure(), GEOMETRY)
    at_ring = np.argmin(np.abs(found.radial_q - q_at(GEOMETRY, 80)))
    assert found.intensity[at_ring] == pytest.approx(22, rel=0.1)
    assert found.radial_q.shape == found.intensity.shape == found.intensity_errors.shape


@pytest.mark.parametrize("kappa", [1.0, 5.0, 20.0])
def test_oriented_rings_are_found(kappa):
    found = FindRings()(exposure(kappa=kappa, director=25.0, hot=15), GEOMETRY)
    expect(found, 80, 130)


@pytest.mark.parametrize("hot", [5, 40])
def test_hot_pixels_are_no_rings(hot):
    expect(FindRings()(exposure(hot=hot), GEOMETRY), 80, 130)
    assert FindRings()(exposure(rings=[], hot=hot), GEOMETRY).q.size == 0


@pytest.mark.parametrize("steep", [0.0, 30.0, 300.0])
def test_no_ring_is_a_result_with_a_note(steep):
    found = FindRings()(exposure(rings=[], steep=steep), GEOMETRY)
    assert found.q.size == found.fwhm.size == found.height.size == 0
    assert np.isnan(found.center_y)
    assert any("no ring found" in note for note in found.notes)


@pytest.mark.slow
@pytest.mark.parametrize("steep", [3.0, 30.0, 300.0])
@pytest.mark.parametrize("off", [0.0, 6.0])
def test_the_edge_of_an_unmasked_beamstop_is_no_ring(steep, off):
    aside = replace(GEOMETRY, center_x=GEOMETRY.center_x + off)
    assert FindRings()(exposure(rings=[], steep=steep, shadow=22), aside).q.size == 0
    expect(FindRings()(exposure(steep=steep, shadow=22), aside), 80, 130)


def test_rings_on_a_steep_slope_are_found():
    expect(FindRings()(exposure(steep=100.0), GEOMETRY), 80, 130)


def test_narrow_rings_are_seen_all_around_and_hot_pixels_are_not():
    narrow = exposure(rings=[(80.0, 0.8, 20.0)])
    expect(FindRings()(narrow, GEOMETRY), 80)
    assert FindRings(min_fwhm=5.0)(narrow, GEOMETRY).q.size == 0
    hot = exposure(rings=[])
    row, column = (np.round(centre - 0.5).astype(int) for centre in (GEOMETRY.center_y, GEOMETRY.center_x))
    hot.intensity[row : row + 3, column + 79 : column + 82] = 2000.0  # as hot as its neighbours: no single pixel
    assert FindRings()(hot, GEOMETRY).q.size == 0


def test_gentle_swells_are_no_rings():
    swell = exposure(rings=[(80.0, 5.0, 6.0)], background=60.0)
    assert FindRings()(swell, GEOMETRY).q.size == 0
    expect(FindRings(min_prominence=0.05)(swell, GEOMETRY), 80)


def test_what_may_be_chance_is_no_ring():
    faint = exposure(rings=[(80.0, 5.0, 0.01)], background=0.02)
    assert FindRings()(faint, GEOMETRY).q.size == 0


@pytest.mark.parametrize("off", [(5.0, 0.0), (-7.0, 9.0), (0.0, 16.0)])
def test_a_wrong_centre_is_told_with_both_centres(off):
    wrong = replace(GEOMETRY, center_y=GEOMETRY.center_y + off[0], center_x=GEOMETRY.center_x + off[1])
    found = FindRings()(exposure(), wrong)
    assert found.center_y == pytest.approx(GEOMETRY.center_y, abs=0.2)
    assert found.center_x == pytest.approx(GEOMETRY.center_x, abs=0.2)
    expect(found, 80, 130, rel=0.005)
    (note,) = found.notes
    assert f"({found.center_x:.1f}, {found.center_y:.1f})" in note
    assert f"({wrong.center_x:.1f}, {wrong.center_y:.1f})" in note


def test_a_centre_within_two_pixels_is_not_worth_a_note():
    close = replace(GEOMETRY, center_y=GEOMETRY.center_y + 1.2, center_x=GEOMETRY.center_x - 1.2)
    assert FindRings()(exposure(), close).notes == ()


def test_a_binned_image_has_the_same_rings_and_centre():
    wrong = replace(GEOMETRY, center_y=GEOMETRY.center_y + 6)
    found = FindRings()(Binning(factor=2)(exposure()), wrong)
    expect(found, 80, 130)
    assert (found.center_y, found.center_x) == pytest.approx((GEOMETRY.center_y, GEOMETRY.center_x), abs=0.3)
    assert f"({wrong.center_x:.1f}, {wrong.center_y:.1f})" in found.notes[0]


def test_a_beam_beside_the_detector_is_no_hindrance():
    geometry = make_geometry(300, 300, center_y=-40.0, center_x=-30.0)
    found = FindRings()(exposure([(150.0, 5.0, 20.0), (230.0, 5.0, 10.0)], geometry, gaps=False), geometry)
    expect(found, 150, 230, geometry=geometry)


def test_scaling_the_image_changes_no_ring():
    image = exposure(hot=10)
    scaled = replace(image, intensity=image.intensity * 1e-4, variance=image.intensity * 1e-8)
    plain, small = FindRings()(image, GEOMETRY), FindRings()(scaled, GEOMETRY)
    np.testing.assert_allclose(small.q, plain.q)
    np.testing.assert_allclose(small.center_x, plain.center_x)


def test_silver_behenate_has_four_rings_about_another_centre(shared_data: Path):
    import fabio

    with fabio.open(shared_data / "xeuss_AgBh_2018-01-31-OT_0_13459.edf") as edf:
        frame = edf.data
    rows, columns = frame.shape
    detector = Detector("Pilatus", rows, columns, 2.46, 172e-6, 172e-6, 903.0, 348.0, dummy=-1.5, ddummy=0.6)
    image = Masking()(Stack(frame[np.newaxis]), detector, ())
    geometry = DetectorGeometry()(Beam(1.54189), detector)
    found = FindRings()(image, geometry)
    assert len(found.q) == 4
    assert found.q[0] == pytest.approx(0.050, rel=0.05)
    assert found.q[1:] == pytest.approx([0.104, 0.156, 0.209], rel=0.01)
    assert np.all((found.fwhm_pixels > 11) & (found.fwhm_pixels < 30))
    assert (found.center_x, found.center_y) == pytest.approx((357.4, 904.1), abs=1)
    assert any("(348.0, 903.0)" in note for note in found.notes)

"""Reciprocal space: against pyFAI, closed forms and brute force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nxscatter.results import Geometry
from nxscatter.science.geometry import qspace
from support.scattering import make_geometry

TILTS = [(0.0, 0.0, 0.0), (3.0, -5.0, 20.0), (0.0, 0.0, 30.0), (40.0, 20.0, -100.0)]
# Raster orientations and pyFAI's names (by where pixel 0 is) of the four that leave rows and columns in place.
PYFAI_ORIENTATION = {1: 3, 2: 4, 3: 2, 4: 1}


def wide_angle(**changes: float) -> Geometry:
    """A detector close to the sample, of oblong pixels."""
    values = {
        "wavelength": 1.3,
        "distance": 0.012,
        "pixel_size_y": 1e-4,
        "pixel_size_x": 1.7e-4,
        "center_y": 20.2,
        "center_x": 31.7,
    }
    return make_geometry(44, 60, **{**values, **changes})


def pyfai_geometry(geometry: Geometry, orientation: int):
    from pyFAI.detectors import Detector
    from pyFAI.geometry import Geometry as PyfaiGeometry

    flip_y, flip_x = orientation in (1, 2), orientation in (1, 4)
    y = geometry.rows - geometry.center_y if flip_y else geometry.center_y
    x = geometry.columns - geometry.center_x if flip_x else geometry.center_x
    return PyfaiGeometry(
        geometry.distance,
        y * geometry.pixel_size_y,
        x * geometry.pixel_size_x,
        *np.radians([geometry.rot1, geometry.rot2, geometry.rot3]),
        detector=Detector(
            geometry.pixel_size_y, geometry.pixel_size_x, max_shape=geometry.shape, orientation=orientation
        ),
        wavelength=geometry.wavelength * 1e-10,
    )


@pytest.mark.parametrize("tilt", TILTS)
@pytest.mark.parametrize("orientation", PYFAI_ORIENTATION)
def test_q_and_chi_are_those_of_pyfai(tilt, orientation):
    rot1, rot2, rot3 = tilt
    geometry = wide_angle(rot1=rot1, rot2=rot2, rot3=rot3, orientation=orientation)
    theirs = pyfai_geometry(geometry, PYFAI_ORIENTATION[orientation])
    where = qspace.pixels(geometry)
    for unit, ours in (("q_A^-1", where.q), ("chi_deg", where.chi), ("2th_deg", where.two_theta)):
        expected = theirs.array_from_unit(geometry.shape, "center", unit)
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("orientation", "columns_run", "rows_run"),
    [
        (1, 0.0, 90.0),
        (2, 180.0, 90.0),
        (3, 0.0, -90.0),
        (4, 180.0, -90.0),
        (5, 90.0, 0.0),
        (6, 90.0, 180.0),
        (7, -90.0, 0.0),
        (8, -90.0, 180.0),
    ],
)
def test_raster_orientation_says_where_columns_and_rows_run(orientation, columns_run, rows_run):
    geometry = make_geometry(21, 21, center_y=10.5, center_x=10.5, orientation=orientation)
    chi = qspace.chi_map(geometry)
    assert chi[10, 20] == pytest.approx(columns_run)
    assert chi[20, 10] == pytest.approx(rows_run)


@pytest.mark.parametrize("tilt", TILTS)
def test_direct_beam_and_tilt_are_those_of_fit2d(tilt):
    geometry = wide_angle(**dict(zip(("rot1", "rot2", "rot3"), tilt, strict=True)))
    fit2d = pyfai_geometry(geometry, 3).getFit2D()
    y, x = qspace.direct_beam(geometry)
    assert (y, x) == pytest.approx((fit2d["centerY"], fit2d["centerX"]), rel=1e-12)
    assert qspace.tilt(geometry) == pytest.approx(fit2d["tilt"], abs=1e-9)
    assert qspace.positions(geometry, np.array(y), np.array(x)).q == pytest.approx(0, abs=1e-12)


def test_components_make_up_q():
    where = qspace.pixels(wide_angle(rot1=12.0))
    np.testing.assert_allclose(np.hypot(where.qx, where.q_perp), where.q, rtol=1e-12)
    np.testing.assert_allclose(where.q_perp, np.hypot(where.qy, where.qz), rtol=1e-12)
    np.testing.assert_allclose(np.cos(np.radians(where.beta)), where.qx / where.q, rtol=1e-12, atol=1e-15)


def test_angles_have_their_ranges_and_seams():
    geometry = make_geometry(21, 21, center_y=10.5, center_x=10.5)
    where = qspace.pixels(geometry)
    chi = where.chi
    assert chi.min() > -180
    assert chi.max() == 180
    assert chi[10, 0] == 180
    np.testing.assert_array_equal(where.phi, np.mod(chi, 180))
    assert where.beta[10, 10] == 0
    assert where.beta[10, 0] == pytest.approx(180 - where.two_theta[10, 0] / 2)
    assert where.beta[10, 20] == pytest.approx(where.two_theta[10, 20] / 2)
    assert where.beta[0, 10] == pytest.approx(90)


def test_a_subset_is_the_map_at_its_pixels():
    geometry = wide_angle(rot2=7.0)
    index = np.array([5, 7, 100, 1999])
    for name in ("q", "chi", "phi", "beta", "two_theta", "qx", "qy", "qz", "q_perp"):
        whole = np.broadcast_to(getattr(qspace.pixels(geometry), name), geometry.shape)
        np.testing.assert_array_equal(getattr(qspace.pixels(geometry, index), name), whole.reshape(-1)[index])


@settings(deadline=None)
@given(
    tilt=st.tuples(*[st.floats(-25, 25)] * 3),
    orientation=st.integers(1, 8),
    q=st.floats(0.01, 3.0),
    chi=st.floats(-179, 179),
)
def test_locate_inverts_positions(tilt, orientation, q, chi):
    geometry = wide_angle(distance=0.05, rot1=tilt[0], rot2=tilt[1], rot3=tilt[2], orientation=orientation)
    where = qspace.positions(geometry, *qspace.locate(geometry, q, chi))
    assert where.q == pytest.approx(q, rel=1e-9)
    assert np.abs((where.chi - chi + 180) % 360 - 180) < 1e-6


def test_locate_knows_what_never_meets_the_detector():
    geometry = wide_angle()
    beyond_the_limit = 4 * np.pi / geometry.wavelength * 1.01
    backwards = 4 * np.pi / geometry.wavelength * 0.9
    for q in (beyond_the_limit, backwards):
        assert np.isnan(qspace.locate(geometry, q, 0.0)).all()


@settings(deadline=None)
@given(
    center=st.tuples(st.floats(-40, 90), st.floats(-40, 90)),
    oblong=st.floats(0.5, 2.0),
    radius=st.floats(0.0, 70.0),
    half_width=st.floats(0.001, 0.9),
    rot3=st.sampled_from([0.0, 33.0]),
)
def test_ring_pixels_are_all_those_within_the_ring(center, oblong, radius, half_width, rot3):
    geometry = make_geometry(50, 60, center_y=center[0], center_x=center[1], pixel_size_x=1e-4 * oblong, rot3=rot3)
    q = 4 * np.pi * np.sin(np.arctan(radius * 1e-4 / 2) / 2)
    index, chi, beta = qspace.ring_pixels(geometry, q, half_width * q)
    expected = np.flatnonzero(np.abs(qspace.q_map(geometry) - q) <= half_width * q)
    np.testing.assert_allclose(len(index), len(expected), atol=2)  # a pixel may stand on the very edge
    assert len(np.setxor1d(index, expected)) <= 2
    assert np.all(np.diff(index) > 0)
    where = qspace.pixels(geometry, index)
    np.testing.assert_array_equal(chi, where.chi)
    np.testing.assert_array_equal(beta, where.beta)


def test_ring_of_a_tilted_detector_comes_from_its_q():
    geometry = wide_angle(rot1=10.0, rot2=-4.0)
    index, _, _ = qspace.ring_pixels(geometry, 0.8, 0.05)
    np.testing.assert_array_equal(index, np.flatnonzero(np.abs(qspace.q_map(geometry) - 0.8) <= 0.05))


def test_rings_are_kept_by_the_numbers_of_the_geometry():
    geometry = make_geometry()
    noted = replace(geometry, notes=("a note",), auto={"a": [1]}, center_y_error=0.1)
    first = qspace.ring_pixels(geometry, 0.01, 0.001)[0]
    assert qspace.ring_pixels(noted, 0.01, 0.001)[0] is first
    assert qspace.ring_pixels(replace(geometry, rot3=1.0), 0.01, 0.001)[0] is not first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1


def test_q_range_holds_every_pixel():
    for changes in ({}, {"center_y": -20.0}, {"rot1": 15.0}, {"center_y": 300.0, "center_x": -5.0}):
        geometry = wide_angle(**changes)
        low, high = qspace.q_range(geometry)
        q = qspace.q_map(geometry)
        assert low <= q.min() < low + 0.04
        assert high - 0.04 < q.max() <= high


def test_binned_geometry_has_the_q_of_the_middle_of_a_block():
    geometry = make_geometry(11, 13)
    binned = geometry.binned(2)
    assert binned.shape == (5, 6)
    assert binned.center_y == geometry.center_y / 2
    corner = qspace.positions(geometry, np.array(2.0), np.array(4.0))  # between rows 1 and 2, columns 3 and 4
    block = qspace.positions(binned, np.array(1.0), np.array(2.0))
    assert block.q == pytest.approx(float(corner.q), rel=1e-12)

"""Maps of reciprocal space: closed forms, conservation, holes, symmetries and pyFAI."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nxscatter.errors import ParameterError, StepError
from nxscatter.science.geometry import pyfai_bridge, qspace
from nxscatter.steps.binning import Binning
from nxscatter.steps.caving import Caving
from nxscatter.steps.qmap import QSpaceMap
from support.scattering import make_geometry, make_image

SMALL = make_geometry()
WIDE = make_geometry(distance=0.02)  # 2 theta up to 24 degrees
TILTED = replace(WIDE, rot1=12.0, rot2=-7.0, rot3=30.0)
GEOMETRIES = [SMALL, WIDE, TILTED]


def counts(geometry=SMALL, level=8.0, seed=11):
    return np.random.default_rng(seed).poisson(level, (1, *geometry.shape)).astype(np.uint32)


def holes(share=0.2, seed=12):
    return np.random.default_rng(seed).random(SMALL.shape) < share


def signed(geometry):
    """q_perp and q_parr of each pixel from the angles alone."""
    where = qspace.pixels(geometry)
    two_theta, chi = np.radians(where.two_theta), np.radians(where.chi)
    k = 2 * np.pi / geometry.wavelength
    across = np.hypot(np.sin(two_theta) * np.sin(chi), 1 - np.cos(two_theta))
    return k * across * np.sign(where.chi), k * np.sin(two_theta) * np.cos(chi)


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_a_smooth_function_of_q_comes_back(geometry):
    q_perp, q_parr = signed(geometry)
    cell = 2 * np.pi * 1e-4 / geometry.distance
    image = replace(make_image(counts(geometry)), intensity=100 + 3 * q_parr / cell + 2 * q_perp / cell)
    made = QSpaceMap()(image, geometry)
    expected = 100 + 3 * made.q_parr / cell + 2 * made.q_perp[:, np.newaxis] / cell
    full = made.pixels > 0.99
    assert np.count_nonzero(full) > 0.7 * image.intensity.size
    # A cell's pixels lie about its middle within half a cell, on average in it.
    assert np.max(np.abs(made.intensity - expected)[full]) < 2.6
    assert abs(np.mean((made.intensity - expected)[full])) < 0.02


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_photons_are_kept(geometry):
    image = make_image(counts(geometry), holes())
    made = QSpaceMap(cell=3e-3 if geometry is SMALL else 0.05)(image, geometry)
    kept = np.nansum(made.intensity * made.pixels)
    assert kept == pytest.approx(np.nansum(image.intensity), rel=0.02)
    assert made.pixels.sum() == pytest.approx(np.count_nonzero(~holes()), rel=0.02)


@pytest.mark.parametrize("geometry", [*GEOMETRIES, replace(TILTED, rot3=45.0)])
def test_no_cell_amid_pixels_is_empty(geometry):
    made = QSpaceMap()(make_image(counts(geometry)), geometry)
    q = np.hypot(made.q_perp[:, np.newaxis], made.q_parr)
    chi = np.degrees(np.arctan2(made.q_perp[:, np.newaxis], made.q_parr))
    cell = made.auto["cell"]
    # The wedge that no pixel sees: |q_perp| < |qy| = q^2 wavelength / (4 pi).
    seen = np.abs(made.q_perp[:, np.newaxis]) > q**2 * geometry.wavelength / (4 * np.pi) + 2 * cell
    azimuth = np.degrees(np.arctan2(np.sqrt(np.maximum(made.q_perp**2, 0))[:, np.newaxis], made.q_parr))
    theta = np.radians(qspace.two_theta_of(q, geometry.wavelength) / 2)
    with np.errstate(invalid="ignore"):
        in_plane = np.degrees(np.arccos(np.clip(np.cos(np.radians(azimuth)) / np.cos(theta), -1, 1)))
    y, x = qspace.locate(geometry, q, np.where(chi < 0, -in_plane, in_plane))
    inside = (y > 3) & (y < geometry.rows - 3) & (x > 3) & (x < geometry.columns - 3)
    assert np.count_nonzero(seen & inside) > 5000
    assert np.isfinite(made.intensity[seen & inside]).all()


def test_the_wedge_that_no_pixel_sees_is_empty():
    made = QSpaceMap()(make_image(counts(WIDE)), WIDE)
    q = np.hypot(made.q_perp[:, np.newaxis], made.q_parr)
    away = q**2 * WIDE.wavelength / (4 * np.pi) - np.abs(made.q_perp[:, np.newaxis])
    wedge = away > 2 * made.auto["cell"]
    assert np.count_nonzero(wedge) > 100
    assert np.isnan(made.intensity[wedge]).all()
    assert np.all(made.pixels[wedge] == 0)


def test_signs_follow_columns_and_rows():
    frame = np.zeros((1, *SMALL.shape))
    frame[0, -20:, :20] = 100  # at +rows and -columns
    made = QSpaceMap()(make_image(frame), SMALL)
    bright = np.argwhere(made.intensity > 50)
    assert np.all(made.q_perp[bright[:, 0]] > 0)
    assert np.all(made.q_parr[bright[:, 1]] < 0)


@pytest.mark.parametrize("geometry", [WIDE, TILTED])
def test_pyfai_agrees_within_counting_noise(geometry):
    """pyFAI's fibre maps, turned so that its in-plane axis is our q_perp, without splitting of pixels."""
    from pyFAI.integrator.fiber import FiberIntegrator
    from pyFAI.units import get_unit_fiber

    level = 200.0
    ring = level * (1 + 0.5 * np.cos(np.radians(2 * qspace.chi_map(geometry))))
    image = make_image(np.random.default_rng(3).poisson(ring)[np.newaxis], holes(0.1))
    cell = 0.1
    made = QSpaceMap(cell=cell, q_max=1.5)(image, geometry)
    edges = [(axis[0] - cell / 2, axis[-1] + cell / 2) for axis in (made.q_perp, made.q_parr)]
    integrator = FiberIntegrator()
    integrator.set_config(pyfai_bridge.integrator(geometry).get_config())
    across, along = (
        get_unit_fiber(name, incident_angle=0.0, tilt_angle=0.0, sample_orientation=7)
        for name in ("qip_A^-1", "qoop_A^-1")
    )
    theirs = integrator.integrate2d_fiber(
        image.intensity,
        npt_ip=len(made.q_perp),
        unit_ip=across,
        ip_range=edges[0],
        npt_oop=len(made.q_parr),
        unit_oop=along,
        oop_range=edges[1],
        mask=np.isnan(image.intensity),
        correctSolidAngle=False,
        method=("no", "histogram", "cython"),
    )
    same = theirs.intensity.T  # (q_parr, q_perp)
    away = np.hypot(made.q_perp[:, np.newaxis], made.q_parr) > 3 * cell  # from the beam, where the pattern is steep
    full = (made.pixels > 5) & away
    off = (made.intensity - same)[full] / made.intensity_errors[full]
    assert np.count_nonzero(full) > 400
    assert abs(off.mean()) < 0.1
    assert off.std() < 0.7
    assert np.abs(off).max() < 4
    shifted = (np.roll(made.intensity, 1, axis=0) - same)[full] / made.intensity_errors[full]
    assert np.nanstd(shifted) > 2


def test_errors_are_those_of_repeated_measurements():
    maps = [QSpaceMap(cell=0.04)(make_image(counts(WIDE, 50.0, seed)), WIDE) for seed in range(60)]
    intensity = np.array([one.intensity for one in maps])
    full = maps[0].pixels > 0.99
    scatter = intensity.var(axis=0, ddof=1)[full]
    claimed = np.mean([one.intensity_errors**2 for one in maps], axis=0)[full]
    assert np.mean(scatter / claimed) == pytest.approx(1, abs=0.03)


def test_filled_pixels_have_intensity_and_no_error():
    image = Caving()(make_image(counts(), holes()), SMALL)
    image = replace(image, intensity=np.where(image.flags != 0, 1e6, image.intensity))
    made = QSpaceMap(cell=4e-4)(image, SMALL)
    plain = QSpaceMap(cell=4e-4)(make_image(counts(), holes()), SMALL)
    assert np.nanmedian(made.intensity) > 1e4
    both = np.isfinite(plain.intensity)
    np.testing.assert_allclose(made.intensity_errors[both], plain.intensity_errors[both])


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_image_has_a_turned_map_at_small_angles(turns):
    geometry = make_geometry(100, 100, center_y=50.0, center_x=50.0)
    frame = np.random.default_rng(1).poisson(9.0, (100, 100))
    plain = QSpaceMap()(make_image(frame[np.newaxis]), geometry)
    turned = QSpaceMap()(make_image(np.rot90(frame, turns)[np.newaxis]), geometry)
    np.testing.assert_allclose(np.rot90(plain.intensity, turns), turned.intensity, atol=0.05)


def test_a_binned_image_lies_at_the_same_q():
    coarse = QSpaceMap()(Binning(factor=2)(make_image(counts())), SMALL)
    fine = QSpaceMap()(make_image(counts()), SMALL)
    assert coarse.auto["cell"] == pytest.approx(2 * fine.auto["cell"])
    assert coarse.q_parr[-1] == pytest.approx(fine.q_parr[-1], abs=2 * coarse.auto["cell"])


def test_q_max_limits_both_components():
    made = QSpaceMap(q_max=0.01)(make_image(counts()), SMALL)
    for axis in (made.q_perp, made.q_parr):
        assert 0.0097 < axis[-1] < 0.0103
        assert axis[0] == pytest.approx(-axis[-1])
        assert 0.0 in axis


def test_what_cannot_be_mapped_is_refused():
    image = make_image(counts())
    with pytest.raises(ParameterError, match="a pixel at the beam"):
        QSpaceMap(cell=1e-4)(image, SMALL)
    with pytest.raises(StepError, match="is valid"):
        QSpaceMap()(make_image(counts(), np.ones(SMALL.shape, dtype=bool)), SMALL)
    far = replace(SMALL, center_x=-500.0)
    with pytest.raises(StepError, match="within q_max"):
        QSpaceMap(q_max=0.01)(image, far)

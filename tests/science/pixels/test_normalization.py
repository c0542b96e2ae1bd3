"""The factors of a pixel: closed forms and pyFAI."""

from __future__ import annotations

import numpy as np
import pytest

from nxscatter.errors import StepError
from nxscatter.model import Attachment
from nxscatter.science.geometry import pyfai_bridge, qspace
from nxscatter.science.pixels import normalization
from nxscatter.science.pixels.normalization import mean_counts
from support.scattering import make_geometry

TILTS = [{}, {"rot1": 8.0, "rot2": -5.0, "rot3": 20.0}]


def wide(**changes):
    """A detector that reaches 2 theta = 40 degrees."""
    return make_geometry(60, 50, distance=0.05, pixel_size_y=1.5e-3, pixel_size_x=1e-3, **changes)


def test_the_solid_angle_of_all_pixels_is_that_of_the_detector():
    geometry = wide()
    total = 0.0
    for y in (geometry.center_y, geometry.rows - geometry.center_y):
        for x in (geometry.center_x, geometry.columns - geometry.center_x):
            a, b, d = y * geometry.pixel_size_y, x * geometry.pixel_size_x, geometry.distance
            total += np.arctan(a * b / (d * np.sqrt(a**2 + b**2 + d**2)))
    assert normalization.solid_angle(geometry).sum() == pytest.approx(total, rel=1e-4)


def test_without_tilt_the_solid_angle_falls_as_the_cube_of_the_cosine():
    geometry = wide()
    expected = np.cos(np.radians(qspace.pixels(geometry).two_theta)) ** 3
    np.testing.assert_allclose(normalization.obliquity(geometry), expected, rtol=1e-12)


@pytest.mark.parametrize("tilts", TILTS)
def test_solid_angle_agrees_with_pyfai(tilts):
    geometry = wide(**tilts)
    integrator = pyfai_bridge.integrator(geometry)
    for absolute, ours in ((True, normalization.solid_angle), (False, normalization.obliquity)):
        theirs = integrator.solidAngleArray(geometry.shape, absolute=absolute)
        np.testing.assert_allclose(ours(geometry), theirs, rtol=1e-5)


@pytest.mark.parametrize("tilts", TILTS)
@pytest.mark.parametrize("factor", [-1.0, 0.0, 0.95])
def test_polarization_agrees_with_pyfai(factor, tilts):
    geometry = wide(**tilts)
    theirs = pyfai_bridge.integrator(geometry).polarization(geometry.shape, factor=factor)
    np.testing.assert_allclose(normalization.polarization(geometry, factor), theirs, rtol=1e-5)


def test_unpolarized_scattering_is_round_and_polarized_is_not_reduced_upwards():
    geometry = wide()
    two_theta = np.radians(qspace.pixels(geometry).two_theta)
    np.testing.assert_allclose(normalization.polarization(geometry, 0.0), (1 + np.cos(two_theta) ** 2) / 2)
    column = int(geometry.center_x)
    np.testing.assert_allclose(normalization.polarization(geometry, 1.0)[:, column], 1, atol=2e-3)


def test_a_stack_has_the_mean_of_its_frames_and_less_variance():
    frames = np.random.default_rng(0).poisson(7.0, (5, 8, 9)).astype(np.uint16)
    mean, variance = mean_counts(Attachment("dark", frames, "dark"), (8, 9))
    np.testing.assert_allclose(mean, frames.mean(axis=0))
    np.testing.assert_allclose(variance, frames.mean(axis=0) / 5)


@pytest.mark.parametrize(
    ("dtype", "value"), [(np.uint8, 255), (np.uint32, 2**32 - 1), (np.int32, -1), (np.float32, np.nan), (float, np.inf)]
)
def test_what_is_no_count_is_no_data(dtype, value):
    frames = np.full((2, 4, 5), 3, dtype=dtype)
    frames[1, 2, 3] = value
    mean, variance = mean_counts(Attachment("dark", frames, "dark"), (4, 5))
    assert np.argwhere(~np.isfinite(mean)).tolist() == [[2, 3]]
    assert np.isnan(variance[2, 3])


@pytest.mark.parametrize("content", ["text", np.zeros((4, 6)), np.zeros(20), np.zeros((1, 1, 4, 5))])
def test_what_is_no_image_of_the_shape_is_refused(content):
    with pytest.raises(StepError, match="thing"):
        mean_counts(Attachment("thing", content, "dark"), (4, 5))


def test_no_image_is_nothing_to_subtract():
    assert [float(part) for part in mean_counts(None, (4, 5))] == [0, 0]

"""Every pixel of a ring against its angle."""

from __future__ import annotations

import numpy as np
import pytest

from nxscatter.errors import StepError
from nxscatter.science.geometry import qspace
from nxscatter.steps.binning import Binning
from nxscatter.steps.pixels import AzimuthalPixels
from support.scattering import make_geometry, make_image, q_at

GEOMETRY = make_geometry(60, 64)
Q = (q_at(GEOMETRY, 15.0), q_at(GEOMETRY, 22.0))


def image():
    rng = np.random.default_rng(4)
    return make_image(rng.poisson(9, (1, 60, 64)), rng.random((60, 64)) < 0.1)


@pytest.mark.parametrize("angle", ["chi", "beta"])
def test_pixels_are_those_of_the_ring_sorted_by_angle(angle):
    measured = image()
    result = AzimuthalPixels(q=Q, tolerance=0.1, angle=angle)(measured, GEOMETRY)
    where = qspace.pixels(GEOMETRY)
    for number, q in enumerate(Q):
        ring = result.ring(number)
        row, column = result.row[ring], result.column[ring]
        on_ring = np.abs(where.q - q) <= 0.1 * q
        np.testing.assert_array_equal(np.sort(row * 64 + column), np.flatnonzero(on_ring))
        assert np.all(np.diff(result.pixel_angle[ring]) >= 0)
        np.testing.assert_array_equal(result.pixel_angle[ring], getattr(where, angle)[row, column])
        np.testing.assert_array_equal(result.intensity[ring], measured.intensity[row, column])
    assert np.isnan(result.intensity).any()


def test_beta_is_the_default_and_runs_from_0_to_180():
    result = AzimuthalPixels(q=Q)(image(), GEOMETRY)
    assert result.angle == "beta"
    assert result.pixel_angle.min() >= 0
    assert result.pixel_angle.max() <= 180


def test_binned_images_have_binned_pixels():
    result = AzimuthalPixels(q=Q, tolerance=0.1)(Binning(factor=2)(image()), GEOMETRY)
    assert result.row.max() < 30
    assert result.column.max() < 32


def test_rings_outside_the_detector_are_refused():
    with pytest.raises(StepError, match=r"azimuthal_pixels\.q = 9 lies outside"):
        AzimuthalPixels(q=(9.0,))(image(), GEOMETRY)

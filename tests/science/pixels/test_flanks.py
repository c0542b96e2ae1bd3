"""The background under a ring, with known backgrounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nxscatter.errors import ParameterError
from nxscatter.science.geometry import qspace
from nxscatter.steps.azimuthal import AzimuthalProfiles
from support.scattering import make_geometry, make_image, q_at

GEOMETRY = make_geometry(260, 250)
Q = q_at(GEOMETRY, 80.0)
FLANKS = (0.2, 0.3)


def ring(level, *, height=40.0, at=Q):
    """Expected counts of a ring of FWHM 0.1 q on a background ``level``(q/Q), shaped by azimuth."""
    q = qspace.q_map(GEOMETRY)
    radial = np.exp(-4 * np.log(2) * ((q - at) / (0.1 * Q)) ** 2)
    return level(q / Q) + height * radial * np.cos(np.radians(qspace.chi_map(GEOMETRY) - 25)) ** 2


def profiles(counts, *, invalid=None, q=(Q,), **parameters):
    image = make_image(np.atleast_3d(counts.T).T, invalid)
    return AzimuthalProfiles(**{"q": q, "tolerance": 0.03, "flanks": FLANKS, "bins": 120, **parameters})(
        image, GEOMETRY
    )


@pytest.mark.parametrize(
    "level",
    [
        lambda x: np.full(x.shape, 7.0),
        lambda x: 7.0 * x**-4,
        lambda x: 2.0 + 5.0 * np.maximum(x, 0.05) ** -3,
        lambda x: 10.0 - 3.0 * x,
    ],
    ids=["flat", "power", "mixed", "straight"],
)
def test_the_level_under_the_ring_is_that_of_the_background(level):
    found = profiles(ring(level))
    # A straight line half-way between the flanks would read 8.1 for the power law.
    np.testing.assert_allclose(np.nanmean(found.background[0]), 7.0, rtol=0.01)
    np.testing.assert_allclose(found.background[0], 7.0, rtol=0.15)


def test_it_follows_the_azimuth():
    chi = np.radians(qspace.chi_map(GEOMETRY))
    found = profiles(ring(lambda x: 7.0 + 2 * np.cos(2 * chi)))
    np.testing.assert_allclose(found.background[0], 7 + 2 * np.cos(2 * np.radians(found.bins)), rtol=0.03)


def test_errors_are_those_of_the_counts():
    rng = np.random.default_rng(51)
    expected = ring(lambda x: 2.0 + 5.0 * np.maximum(x, 0.05) ** -3)
    trials = [profiles(rng.poisson(expected).astype(np.uint32)) for _ in range(60)]
    levels = np.array([one.background[0] for one in trials])
    truth = profiles(expected).background[0]
    errors = np.array([one.background_errors[0] for one in trials])
    # The scale moves all bins together, which the error of a bin leaves out.
    scale = np.array([one.background_scale_errors[0] for one in trials])
    total = np.sqrt((errors**2).mean(axis=0) + (scale.mean() * truth) ** 2)
    assert np.mean(levels.std(axis=0) / total) == pytest.approx(1, abs=0.05)
    means = levels.mean(axis=1)
    assert abs(means.mean() - truth.mean()) < 4 * means.std() / np.sqrt(60)
    assert means.std() / truth.mean() == pytest.approx(scale.mean(), rel=0.3)


def test_frame_by_frame_it_is_that_of_each_frame():
    frames = np.random.default_rng(52).poisson(ring(lambda x: 3 + 0 * x), (3, *GEOMETRY.shape)).astype(np.uint32)
    each, mean = (profiles(frames, frames=how) for how in ("each", "mean"))
    assert each.background.shape == (3, 1, 120)
    np.testing.assert_allclose(each.background.mean(axis=0), mean.background)
    assert each.background_errors[0].mean() == pytest.approx(np.sqrt(3) * mean.background_errors.mean(), rel=0.03)


def test_a_background_below_zero_gives_none_and_says_so():
    image = make_image(ring(lambda x: 3 + 0 * x)[None])
    image = replace(image, intensity=image.intensity - 5.0, variance=image.intensity)
    found = AzimuthalProfiles(q=(Q,), flanks=FLANKS)(image, GEOMETRY)
    assert np.isnan(found.background).all()
    assert "give no background" in found.notes[-1]


def test_a_flank_without_pixels_gives_none_and_says_so():
    blind = qspace.q_map(GEOMETRY) < 0.9 * Q
    found = profiles(ring(lambda x: 3 + 0 * x), invalid=blind)
    assert np.isnan(found.background).all()
    assert np.isfinite(found.intensity).all()
    assert f"the flanks of the ring at q = {Q:.4g} 1/angstrom give no background" in found.notes[-1]


def test_a_flank_that_holds_another_ring_gives_none_and_says_so():
    def level(x):
        return 3 + 20 * np.exp(-4 * np.log(2) * ((x - 1.25) / 0.1) ** 2)

    found = profiles(ring(level))
    assert np.isnan(found.background).all()
    assert "from a smooth course, so that something else is in them" in found.notes[-1]
    near = profiles(ring(lambda x: 3 + 0 * x), flanks=(0.05, 0.15))
    assert "something else is in them" in near.notes[-1]


def test_without_flanks_there_is_no_background():
    assert profiles(ring(lambda x: 3 + 0 * x), flanks=None).background is None


def test_flanks_leave_the_profiles_as_they_are():
    counts = np.random.default_rng(53).poisson(ring(lambda x: 3 + 0 * x)).astype(np.uint32)
    one, other = profiles(counts), profiles(counts, flanks=None)
    for name in ("intensity", "intensity_errors", "pixels", "measured", "variance_slope", "variance_floor"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_allclose(profiles(counts, method="pyfai").background, one.background)


@pytest.mark.parametrize("flanks", [(0.01, 0.05), (0.3, 0.2), (0.2, 0.2)])
def test_bands_that_are_none_are_refused(flanks):
    with pytest.raises(ParameterError, match="give two ascending distances beyond the tolerance"):
        AzimuthalProfiles(flanks=flanks)

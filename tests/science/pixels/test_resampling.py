"""Resampled profiles scatter as profiles do."""

from __future__ import annotations

import numpy as np
import pytest

from nxscatter.errors import ParameterError
from nxscatter.science.geometry import qspace
from nxscatter.steps.azimuthal import AzimuthalProfiles
from support.scattering import make_geometry, make_image, q_at

GEOMETRY = make_geometry(160, 170)
Q = q_at(GEOMETRY, 60.0)


def profiles(frames, *, invalid=None, **parameters):
    step = AzimuthalProfiles(**{"q": (Q,), "tolerance": 0.05, "bins": 72, "replicates": 400, **parameters})
    return step(make_image(np.atleast_3d(frames.T).T, invalid), GEOMETRY)


def counts(level=9.0, seed=61):
    return np.random.default_rng(seed).poisson(level, GEOMETRY.shape).astype(np.uint32)


def test_their_mean_is_the_profile_and_their_scatter_its_error():
    found = profiles(counts())
    assert found.replicates.shape == (400, 1, 72)
    scatter = found.replicates[:, 0].std(axis=0)
    away = found.replicates[:, 0].mean(axis=0) - found.intensity[0]
    assert np.abs(away).max() < 4.5 * scatter.max() / np.sqrt(400)
    # Pairs estimate a bin's variance with one degree of freedom each: 26 pixels make 13 of them.
    assert np.mean(scatter / found.intensity_errors[0]) == pytest.approx(1, abs=0.05)


def test_the_course_across_the_ring_is_no_noise():
    steep = np.random.default_rng(62).poisson(2e4 * (qspace.q_map(GEOMETRY) / Q) ** 4).astype(np.uint32)
    found = profiles(steep)
    assert np.std(steep[np.abs(qspace.q_map(GEOMETRY) / Q - 1) < 0.05]) > 10 * np.sqrt(2e4)
    ratio = found.replicates[:, 0].std(axis=0) / found.intensity_errors[0]
    assert np.median(ratio) < 2.5


def test_noise_that_is_not_poisson_shows():
    rough = counts(200.0) * np.random.default_rng(63).choice([0.7, 1.3], GEOMETRY.shape)
    found = profiles(rough.astype(np.uint32))
    ratio = found.replicates[:, 0].std(axis=0) / found.intensity_errors[0]
    assert np.mean(ratio) == pytest.approx(np.sqrt(1 + 200 * 0.09), rel=0.1)


def test_the_seed_decides():
    one, same, other = (profiles(counts(), seed=seed, replicates=3).replicates for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_a_bin_of_one_pixel_tells_nothing():
    chi, q = qspace.chi_map(GEOMETRY), qspace.q_map(GEOMETRY)
    here = (np.abs(chi - 30) < 2.5) & (np.abs(q / Q - 1) < 0.05)
    hidden = here & (np.cumsum(here).reshape(here.shape) > 1)
    found = profiles(counts(), invalid=hidden)
    bin_ = int(np.flatnonzero(found.bins == 30)[0])
    assert found.measured[0, bin_] == 0  # it sees too little of the ring
    assert np.isnan(found.replicates[:, 0, bin_]).all()
    assert np.isfinite(np.delete(found.replicates, bin_, axis=2)).all()


def test_odd_numbers_of_pixels_scatter_enough():
    """Three pixels a bin: one pair, whose weight must stand for all three."""
    q, chi = qspace.q_map(GEOMETRY), qspace.chi_map(GEOMETRY)
    number = np.floor(chi / 5 + 0.5).astype(int) % 72
    on_ring = np.abs(q / Q - 1) < 0.05
    hidden = np.zeros(GEOMETRY.shape, dtype=bool)
    for one in np.unique(number):
        hidden.reshape(-1)[np.flatnonzero((on_ring & (number == one)).reshape(-1))[3:]] = True
    variances = []
    for seed in range(20):
        found = profiles(counts(seed=seed), invalid=hidden, replicates=30)
        variances.append(found.replicates[:, 0].var(axis=0, ddof=1))
    assert set(found.measured[0]) == {3}
    assert np.mean(variances) == pytest.approx(9.0 / 3, rel=0.1)


def test_they_are_of_the_mean_image():
    with pytest.raises(ParameterError, match="give frames = 'mean'"):
        AzimuthalProfiles(replicates=10, frames="each")
    assert profiles(counts(), replicates=0).replicates is None

"""Profiles against beta know where the pattern stands, and fits of them heed it."""

from __future__ import annotations

import numpy as np
import pytest

from nxscatter.science.geometry import qspace
from nxscatter.steps.azimuthal import AzimuthalProfiles
from nxscatter.steps.fits import FitMaierSaupe, FitPseudoVoigt
from nxscatter.steps.orientation import OrderParameter
from support.scattering import make_geometry, make_image, q_at

GEOMETRY = make_geometry(200, 210)
Q = q_at(GEOMETRY, 70.0)


def profiles(director, *, kappa=5.0, level=40.0, angle="beta", invalid=None, seed=71):
    chi = np.radians(qspace.chi_map(GEOMETRY) - director)
    expected = level * (0.1 + np.exp(kappa * (np.cos(chi) ** 2 - 1)))
    frame = np.random.default_rng(seed).poisson(expected).astype(np.uint32)
    step = AzimuthalProfiles(q=(Q,), tolerance=0.04, angle=angle)
    return step(make_image(frame[None], invalid), GEOMETRY)


@pytest.mark.parametrize("director", [0.0, 25.0, -60.0, 90.0])
def test_it_is_the_director(director):
    found = profiles(director)
    away = (found.pattern_axis[0] - director + 90) % 180 - 90
    assert abs(away) < 4 * found.pattern_axis_errors[0]
    assert found.pattern_axis_errors[0] < 1


def test_its_error_is_true():
    found = [profiles(20.0, kappa=1.0, level=4.0, seed=seed) for seed in range(60)]
    axis = np.array([one.pattern_axis[0] for one in found])
    errors = np.array([one.pattern_axis_errors[0] for one in found])
    assert axis.std() == pytest.approx(errors.mean(), rel=0.3)


@pytest.mark.parametrize(
    ("director", "status"), [(0.0, "ok"), (90.0, "ok"), (10.0, "not_converged"), (45.0, "not_converged")]
)
def test_what_beta_folds_is_not_fitted(director, status):
    measured = profiles(director)
    for step in (FitMaierSaupe(), FitPseudoVoigt()):
        fits = step(measured)
        assert fits.status == (status,)
        assert np.isfinite(fits.values["x0"][0]) == (status == "ok")
    moments = OrderParameter(method=("moments",), background=(4.0,))(measured, ())
    assert moments.status == (status,)
    if status == "not_converged":
        assert f"stands at chi = {measured.pattern_axis[0]:.1f} degrees" in fits.reason[0]
        assert "angle = 'chi'" in fits.reason[0]
        assert np.isnan(moments.S[0])


def test_against_chi_it_is_not_needed():
    measured = profiles(45.0, angle="chi")
    assert np.isnan(measured.pattern_axis).all()
    assert FitMaierSaupe()(measured).status == ("ok",)


def test_an_isotropic_ring_stands_nowhere():
    assert np.isnan(profiles(0.0, kappa=0.0).pattern_axis[0])


def test_one_side_alone_is_not_folded():
    below = (qspace.chi_map(GEOMETRY) < 0) | (qspace.chi_map(GEOMETRY) > 179.5)
    measured = profiles(60.0, invalid=below)
    assert np.isnan(measured.pattern_axis[0])
    fits = FitMaierSaupe()(measured)
    assert fits.status == ("ok",)
    assert abs(fits.values["x0"][0] - 60) < 4 * fits.errors["x0"][0]
    assert abs(fits.values["kappa"][0] - 5) < 4 * fits.errors["kappa"][0]

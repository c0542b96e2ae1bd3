from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nxscatter.errors import ParameterError, StepError
from nxscatter.science.fitting.models import MaierSaupe
from nxscatter.science.fitting.order import averages, order_parameter
from nxscatter.steps.fits import (
    FitKratky,
    FitLeadbetterNorris,
    FitMaierSaupe,
    FitPseudoVoigt,
    FitPseudoVoigtPeriodic,
)
from nxscatter.steps.orientation import OrderParameter
from support.azimuth import CHI, assert_calibrated, gappy, line, profiles

STEPS = {
    "pseudo_voigt": FitPseudoVoigt,
    "pseudo_voigt_periodic": FitPseudoVoigtPeriodic,
    "maier_saupe": FitMaierSaupe,
    "kratky": FitKratky,
    "leadbetter_norris": FitLeadbetterNorris,
}
FRAMES = 150


def simulated(model="maier_saupe", shape=(8.0,), *, level=20.0, frames=0, seed=None, pixels=None):
    generator = None if seed is None else np.random.default_rng(seed)
    intensity = level * line(model, shape, 25.0)
    return profiles(intensity, frames=frames, rng=generator, pixels=gappy() if pixels is None else pixels)


@pytest.mark.parametrize(
    ("method", "shape", "level"),
    [
        ("maier_saupe", {"kappa": 5.0}, 2.0),
        ("maier_saupe", {"kappa": 1.0}, 200.0),
        ("kratky", {"kappa": 5.0}, 2.0),
        ("leadbetter_norris", {"kappa": 5.0}, 2.0),
        ("pseudo_voigt", {"gamma": 30.0, "eta": 0.5}, 20.0),
        ("pseudo_voigt_periodic", {"gamma": 30.0, "eta": 0.5}, 20.0),
    ],
)
def test_S_and_its_error_are_true(method, shape, level):
    measured = simulated(method, tuple(shape.values()), level=level, frames=FRAMES, seed=31)
    found = OrderParameter(method=(method,))(measured, (STEPS[method]()(measured),))
    S, fourth = averages(method, **shape)
    assert set(found.status) == {"ok"}
    assert_calibrated(found.S, found.S_errors, S)
    assert_calibrated(found.P4, found.P4_errors, fourth)


def test_all_that_the_fits_allow():
    measured = simulated(level=200.0)
    fits = (FitPseudoVoigt()(measured), FitMaierSaupe()(measured))
    found = OrderParameter()(measured, fits)
    assert found.method == ("pseudo_voigt", "pseudo_voigt_periodic", "maier_saupe")
    assert found.model == ("pseudo_voigt", "pseudo_voigt", "maier_saupe")
    assert found.reflection == ("", "", "")
    peak = {name: fits[0].values[name][0] for name in ("gamma", "eta")}
    for row, method in enumerate(found.method[:2]):
        assert found.S[row] == pytest.approx(order_parameter(method, **peak), abs=1e-12)
    assert abs(found.S[2] - order_parameter("maier_saupe", kappa=8.0)) < 0.1 * found.S_errors[2]
    periodic = OrderParameter(method=("pseudo_voigt_periodic",))(measured, (*fits, FitPseudoVoigtPeriodic()(measured)))
    assert periodic.model == ("pseudo_voigt_periodic",)


def test_rows_follow_the_fits():
    rings = np.stack([20 * line("maier_saupe", (8.0,), 25.0), np.full(360, 9.0)])
    measured = profiles(rings, frames=3, rng=np.random.default_rng(32))
    fits = FitMaierSaupe()(measured)
    found = OrderParameter()(measured, (fits,))
    for name in ("frame", "ring", "peak", "q", "status", "reason", "elapsed"):
        np.testing.assert_array_equal(getattr(found, name), getattr(fits, name))
    isotropic = np.array(found.status) == "isotropic"
    assert isotropic.tolist() == [False, True] * 3
    assert np.isnan(found.S[isotropic]).all()
    assert np.isnan(found.S_errors[isotropic]).all()
    assert np.isfinite(found.S[~isotropic]).all()


def test_a_width_at_its_limit_gives_no_error_of_S():
    measured = simulated(shape=(3000.0,), pixels=np.full(360, 50))
    found = OrderParameter()(measured, (FitMaierSaupe()(measured),))
    assert found.status == ("at_limit",)
    assert np.isnan(found.S_errors[0])


@pytest.mark.parametrize("reflection", ["meridional", "equatorial"])
def test_moments_and_their_errors_are_true(reflection):
    model = {"meridional": "maier_saupe", "equatorial": "kratky"}[reflection]
    measured = simulated(model, (5.0,), frames=FRAMES, seed=33)
    found = OrderParameter(method=("moments",), reflection=reflection, background=(2.0,))(measured, ())
    S, fourth = averages(model, kappa=5.0)
    assert set(found.status) == {"ok"}
    assert set(found.reflection) == {reflection}
    assert set(found.model) == {""}
    assert_calibrated(found.S, found.S_errors, S)
    assert_calibrated(found.P4, found.P4_errors, fourth)
    np.testing.assert_array_equal(found.elapsed, np.arange(FRAMES))


def test_moments_take_the_background_of_the_flanks():
    rng = np.random.default_rng(34)
    measured = simulated(shape=(5.0,), frames=FRAMES, seed=35)
    flanks = rng.poisson(2.0 * 30, size=measured.intensity.shape) / 30
    errors = np.full(flanks.shape, np.sqrt(2.0 / 30))
    found = OrderParameter(method=("moments",))(replace(measured, background=flanks, background_errors=errors), ())
    assert_calibrated(found.S, found.S_errors, averages("maier_saupe", kappa=5.0)[0])
    given = OrderParameter(method=("moments",), background=(2.0,))(measured, ())
    assert (found.S_errors > 1.2 * given.S_errors).all()


def test_the_scale_of_the_background_moves_all_bins():
    measured = simulated(shape=(5.0,), level=2000.0)
    flat = {
        "background": np.full(measured.intensity.shape, 200.0),
        "background_errors": np.zeros(measured.intensity.shape),
    }
    found = [
        OrderParameter(method=("moments",))(replace(measured, **flat, background_scale_errors=np.array([error])), ())
        for error in (0.0, 0.05)
    ]
    more = OrderParameter(method=("moments",), background=(200.0 * 1.05,))(measured, ())
    assert found[1].S_errors[0] ** 2 - found[0].S_errors[0] ** 2 == pytest.approx(
        (more.S[0] - found[0].S[0]) ** 2, rel=0.1
    )


def test_bootstrap_errors_are_the_scatter_of_the_replicates():
    measured = simulated(shape=(5.0,), pixels=np.full(360, 50), level=200.0)
    noise = np.random.default_rng(37).normal(size=(400, 1, 360)) * measured.intensity_errors
    measured = replace(
        measured,
        replicates=measured.intensity + 2 * noise,
        background=np.full((1, 360), 20.0),
        background_errors=np.zeros((1, 360)),
        background_replicates=np.full((400, 1, 360), 20.0),
    )
    fits = (FitMaierSaupe()(measured),)
    counting, bootstrap = (
        OrderParameter(method=("maier_saupe", "moments"), uncertainty=how)(measured, fits)
        for how in ("counting", "bootstrap")
    )
    np.testing.assert_array_equal(bootstrap.S, counting.S)
    np.testing.assert_allclose(bootstrap.S_errors / counting.S_errors, 2, rtol=0.15)
    np.testing.assert_allclose(bootstrap.P4_errors / counting.P4_errors, 2, rtol=0.15)


def test_bootstrap_needs_replicates():
    measured = simulated()
    fits = FitMaierSaupe()(measured)
    with pytest.raises(StepError, match=r"give azimuthal_profiles\.replicates = 200"):
        OrderParameter(uncertainty="bootstrap")(measured, (fits,))
    resampled = replace(measured, replicates=np.repeat(measured.intensity[None], 3, axis=0))
    with pytest.raises(StepError, match="fit of maier_saupe knows no replicates"):
        OrderParameter(uncertainty="bootstrap")(resampled, (fits,))


def test_a_pattern_of_four_equal_maxima_has_no_director():
    four = MaierSaupe().line(CHI, I=20.0, x0=25.0, kappa=4.0, b=2.0) + MaierSaupe().line(
        CHI, I=20.0, x0=-65.0, kappa=4.0
    )
    measured = profiles(four)
    found = OrderParameter(method=("moments",), background=(2.0,))(measured, ())
    assert found.status == ("not_converged",)
    assert "four maxima" in found.reason[0]
    assert np.isfinite(OrderParameter(method=("moments",), background=(2.0,), director=25.0)(measured, ()).S[0])


def test_wide_angles():
    seen = profiles(20 * line("maier_saupe", (5.0,), 25.0, theta_bragg=14.0))
    wide = replace(seen, theta_bragg=np.array([14.0]), hkl=("1 0 0",))
    fits = (FitMaierSaupe()(wide), FitPseudoVoigt()(wide))
    found = OrderParameter(method=("maier_saupe", "moments", "pseudo_voigt"), background=(2.0,))(wide, fits)
    S = averages("maier_saupe", kappa=5.0)[0]
    np.testing.assert_allclose(found.S[:2], S, atol=2e-3)
    assert "begin at theta_Bragg = 14.0 degrees, the meridian is out of reach" in found.notes[0]
    assert found.notes[0].startswith("(1 0 0) q = 0.05 1/angstrom")
    assert found.notes[1].startswith("pseudo_voigt: takes the azimuth for the angle from the director")
    assert OrderParameter(method=("maier_saupe",))(seen, fits).notes == ()
    narrow = profiles(20 * line("maier_saupe", (30.0,), 25.0, theta_bragg=20.0))
    lost = OrderParameter(method=("moments",), background=(2.0,))(replace(narrow, theta_bragg=np.array([20.0])), ())
    assert lost.status == ("coverage",)
    assert "out of reach" in lost.reason[0]
    assert np.isnan(lost.S[0])


def test_moments_against_beta_know_its_angles():
    """Beta is the angle from the q_parr axis itself, and stops at theta_Bragg."""
    beta = np.arange(0.0, 181.0)
    intensity = 2.0 + 18 * np.exp(5.0 * (np.cos(np.radians(beta)) ** 2 - np.cos(np.radians(14.0)) ** 2))
    reached = np.where(np.abs(beta - 90) <= 90 - 14, 50, 0)
    seen = profiles(intensity, bins=beta, angle="beta", pixels=reached)
    found = OrderParameter(method=("moments",), background=(2.0,), director=0.0)(
        replace(seen, theta_bragg=np.array([14.0])), ()
    )
    assert found.status == ("ok",)
    assert found.S[0] == pytest.approx(averages("maier_saupe", kappa=5.0)[0], abs=3e-3)


def test_without_a_background_moments_say_so():
    measured = simulated()
    found = OrderParameter(method=("moments",))(measured, ())
    assert found.status == ("background",)
    assert np.isnan(found.S[0])
    assert "no background" in found.reason[0]
    too_high = OrderParameter(method=("moments",), background=(50.0,))(measured, ())
    assert too_high.status == ("background",)
    assert np.isnan(too_high.S[0])


def test_a_flat_background_moves_nothing_that_knows_of_it():
    plain, raised = simulated(seed=36), simulated(seed=36)
    raised = replace(raised, intensity=raised.intensity + 7.0, variance_floor=-7.0 * raised.variance_slope)
    for method, background in (("maier_saupe", 2.0), ("moments", 2.0)):
        step = OrderParameter(method=(method,), background=(background,))
        more = OrderParameter(method=(method,), background=(background + 7.0,))
        first = step(plain, (FitMaierSaupe()(plain),))
        second = more(raised, (FitMaierSaupe()(raised),))
        assert abs(second.S[0] - first.S[0]) < first.S_errors[0]


def test_statuses_of_moments():
    half = np.where(np.abs(CHI) < 40, 50, 0)
    none = np.zeros(360, dtype=int)
    full = np.full(360, 50)
    oriented = 20 * line("maier_saupe", (8.0,), 25.0)
    measured = profiles(
        np.stack([np.full(360, 9.0), oriented, oriented, oriented]), pixels=np.stack([full, half, none, full])
    )
    found = OrderParameter(method=("moments",), background=(0.0, 2.0, 2.0, 2.0))(measured, ())
    assert found.status == ("isotropic", "coverage", "too_few_points", "ok")
    assert np.isnan(found.S[:3]).all()
    assert all(found.reason[:3])
    with pytest.raises(StepError, match="2 levels for 4 rings"):
        OrderParameter(method=("moments",), background=(0.0, 2.0))(measured, ())


def test_a_missing_fit_names_the_step_that_makes_it():
    measured = simulated()
    with pytest.raises(StepError, match="add the step fit_kratky"):
        OrderParameter(method=("kratky",))(measured, (FitMaierSaupe()(measured),))
    with pytest.raises(StepError, match="add the step fit_pseudo_voigt or fit_maier_saupe"):
        OrderParameter()(measured, ())


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"method": ("hermans",)}, "use one of pseudo_voigt, pseudo_voigt_periodic"),
        ({"reflection": "polar"}, "give meridional, equatorial"),
        ({"reflection": 55.0}, "54.7"),
        ({"method": ("kratky",), "reflection": "meridional"}, "'kratky' describes an equatorial reflection"),
        ({"method": ("moments",), "reflection": 30.0}, "director"),
        ({"uncertainty": "jackknife"}, "use one of counting, bootstrap"),
    ],
)
def test_illegal_parameters(parameters, says):
    with pytest.raises(ParameterError, match=says):
        OrderParameter(**parameters)


def test_what_is_not_S_of_the_rods_is_said():
    measured = simulated(model="kratky")
    found = OrderParameter(reflection="equatorial")(measured, (FitMaierSaupe()(measured), FitKratky()(measured)))
    assert dict(zip(found.method, found.reflection, strict=True)) == {
        "maier_saupe": "equatorial",
        "kratky": "equatorial",
    }
    assert found.notes[-1].startswith("maier_saupe: S of the profile about its own peak")
    assert OrderParameter()(measured, (FitMaierSaupe()(measured),)).notes == ()

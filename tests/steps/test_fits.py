from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nxscatter.errors import ParameterError, StepError
from nxscatter.science.fitting.lineshapes import wrap
from nxscatter.science.fitting.models import Kratky, MaierSaupe, PseudoVoigt, models
from nxscatter.science.fitting.order import order_parameter
from nxscatter.steps.fits import (
    FitKratky,
    FitLeadbetterNorris,
    FitMaierSaupe,
    FitPseudoVoigt,
    FitPseudoVoigtPeriodic,
)
from support.azimuth import BETA, CHI, assert_calibrated, gappy, line, profiles

STEPS = {
    step.model.name: step
    for step in (FitPseudoVoigt, FitPseudoVoigtPeriodic, FitMaierSaupe, FitKratky, FitLeadbetterNorris)
}
FRAMES = 150


def rng(seed):
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("model", "shape", "counts"),
    [
        ("maier_saupe", (1.0,), 10_000),
        ("maier_saupe", (5.0,), 100),
        ("maier_saupe", (15.0,), 14),
        ("pseudo_voigt", (30.0, 0.5), 1000),
        ("pseudo_voigt", (110.0, 0.5), 10_000),
        ("pseudo_voigt_periodic", (30.0, 0.5), 1000),
        ("kratky", (5.0,), 100),
        ("leadbetter_norris", (5.0,), 100),
    ],
)
def test_values_and_errors_are_true(model, shape, counts):
    simulated = profiles(counts / 50 * line(model, shape, 25.0), pixels=gappy(), frames=FRAMES, rng=rng(21))
    fits = STEPS[model]()(simulated)
    assert set(fits.status) == {"ok"}
    for name, truth in {**dict(zip(models()[model].shape, shape, strict=True)), "x0": 25.0}.items():
        assert_calibrated(fits.values[name], fits.errors[name], truth)
    level = models()[model].level
    assert_calibrated(fits.values[level], fits.errors[level], 0.1 * counts / 50)
    assert fits.chi2_red.mean() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("x0", [0.0, 44.0, 90.0, -60.0, 179.0])
@pytest.mark.parametrize("model", ["maier_saupe", "pseudo_voigt"])
def test_a_peak_on_a_seam_is_fitted_whole(model, x0):
    shape = {"maier_saupe": (8.0,), "pseudo_voigt": (30.0, 0.5)}[model]
    fits = STEPS[model]()(profiles(20 * line(model, shape, x0)))
    assert fits.status == ("ok",)
    assert abs(wrap(fits.values["x0"][0] - x0)) < 0.01 * fits.errors["x0"][0]
    assert -90 < fits.values["x0"][0] <= 90
    assert fits.values["x0_S"][0] == pytest.approx(wrap(fits.values["x0"][0], 90))
    for name, truth in zip(models()[model].shape, shape, strict=True):
        assert fits.values[name][0] == pytest.approx(truth, abs=0.02 * fits.errors[name][0])


@pytest.mark.parametrize("x0", [0.0, 2.0, 60.0, 90.0, 178.0])
@pytest.mark.parametrize("model", ["maier_saupe", "pseudo_voigt"])
def test_profiles_against_beta_have_a_slope(model, x0):
    shape = {"maier_saupe": (8.0,), "pseudo_voigt": (30.0, 0.5)}[model]
    slope = 0.01
    intensity = 20 * line(model, shape, x0, bins=BETA) + slope * wrap(BETA - x0)
    fits = STEPS[model]()(profiles(intensity, bins=BETA, angle="beta", pixels=np.full(181, 50)))
    background = models()[model].slope
    # Where the line jumps, half-way to the next peak, one bin may lie on the other side.
    assert fits.values[background][0] == pytest.approx(slope, abs=0.5 * fits.errors[background][0])
    assert abs(wrap(fits.values["x0"][0] - x0)) < 0.5 * fits.errors["x0"][0]
    assert 0 <= fits.values["x0"][0] < 180
    for name, truth in zip(models()[model].shape, shape, strict=True):
        assert fits.values[name][0] == pytest.approx(truth, abs=0.5 * fits.errors[name][0])


def test_a_full_circle_has_no_slope():
    fits = FitPseudoVoigt()(profiles(20 * line("pseudo_voigt", (30.0, 0.5), 10.0)))
    assert fits.values["slope"][0] == 0
    assert np.isnan(fits.errors["slope"][0])
    assert tuple(fits.values) == ("y0", "I", "x0", "x0_S", "gamma", "eta", "slope")
    at = list(fits.values).index
    assert np.isnan(fits.covariance[0, at("slope")]).all()
    np.testing.assert_array_equal(fits.covariance[0, at("x0_S"), :6], fits.covariance[0, at("x0"), :6])
    for name in ("y0", "I", "gamma", "eta"):
        assert fits.covariance[0, at(name), at(name)] == pytest.approx(fits.errors[name][0] ** 2)
    assert tuple(FitMaierSaupe()(profiles(line("maier_saupe", (5.0,), 0.0))).values) == (
        "I",
        "x0",
        "x0_S",
        "kappa",
        "a",
        "b",
    )
    assert fits.auto == {"width": 180.0}


def test_the_table_draws_the_curve():
    fits = FitPseudoVoigt()(profiles(20 * line("pseudo_voigt", (30.0, 0.5), 10.0), rng=rng(1)))
    y0, area, x0, gamma, eta = (fits.values[name][0] for name in ("y0", "I", "x0", "gamma", "eta"))
    curve = PseudoVoigt().line(CHI, y0=y0, I=area, x0=x0, gamma=gamma, eta=eta)
    np.testing.assert_allclose(fits.fitted[0], curve, rtol=1e-3)
    residual = fits.profile[0] - curve
    assert fits.R2[0] == pytest.approx(
        1 - np.sum(residual**2) / np.sum((fits.profile[0] - fits.profile[0].mean()) ** 2), abs=1e-5
    )
    assert fits.chi2_red[0] == pytest.approx(np.sum(residual**2 / (curve / 50)) / (360 - 5), rel=1e-3)


def test_isotropic_rings_are_never_called_oriented():
    fits = FitMaierSaupe()(profiles(np.full((1, 360), 0.3), pixels=gappy(), frames=500, rng=rng(3)))
    assert fits.status.count("isotropic") >= 498
    isotropic = np.array(fits.status) == "isotropic"
    assert all(np.isnan(column[isotropic]).all() for column in fits.values.values())
    assert np.isfinite(fits.S_harmonic).all()
    assert np.isfinite(fits.S_harmonic_error).all()
    assert fits.reason[0].startswith("S_harmonic = ")


def test_weak_order_is_a_matter_of_min_S():
    weak = profiles(1000 * line("maier_saupe", (0.05,), 0.0, background=0.0))
    assert FitMaierSaupe()(weak).status == ("isotropic",)
    assert FitMaierSaupe(min_S=0.001)(weak).status == ("ok",)


def test_filled_and_empty_bins_are_left_out_but_not_zeros():
    intensity = 0.5 * line("maier_saupe", (15.0,), 25.0, background=0.02)
    simulated = profiles(intensity, rng=rng(5))
    assert (simulated.intensity == 0).any()
    lost = np.abs(wrap(CHI - 40, 360)) < 15
    spoiled = replace(
        simulated,
        intensity=np.where(lost, 1e4, simulated.intensity),
        measured=np.where(lost, 0, simulated.measured),
        variance_slope=np.where(lost, np.nan, simulated.variance_slope),
    )
    empty = replace(simulated, intensity=np.where(lost, np.nan, simulated.intensity))
    first, second = FitMaierSaupe()(spoiled), FitMaierSaupe()(empty)
    assert first.values["kappa"][0] == second.values["kappa"][0]
    zeros = replace(simulated, intensity=np.where(simulated.intensity == 0, np.nan, simulated.intensity))
    assert FitMaierSaupe()(zeros).values["b"][0] > FitMaierSaupe()(simulated).values["b"][0] * 1.5


def half_circle(middle, width):
    return np.where(np.abs(wrap(CHI - middle)) <= width / 2, 50, 0)


def test_coverage_keeps_a_peak_that_is_seen():
    intensity = 20 * line("maier_saupe", (8.0,), 25.0)
    seen = FitMaierSaupe()(profiles(intensity, pixels=half_circle(25.0, 120.0), rng=rng(6)))
    assert seen.status == ("coverage",)
    assert seen.reason[0].startswith("67% of the half circle has data")
    assert abs(seen.values["kappa"][0] - 8) < 4 * seen.errors["kappa"][0]
    aside = FitMaierSaupe()(profiles(intensity, pixels=half_circle(75.0, 120.0), rng=rng(6)))
    assert aside.status == ("coverage",)
    assert np.isnan(aside.values["kappa"][0])
    flat = FitMaierSaupe()(profiles(np.full(360, 20.0), pixels=half_circle(75.0, 120.0), rng=rng(6)))
    assert flat.status == ("coverage",)
    assert "isotropic" in flat.reason[0]
    one_side = np.where(np.abs(wrap(CHI - 25, 360)) <= 90, 50, 0)
    assert FitMaierSaupe()(profiles(intensity, pixels=one_side)).status == ("ok",)


@pytest.mark.parametrize("step", STEPS.values())
def test_nothing_stops_a_batch(step):
    good = 20 * line("maier_saupe", (8.0,), 25.0)
    rings = np.stack([good, np.zeros(360), np.full(360, 7.0), good, good])
    pixels = np.full((5, 360), 50)
    pixels[3] = 0
    pixels[4, 5:] = 0
    simulated = profiles(rings, pixels=pixels)
    slope = np.where(rings == 0, np.nan, simulated.variance_slope)  # a ring without any count has no gain
    fits = step()(replace(simulated, variance_slope=slope))
    assert fits.status == ("ok", "too_few_points", "isotropic", "too_few_points", "too_few_points")
    assert all(fits.reason[1:])
    assert not fits.reason[0]
    for column in (*fits.values.values(), *fits.errors.values(), fits.R2, fits.chi2_red):
        assert np.isnan(column[1:]).all()
    assert np.isnan(fits.fitted[1:]).all()


def test_negative_intensities_after_subtraction_are_data():
    intensity = 20 * line("maier_saupe", (8.0,), 25.0)
    simulated = profiles(intensity, frames=FRAMES, rng=rng(7))
    level = 4.0  # twice the background: the far bins are below 0
    moved = replace(
        simulated,
        intensity=simulated.intensity - level,
        variance_floor=simulated.variance_slope * level,
    )
    fits = FitMaierSaupe()(moved)
    assert set(fits.status) == {"ok"}
    assert_calibrated(fits.values["b"], fits.errors["b"], 2.0 - level)
    assert_calibrated(fits.values["kappa"], fits.errors["kappa"], 8.0)


def test_a_peak_too_narrow_for_its_bins_is_at_its_limit():
    fits = FitMaierSaupe()(profiles(20 * line("maier_saupe", (3000.0,), 25.0), rng=rng(8)))
    assert fits.status == ("at_limit",)
    assert "kappa stands at its limit of 101" in fits.reason[0]  # FWHM of three bins
    assert np.isnan(fits.errors["kappa"][0])
    assert np.isfinite(fits.errors["x0"][0])
    sharp = FitPseudoVoigt()(profiles(20 * line("pseudo_voigt", (2.0, 0.5), 25.0), rng=rng(8)))
    assert sharp.values["gamma"][0] == 3
    assert sharp.status == ("at_limit",)


def test_a_gaussian_stands_on_the_end_of_eta():
    fits = FitPseudoVoigt()(profiles(200 * line("pseudo_voigt", (30.0, 1.0), 25.0), frames=40, rng=rng(9)))
    limited = np.array(fits.status) == "at_limit"
    assert 0.2 < limited.mean() < 0.8
    assert (fits.values["eta"] <= 1).all()
    assert np.isfinite(fits.errors["eta"]).all()
    assert (np.abs(fits.values["gamma"] - 30) < 5 * fits.errors["gamma"]).all()


@pytest.mark.parametrize("model", ["maier_saupe", "pseudo_voigt"])
def test_wide_bins_average_the_model(model):
    shape = {"maier_saupe": (15.0,), "pseudo_voigt": (25.0, 0.5)}[model]
    bins = -180 + 8.0 * np.arange(1, 46)
    intensity = 20 * line(model, shape, 25.0, bins=bins, width=8.0)
    fits = STEPS[model]()(profiles(intensity, bins=bins, pixels=np.full(45, 50)))
    for name, truth in zip(models()[model].shape, shape, strict=True):
        assert abs(fits.values[name][0] - truth) < 0.1 * fits.errors[name][0]
    assert abs(fits.values["x0"][0] - 25) < 0.1 * fits.errors["x0"][0]


def test_a_window_and_a_target_choose_what_is_fitted():
    strong = 20 * line("maier_saupe", (60.0,), -50.0, background=0.05)
    weak = 6 * line("maier_saupe", (60.0,), 40.0, background=0.0)
    simulated = profiles(strong + weak, frames=FRAMES, rng=rng(10))
    fits = FitMaierSaupe(beta_target=220.0, width=60.0)(simulated)  # the copy of 40 on the other side
    assert set(fits.status) == {"ok"}
    assert_calibrated(fits.values["x0"], fits.errors["x0"], 40.0)
    assert_calibrated(fits.values["kappa"], fits.errors["kappa"], 60.0)
    assert np.isfinite(fits.errors["a"]).all()
    assert np.isfinite(fits.fitted[0]).sum() == 2 * 61
    assert fits.auto == {}
    assert (np.abs(FitMaierSaupe()(simulated).values["x0"] + 50) < 2).all()


def test_no_peak_where_it_was_expected():
    fits = FitMaierSaupe(beta_target=115.0)(profiles(20 * line("maier_saupe", (60.0,), 30.0), rng=rng(15)))
    assert np.isnan(fits.values["x0"][0])
    assert fits.status[0] in ("at_limit", "not_converged")
    assert fits.reason[0].startswith(("no peak where it was expected", "the fit did not converge"))


def test_a_line_that_is_not_the_profile_gives_no_numbers():
    """Two peaks, and a line that can follow one of them."""
    two = MaierSaupe().line(CHI, I=20.0, x0=25.0, kappa=20.0, b=2.0) + MaierSaupe().line(
        CHI, I=19.0, x0=-55.0, kappa=20.0
    )
    fits = FitMaierSaupe()(profiles(two, rng=rng(21)))
    assert fits.status == ("not_converged",)
    assert fits.reason[0].startswith("the line does not follow")
    assert np.isnan(fits.values["kappa"][0])
    assert FitMaierSaupe(peaks=2)(profiles(two, rng=rng(21))).status == ("ok", "ok")


@pytest.mark.parametrize("level", [0.05, 0.5, 2000.0])
def test_few_counts_or_another_line_are_no_misfit(level):
    simulated = profiles(level * line("kratky", (5.0,), 25.0), frames=60, rng=rng(22))
    assert "not_converged" not in FitMaierSaupe()(simulated).status


def test_a_wrong_centre_is_a_onefold_drift():
    drift = 1 + 0.1 * np.cos(np.radians(CHI - 70))
    pixels = np.where(np.abs(wrap(CHI - 10, 360)) < 60, 50, 10)  # uneven, or the drift would cancel
    simulated = profiles(20 * line("maier_saupe", (3.0,), 25.0) * drift, pixels=pixels, frames=FRAMES, rng=rng(16))
    fits = FitMaierSaupe(drift="onefold")(simulated)
    assert_calibrated(fits.values["x0"], fits.errors["x0"], 25.0)
    assert_calibrated(fits.values["kappa"], fits.errors["kappa"], 3.0)
    assert_calibrated(fits.values["drift_cos"], fits.errors["drift_cos"], 0.1 * np.cos(np.radians(70)))
    plain = FitMaierSaupe()(simulated)
    assert abs(np.mean((plain.values["x0"] - 25) / plain.errors["x0"])) > 2
    with pytest.raises(StepError, match="angle = 'chi'"):
        FitMaierSaupe(drift="onefold")(profiles(np.ones(181), bins=BETA, angle="beta", pixels=np.full(181, 50)))


def test_several_peaks_share_a_background():
    two = MaierSaupe().line(CHI, I=20.0, x0=25.0, kappa=20.0, b=2.0) + MaierSaupe().line(
        CHI, I=10.0, x0=80.0, kappa=20.0
    )
    simulated = profiles(np.stack([two, np.full(360, 5.0)]), frames=60, rng=rng(17))
    fits = FitMaierSaupe(peaks=2)(simulated)
    oriented = fits.ring == 1
    assert fits.peak[oriented].tolist() == [1, 2] * 60
    for peak, x0, height in ((1, 25.0, 20.0), (2, 80.0, 10.0)):
        here = oriented & (fits.peak == peak)
        assert_calibrated(fits.values["x0"][here], fits.errors["x0"][here], x0)
        assert_calibrated(fits.values["kappa"][here], fits.errors["kappa"][here], 20.0)
        assert_calibrated(fits.values["I"][here], fits.errors["I"][here], height)
        assert_calibrated(fits.values["b"][here], fits.errors["b"][here], 2.0)
    automatic = FitMaierSaupe(peaks="auto")(simulated)
    np.testing.assert_array_equal(automatic.values["x0"], fits.values["x0"])
    assert automatic.auto["peaks"] == [2, 1]
    assert FitMaierSaupe(peaks="auto")(profiles(20 * line("maier_saupe", (8.0,), 25.0), rng=rng(1))).peak.tolist() == [
        1
    ]


@pytest.mark.parametrize("model", ["maier_saupe", "kratky", "leadbetter_norris"])
def test_wide_angles_give_kappa_of_the_distribution(model):
    seen = profiles(20 * line(model, (5.0,), 25.0, theta_bragg=20.0))
    wide = STEPS[model]()(replace(seen, theta_bragg=np.array([20.0])))
    assert wide.values["kappa"][0] == pytest.approx(5.0, abs=0.02 * wide.errors["kappa"][0])
    assert STEPS[model]()(seen).values["kappa"][0] < 4.8
    # Against beta angles are those from the q_parr axis already.
    beta = profiles(20 * line(model, (5.0,), 90.0, bins=BETA), bins=BETA, angle="beta", pixels=np.full(181, 50))
    tilted = STEPS[model]()(replace(beta, theta_bragg=np.array([20.0])))
    assert tilted.values["kappa"][0] == pytest.approx(5.0, abs=0.02 * tilted.errors["kappa"][0])


def test_shared_parameters_are_those_of_all_rings_and_frames():
    rings = np.stack([line("maier_saupe", (8.0,), -88.0), 0.4 * line("maier_saupe", (8.0,), -88.0), np.full(360, 0.5)])
    simulated = profiles(2 * rings, frames=40, pixels=gappy(), rng=rng(23))
    alone, together = FitMaierSaupe()(simulated), FitMaierSaupe(share=("x0", "kappa"))(simulated)
    assert together.status == alone.status
    assert set(together.status) == {"ok", "isotropic"}
    good = np.array(together.status) == "ok"
    for name, truth in (("x0", -88.0), ("kappa", 8.0)):
        values, errors = together.values[name][good], together.errors[name][good]
        assert np.ptp(values) == 0
        assert abs(values[0] - truth) < 4 * errors[0]
        best = np.sqrt(1 / np.sum(1 / alone.errors[name][good] ** 2))
        assert errors[0] == pytest.approx(best, rel=0.1)
        assert np.isnan(together.values[name][~good]).all()
    heights = together.values["I"][good & (together.ring == 2)]
    assert_calibrated(heights, together.errors["I"][good & (together.ring == 2)], 0.72)


def test_resampled_profiles_give_a_covariance_of_their_own():
    simulated = profiles(np.stack([20 * line("maier_saupe", (8.0,), 25.0), np.full(360, 5.0)]))
    generator = rng(24)
    noise = generator.normal(size=(300, 2, 360)) * 2 * simulated.intensity_errors
    resampled = replace(simulated, replicates=simulated.intensity + noise)
    fits = FitMaierSaupe()(resampled)
    ratio = fits.bootstrap[0] / fits.covariance[0]
    at = list(fits.values).index
    for name in ("I", "x0", "kappa", "b"):
        assert ratio[at(name), at(name)] == pytest.approx(4, rel=0.35)  # errors twice as large
    assert np.isnan(fits.bootstrap[0, at("a")]).all()
    assert np.isnan(fits.bootstrap[1]).all()
    np.testing.assert_array_equal(fits.covariance, FitMaierSaupe()(simulated).covariance)
    assert FitMaierSaupe()(simulated).bootstrap is None
    assert FitMaierSaupe(share=("x0",))(resampled).bootstrap is None


def test_a_ring_without_pixels_says_so():
    simulated = profiles(20 * line("maier_saupe", (8.0,), 25.0), pixels=np.zeros(360, dtype=int))
    fits = FitMaierSaupe()(simulated)
    assert (fits.status, fits.reason) == (("too_few_points",), ("no pixel of the ring is measured",))


def test_fourfold_patterns():
    four = MaierSaupe().line(CHI, I=20.0, x0=25.0, kappa=20.0, b=2.0) + MaierSaupe().line(
        CHI, I=20.0, x0=-65.0, kappa=20.0
    )
    fits = FitPseudoVoigt(peaks="auto")(profiles(four))
    np.testing.assert_allclose(np.sort(fits.values["x0"]), [-65, 25], atol=0.05)


def test_rows_of_a_stack():
    rings = np.stack([line("maier_saupe", (8.0,), x0) for x0 in (10.0, -30.0, 70.0)])
    fits = FitMaierSaupe()(profiles(20 * rings, frames=120, rng=rng(18)))  # more than one block
    assert fits.frame.tolist() == [frame for frame in range(120) for _ in range(3)]
    assert fits.ring.tolist() == [1, 2, 3] * 120
    np.testing.assert_array_equal(fits.elapsed, fits.frame)
    np.testing.assert_allclose(fits.values["x0"].reshape(120, 3), np.tile([10, -30, 70], (120, 1)), atol=3)
    np.testing.assert_allclose(fits.q[:3], [0.05, 0.1, 0.15])
    assert fits.fitted.shape == fits.profile.shape == (3, 360)
    mean = FitMaierSaupe()(profiles(20 * rings))
    assert mean.frame.tolist() == [-1] * 3
    assert np.isnan(mean.elapsed).all()


def test_scaling_does_not_move_the_shape():
    simulated = profiles(2 * line("maier_saupe", (5.0,), 25.0), rng=rng(19))
    scaled = replace(
        simulated, intensity=simulated.intensity * 1e-6, variance_slope=simulated.variance_slope * 1e-6, units="1/m"
    )
    first, second = FitMaierSaupe()(simulated), FitMaierSaupe()(scaled)
    assert second.units == "1/m"
    for name in ("kappa", "x0"):
        assert second.values[name][0] == pytest.approx(first.values[name][0], rel=1e-6)
        assert second.errors[name][0] == pytest.approx(first.errors[name][0], rel=1e-5)


def test_a_rotated_pattern_gives_the_same_shape():
    simulated = profiles(2 * line("maier_saupe", (5.0,), 25.0), rng=rng(20))
    turned = replace(simulated, intensity=np.roll(simulated.intensity, 90, axis=-1))
    first, second = FitMaierSaupe()(simulated), FitMaierSaupe()(turned)
    assert second.values["kappa"][0] == pytest.approx(first.values["kappa"][0], abs=0.01 * first.errors["kappa"][0])
    assert wrap(second.values["x0"][0] - first.values["x0"][0] - 90) == pytest.approx(0, abs=0.01)


def test_a_maier_saupe_line_on_a_kratky_profile():
    fits = FitMaierSaupe()(profiles(20 * Kratky().line(CHI, I=1.0, x0=0.0, kappa=2.0)))
    assert order_parameter("maier_saupe", kappa=fits.values["kappa"][0]) == pytest.approx(0.239, abs=5e-3)


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"peaks": 7}, "use one of 1, 2, 3, 4, auto"),
        ({"peaks": 2, "beta_target": 30.0}, "give it with peaks = 1"),
        ({"width": 0.0}, "width = 0: give above 0"),
        ({"drift": "twofold"}, "use one of none, onefold"),
        ({"share": ("gamma",)}, "share = 'gamma': use one of x0, kappa"),
        ({"share": ("x0",), "peaks": 2}, "give peaks = 1"),
    ],
)
def test_illegal_parameters(parameters, says):
    with pytest.raises(ParameterError, match=says):
        FitMaierSaupe(**parameters)

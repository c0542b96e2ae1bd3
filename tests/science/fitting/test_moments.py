from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from nxscatter.errors import ParameterError
from nxscatter.science.fitting.lineshapes import wrap
from nxscatter.science.fitting.models import Kratky, LeadbetterNorris, MaierSaupe
from nxscatter.science.fitting.moments import moments
from nxscatter.science.fitting.order import averages
from support.azimuth import CHI, assert_calibrated


def P2(c):
    return (3 * c**2 - 1) / 2


@pytest.mark.parametrize("strength", [0.5, 2.0, 5.0, 20.0])
@pytest.mark.parametrize("angle", [CHI, np.arange(0.0, 91.0), np.linspace(-90, 90, 301)])
def test_kratky_profile_gives_back_its_order(strength, angle):
    S, fourth = averages("kratky", kappa=strength)
    for equator in (0.0, 25.3) if len(angle) > 91 else (0.0,):
        found = moments(
            angle, Kratky().line(angle, I=3.0, x0=equator, kappa=strength), equator + 90, reflection="equatorial"
        )
        assert pytest.approx(S, abs=1e-6) == found.S
        assert pytest.approx(fourth, abs=1e-6) == found.P4
        assert np.isnan(found.S_error)


def test_leadbetter_norris_profile_read_as_kratky():
    found = moments(CHI, LeadbetterNorris().line(CHI, I=1.0, x0=0.0, kappa=2.0), 90.0, reflection="equatorial")
    assert pytest.approx(0.3402, abs=5e-5) == found.S


def test_background_counts():
    profile = MaierSaupe().line(CHI, I=1.0, x0=0.0, kappa=1.0)
    assert pytest.approx(0.144, abs=5e-4) == moments(CHI, profile, 0.0).S
    assert pytest.approx(0.455, abs=5e-4) == moments(CHI, profile - profile.min(), 0.0).S


@pytest.mark.parametrize("phi0", [0.0, 20.0, 40.0, 70.0, 90.0])
def test_general_reflection(phi0):
    # Molecules at beta from the director put q on a cone about themselves: average over the cone.
    turn = np.radians(np.arange(0.5, 360.0))
    theta, tilt = np.radians(CHI)[:, None], np.radians(phi0)
    beta = np.cos(theta) * np.cos(tilt) + np.sin(theta) * np.sin(tilt) * np.cos(turn)
    profile = np.exp(4.0 * (beta**2 - 1)).mean(axis=1)
    S, fourth = averages("maier_saupe", kappa=4.0)
    found = moments(CHI, profile, 0.0, reflection=phi0)
    assert pytest.approx(S, abs=1e-6) == found.S
    if phi0 == 70:  # close to a zero of P4
        assert np.isnan(found.P4)
    else:
        assert pytest.approx(fourth, abs=1e-6) == found.P4


@pytest.mark.parametrize(("strength", "within"), [(1.0, 1e-4), (4.0, 1e-3), (8.0, 3e-3)])
@pytest.mark.parametrize("theta_bragg", [3.0, 15.0])
def test_a_meridian_out_of_reach_is_continued(strength, within, theta_bragg):
    polar = np.arccos(np.cos(np.radians(theta_bragg)) * np.abs(np.cos(np.radians(CHI - 25))))
    profile = np.exp(strength * np.cos(polar) ** 2)
    found = moments(CHI, profile, 25.0, theta_bragg=theta_bragg)
    assert pytest.approx(averages("maier_saupe", kappa=strength)[0], abs=within) == found.S

    def reached(function):
        low = np.radians(theta_bragg)
        return quad(lambda t: function(np.cos(t)) * np.exp(strength * np.cos(t) ** 2) * np.sin(t), low, np.pi / 2)[0]

    left_out = reached(P2) / reached(np.ones_like)
    assert abs(found.S - averages("maier_saupe", kappa=strength)[0]) < 0.15 * abs(found.S - left_out)


def test_an_equatorial_reflection_at_wide_angles():
    profile = Kratky().line(CHI, I=1.0, x0=25.0, kappa=5.0, theta_bragg=15.0)
    found = moments(CHI, profile, 115.0, reflection="equatorial", theta_bragg=15.0)
    assert pytest.approx(averages("kratky", kappa=5.0)[0], abs=1e-3) == found.S


def test_errors_come_from_replicates_and_from_what_moves_all_points():
    rng = np.random.default_rng(6)
    line = Kratky().line(CHI, I=30.0, x0=25.0, kappa=5.0)
    noise = rng.normal(scale=0.5, size=(400, 360))
    counted = moments(CHI, line, 115.0, variance=np.full(360, 0.25), reflection="equatorial")
    resampled = moments(CHI, line, 115.0, replicates=line + noise, reflection="equatorial")
    assert resampled.S == counted.S
    assert resampled.S_error == pytest.approx(counted.S_error, rel=0.1)
    assert resampled.P4_error == pytest.approx(counted.P4_error, rel=0.1)
    common = np.full(360, 0.3)
    both = moments(CHI, line, 115.0, variance=np.full(360, 0.25), common_error=common, reflection="equatorial")
    moved = moments(CHI, line + 1e-3 * common, 115.0, reflection="equatorial")
    assert both.S_error == pytest.approx(np.hypot(counted.S_error, (moved.S - counted.S) / 1e-3), rel=1e-3)


def test_gaps_are_filled_by_the_other_sides():
    profile = Kratky().line(CHI, I=1.0, x0=25.0, kappa=6.0)
    truth = moments(CHI, profile, 115.0, reflection="equatorial")
    holes = profile.copy()
    holes[np.abs(wrap(CHI - 40, 360)) < 12] = np.nan
    holes[np.abs(wrap(CHI + 120, 360)) < 8] = np.nan
    found = moments(CHI, holes, 115.0, reflection="equatorial")
    assert pytest.approx(truth.S, abs=1e-9) == found.S


def test_what_cannot_be_told_is_nan():
    profile = MaierSaupe().line(CHI, I=1.0, x0=0.0, kappa=200.0)
    profile[np.abs(wrap(CHI)) < 10] = np.nan  # the peak itself, on all sides
    lost = moments(CHI, np.where(np.abs(wrap(CHI)) < 14, np.nan, 1.0 + np.cos(np.radians(40 * CHI))), 0.0)
    assert lost.status == "coverage"
    assert np.isnan(lost.S)
    assert moments(CHI, np.full(360, np.nan), 0.0).status == "coverage"
    negative = moments(CHI, profile - 1.0, 0.0)
    assert (negative.status, negative.reason) == ("background", "nothing is left above the background")
    assert np.isnan([negative.S, negative.S_error, negative.P4]).all()
    hidden = moments(CHI, MaierSaupe().line(CHI, I=1.0, x0=0.0, kappa=30.0, theta_bragg=20.0), 0.0, theta_bragg=20.0)
    assert hidden.status == "coverage"
    assert hidden.reason.endswith("of the intensity is out of reach at this Bragg angle")


@pytest.mark.parametrize("reflection", ["meridional", "equatorial"])
def test_too_high_a_background_is_found_out(reflection):
    """It would give an S above 1."""
    rng = np.random.default_rng(5)
    director = 25.0 if reflection == "meridional" else 115.0
    expected = MaierSaupe().line(CHI, I=60.0, x0=25.0, kappa=5.0, b=4.0)
    variance = expected / 30
    found = {
        level: [
            moments(
                CHI, rng.normal(expected, np.sqrt(variance)) - level, director, variance=variance, reflection=reflection
            )
            for _ in range(30)
        ]
        for level in (4.0, 6.0)
    }
    assert {one.status for one in found[4.0]} == {"ok"}
    assert {one.status for one in found[6.0]} == {"background"}
    assert all(one.reason.endswith("below its background") for one in found[6.0])


def test_errors_are_true():
    rng = np.random.default_rng(4)
    line, level = Kratky().line(CHI, I=30.0, x0=25.0, kappa=5.0), 4.0
    counts = rng.poisson(line + level, size=(150, 360))
    found = [moments(CHI, one - level, 115.0, variance=one.astype(float), reflection="equatorial") for one in counts]
    S, fourth = averages("kratky", kappa=5.0)
    assert_calibrated(np.array([one.S for one in found]), np.array([one.S_error for one in found]), S)
    assert_calibrated(np.array([one.P4 for one in found]), np.array([one.P4_error for one in found]), fourth)


@pytest.mark.parametrize(
    ("reflection", "says"),
    [("polar", "meridional, equatorial, or an angle"), (54.0, "54.7, where P2 is 0"), (120.0, "0 to 90 degree")],
)
def test_reflections_that_say_nothing_are_refused(reflection, says):
    with pytest.raises(ParameterError, match=says):
        moments(CHI, np.ones(360), 0.0, reflection=reflection)

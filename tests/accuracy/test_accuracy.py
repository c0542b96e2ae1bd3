"""From frames to order parameters, through all steps, against known truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nxscatter
from nxscatter.results import Fits, Geometry, Image, Orientation, PixelFlag
from nxscatter.science.fitting.lineshapes import wrap
from nxscatter.science.fitting.order import order_parameter
from nxscatter.science.pixels.stage_links import MaskedStage, RawStage
from nxscatter.simulate import (
    EIGER2_4M,
    EIGER2_SMALL,
    RAYONIX_WAXS,
    Camera,
    Pattern,
    Ring,
    Run,
    id02_name,
    write_id02,
)
from nxscatter.steps.azimuthal import AzimuthalProfiles
from nxscatter.steps.fits import (
    FitKratky,
    FitLeadbetterNorris,
    FitMaierSaupe,
    FitPseudoVoigtPeriodic,
    LineFit,
)
from nxscatter.steps.orientation import OrderParameter
from support.scattering import Stack

Q = (0.05, 0.068)
FLANKS = (0.16, 0.22)
COBALT = """data_cobalt
_cell_length_a 2.5071
_cell_length_b 2.5071
_cell_length_c 4.0686
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
_symmetry_space_group_name_H-M 'P 63/m m c'
"""


def pattern(
    kappa: float, director: float = 0.0, *, rings: int = 2, flat: float = 2.0, model: str = "maier_saupe"
) -> Pattern:
    """One or two rings on a decaying background, in the proportions of a small-angle pattern."""
    shape = {"kappa": kappa} if kappa else {}
    model = model if kappa else "isotropic"
    heights = dict(zip(Q[:rings], (100.0, 60.0), strict=False))
    made = (Ring(q, height, 0.1 * q, model, director=director, **shape) for q, height in heights.items())
    return Pattern(tuple(made), flat=flat, scale=6e-4)


def blind(camera: Camera) -> np.ndarray:
    """What a tight mask hides: gaps, dead pixels and the beamstop."""
    return camera.gap_mask() | camera.dead_mask() | camera.beamstop_mask()


def image_of(frame: np.ndarray, invalid: np.ndarray) -> Image:
    """The masked image of one frame."""
    return Image(
        intensity=np.where(invalid, np.nan, frame),
        flags=np.where(invalid, int(PixelFlag.MASKED), 0).astype(np.uint16),
        stage=MaskedStage(RawStage(Stack(frame[None])), invalid),
    )


def measured(camera: Camera, scattered: Pattern, seed: int = 0) -> Image:
    """One frame of a second."""
    (frame,) = camera.expose((scattered,), 1.0, seed)
    return image_of(frame, blind(camera))


def analysed(image: Image, geometry: Geometry, *fits: LineFit, **options: Any) -> tuple[Orientation, list[Fits]]:
    """Profiles with the background of their flanks, fits, and all order parameters that they allow."""
    profiles = AzimuthalProfiles(q=Q[:1], flanks=FLANKS)(image, geometry)
    made = [fit(profiles) for fit in fits]
    methods = (*dict.fromkeys(one.model for one in made), "moments")
    return OrderParameter(method=methods, **options)(profiles, tuple(made)), made


@pytest.mark.slow
@pytest.mark.parametrize(("kappa", "director"), [(1.0, 25.0), (5.0, 60.0), (10.0, 0.0), (20.0, 90.0)])
def test_a_4m_frame_gives_the_order_of_the_rods(kappa, director):
    image = measured(EIGER2_4M, pattern(kappa, director), seed=round(kappa))
    S = order_parameter("maier_saupe", kappa=kappa)
    for angle in ("chi", "beta"):
        profiles = AzimuthalProfiles(q=Q, angle=angle)(image, EIGER2_4M.geometry)
        fits = FitMaierSaupe()(profiles)
        if angle == "beta" and director % 90:
            assert fits.status == ("not_converged",) * 2
            assert np.isnan(fits.values["kappa"]).all()
            continue
        found = OrderParameter(method=("maier_saupe",))(profiles, (fits,))
        assert found.status == ("ok",) * 2
        assert np.abs(wrap(fits.values["x0"] - director)).max() < 0.3
        assert (np.abs(fits.values["kappa"] - kappa) < np.fmax(0.02 * kappa, 3 * fits.errors["kappa"])).all()
        assert np.abs(found.S - S).max() < 0.01
        assert fits.chi2_red.max() < 1.3


@pytest.mark.slow
def test_an_isotropic_4m_frame_is_isotropic():
    image = measured(EIGER2_4M, pattern(0.0))
    for angle in ("chi", "beta"):
        fits = FitMaierSaupe()(AzimuthalProfiles(q=Q, angle=angle)(image, EIGER2_4M.geometry))
        assert fits.status == ("isotropic",) * 2
        assert np.abs(fits.S_harmonic).max() < 0.02
        assert np.isnan(fits.values["kappa"]).all()


@pytest.mark.slow
def test_pixels_and_bins_leave_no_bias():
    """What a frame without noise is read as, in units of the error that a second of counting leaves."""
    for kappa, director in ((1.0, 60.0), (20.0, 25.0)):
        rate = EIGER2_4M.expected(pattern(kappa, director))
        profiles = AzimuthalProfiles(q=Q)(image_of(rate, blind(EIGER2_4M)), EIGER2_4M.geometry)
        fits = FitMaierSaupe()(profiles)
        assert (np.abs(fits.values["kappa"] - kappa) < 0.15 * fits.errors["kappa"]).all()
        assert (np.abs(wrap(fits.values["x0"] - director)) < 0.15 * fits.errors["x0"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("kappa", [1.0, 5.0])
def test_moments_of_a_frame(kappa):
    found, _ = analysed(measured(EIGER2_4M, pattern(kappa, 25.0, rings=1)), EIGER2_4M.geometry)
    assert found.status == ("ok",)
    assert abs(found.S[0] - order_parameter("maier_saupe", kappa=kappa)) < 3 * found.S_errors[0]
    assert found.S_errors[0] < 0.01


def turned(name: str, frame: np.ndarray, invalid: np.ndarray, place: Geometry) -> tuple[Image, Geometry]:
    """Turn image and centre together."""
    rows, columns = place.shape
    center = {
        "90": (columns - place.center_x, place.center_y),
        "180": (rows - place.center_y, columns - place.center_x),
        "transposed": (place.center_x, place.center_y),
    }[name]
    turns: dict[str, Any] = {"90": np.rot90, "180": lambda image: np.rot90(image, 2), "transposed": np.transpose}
    turn = turns[name]
    moved = turn(frame)
    geometry = replace(place, rows=moved.shape[0], columns=moved.shape[1], center_y=center[0], center_x=center[1])
    return image_of(np.ascontiguousarray(moved), np.ascontiguousarray(turn(invalid))), geometry


LINES = (FitMaierSaupe(), FitKratky(), FitLeadbetterNorris(), FitPseudoVoigtPeriodic())


@pytest.fixture(scope="module")
def small() -> tuple[np.ndarray, np.ndarray]:
    """A frame of the small camera and what is blind in it."""
    (frame,) = EIGER2_SMALL.expose((pattern(4.0, 25.0, rings=1),), 1.0, 3)
    return frame, blind(EIGER2_SMALL)


@pytest.mark.parametrize("name", ["90", "180", "transposed"])
def test_a_turned_pattern_has_the_same_order(small: tuple[np.ndarray, np.ndarray], name: str) -> None:
    before, _ = analysed(image_of(*small), EIGER2_SMALL.geometry, *LINES)
    after, _ = analysed(*turned(name, *small, EIGER2_SMALL.geometry), *LINES)
    assert set(before.status) == set(after.status) == {"ok"}
    assert (np.abs(after.S - before.S) < 0.02 * before.S_errors).all()
    np.testing.assert_allclose(after.S_errors, before.S_errors, rtol=0.01)


def test_another_scale_has_the_same_order(small):
    image = image_of(*small)
    scaled = replace(image, intensity=image.intensity * 1e-5, variance=image.intensity * 1e-10, units="1/m")
    before, _ = analysed(image, EIGER2_SMALL.geometry, *LINES)
    after, _ = analysed(scaled, EIGER2_SMALL.geometry, *LINES)
    assert (np.abs(after.S - before.S) < 0.02 * before.S_errors).all()
    np.testing.assert_allclose(after.S_errors, before.S_errors, rtol=0.02)


def test_a_flat_background_does_not_move_the_order():
    found = []
    for flat in (2.0, 32.0):
        rate = EIGER2_SMALL.expected(pattern(4.0, 25.0, rings=1, flat=flat))
        found.append(analysed(image_of(rate, blind(EIGER2_SMALL)), EIGER2_SMALL.geometry, *LINES)[0])
    assert set(found[1].status) == {"ok"}
    assert (np.abs(found[1].S - found[0].S) < found[0].S_errors).all()
    assert (found[1].S_errors > found[0].S_errors).all()


@pytest.mark.slow
@pytest.mark.parametrize("kappa", [1.0, 5.0])
def test_bootstrap_and_counting_agree_where_counts_are_all_there_is(kappa):
    image = measured(EIGER2_SMALL, pattern(kappa, 25.0, rings=1), seed=4)
    step = AzimuthalProfiles(q=Q[:1], tolerance=0.06, bins=120, flanks=FLANKS, replicates=300)
    profiles = step(image, EIGER2_SMALL.geometry)
    fits = (FitMaierSaupe()(profiles), FitKratky()(profiles))
    counting, bootstrap = (
        OrderParameter(method=("maier_saupe", "kratky", "moments"), uncertainty=how)(profiles, fits)
        for how in ("counting", "bootstrap")
    )
    np.testing.assert_allclose(bootstrap.S_errors / counting.S_errors, 1, atol=0.15)
    np.testing.assert_array_equal(bootstrap.S, counting.S)


@pytest.mark.slow
def test_from_the_raw_file_of_a_4m_detector(tmp_path):
    known = write_id02(tmp_path / id02_name("rods", 1), pattern(5.0, 25.0), EIGER2_4M, Run("rods", 400.0))
    records = nxscatter.process(known.path, "auto")
    found: Any = records[-1].load()
    rows = [row for row, method in enumerate(found.method) if method == "maier_saupe"]
    np.testing.assert_allclose(found.q[rows], Q, rtol=0.01)
    np.testing.assert_allclose(found.S[rows], [truth.S for truth in known.truth], atol=0.01)


def settled(tmp_path: Path, scattered: Pattern, camera: Camera = EIGER2_SMALL, **options: Any) -> Orientation:
    """The order parameters of a raw file, whatever is wrong with it."""
    raw = write_id02(tmp_path / id02_name("bad", 1), scattered, camera, Run("bad", 1.0)).path
    settings = {"order_parameter.method": ["maier_saupe", "pseudo_voigt", "moments"], "order_parameter.background": 7.0}
    records = nxscatter.process(raw, **{"q": Q, **options, "settings": {**settings, **options.get("settings", {})}})
    found: Any = records[-1].load()
    for row, status in enumerate(found.status):
        assert status == "ok" or found.reason[row]
        assert status in ("ok", "coverage", "at_limit", "suspect_pixels") or np.isnan(found.S[row])
    return found


def test_a_ring_of_too_few_pixels(tmp_path):
    found = settled(tmp_path, pattern(5.0), q=(0.01, 0.05), settings={"azimuthal_profiles.tolerance": 0.001})
    inner = [row for row, q in enumerate(found.q) if q == 0.01]
    assert {found.status[row] for row in inner} == {"too_few_points"}


def test_half_of_the_bins_empty(tmp_path):
    camera = replace(EIGER2_SMALL, gap_columns=((200, 480),))
    recipe = "saxs"
    oriented = settled(tmp_path, pattern(5.0, 90.0), camera, recipe=recipe)
    assert set(oriented.status) <= {"ok", "coverage", "at_limit", "not_converged"}
    for row in range(len(oriented.S)):
        if oriented.method[row] == "maier_saupe" and np.isfinite(oriented.S[row]):
            away = abs(oriented.S[row] - order_parameter("maier_saupe", kappa=5.0))
            assert away < 4 * oriented.S_errors[row]


def test_no_anisotropy(tmp_path):
    assert set(settled(tmp_path, pattern(0.0)).status) == {"isotropic"}


def test_a_saturated_region_is_left_out(tmp_path):
    camera = replace(EIGER2_SMALL, dtype="uint16", dummy=2**16 - 1)
    bright = pattern(5.0, 25.0)
    rings = tuple(replace(ring, height=ring.height * 900) for ring in bright.rings)
    found = settled(tmp_path, replace(bright, rings=rings, flat=100.0), camera, recipe="saxs")
    # The maxima are saturated: what is left does not show the peak, or shows it as it is.
    assert "isotropic" not in found.status
    fitted = [row for row, method in enumerate(found.method) if method == "maier_saupe"]
    for row in fitted:
        away = abs(found.S[row] - order_parameter("maier_saupe", kappa=5.0))
        assert np.isnan(found.S[row]) or away < 0.01


def test_intensities_below_zero():
    """A blank that was brighter than the background leaves less than nothing between the peaks, and in a dark ring."""
    image = measured(EIGER2_SMALL, pattern(5.0, 25.0, rings=1))
    less = replace(
        image, intensity=image.intensity - 30.0, variance=image.intensity, gain=np.ones(image.intensity.shape)
    )
    profiles = AzimuthalProfiles(q=(0.05, 0.07))(less, EIGER2_SMALL.geometry)
    assert np.nanmin(profiles.intensity) < -20
    fits = FitMaierSaupe()(profiles)
    found = OrderParameter(method=("maier_saupe", "moments"), background=(-23.2, -30.0))(profiles, (fits,))
    assert found.status == ("ok", "too_few_points", "ok", "too_few_points")
    assert found.reason[1] == "no intensity above 0"
    away = np.abs(found.S - order_parameter("maier_saupe", kappa=5.0)) / found.S_errors
    assert (away[[0, 2]] < 3.5).all()
    assert np.isnan(found.S[[1, 3]]).all()


def test_reflections_out_of_reach_beside_one_within(tmp_path):
    cif = tmp_path / "cobalt.cif"
    cif.write_text(COBALT)
    scattered = Pattern((Ring(2.894, 100.0, 0.06, "maier_saupe", director=25.0, kappa=5.0),), flat=2.0)
    raw = write_id02(tmp_path / id02_name("rods", 1, "waxs"), scattered, RAYONIX_WAXS, Run("rods", 1.0)).path
    records = nxscatter.process(raw, cif=cif, hkl="1 0 0; 2 2 0; 9 9 9; 0 0 1")
    profiles, found = (next(r for r in records if r.step == step) for step in ("azimuthal_profiles", "order_parameter"))
    measured_rings: Any = profiles.load()
    result: Any = found.load()
    at = {(hkl, method): row for row, (hkl, method) in enumerate(zip(result.hkl, result.method, strict=True))}
    assert abs(result.S[at["1 0 0", "maier_saupe"]] - order_parameter("maier_saupe", kappa=5.0)) < 0.01
    assert measured_rings.theta_bragg[0] == pytest.approx(13.3, abs=0.05)
    for hkl in ("2 2 0", "9 9 9"):
        assert result.status[at[hkl, "maier_saupe"]] == "too_few_points"
        assert result.reason[at[hkl, "maier_saupe"]] == "no pixel of the ring is measured"
    assert result.status[at["0 0 1", "maier_saupe"]] == "isotropic"
    notes = "\n".join(found.notes)
    assert "lies outside the detector" in notes
    assert "d is below half the wavelength" in notes
    assert "reflection (0 0 1) is extinct in P 63/m m c" in notes
    assert "the meridian is out of reach" in notes


@pytest.mark.slow
def test_silver_behenate_is_isotropic(shared_data, tmp_path):
    (raw,) = shared_data.glob("xeuss_AgBh*.edf")
    records = nxscatter.process(raw, "refined", output=tmp_path)
    fits: Any = next(record for record in records if record.step == "fit_maier_saupe").load()
    assert fits.status[:2] == ("isotropic", "isotropic")
    assert np.abs(fits.S_harmonic[:2]).max() < 0.02

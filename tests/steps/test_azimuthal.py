"""Azimuthal profiles: brute force, closed forms, symmetries and pyFAI."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nxscatter.errors import ParameterError, StepError
from nxscatter.model import Attachment, Exposure
from nxscatter.results import Rings
from nxscatter.science.geometry import qspace
from nxscatter.science.pixels.stage_links import MaskedStage, RawStage
from nxscatter.steps.azimuthal import AzimuthalProfiles
from nxscatter.steps.binning import Binning
from nxscatter.steps.caving import Caving
from support.scattering import Stack, make_geometry, make_image, q_at

GEOMETRY = make_geometry()
Q = (q_at(GEOMETRY, 25.0), q_at(GEOMETRY, 44.0))


def frames(number: int = 1, level: float = 8.0) -> np.ndarray:
    return np.random.default_rng(11).poisson(level, (number, *GEOMETRY.shape)).astype(np.uint32)


def holes(share: float = 0.2, seed: int = 12) -> np.ndarray:
    return np.random.default_rng(seed).random(GEOMETRY.shape) < share


def profiles(image, geometry=GEOMETRY, rings=None, exposure=None, **parameters):
    step = AzimuthalProfiles(**{"q": Q, "tolerance": 0.1, "bins": 72, **parameters})
    return step(image, geometry, rings, exposure)


def found_rings(*q: float, notes: tuple[str, ...] = ()) -> Rings:
    empty: Any = np.zeros(0)
    return Rings(np.array(q), *[empty] * 7, *[float("nan")] * 4, notes=notes)


@pytest.mark.parametrize("angle", ["chi", "beta"])
def test_bins_hold_the_mean_of_their_valid_pixels(angle):
    image = make_image(frames(), holes())
    result = profiles(image, angle=angle)
    where = qspace.pixels(GEOMETRY)
    azimuth = getattr(where, angle)
    for ring, q in enumerate(Q):
        on_ring = (np.abs(where.q - q) <= 0.1 * q) & np.isfinite(image.intensity)
        for number, middle in enumerate(result.bins):
            away = azimuth - middle
            away = (away + 180) % 360 - 180 if angle == "chi" else away
            members = on_ring & (away >= -2.5) & (away < 2.5)
            assert result.pixels[ring, number] == np.count_nonzero(members)
            if members.any():
                assert result.intensity[ring, number] == pytest.approx(image.intensity[members].mean())
                error = np.sqrt(image.intensity[members].sum()) / np.count_nonzero(members)
                assert result.intensity_errors[ring, number] == pytest.approx(error)
            else:
                assert np.isnan(result.intensity[ring, number])
                assert np.isnan(result.intensity_errors[ring, number])
        assert result.pixels[ring].sum() == np.count_nonzero(on_ring)


def test_bin_centres_stand_on_the_axes():
    chi = profiles(make_image(frames()), bins=360)
    assert len(chi.bins) == 360
    assert {0, 90, 180, -90} <= set(chi.bins.tolist())
    assert chi.bins[-1] == 180
    assert np.all(np.diff(chi.bins) == 1)
    beta = profiles(make_image(frames()), bins=360, angle="beta")
    assert beta.bins.tolist() == list(range(181))


@pytest.mark.parametrize("bins", [361, 90, 30, 6])
def test_bins_that_miss_an_axis_are_refused(bins):
    with pytest.raises(ParameterError, match=rf"bins = {bins}: give a multiple of 4"):
        AzimuthalProfiles(bins=bins)


def test_the_last_bin_lies_on_both_sides_of_the_seam():
    geometry = make_geometry(61, 61, center_y=30.5, center_x=30.5)
    image = make_image(np.zeros((1, 61, 61)))
    for row in (29, 30, 31):
        image.intensity[row, 10] = 1.0
    result = profiles(image, geometry, q=(q_at(geometry, 20.0),), bins=36)
    assert np.flatnonzero(result.intensity[0]).tolist() == [35]


def test_flat_counts_give_a_flat_profile_with_their_poisson_error():
    image = make_image(np.full((4, *GEOMETRY.shape), 9, dtype=np.uint32))
    result = profiles(image)
    np.testing.assert_allclose(result.intensity, 9.0)
    np.testing.assert_allclose(result.intensity_errors, np.sqrt(9.0 / (4 * result.pixels)))
    np.testing.assert_allclose(result.variance_slope, 1 / (4 * result.measured))
    assert not result.variance_floor.any()


def test_counts_of_zero_are_data():
    result = profiles(make_image(np.zeros((1, *GEOMETRY.shape), dtype=np.uint32)))
    assert np.all(result.intensity == 0)
    np.testing.assert_allclose(result.variance_slope, 1 / result.pixels)


@pytest.mark.parametrize("invalid", [None, holes()])
@pytest.mark.parametrize("factor", [1, 2, 3])
def test_the_law_of_variance_gives_the_error_at_the_measured_intensity(factor, invalid):
    image = Binning(factor=factor)(make_image(frames(3, level=40.0), invalid))
    result = profiles(image, bins=36)
    law = result.variance_slope * result.intensity + result.variance_floor
    # Where pixels have different gains, their chance counts weigh differently in law and error.
    same_gain = factor == 1 or invalid is None
    np.testing.assert_allclose(law, result.intensity_errors**2, rtol=1e-12 if same_gain else 0.05)


def test_variance_that_no_count_explains_is_the_floor():
    image = make_image(frames(2))
    intensity = image.intensity - 3.0
    image = replace(image, intensity=intensity, variance=image.intensity / 2 + 0.5, gain=np.full(GEOMETRY.shape, 0.5))
    result = profiles(image)
    np.testing.assert_allclose(result.variance_slope, 0.5 / result.measured)
    np.testing.assert_allclose(result.variance_floor, 2.0 / result.measured)  # (I + 3)/2 + 0.5 - I/2


def test_without_a_gain_the_ratio_of_variance_to_intensity_stands_for_it():
    image = make_image(frames(level=0.5))
    scaled = replace(image, intensity=10 * image.intensity, variance=100 * image.intensity)
    result = profiles(scaled)
    np.testing.assert_allclose(result.variance_slope, 10 / result.measured)
    assert not result.variance_floor.any()


def test_errors_are_those_of_repeated_measurements():
    rng = np.random.default_rng(2)
    repeats = [profiles(make_image(rng.poisson(3.0, (2, *GEOMETRY.shape)))) for _ in range(40)]
    scatter = np.std([one.intensity for one in repeats], axis=0)
    ratio = scatter / np.mean([one.intensity_errors for one in repeats], axis=0)
    assert ratio.mean() == pytest.approx(1, abs=0.03)


def test_filled_pixels_count_in_the_mean_and_in_no_error():
    caved = Caving()(make_image(frames(), holes(0.3)), GEOMETRY)
    measured = make_image(frames(), caved.flags != 0)
    full, bare = profiles(caved), profiles(measured)
    assert full.pixels.sum() > full.measured.sum()
    np.testing.assert_array_equal(full.measured, bare.pixels)
    np.testing.assert_allclose(full.intensity_errors, bare.intensity_errors)
    np.testing.assert_allclose(full.variance_slope, bare.variance_slope)
    where = qspace.pixels(GEOMETRY)
    members = (np.abs(where.q - Q[0]) <= 0.1 * Q[0]) & (np.abs(where.chi - 45) < 2.5) & np.isfinite(caved.intensity)
    assert full.intensity[0, full.bins == 45] == pytest.approx(caved.intensity[members].mean())


def test_a_bin_of_filled_pixels_has_a_mean_and_no_error():
    invalid = qspace.pixels(GEOMETRY).chi > 150
    result = profiles(Caving()(make_image(frames(), invalid), GEOMETRY))
    there = result.bins == 165
    assert np.all(result.measured[:, there] == 0)
    assert np.isfinite(result.intensity[:, there]).all()
    assert np.isnan(result.intensity_errors[:, there]).all()
    assert np.isnan(result.variance_slope[:, there]).all()


def test_a_ring_without_a_valid_pixel_is_nan_with_counts_of_zero():
    invalid = qspace.q_map(GEOMETRY) < 1.2 * Q[0]
    result = profiles(make_image(frames(), invalid))
    assert np.isnan(result.intensity[0]).all()
    assert not result.pixels[0].any()
    assert np.isfinite(result.intensity[1]).all()


@pytest.mark.parametrize("factor", [1, 2])
def test_each_frame_has_the_profile_that_it_has_alone(factor):
    stack = frames(3)
    caved = Caving()(Binning(factor=factor)(make_image(stack, holes())), GEOMETRY)
    each = profiles(caved, frames="each", bins=36)
    assert each.intensity.shape == (3, 2, 36)
    for number in range(3):
        alone = Caving()(Binning(factor=factor)(make_image(stack[number : number + 1], holes())), GEOMETRY)
        single = profiles(alone, bins=36)
        np.testing.assert_allclose(each.intensity[number], single.intensity)
        np.testing.assert_allclose(each.intensity_errors[number], single.intensity_errors)
    mean = profiles(caved, bins=36)
    np.testing.assert_allclose(each.intensity.mean(axis=0), mean.intensity)
    np.testing.assert_allclose(each.variance_slope, 3 * mean.variance_slope)
    np.testing.assert_array_equal(each.pixels, mean.pixels)


def test_frames_keep_their_times():
    image = make_image(frames(3))
    exposure = Exposure(elapsed=np.array([0.0, 1.5, 3.0]))
    assert profiles(image, exposure=exposure, frames="each").elapsed.tolist() == [0.0, 1.5, 3.0]
    assert profiles(image, exposure=exposure).elapsed.size == 0
    assert np.isnan(profiles(image, frames="each").elapsed).all()
    with pytest.raises(StepError, match="2 start times for 3 frames"):
        profiles(image, exposure=Exposure(elapsed=np.zeros(2)), frames="each")


def test_each_frame_needs_the_chain():
    with pytest.raises(StepError, match="needs the raw frames"):
        profiles(replace(make_image(frames(3)), stage=None), frames="each")


@pytest.mark.parametrize(
    "changes", [{}, {"rot1": 0.4, "rot2": -0.3}, {"orientation": 6, "rot3": 12.0}, {"center_y": -5.0}]
)
def test_pyfai_sums_up_the_same_pixels(changes):
    geometry = make_geometry(**changes)
    q = tuple(np.quantile(qspace.q_map(geometry), [0.3, 0.6]))
    image = make_image(frames(2), holes())
    image = replace(image, flags=np.where(holes(0.05, seed=13) & (image.flags == 0), 1 << 15, image.flags))
    own = profiles(image, geometry, q=q)
    theirs = profiles(image, geometry, q=q, method="pyfai")
    for name in ("pixels", "measured"):
        np.testing.assert_array_equal(getattr(theirs, name), getattr(own, name))
    for name in ("intensity", "intensity_errors", "variance_slope"):
        np.testing.assert_allclose(getattr(theirs, name), getattr(own, name), rtol=1e-6)
    assert own.measured.sum() < own.pixels.sum()


def test_pyfai_sums_up_each_frame_too():
    image = make_image(frames(2), holes())
    np.testing.assert_allclose(
        profiles(image, frames="each", method="pyfai").intensity, profiles(image, frames="each").intensity, rtol=1e-6
    )


def test_pyfai_knows_no_beta():
    with pytest.raises(ParameterError, match="knows chi only"):
        AzimuthalProfiles(method="pyfai", angle="beta")


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 1000), turns=st.integers(0, 3), transposed=st.booleans())
def test_turned_and_mirrored_patterns_have_turned_and_mirrored_profiles(seed, turns, transposed):
    geometry = make_geometry(90, 90, center_y=45.0, center_x=45.0)
    rng = np.random.default_rng(seed)
    image = make_image(rng.poisson(5, (1, 90, 90)), rng.random((90, 90)) < 0.3)
    q = (q_at(geometry, 20.0), q_at(geometry, 50.0))
    profile = profiles(image, geometry, q=q).intensity

    def move(array):
        return np.rot90(array.T if transposed else array, turns)

    moved = replace(image, intensity=move(image.intensity), flags=move(image.flags), stage=None)
    if transposed:  # chi becomes 90 - chi
        profile = np.roll(profile[:, ::-1], 18 - 1, axis=1)
    profile = np.roll(profile, -18 * turns, axis=1)
    np.testing.assert_allclose(profiles(moved, geometry, q=q).intensity, profile)


@given(order=st.permutations(range(3)))
@settings(deadline=None, max_examples=6)
def test_rings_come_in_the_order_given(order):
    q = [q_at(GEOMETRY, radius) for radius in (20.0, 30.0, 40.0)]
    image = make_image(frames(), holes())
    sorted_by_q = profiles(image, q=tuple(q))
    permuted = profiles(image, q=tuple(q[number] for number in order))
    np.testing.assert_array_equal(permuted.intensity, sorted_by_q.intensity[list(order)])
    np.testing.assert_array_equal(permuted.q, sorted_by_q.q[list(order)])


def test_ring_and_bragg_angle_are_reported():
    result = profiles(make_image(frames()), hkl=("100", "200"))
    np.testing.assert_allclose(result.q_width, 0.1 * result.q)
    np.testing.assert_allclose(np.sin(np.radians(result.theta_bragg)), result.q * 1.0 / (4 * np.pi))
    assert result.hkl == ("100", "200")


def test_rings_are_taken_where_found_and_said_to_be_automatic():
    image = replace(make_image(frames()), notes=("from the image",))
    result = profiles(image, rings=found_rings(*Q, notes=("from the rings",)), q=())
    np.testing.assert_array_equal(result.q, Q)
    assert result.auto == {"q": list(Q)}
    assert result.notes == ("from the image", "from the rings")
    given_q = profiles(image, rings=found_rings(0.5))
    np.testing.assert_array_equal(given_q.q, Q)
    assert given_q.auto == {}


def test_rings_that_cannot_be_are_refused_with_a_remedy():
    image = make_image(frames())
    with pytest.raises(StepError, match=r"no ring is given: give azimuthal_profiles\.q"):
        profiles(image, q=())
    with pytest.raises(StepError, match="no ring was found"):
        profiles(image, rings=found_rings(), q=())
    low, high = qspace.q_range(GEOMETRY)
    with pytest.raises(StepError, match=rf"q = 1 lies outside the detector: .*{low:.4g} to {high:.4g} 1/angstrom"):
        profiles(image, q=(1.0,))
    with pytest.raises(StepError, match=r"give a larger azimuthal_profiles\.tolerance"):
        profiles(image, q=(Q[0],), tolerance=1e-6)
    with pytest.raises(ParameterError, match="1 labels for 2 rings"):
        profiles(image, hkl=("100",))
    with pytest.raises(ParameterError, match=r"azimuthal_profiles\.q"):
        AzimuthalProfiles(q=(0.0,))


@pytest.mark.parametrize("angle", ["chi", "beta"])
def test_a_narrow_ring_is_warned_of_with_the_tolerance_that_fills_it(angle):
    image = make_image(frames())
    ring = {"q": (q_at(GEOMETRY, 40.0),), "bins": 360, "angle": angle}
    (note,) = profiles(image, tolerance=0.004, **ring).notes
    assert "too narrow for bins of 1 degrees" in note
    enough = float(note.split("tolerance = ")[1].split(" ")[0])
    assert profiles(image, tolerance=enough, **ring).notes == ()


def test_bins_beyond_the_detector_and_masked_ones_are_no_reason_to_warn():
    geometry = make_geometry(center_y=2.0, center_x=2.0)
    image = make_image(frames(), holes(0.6))
    assert profiles(image, geometry, q=(q_at(geometry, 90.0),), bins=180).notes == ()


def test_a_ring_off_the_detector_is_empty_beside_others_and_says_so():
    low, high = qspace.q_range(GEOMETRY)
    result = profiles(make_image(frames()), q=(Q[0], 1.0, 20.0), flanks=(0.2, 0.3), replicates=2)
    assert np.isfinite(result.intensity[0]).all()
    assert np.isnan(result.intensity[1:]).all()
    assert not result.pixels[1:].any()
    assert result.theta_bragg[1] == pytest.approx(np.degrees(np.arcsin(1 / (4 * np.pi))))
    assert np.isnan(result.theta_bragg[2])
    assert any(
        f"q = 1 lies outside the detector: it reaches from {low:.4g} to {high:.4g}" in one for one in result.notes
    )
    assert any("q = 20 is beyond 4 pi/wavelength = 12.57" in one for one in result.notes)
    with pytest.raises(StepError, match="d is below half the wavelength"):
        profiles(make_image(frames()), q=(20.0,))


def test_extinct_reflections_are_named():
    text = "data_x\n" + "".join(
        f"_cell_{key} {value}\n"
        for key, value in (("length_a", 2.5), ("length_b", 2.5), ("length_c", 4.07), ("angle_alpha", 90))
    )
    text += "_cell_angle_beta 90\n_cell_angle_gamma 120\n_symmetry_space_group_name_H-M 'P 63/m m c'\n"
    cif = Attachment("co.cif", text, "cif")
    result = profiles(make_image(frames()), hkl=("1 0 0", "0 0 1"), cif=cif)
    assert result.notes == (
        "co.cif: reflection (0 0 1) is extinct in P 63/m m c, what is seen there is something else",
    )


def test_a_ring_too_small_for_any_tolerance_asks_for_fewer_bins():
    (note,) = profiles(make_image(frames()), q=(q_at(GEOMETRY, 4.0),), tolerance=0.3, bins=720).notes
    assert note.endswith("give fewer bins")


def test_profiles_of_a_binned_image_use_the_binned_geometry():
    expected = np.broadcast_to(qspace.pixels(GEOMETRY).chi, GEOMETRY.shape)[np.newaxis] + 200
    image = Binning(factor=2)(make_image(expected))
    result = profiles(image, q=(Q[1],), bins=36)
    inner = slice(1, -1)  # away from the seam
    np.testing.assert_allclose(result.intensity[0, inner], result.bins[inner] + 200, atol=1.5)


def test_stage_is_asked_for_valid_ring_pixels_only():
    class Watched(RawStage):
        def gather(self, index):
            asked.append(index)
            return super().gather(index)

    asked: list[np.ndarray] = []
    stack = frames(2)
    image = make_image(stack, holes())
    image = replace(image, stage=MaskedStage(Watched(Stack(stack)), holes()))
    result = profiles(image, frames="each")
    assert sum(map(len, asked)) == result.pixels.sum()

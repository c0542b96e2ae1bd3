"""Corrections: the formula, its variances by simulation, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nxscatter.errors import ParameterError, StepError
from nxscatter.model import Attachment, Beam, Exposure, Origin, Sample, Scan
from nxscatter.results import PixelFlag
from nxscatter.science.pixels import normalization
from nxscatter.steps.azimuthal import AzimuthalProfiles
from nxscatter.steps.binning import Binning
from nxscatter.steps.caving import Caving
from nxscatter.steps.corrections import Corrections
from nxscatter.steps.median_filter import MedianFilter
from nxscatter.store.container import Container
from nxscatter.store.writer import creating
from nxscatter.workflow.recipe_file import load_recipe
from nxscatter.workflow.runner import run_steps
from nxscatter.workflow.session import recompute
from support.scattering import Stack, make_detector, make_geometry, make_image

GEOMETRY = make_geometry(40, 50, distance=0.02)
SHAPE = GEOMETRY.shape
BEAM = Beam(1.0, 0.9)
MONITORS = Exposure(
    time=np.array([1.0, 2.0, 4.0]),
    intensity0=np.array([1e3, 2e3, 4e3]),
    intensity1=np.array([0.8e3, 1.6e3, 3.2e3]),
    normalization=5.0,
)
NOTHING = Exposure()


def draw(level, number=1, seed=0, dtype=np.uint32):
    return np.random.default_rng(seed).poisson(np.broadcast_to(level, (number, *SHAPE))).astype(dtype)


def attach(content, role, name=""):
    return Attachment(name or f"{role}.edf", content, role)


def correct(image, exposure=NOTHING, auxiliary=(), beam=BEAM, **parameters):
    return Corrections(**parameters)(image, GEOMETRY, beam, exposure, auxiliary)


def each_frame(image):
    index = np.arange(image.intensity.size)
    gather = image.stage.gather(index)
    made = [gather(frame, number) for number, frame in enumerate(image.stage.raw)]
    return [np.reshape([one[part] for one in made], (-1, *SHAPE)) for part in (0, 1)]


def test_nothing_is_on_by_default():
    image = make_image(draw(20.0, 3))
    corrected = correct(image)
    np.testing.assert_allclose(corrected.intensity, image.intensity, rtol=1e-6)
    np.testing.assert_allclose(corrected.variance, image.intensity / 3, rtol=1e-6)
    assert corrected.units == "counts"
    assert corrected.gain is None


def test_the_formula_with_everything_on():
    frames, dark, background = draw(200.0, 3), draw(4.0, 5, seed=1), draw(30.0, seed=2)[0]
    flat = 1 + 0.1 * np.random.default_rng(3).normal(size=SHAPE)
    corrected = correct(
        make_image(frames),
        MONITORS,
        (attach(dark, "dark"), attach(flat, "flat")),
        dark=True,
        flat=True,
        solid_angle="absolute",
        polarization=True,
        monitor="intensity0",
        transmission=True,
        time=True,
        thickness=2e-3,
        scale=True,
        background=attach(background, "background"),
        background_monitor=500.0,
        background_transmission=0.9,
        background_time=0.5,
        background_share=0.7,
    )
    divisor = 1e3 * np.array([1, 2, 4]) * 0.8 * np.array([1, 2, 4])
    pixel = normalization.solid_angle(GEOMETRY) * normalization.polarization(GEOMETRY, 0.9) * flat * 2e-3 / 5
    dark = dark.mean(axis=0)
    cell = 0.7 * (background - dark) / (500 * 0.9 * 0.5)
    expected = ((frames - dark) / divisor[:, np.newaxis, np.newaxis] - cell) / pixel
    values, _ = each_frame(corrected)
    np.testing.assert_allclose(values, expected, rtol=1e-9)
    together = ((frames.sum(axis=0) - 3 * dark) / divisor.sum() - cell) / pixel
    np.testing.assert_allclose(corrected.intensity, together, rtol=1e-5)
    assert corrected.units == "1/sr/s/m"
    assert corrected.auto == pytest.approx(
        {
            "monitor": 7e3 / 3,
            "transmission": 0.8,
            "time": 7 / 3,
            "scale": 5.0,
            "polarization": 0.9,
            "flat": "flat.edf",
            "flat_mean": flat.mean(),
            "dark": "dark.edf",
        }
    )


@pytest.mark.parametrize(
    ("parameters", "factor", "units"),
    [
        ({"monitor": "intensity0"}, 3 / 7e3, "1"),
        ({"monitor": "intensity1"}, 3 / 5.6e3, "1"),
        ({"transmission": True}, 1 / 0.8, "counts"),
        ({"transmission": 0.5}, 2.0, "counts"),
        ({"time": True}, 3 / 7, "counts/s"),
        ({"time": 10}, 0.1, "counts/s"),
        ({"thickness": 1e-3}, 1e3, "counts/m"),
        ({"scale": True}, 5.0, "counts"),
        ({"scale": 0.25}, 0.25, "counts"),
    ],
)
def test_a_number_alone_scales_intensity_and_error(parameters, factor, units):
    image = make_image(draw(20.0, 3))
    corrected = correct(image, MONITORS, **parameters)
    np.testing.assert_allclose(corrected.intensity, factor * image.intensity, rtol=1e-6)
    np.testing.assert_allclose(corrected.variance, factor**2 * image.intensity / 3, rtol=1e-6)
    assert corrected.units == units


def test_the_monitor_behind_the_sample_is_the_one_before_times_transmission():
    image = make_image(draw(20.0, 3))
    behind = correct(image, MONITORS, monitor="intensity1")
    before = correct(image, MONITORS, monitor="intensity0", transmission=True)
    np.testing.assert_allclose(behind.intensity, before.intensity, rtol=1e-6)


@pytest.mark.parametrize("frames", [1, 4])
@pytest.mark.parametrize(("weight", "share"), [(1.0, 0.0), (1.0, 0.5), (1.0, 1.0), (0.25, 1.0)])
def test_variances_are_those_of_repeated_measurements(weight, share, frames):
    """Every pixel is a measurement of its own; dark and background are drawn anew for each."""
    sample, dark, empty = 60.0, 10.0, 40.0
    counts = draw(sample + dark, frames, seed=21)
    corrected = correct(
        make_image(counts),
        dark=attach(draw(dark, 3, seed=22), "dark"),
        background=attach(draw(empty + dark, 2, seed=23), "background"),
        background_share=share,
        background_time=1.0,
        time=1 / weight,
    )
    truth = weight * sample - share * empty
    pulls = (corrected.intensity - truth) / np.sqrt(corrected.variance)
    assert abs(pulls.mean()) < 4 / np.sqrt(pulls.size)
    # The variances are estimated from the counts, whose scatter adds a few per mille.
    assert abs(pulls.std() - 1) < 4 / np.sqrt(2 * pulls.size) + 0.01
    values, variances = each_frame(corrected)
    assert np.mean((values - truth) ** 2) == pytest.approx(np.mean(variances), rel=4 * np.sqrt(2 / pulls.size))


def test_the_same_dark_in_sample_and_background_cancels():
    image = make_image(draw(50.0))
    empty = attach(draw(30.0, seed=1)[0], "background")
    for level in (0.0, 1000.0):
        dark = attach(np.full(SHAPE, level), "dark")
        corrected = correct(image, dark=dark, background=empty)
        np.testing.assert_allclose(corrected.variance, image.intensity + empty.content, rtol=1e-6)


def test_profiles_know_how_the_variance_follows_the_model():
    """Weights of fits come from a model: at the true intensity they must give the true variance."""
    sample, empty, scale = 3.0, 20.0, 0.01
    parameters = {"background": attach(draw(empty, 8, seed=5), "background"), "scale": scale}
    corrected = correct(make_image(draw(sample + empty, 2, seed=4)), **parameters)
    made = AzimuthalProfiles(q=(0.5,), tolerance=0.4, bins=36)(corrected, GEOMETRY)
    model = made.variance_slope * scale * sample + made.variance_floor
    true = scale**2 * ((sample + empty) / 2 + empty / 8) / made.measured
    np.testing.assert_allclose(model, true, rtol=0.15)
    np.testing.assert_allclose(made.variance_slope, scale / 2 / made.measured, rtol=1e-5)
    each = AzimuthalProfiles(q=(0.5,), tolerance=0.4, bins=36, frames="each")(corrected, GEOMETRY)
    model = each.variance_slope * scale * sample + each.variance_floor
    true = scale**2 * (sample + empty + empty / 8) / made.measured
    np.testing.assert_allclose(model, true, rtol=0.15)
    assert made.units == "counts"


def test_pixels_without_data_in_dark_flat_or_background_are_invalid():
    dark, flat, empty = draw(2.0, dtype=np.int32)[0], np.ones(SHAPE), draw(2.0, dtype=np.uint16)[0]
    dark[3, 4], flat[5, 6], flat[7, 7], empty[8, 9] = -1, 0.0, -0.5, 65535
    corrected = correct(
        make_image(draw(9.0)),
        dark=attach(dark, "dark"),
        flat=attach(flat, "flat"),
        background=attach(empty, "background"),
    )
    lost = [[3, 4], [5, 6], [7, 7], [8, 9]]
    assert np.argwhere(np.isnan(corrected.intensity)).tolist() == lost
    assert np.argwhere(corrected.flags).tolist() == lost
    assert corrected.flags[3, 4] == PixelFlag.NOT_A_NUMBER
    assert any("4 pixels" in note for note in corrected.notes)


def test_masked_pixels_stay_masked():
    invalid = np.random.default_rng(1).random(SHAPE) < 0.2
    image = make_image(draw(9.0), invalid)
    corrected = correct(image, scale=3.0, solid_angle="relative")
    np.testing.assert_array_equal(np.isnan(corrected.intensity), invalid)
    np.testing.assert_array_equal(corrected.flags, image.flags)


def test_tiny_numbers_keep_their_variance():
    corrected = correct(make_image(draw(50.0)), scale=1e-22)
    np.testing.assert_allclose(corrected.variance, 1e-44 * make_image(draw(50.0)).intensity, rtol=1e-12)


def test_later_steps_keep_units_and_forget_what_was_chosen_here():
    image = make_image(draw(50.0), np.arange(SHAPE[0] * SHAPE[1]).reshape(SHAPE) % 17 == 0)
    corrected = correct(image, MONITORS.__class__(intensity1=np.array([7.0])), monitor="intensity1")
    for step in (Binning(factor=2), MedianFilter()):
        assert (step(corrected).units, step(corrected).auto) == ("1", {})
    caved = Caving()(corrected, GEOMETRY)
    assert (caved.units, caved.auto) == ("1", {})


@pytest.mark.parametrize(
    ("exposure", "parameters", "words"),
    [
        (NOTHING, {"monitor": "intensity1"}, ("Intensity1 (HSI1)", "monitor")),
        (NOTHING, {"transmission": True}, ("Intensity0 (HSI0)", "transmission")),
        (Exposure(intensity0=np.array([1.0])), {"transmission": True}, ("Intensity1 (HSI1)", "transmission")),
        (NOTHING, {"time": True}, ("exposure time", "corrections.time")),
        (NOTHING, {"scale": True}, ("NormalizationFactor", "corrections.scale")),
        (Exposure(intensity1=np.array([1.0, 2.0, 3.0])), {"monitor": "intensity1"}, ("3 values", "1 frames")),
        (Exposure(intensity1=np.array([0.0])), {"monitor": "intensity1"}, ("frame 0", "above 0")),
        (Exposure(time=np.array([float("nan")])), {"time": True}, ("frame 0", "nan")),
        (NOTHING, {"dark": True}, ("no dark", "corrections.dark")),
        (NOTHING, {"flat": True}, ("no flat", "corrections.flat")),
        (NOTHING, {"polarization": True}, ("polarization_factor", "corrections.polarization")),
        (NOTHING, {"flat": attach(np.ones((3, 3)), "flat", "small.edf")}, ("small.edf", "(3, 3)")),
    ],
)
def test_what_the_file_lacks_is_named_with_its_remedy(exposure, parameters, words):
    with pytest.raises(StepError) as caught:
        correct(make_image(draw(5.0)), exposure, beam=Beam(1.0), **parameters)
    assert all(word in str(caught.value) for word in words)
    assert "\n" not in str(caught.value)


def test_two_darks_leave_the_choice_to_the_user():
    two = (attach(draw(1.0)[0], "dark"), attach(draw(1.0)[0], "dark"))
    with pytest.raises(StepError, match="2 dark images"):
        correct(make_image(draw(5.0)), NOTHING, two, dark=True)


@pytest.mark.parametrize("before", [Binning(factor=2), MedianFilter(), Corrections(scale=2.0)])
def test_only_measured_counts_are_corrected(before):
    image = make_image(draw(5.0))
    changed = before(image, GEOMETRY, BEAM, NOTHING, ()) if isinstance(before, Corrections) else before(image)
    with pytest.raises(StepError, match="measured counts"):
        correct(changed, scale=2.0)


def test_a_caved_image_is_not_corrected():
    image = make_image(draw(5.0), np.arange(SHAPE[0] * SHAPE[1]).reshape(SHAPE) == 333)
    with pytest.raises(StepError, match="measured counts"):
        correct(Caving()(image, GEOMETRY), scale=2.0)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"monitor": "intensity1", "transmission": True}, "behind the sample"),
        ({"monitor": "intensity0", "background": attach(np.ones(SHAPE), "background")}, "background_monitor"),
        ({"transmission": 0.5, "background": attach(np.ones(SHAPE), "background")}, "background_transmission"),
        ({"time": True, "background": attach(np.ones(SHAPE), "background")}, "background_time"),
        ({"monitor": "I1"}, "intensity1"),
        ({"polarization": 1.5}, "at most 1"),
        ({"thickness": 0.0}, "above 0"),
        ({"dark": "dark.edf"}, "corrections.dark"),
    ],
)
def test_parameters_that_cannot_be_are_refused_where_they_are_set(parameters, words):
    with pytest.raises(ParameterError, match=words):
        Corrections(**parameters)


def test_an_impossible_transmission_is_told():
    corrected = correct(
        make_image(draw(5.0)), Exposure(intensity0=np.array([1.0]), intensity1=np.array([1.1])), transmission=True
    )
    assert any("1.1" in note for note in corrected.notes)


def test_an_image_without_its_frames_is_corrected_too():
    image = replace(make_image(draw(5.0)), stage=None)
    assert correct(image, scale=2.0).stage is None


def test_frames_are_corrected_one_by_one_in_profiles():
    frames = np.stack([draw(30.0, seed=1)[0] * factor for factor in (1, 2, 4)])
    corrected = correct(make_image(frames), MONITORS, monitor="intensity0")
    assert isinstance(corrected.stage.raw, Stack)
    made = AzimuthalProfiles(q=(0.5,), tolerance=0.4, bins=36, frames="each")(corrected, GEOMETRY)
    np.testing.assert_allclose(made.intensity[1], made.intensity[0], rtol=1e-9)
    np.testing.assert_allclose(made.intensity[2], made.intensity[0], rtol=1e-9)
    assert made.intensity_errors[2].mean() < 0.6 * made.intensity_errors[0].mean()


RECIPE = """
[[step]]
use = "masking"
[[step]]
use = "corrections"
dark = true
flat = "flat.npy"
monitor = "intensity1"
solid_angle = "absolute"
[[step]]
use = "azimuthal_profiles"
q = [0.5]
tolerance = 0.4
bins = 36
frames = "each"
"""


@pytest.fixture
def corrected_box(tmp_path: Path) -> Container:
    """A container of three frames that brings its dark image; the flat field is a file of the user's."""
    scan = Scan(
        title="rods",
        beam=BEAM,
        detector=make_detector(GEOMETRY),
        sample=Sample("rods"),
        origin=Origin("a.h5", "id02", "application/x-hdf5", "0" * 64),
        frames=draw(30.0, 3),
        exposure=replace(MONITORS, elapsed=np.arange(3.0)),
        auxiliary=(attach(draw(4.0, seed=1)[0], "dark"), attach("no image", "poni")),
    )
    np.save(tmp_path / "flat.npy", np.full(SHAPE, 2.0))
    (tmp_path / "recipe.toml").write_text(RECIPE)
    with creating(tmp_path / "a.nxs", scan) as writer:
        run_steps(writer, load_recipe(tmp_path / "recipe.toml").make())
    return Container(tmp_path / "a.nxs")


def test_a_container_tells_what_was_corrected(corrected_box):
    record = corrected_box.latest("corrections")
    assert record.auto["dark"] == "dark.edf"
    assert record.auto["flat_mean"] == 2
    (flat,) = record.attachments()["flat"]
    np.testing.assert_array_equal(flat.content, np.full(SHAPE, 2.0))
    image = record.load()
    divisor = 2 * 5.6e3 / 3 * normalization.solid_angle(GEOMETRY)
    expected = (draw(30.0, 3).mean(axis=0) - draw(4.0, seed=1)[0]) / divisor
    np.testing.assert_allclose(image.intensity, expected, rtol=1e-5)
    profiles = corrected_box.latest("azimuthal_profiles")
    assert (image.units, profiles.load().units) == ("1/sr", "1/sr")
    with corrected_box.opened() as file:
        assert file[f"{record.path}/image/intensity"].attrs["units"] == "1/sr"
        assert file[f"{record.path}/image/variance"].attrs["units"] == "(1/sr)^2"
        assert file[f"{profiles.path}/curves/ring_1"].attrs["units"] == "1/sr"


def test_a_correction_is_computed_again_from_the_container_alone(corrected_box):
    for name in ("corrections", "azimuthal_profiles"):
        record = corrected_box.latest(name)
        np.testing.assert_array_equal(recompute(corrected_box, record).intensity, record.load().intensity)

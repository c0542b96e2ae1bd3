"""One runner: which inputs a step gets, when it adds a record, and that it is all or nothing."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from nxscatter.errors import ParameterError, StepError, UnknownStepError
from nxscatter.fields import param
from nxscatter.model import Array, Floats, Ints
from nxscatter.results import Image, Profiles
from nxscatter.results.stages import FrameReader, Gather, PerFrame, Pixels
from nxscatter.science.pixels.stage_links import Link, RawStage
from nxscatter.step import Step
from nxscatter.steps.framewise import FramewiseStep
from nxscatter.store.container import Container
from nxscatter.workflow.runner import run, run_steps
from nxscatter.workflow.session import recompute
from support import toy


def names(box):
    return [record.name for record in Container(box.path).records]


def made_from(record):
    return {key: [source.path.rsplit("/", 1)[1] for source in sources] for key, sources in record.inputs.items()}


def state(box):
    return box.path.stat().st_ino, box.path.read_bytes()


def test_the_same_again_adds_nothing_and_leaves_the_file_alone(box):
    before = state(box)
    records = run_steps(box, toy.chain())
    assert [record.name for record in records] == [f"{name}_v1" for name in toy.TOYS]
    assert state(box) == before


def test_force_adds(box):
    assert run(box, toy.ToyCaving(), force=True).name == "toy_caving_v2"


def test_other_parameters_add_a_version_and_leave_the_old_one(box):
    old = box.latest("toy_caving").load().intensity
    new = run(box, toy.ToyCaving(fill=3.0))
    assert new.name == "toy_caving_v2"
    assert np.all(new.load().intensity[3:6] == 3.0)
    np.testing.assert_array_equal(box.record("toy_caving_v1").load().intensity, old)


def test_the_newest_version_is_what_was_last_asked_for(box):
    run(box, toy.ToyCaving(fill=3.0))
    assert run(box, toy.ToyCaving()).name == "toy_caving_v3"
    assert run(box, toy.ToyCaving()).name == "toy_caving_v3"
    assert box.latest("toy_caving").result_hash == box.record("toy_caving_v1").result_hash


def test_another_version_of_the_code_adds(box, monkeypatch):
    monkeypatch.setattr(toy.ToyCaving, "version", 2)
    assert run(box, toy.ToyCaving()).name == "toy_caving_v2"


def test_another_content_of_an_input_adds(box):
    run(box, toy.ToyMasking(threshold=6.0))
    assert run(box, toy.ToyCaving()).name == "toy_caving_v2"


def test_another_input_of_the_same_content_adds(box):
    run(box, toy.ToyMasking(mask=(toy.MASK,)), force=True)
    new = run(box, toy.ToyCaving())
    assert (new.name, made_from(new)) == ("toy_caving_v2", {"image": ["toy_masking_v2"]})


def test_running_caving_again_caves_the_measured_image(box):
    again = run(box, toy.ToyCaving(fill=3.0))
    assert made_from(again) == {"image": ["toy_masking_v1"]}
    measured = box.latest("toy_masking").load().intensity
    np.testing.assert_array_equal(again.load().intensity, np.where(np.isnan(measured), 3.0, measured + 1))


def test_a_use_of_another_name_does_not_cave_the_caved_image_either(box):
    assert made_from(run(box, toy.ToyCaving(), name="second")) == {"image": ["toy_masking_v1"]}


def test_a_step_alone_takes_the_newest_record_of_the_type(box):
    run(box, toy.ToyMasking(threshold=6.0))
    assert made_from(run(box, toy.ToyProfiles()))["image"] == ["toy_masking_v2"]
    run(box, toy.ToyCaving())
    assert made_from(run(box, toy.ToyProfiles()))["image"] == ["toy_caving_v2"]


def test_what_was_made_from_an_older_version_is_stale(box):
    assert not any(record.stale for record in box.records)
    run(box, toy.ToyCaving(fill=3.0))
    stale = {record.name for record in box.records if record.stale}
    assert stale == {"toy_profiles_v1", "toy_fit_v1", "toy_order_v1"}


def test_a_recipe_uses_only_its_own_records(box):
    geometry, masking = toy.chain()[:2]
    records = run_steps(box, [geometry, masking, (toy.ToyProfiles(), "toy_profiles", {})])
    assert made_from(records[-1])["image"] == ["toy_masking_v1"]


def test_a_recipe_without_the_step_it_needs_names_what_makes_it(box):
    with pytest.raises(StepError, match=r"step 'toy_fit' needs profiles from an earlier step; add azimuthal_profiles"):
        run_steps(box, [(toy.ToyFit(), "toy_fit", {})])


def test_a_recipe_gives_the_same_whatever_the_container_holds(box, tmp_path):
    run(box, toy.ToyCaving(fill=1.0))
    run(box, toy.ToyMasking(threshold=5.5), name="other")
    recipe = [*toy.chain()[:2], (toy.ToyProfiles(), "toy_profiles", {}), (toy.ToyFit(), "toy_fit", {})]
    fresh = toy.make(tmp_path / "fresh.nxs", records=False)
    one, other = run_steps(box, recipe), run_steps(fresh, recipe)
    assert [record.result_hash for record in one] == [record.result_hash for record in other]


def test_inputs_can_be_chosen_by_name_or_record(box):
    run(box, toy.ToyCaving(fill=3.0))
    chosen: Any
    for chosen in ("toy_masking", box.record("toy_masking_v1")):
        assert made_from(run(box, toy.ToyProfiles(), image=chosen))["image"] == ["toy_masking_v1"]
    old = run(box, toy.ToyProfiles(), image=box.record("toy_caving_v1"))
    assert made_from(old)["image"] == ["toy_caving_v1"]


def test_input_serves_the_argument_that_it_fits(box):
    steps: list[Any] = [
        *toy.chain()[:2],
        (toy.ToyCaving(), "inner", {}),
        (toy.ToyProfiles(), "toy_profiles", {"input": ("toy_masking",)}),
    ]
    assert made_from(run_steps(box, steps)[-1]) == {
        "image": ["toy_masking_v1"],
        "geometry": ["toy_geometry_v1"],
        "rings": [],
    }


@pytest.mark.parametrize(
    ("chosen", "error", "message"),
    [
        ({"input": "nothing"}, StepError, "input 'nothing' is not an earlier record .there are: toy_geometry"),
        ({"image": "toy_geometry"}, StepError, "input image takes image, not what was chosen for it"),
        ({"input": "toy_fit"}, StepError, "cannot use the input 'toy_fit': it takes image, geometry, rings"),
        (
            {"input": ("toy_masking", "toy_caving")},
            StepError,
            "image takes one image, not toy_masking_v1, toy_caving_v1",
        ),
        ({"picture": "toy_caving"}, ParameterError, "has no input 'picture': use one of image, geometry, rings"),
    ],
)
def test_an_input_that_does_not_fit_is_an_error(box, chosen, error, message):
    before = state(box)
    with pytest.raises(error, match=message):
        run(box, toy.ToyProfiles(), **chosen)
    assert state(box) == before


def test_a_record_of_the_wrong_type_is_an_error(box):
    with pytest.raises(StepError, match="input image takes image"):
        run(box, toy.ToyProfiles(), image=box.record("toy_fit_v1"))


@pytest.mark.parametrize("name", ["", "1st", "a b", "a/b", "ä"])
def test_a_name_that_nexus_does_not_allow_is_an_error(box, name):
    if name:
        with pytest.raises(ParameterError, match="cannot name a record"):
            run(box, toy.ToyCaving(), name=name)
    else:
        assert run(box, toy.ToyCaving(), name=name).base == "toy_caving"


def test_many_inputs_are_the_newest_of_each_name(box):
    run(box, toy.ToyFit(), name="second")
    run(box, toy.ToyFit(), name="second", force=True)
    assert made_from(run(box, toy.ToyOrder()))["fits"] == ["toy_fit_v1", "second_v2"]
    assert len(box.latest("toy_order").load().S) == 4


def test_a_step_that_raises_leaves_the_file_untouched(box):
    before = state(box)
    with pytest.raises(ZeroDivisionError):
        run_steps(box, [(toy.ToyGeometry(), "new", {}), (Failing(), "toy_failing", {})])
    assert state(box) == before
    assert sorted(path.name for path in box.path.parent.iterdir()) == ["toy.nxs"]


def test_all_steps_of_a_run_are_one_transaction(box):
    run_steps(box, [(toy.ToyMasking(), "a", {}), (toy.ToyCaving(), "b", {})])
    assert names(box)[-2:] == ["a_v1", "b_v1"]


def test_frames_go_through_the_chain_of_a_stored_image_again(box):
    run(box, Doubling())
    profiles = run(box, FrameTotals())
    valid = np.isfinite(box.latest("toy_doubling").load().intensity)
    sums = (2 * np.asarray(toy.scan().frames) * valid).sum(axis=(1, 2))
    assert profiles.load().intensity[:, 0, 0] == pytest.approx(sums)


def test_recomputing_gives_the_stored_result(box):
    for record in box.records:
        again, stored = recompute(box, record), record.load()
        assert type(again) is type(stored)
    np.testing.assert_array_equal(recompute(box, box.latest("toy_order")).S, box.latest("toy_order").load().S)


def test_recomputing_with_newer_code_is_refused(box, monkeypatch):
    monkeypatch.setattr(toy.ToyFit, "version", 3)
    with pytest.raises(UnknownStepError, match="step toy_fit is version 3 here, version 1 is not kept"):
        recompute(box, box.latest("toy_fit"))


@dataclass(frozen=True)
class Failing(Step):
    name = "toy_failing"
    version = 1

    def __call__(self, raw: FrameReader) -> Image:
        raise ZeroDivisionError


@dataclass(frozen=True, eq=False)
class DoubledStage(Link):
    """Twice the counts, and NaN where a pixel is invalid."""

    invalid: Array

    def gather(self, index: Ints) -> Gather:
        take, invalid = self.before.gather(index), self.invalid.reshape(-1)[index]

        def take_doubled(frame: Array, number: int) -> tuple[Floats, Floats]:
            values, variances = take(frame, number)
            return np.where(invalid, np.nan, 2 * values), np.where(invalid, np.nan, 4 * variances)

        return take_doubled


@dataclass(frozen=True)
class Doubling(Step):
    """An image without its first rows, whose chain doubles it."""

    name = "toy_doubling"
    version = 1
    limit: int = param("", "rows left out", default=4)

    def __call__(self, raw: FrameReader) -> Image:
        image = np.mean([2.0 * frame for frame in raw], axis=0)
        image[: self.limit] = np.nan
        invalid = np.isnan(image)
        stage = DoubledStage(RawStage(raw), invalid)
        return Image(intensity=image, flags=invalid.astype(np.uint16), frames=raw.shape[0], stage=stage)


@dataclass(frozen=True)
class FrameTotals(FramewiseStep):
    """The sum of each frame's valid pixels, as a profile of one bin."""

    name = "toy_frame_totals"
    version = 1

    def plan(self, image: Pixels) -> PerFrame:
        take = image.chain(self.name).gather(np.flatnonzero(image.valid))
        return lambda frame, number: (take(frame, number)[0].sum(),)

    def finish(self, plan: PerFrame, arrays: tuple[Array, ...], image: Image) -> Profiles:
        sums, ones = arrays[0].reshape(-1, 1, 1), np.ones((1, 1))
        return Profiles(
            angle="chi",
            q=np.array([0.1]),
            q_width=np.array([0.01]),
            hkl=("",),
            bins=np.array([0.0]),
            intensity=sums,
            intensity_errors=sums,
            pixels=ones.astype(int),
            measured=ones.astype(int),
            variance_slope=ones,
            variance_floor=ones,
            theta_bragg=np.array([0.4]),
        )

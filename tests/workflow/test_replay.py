"""Replay: every record comes out of its stored parameters and inputs again, and what does not is named."""

import shutil
from typing import Any

import h5py
import numpy as np
import pytest

from nxscatter.errors import UnknownStepError
from nxscatter.store import layout
from nxscatter.workflow.replay import replay
from support import toy


def test_records_of_the_real_steps_come_out_again(processed_file):
    found = replay(processed_file)
    assert (found.problems, found.replayed, found.notes) == ([], "exact", [])


def test_altered_frames_are_not_replayed(box):
    with h5py.File(box.path, "r+") as file:
        file[layout.FRAMES][0, 0, 0] += 1
    found = replay(box.path)
    assert (found.ok, found.replayed) == (False, None)


def test_replay_is_exact_here(box):
    found = replay(box.path)
    assert (found.ok, found.replayed, found.notes) == (True, "exact", [])


def test_a_container_alone_is_enough_to_replay(box, tmp_path, monkeypatch):
    folder = tmp_path / "alone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    moved = shutil.move(box.path, folder / "x.nxs")
    assert replay(moved).replayed == "exact"


def shifted(kind, by):
    """A caving whose numbers differ from those that were stored."""
    original = kind.__call__

    def call(self, image: toy.Image) -> toy.Image:
        result = original(self, image)
        return toy.Image(intensity=result.intensity * np.float32(1 + by), flags=result.flags, frames=result.frames)

    return call


def test_replay_within_the_tolerance_says_how_far_and_which_environment(box, monkeypatch):
    monkeypatch.setattr(toy.ToyCaving, "__call__", shifted(toy.ToyCaving, 3e-7))
    elsewhere = {**box.records[0].environment, "numpy": "9.9"}
    monkeypatch.setattr("nxscatter.workflow.replay.environment", lambda: elsewhere)
    found = replay(box.path)
    assert (found.ok, found.replayed) == (True, "tolerance")
    assert "/entry/toy_caving_v1: agrees within 1e-06, not bit by bit; farthest image/intensity" in found.notes[0]
    assert f"numpy {np.__version__} then, 9.9 now" in found.notes[0]


def test_replay_beyond_the_tolerance_names_dataset_and_distance(box, monkeypatch):
    monkeypatch.setattr(toy.ToyCaving, "__call__", shifted(toy.ToyCaving, 0.25))
    found = replay(box.path)
    assert (found.ok, found.replayed) == (False, "different")
    assert found.problems == [
        "/entry/toy_caving_v1/image/intensity: differs from its recomputation by 0.25 of its largest value; "
        "the environment is the same"
    ]


def test_replay_finds_another_pattern_of_missing_values(box, monkeypatch):
    def call(self, image: toy.Image) -> toy.Image:
        return toy.Image(intensity=image.intensity, flags=image.flags, frames=image.frames)

    monkeypatch.setattr(toy.ToyCaving, "__call__", call)
    found = replay(box.path)
    assert found.replayed == "different"
    assert "in text, type, shape or attributes" in found.problems[0]


def test_replay_with_newer_code_is_refused(box, monkeypatch):
    monkeypatch.setattr(toy.ToyFit, "version", 2)
    found = replay(box.path)
    assert (found.ok, found.replayed) == (False, "not_replayable")
    assert found.problems == [
        "/entry/toy_fit_v1: cannot be replayed: step toy_fit is version 2 here, version 1 is not kept"
    ]


def test_what_stands_on_a_lost_version_is_not_replayable_either(box, monkeypatch):
    """Frame by frame, a profile is made through the steps of its image."""

    def call(self, image: toy.Image, geometry: toy.Geometry, rings: toy.Rings | None = None) -> Any:
        return image.stage.shape

    monkeypatch.setattr(toy.ToyCaving, "version", 2)
    monkeypatch.setattr(toy.ToyProfiles, "__call__", call)
    problems = replay(box.path).problems
    assert any(one.startswith("/entry/toy_profiles_v1: cannot be replayed: step toy_caving") for one in problems)


def test_an_older_version_that_is_kept_replays_what_it_made(box, monkeypatch):
    from nxscatter import step

    monkeypatch.setattr(step, "_IMPORTED", dict(step._IMPORTED))

    class Newer(toy.ToyFit):
        name = "toy_fit"
        version = 2

        def __call__(self, profiles: toy.Profiles) -> toy.Fits:
            raise AssertionError("the record was made by version 1")

    assert step.get_step("toy_fit") is Newer
    assert step.get_step("toy_fit", 1) is toy.ToyFit
    assert replay(box.path).replayed == "exact"


def test_the_order_in_which_versions_are_defined_does_not_matter(monkeypatch):
    from nxscatter import step

    monkeypatch.setattr(step, "_IMPORTED", dict(step._IMPORTED))

    class Older(toy.ToyFit):
        name = "toy_fit"
        version = 0

    assert step.get_step("toy_fit") is toy.ToyFit
    assert step.get_step("toy_fit", 0) is Older
    with pytest.raises(UnknownStepError, match="step toy_fit is version 1 here, version 5 is not kept"):
        step.get_step("toy_fit", 5)


def test_replay_without_the_step_is_refused(box, monkeypatch):

    toy.forget(monkeypatch, "toy_order")
    found = replay(box.path)
    assert found.replayed == "not_replayable"
    assert found.problems[0].startswith("/entry/toy_order_v1: cannot be replayed: unknown step 'toy_order'")


def test_replay_reports_a_step_that_fails(box, monkeypatch):
    from nxscatter.errors import StepError

    def call(self, profiles: toy.Profiles) -> toy.Fits:
        raise StepError("no")

    monkeypatch.setattr(toy.ToyFit, "__call__", call)
    found = replay(box.path)
    assert found.replayed == "different"
    assert found.problems == ["/entry/toy_fit_v1: cannot be computed again: no"]

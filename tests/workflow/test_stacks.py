"""Stacks of frames: each one's profiles, fits and time, from one reading and in little memory."""

from __future__ import annotations

import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest

from nxscatter import simulate
from nxscatter.errors import ContainerError
from nxscatter.output import table
from nxscatter.readers.registry import read_scan
from nxscatter.store.container import Container
from nxscatter.store.nexus.frames import Hdf5Reader
from nxscatter.store.record import Record
from nxscatter.store.writer import creating
from nxscatter.workflow.conversion import Processed, convert
from nxscatter.workflow.prepare import prepare
from nxscatter.workflow.process import run_recipe
from nxscatter.workflow.recipe import Recipe
from nxscatter.workflow.recipe_file import parse_recipe
from nxscatter.workflow.replay import replay
from nxscatter.workflow.runner import run_steps
from support import tiny

FRAMES = 12
EACH = {"azimuthal_profiles.frames": "each", "azimuthal_profiles.tolerance": 0.1, "azimuthal_profiles.bins": 72}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> simulate.Simulated:
    """A sample that aligns from frame to frame."""
    folder = tmp_path_factory.mktemp("stack")
    run = simulate.Run(exposure_time=4.0, dead_time=0.5, seed=3)
    path = folder / "rodssaxs_eiger2_00001_raw.h5"
    return simulate.kinetic_stack(path, FRAMES, camera=tiny.CAMERA, kappa=8.0, time_constant=15.0, run=run)


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """One entry for each time that a stack is read from beginning to end."""
    counted: list[Any] = []
    read = Hdf5Reader.__iter__

    def counting(self: Hdf5Reader) -> Any:
        counted.append(self)
        return read(self)

    monkeypatch.setattr(Hdf5Reader, "__iter__", counting)
    return counted


def process(path: Path, output: Path | None = None, q: tuple[float, ...] | None = tiny.RINGS) -> Processed:
    return run_recipe(path, prepare(q=q, settings=EACH), output=output)


@pytest.fixture(scope="module")
def done(stack: simulate.Simulated, tmp_path_factory: pytest.TempPathFactory) -> Container:
    return process(stack.path, tmp_path_factory.mktemp("done")).container


def test_every_frame_has_its_profiles_and_its_time(stack: simulate.Simulated, done: Container) -> None:
    profiles: Any = done.latest("azimuthal_profiles").load()
    assert profiles.intensity.shape == profiles.intensity_errors.shape == (FRAMES, 2, 72)
    np.testing.assert_allclose(profiles.elapsed, 4.5 * np.arange(FRAMES))
    with done.opened() as file:
        assert file["entry/azimuthal_profiles_v1/profiles"].attrs["axes"].tolist() == ["frame", "q", "chi"]
    with h5py.File(stack.path) as file:
        frames = file["entry_0000/measurement/data"][()]
    image: Any = done.latest("masking").load()
    valid = image.flags == 0
    np.testing.assert_array_equal(image.intensity[valid], frames.mean(axis=0)[valid])
    assert np.isnan(image.intensity[~valid]).all()


def test_every_frame_and_ring_is_fitted_and_gives_back_the_truth(stack: simulate.Simulated, done: Container) -> None:
    rows = [row for row in table.rows(done) if row["model"] == "maier_saupe"]
    assert [(row["frame"], row["elapsed_s"]) for row in rows[::2]] == [(n, 4.5 * n) for n in range(FRAMES)]
    truth = {(one.frame, round(one.q, 3)): one for one in stack.truth}
    pulls = [
        (row["kappa"] - truth[row["frame"], row["q"]].kappa) / row["kappa_error"]
        for row in rows
        if row["status"] == "ok" and row["frame"] > 1
    ]
    assert len(pulls) > FRAMES
    assert np.abs(pulls).max() < 4.5
    assert rows[0]["status"] == "isotropic" or rows[0]["kappa"] < rows[-2]["kappa"] / 2


def one_by_one(path: Path, recipe: Recipe, output: Path) -> list[Record]:
    """Run the steps of a recipe one after the other, so that none knows of those behind it."""
    with creating(output / "x.nxs", read_scan(path)) as writer:
        made: list[Record] = []
        for step, name, chosen in recipe.make():
            named = {key: [record for record in made if record.base in names] for key, names in chosen.items()}
            made += run_steps(writer, [(step, name, named)], alone=True)
    return made


def test_mean_and_profiles_come_from_one_reading(
    stack: simulate.Simulated, readings: list[Any], tmp_path: Path
) -> None:
    recipe = prepare(q=tiny.RINGS, settings=EACH)
    once = run_recipe(stack.path, recipe, output=tmp_path)
    assert len(readings) == 1
    readings.clear()
    apart = one_by_one(stack.path, recipe, tmp_path)
    assert len(readings) == 2
    assert [record.result_hash for record in once.records] == [record.result_hash for record in apart]


CHAIN = """
[[step]]
use = "masking"
[[step]]
use = "corrections"
solid_angle = "relative"
time = true
[[step]]
use = "binning"
[[step]]
use = "caving"
[[step]]
use = "azimuthal_profiles"
q = [0.05]
tolerance = 0.2
bins = 36
frames = "each"
[[step]]
use = "azimuthal_profiles"
as = "measured"
input = "masking"
q = [0.05, 0.068]
tolerance = 0.2
bins = 36
frames = "each"
[[step]]
use = "radial_sectors"
frames = "each"
"""


def test_one_reading_serves_all_steps_of_a_long_chain(
    stack: simulate.Simulated, readings: list[Any], tmp_path: Path
) -> None:
    recipe = parse_recipe(CHAIN)
    once = run_recipe(stack.path, recipe, output=tmp_path)
    assert len(readings) == 1
    readings.clear()
    apart = one_by_one(stack.path, recipe, tmp_path)
    assert len(readings) == 4
    assert [record.result_hash for record in once.records] == [record.result_hash for record in apart]


def test_other_rings_of_a_container_take_one_reading(done: Container, readings: list[Any], tmp_path: Path) -> None:
    path = Path(shutil.copy(done.path, tmp_path / "x.nxs"))
    other = process(path, q=(0.06,))
    assert "masking_v1" not in other.added
    assert "azimuthal_profiles_v2" in other.added
    assert len(readings) == 1
    readings.clear()
    assert process(path, q=(0.06,)).added == ()
    assert readings == []
    assert replay(path).replayed == "exact"


def test_a_pixel_that_dies_in_a_later_frame_is_out_in_all(
    stack: simulate.Simulated, readings: list[Any], tmp_path: Path
) -> None:
    path = Path(shutil.copy(stack.path, tmp_path / "dies_raw.h5"))
    geometry = stack.camera.geometry
    y, x = int(geometry.center_y), int(geometry.center_x + 0.05 * 5.012 / (2 * np.pi) / 1.2e-3)  # on the first ring
    with h5py.File(path, "r+") as file:
        data = file["entry_0000/measurement/data"]
        frame = data[7]
        frame[y, x] = 2**32 - 1
        data[7] = frame
    done = process(path)
    assert len(readings) == 2  # the first frame did not tell
    image: Any = done.container.latest("masking").load()
    assert np.isnan(image.intensity[y, x])
    profiles: Any = done.container.latest("azimuthal_profiles").load()
    assert np.nanmax(profiles.intensity) < 1e6
    again = run_recipe(done.container, prepare(q=(0.06,), settings=EACH))
    assert np.nanmax(again.container.latest("azimuthal_profiles").load().intensity) < 1e6
    assert replay(done.container.path).replayed == "exact"


def test_rings_that_are_found_take_a_second_reading(
    stack: simulate.Simulated, readings: list[Any], tmp_path: Path
) -> None:
    settings = {**EACH, "rings.min_fwhm": 1.0}
    done = run_recipe(stack.path, prepare(settings=settings), output=tmp_path)
    assert len(readings) == 2
    profiles: Any = done.container.latest("azimuthal_profiles").load()
    assert len(profiles.intensity) == FRAMES


def test_memory_does_not_grow_with_the_frames(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    peaks = []
    for number in (12, 96):
        path = tmp_path / f"stack{number}_raw.h5"
        simulate.write_id02(path, [simulate.oriented(tiny.RINGS, 5.0)] * 2, tiny.CAMERA)
        counts = rng.poisson(30, (number, 128, 120)).astype(np.uint32)
        with h5py.File(path, "r+") as file:
            del file["entry_0000/measurement/data"]
            file["entry_0000/measurement"].create_dataset(
                "data", data=counts, chunks=(1, 128, 120), **hdf5plugin.Bitshuffle()
            )
        del counts
        recipe = tiny.short_recipe().with_settings(EACH)
        tracemalloc.start()
        run_recipe(path, recipe)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    results, frames = 84 * 2 * 72 * 8 * 2, 84 * 128 * 120 * 4  # bytes of profiles and errors, and of what they are of
    assert peaks[1] - peaks[0] < 3 * results < frames / 8


@pytest.fixture
def reader(stack: simulate.Simulated, tmp_path: Path) -> Hdf5Reader:
    return convert(stack.path, tmp_path / "x.nxs").raw


def test_frames_are_read_ahead_in_order(stack: simulate.Simulated, reader: Hdf5Reader) -> None:
    with h5py.File(stack.path) as file:
        frames = file["entry_0000/measurement/data"][()]
    assert isinstance(reader.read(0), np.ndarray)
    for number, frame in enumerate(reader):
        np.testing.assert_array_equal(frame, frames[number])
        assert frame.dtype == frames.dtype


def test_reading_may_end_early(reader: Hdf5Reader) -> None:
    frames = iter(reader)
    next(frames)
    frames.close()
    assert next(iter(reader)).shape == (128, 120)


def test_a_damaged_frame_is_an_error_that_names_the_file(stack: simulate.Simulated, tmp_path: Path) -> None:
    container = convert(stack.path, tmp_path / "x.nxs")
    with h5py.File(container.path) as file:
        place = file["entry/instrument/detector/data"].id.get_chunk_info(5)
    content = bytearray(container.path.read_bytes())
    content[place.byte_offset : place.byte_offset + place.size] = b"\xff" * place.size
    container.path.write_bytes(content)
    with pytest.raises(ContainerError, match=r"x\.nxs: cannot be read"):
        for _ in container.raw:
            pass

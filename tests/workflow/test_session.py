"""One reading of a stack serves every step that wants its frames, those of other packages too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial, wraps
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nxscatter.errors import StepError
from nxscatter.fields import param
from nxscatter.model import Array, Exposure, Floats, Scan
from nxscatter.results import Image, QMap, Result, Rings
from nxscatter.results.stages import FrameReader, PerFrame, Pixels, Reduction
from nxscatter.step import Step
from nxscatter.steps.azimuthal import AzimuthalProfiles
from nxscatter.steps.binning import Binning
from nxscatter.steps.framewise import FramewiseStep, ImageStep
from nxscatter.steps.geometry import DetectorGeometry
from nxscatter.steps.masking import Masking
from nxscatter.store.container import Container
from nxscatter.store.nexus.frames import Hdf5Reader
from nxscatter.store.writer import create
from nxscatter.workflow.replay import replay
from nxscatter.workflow.runner import run, run_steps
from support import toy

FRAMES = 20
ROW = 6  # below the toy detector's gaps


def table(values: Floats) -> QMap:
    """A result with a row a frame."""
    axis = np.arange(float(len(values)))
    return QMap(q_parr=np.zeros(1), q_perp=axis, intensity=values, intensity_errors=values, pixels=values)


def total(gather: Any, scale: float, frame: Array, number: int) -> tuple[Array, ...]:
    return (scale * gather(frame, number)[0].sum(keepdims=True),)


@dataclass(frozen=True)
class Totals(FramewiseStep):
    """The counts of each frame in its valid pixels, asked for in one of the ways that Python has for it."""

    name = "frame_totals"
    version = 1
    way: str = param("", "how", default="partial", choices=("partial", "method", "function", "object"))
    scale: float = param("", "factor", default=1.0)

    def plan(self, image: Pixels) -> PerFrame:
        gather = image.chain(self.name).gather(np.flatnonzero(image.valid))
        ways: dict[str, PerFrame] = {
            "partial": partial(total, gather, self.scale),
            "method": Total(gather, self.scale).of_frame,
            "function": lambda frame, number: total(gather, self.scale, frame, number),
            "object": Total(gather, self.scale),
        }
        return ways[self.way]

    def finish(self, plan: PerFrame, arrays: tuple[Array, ...], image: Image, exposure: Exposure) -> QMap:
        return table(arrays[0])


class Total:
    def __init__(self, gather: Any, scale: float) -> None:
        self.gather, self.scale = gather, scale

    def of_frame(self, frame: Array, number: int) -> tuple[Array, ...]:
        return total(self.gather, self.scale, frame, number)

    __call__ = of_frame


@dataclass(frozen=True)
class Brightest(FramewiseStep):
    """The highest counts of each pixel in any frame: a reduction, of the raw frames."""

    name = "brightest"
    version = 1

    def plan(self, raw: FrameReader) -> Reduction:
        return Highest(raw.shape[1:])

    def finish(self, plan: Reduction, arrays: tuple[Array, ...], raw: FrameReader) -> QMap:
        return table(arrays[0][:, ROW : ROW + 1].astype(float))


@dataclass(frozen=True)
class Highest(Reduction):
    shape: tuple[int, int]

    def start(self, frames: int) -> Any:
        return Running(np.zeros(self.shape))


@dataclass(frozen=True)
class Running:
    highest: Array

    def add(self, frame: Array, number: int) -> None:
        np.maximum(self.highest, frame, out=self.highest)

    def arrays(self) -> tuple[Array, ...]:
        return (self.highest,)


@dataclass(frozen=True)
class Threshold(Step):
    """An image whose valid pixels follow from its intensity: a plain step, whose frames wait for it."""

    name = "threshold"
    version = 1

    def __call__(self, image: Image) -> Image:
        bright = image.intensity > np.nanmean(image.intensity)
        return replace(
            image,
            intensity=np.where(bright, image.intensity, np.nan),
            flags=np.where(bright, image.flags, 1 << 8).astype(np.uint16),
        )


@dataclass(frozen=True)
class Optimist(ImageStep):
    """An image step that expects other pixels than it gets."""

    name = "optimist"
    version = 1

    def pixels(self, image: Pixels) -> Pixels:
        return image

    def __call__(self, image: Image) -> Image:
        flags = image.flags.copy()
        flags[ROW] = 1 << 8
        return replace(image, intensity=np.where(flags == 0, image.intensity, np.nan), flags=flags)


@dataclass(frozen=True)
class FoundRings(Step):
    """Rings that are where they are expected."""

    name = "found_rings"
    version = 1

    def __call__(self, image: Image) -> Rings:
        one, none = np.ones(1), np.zeros(0)
        return Rings(
            q=0.002 * one,
            fwhm=0.001 * one,
            fwhm_pixels=one,
            height=one,
            prominence=one,
            radial_q=none,
            intensity=none,
            intensity_errors=none,
            center_y=1.0,
            center_x=1.0,
            center_y_error=1.0,
            center_x_error=1.0,
            notes=("these rings are none",),
        )


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


def stack(**changes: Any) -> Scan:
    frames = np.random.default_rng(7).poisson(9, (FRAMES, toy.ROWS, toy.COLUMNS)).astype(np.uint32)
    scan = toy.scan()
    exposure = Exposure(time=np.ones(FRAMES), elapsed=2.0 * np.arange(FRAMES))
    return replace(scan, frames=frames, exposure=exposure, **changes)


@pytest.fixture
def scan() -> Scan:
    return stack()


@pytest.fixture
def container(scan: Scan, tmp_path: Path) -> Container:
    return create(tmp_path / "stack.nxs", scan)


def uses(*steps: Step) -> list[tuple[Step, str, dict[str, Any]]]:
    """Steps under names that count them."""
    return [(use, f"{use.name}_{number}", {}) for number, use in enumerate(steps)]


def loaded(container: Container, name: str) -> Any:
    return container.latest(name).load()


def counts(scan: Scan, valid: Any = slice(None)) -> Floats:
    """Counts of each frame below the gaps, where ``valid``."""
    frames = np.asarray(scan.frames, dtype=float)
    outside = np.ones(frames.shape[1:], dtype=bool)
    outside[3:6] = False
    chosen = np.zeros_like(outside)
    chosen[valid] = True
    return np.asarray(frames[:, outside & chosen].sum(axis=1))


@pytest.mark.parametrize("way", ["partial", "method", "function", "object"])
def test_one_reading_serves_any_callable(container: Container, scan: Scan, readings: list[Any], way: str) -> None:
    run_steps(container, uses(Masking(), Totals(way=way), Totals(way=way, scale=2.0), Brightest()))
    assert len(readings) == 1
    np.testing.assert_array_equal(loaded(container, "frame_totals_1").intensity[:, 0], counts(scan))
    np.testing.assert_array_equal(loaded(container, "frame_totals_2").intensity[:, 0], 2 * counts(scan))
    highest = np.asarray(scan.frames).max(axis=0)[:, ROW]
    np.testing.assert_array_equal(loaded(container, "brightest_3").intensity[:, 0], highest)
    assert replay(container.path).replayed == "exact"


def test_one_reading_serves_what_stands_on_a_chain_of_image_steps(
    container: Container, scan: Scan, readings: list[Any]
) -> None:
    each = AzimuthalProfiles(q=(0.002,), tolerance=0.4, bins=36, frames="each")
    run_steps(container, uses(Masking(), DetectorGeometry(), Totals(), Binning(factor=3), Totals(), each))
    assert len(readings) == 1
    np.testing.assert_allclose(loaded(container, "frame_totals_4").intensity[:, 0], counts(scan) / 9)
    assert len(loaded(container, each.name).intensity) == FRAMES


def test_all_that_waits_for_an_image_shares_the_next_reading(
    container: Container, scan: Scan, readings: list[Any]
) -> None:
    run_steps(container, uses(Masking(), Totals(), Threshold(), Totals(), Totals(scale=2.0), Brightest()))
    assert len(readings) == 2
    image = loaded(container, "threshold_2")
    np.testing.assert_array_equal(
        loaded(container, "frame_totals_3").intensity[:, 0], counts(scan, np.isfinite(image.intensity))
    )
    np.testing.assert_array_equal(
        loaded(container, "frame_totals_4").intensity, 2 * loaded(container, "frame_totals_3").intensity
    )


def test_rings_that_are_found_are_waited_for(container: Container, readings: list[Any]) -> None:
    def read(q: tuple[float, ...]) -> int:
        readings.clear()
        each = AzimuthalProfiles(q=q, tolerance=0.4, bins=36, frames="each")
        run_steps(container, uses(DetectorGeometry(), Masking(), FoundRings(), each, Totals()), force=True)
        return len(readings)

    assert read(q=()) == 2
    assert read(q=(0.002,)) == 1  # they are there, and not needed
    assert loaded(container, "azimuthal_profiles").notes == ("these rings are none",)


def test_a_record_that_is_up_to_date_is_not_read_for(container: Container, readings: list[Any]) -> None:
    recipe = uses(Masking(), Totals(), Brightest())
    first = run_steps(container, recipe)
    readings.clear()
    assert [record.name for record in run_steps(container, recipe)] == [record.name for record in first]
    assert readings == []
    more = run_steps(container, [*recipe, *uses(Totals(scale=3.0), Totals(scale=4.0))])
    assert len(readings) == 1
    assert [record.number for record in more] == [1, 1, 1, 1, 2]  # "frame_totals_1" twice: another factor


def test_an_image_that_comes_out_otherwise_is_planned_on_again(
    container: Container, scan: Scan, readings: list[Any]
) -> None:
    run_steps(container, uses(Masking(), Totals(), Optimist(), Totals(), Binning(factor=3), Totals()))
    assert len(readings) == 2
    np.testing.assert_array_equal(loaded(container, "frame_totals_1").intensity[:, 0], counts(scan))
    others = np.arange(toy.ROWS) != ROW
    np.testing.assert_array_equal(loaded(container, "frame_totals_3").intensity[:, 0], counts(scan, others))


def test_a_pixel_that_dies_in_a_later_frame_dies_in_what_hides_it_too(tmp_path: Path, readings: list[Any]) -> None:
    """Binned, its block stays valid: the image looks as expected, and is made of other pixels."""
    scan = stack()
    np.asarray(scan.frames)[11, 9, 9] = 2**32 - 1
    container = create(tmp_path / "dies.nxs", scan)
    run_steps(container, uses(Masking(), Binning(factor=3), Totals()))
    assert len(readings) == 2
    found = loaded(container, "frame_totals_2").intensity[:, 0]
    block = np.asarray(scan.frames, dtype=float)[:, 9:12, 9:12].reshape(FRAMES, -1)[:, 1:].mean(axis=1)
    alive = np.ones((toy.ROWS, toy.COLUMNS), dtype=bool)
    alive[9:12, 9:12] = False
    np.testing.assert_allclose(found, counts(scan, alive) / 9 + block)
    assert replay(container.path).replayed == "exact"


def test_a_step_alone_takes_one_reading(container: Container, scan: Scan, readings: list[Any]) -> None:
    run(container, Masking())
    run(container, Totals())
    assert len(readings) == 2
    np.testing.assert_array_equal(loaded(container, "frame_totals").intensity[:, 0], counts(scan))


def test_frames_of_an_image_without_a_chain_are_an_error(container: Container) -> None:
    @dataclass(frozen=True)
    class Flat(Threshold):
        def __call__(self, image: Image) -> Image:
            return replace(super().__call__(image), stage=None)

    with pytest.raises(StepError, match="frame_totals: needs the raw frames, which the image has lost"):
        run_steps(container, uses(Masking(), Flat(), Totals()))


def test_each_result_is_computed_once(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    kinds: list[type[Step]] = [Threshold, DetectorGeometry]
    for kind in kinds:

        def call(self: Step, *args: Any, original: Any = kind.__call__, **kwargs: Any) -> Result:
            calls.append(self.name)
            return original(self, *args, **kwargs)

        monkeypatch.setattr(kind, "__call__", wraps(kind.__call__)(call))
    run_steps(container, uses(Masking(), DetectorGeometry(), Threshold(), Totals(), Totals(scale=2.0)))
    assert sorted(calls) == ["geometry", "threshold"]

"""The contract of the steps that go by single frames."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from nxscatter.errors import StepError
from nxscatter.fields import param
from nxscatter.model import Array
from nxscatter.results import Geometry, Image, Profiles, QMap, Rings, Sectors
from nxscatter.results.stages import FrameReader, PerFrame, Pixels, Reduction
from nxscatter.science.pixels.stage_links import RawStage
from nxscatter.steps.azimuthal import AzimuthalProfiles
from nxscatter.steps.binning import Binning
from nxscatter.steps.caving import Caving
from nxscatter.steps.framewise import FramewiseStep, ImageStep
from nxscatter.steps.masking import Masking
from nxscatter.steps.median_filter import MedianFilter
from nxscatter.testing import check_step
from support.scattering import Stack, make_detector, make_geometry, make_image

GEOMETRY = make_geometry(24, 30)
FRAMES = np.random.default_rng(4).poisson(20, (5, 24, 30)).astype(np.uint32)
HOLES = np.zeros((24, 30), dtype=bool)
HOLES[3:5] = HOLES[:, 20] = HOLES[9, 4] = True


@dataclass(frozen=True)
class Totals(FramewiseStep):
    """Counts of the valid pixels of each frame, as a map with a row a frame."""

    name = "totals"
    version = 1
    scale: float = param("", "factor", default=1.0)
    each: bool = param("", "whether frames are wanted at all", default=True)

    @property
    def reads_frames(self) -> bool:
        return self.each

    def plan(self, image: Pixels) -> PerFrame:
        gather = image.chain("totals").gather(np.flatnonzero(image.valid))
        return partial(self._total, gather)

    def _total(self, gather: Any, frame: Array, number: int) -> tuple[Array, ...]:
        return (self.scale * gather(frame, number)[0].sum(keepdims=True),)

    def finish(
        self, plan: PerFrame, arrays: tuple[Array, ...], image: Image, geometry: Geometry, rings: Rings | None = None
    ) -> QMap:
        values = arrays[0] if arrays else np.zeros((0, 1))
        axis = np.arange(float(len(values)))
        return QMap(q_parr=np.zeros(1), q_perp=axis, intensity=values, intensity_errors=values, pixels=values)


def test_its_inputs_and_its_result_are_those_of_finish() -> None:
    assert Totals.inputs() == {"image": Image, "geometry": Geometry, "rings": Rings | None}
    assert Totals.output() is QMap
    assert Totals().planned_on == ["image"]
    assert list(AzimuthalProfiles.inputs()) == ["image", "geometry", "rings", "exposure"]
    assert AzimuthalProfiles.output() is Profiles
    assert list(Masking.inputs()) == ["raw", "detector", "masks", "exposure", "auxiliary"]
    assert Masking.inputs()["raw"] is FrameReader


def test_called_by_itself_it_reads_the_frames_behind_its_image() -> None:
    image = make_image(FRAMES, HOLES)
    expected = 2.0 * FRAMES[:, ~HOLES].sum(axis=1)
    np.testing.assert_array_equal(Totals(scale=2.0)(image, GEOMETRY).intensity[:, 0], expected)
    np.testing.assert_array_equal(Totals(scale=2.0)(geometry=GEOMETRY, image=image).intensity[:, 0], expected)


def test_without_frames_nothing_is_read() -> None:
    class Closed(Stack):
        def __iter__(self) -> Any:
            raise AssertionError("it must not be read")

    image = replace(make_image(FRAMES, HOLES), stage=RawStage(Closed(FRAMES)))
    assert Totals(each=False)(image, GEOMETRY).intensity.shape == (0, 1)
    with pytest.raises(AssertionError, match="must not be read"):
        Totals()(image, GEOMETRY)


def test_an_image_that_lost_its_frames_is_an_error() -> None:
    image = replace(make_image(FRAMES), stage=None)
    with pytest.raises(StepError, match="totals: needs the raw frames, which the image has lost"):
        Totals()(image, GEOMETRY)
    with pytest.raises(StepError, match="azimuthal_profiles: needs the raw frames, which the image has lost"):
        AzimuthalProfiles(q=(0.003,), tolerance=0.4, frames="each")(image, GEOMETRY)


def test_wrong_inputs_are_an_error_as_of_any_function() -> None:
    with pytest.raises(TypeError, match="geometry"):
        Totals()(make_image(FRAMES))


def test_a_step_that_does_not_keep_the_contract_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Nothing(FramewiseStep, ImageStep):
        def finish(self, plan: Any, arrays: Any, image: Image) -> Sectors:
            raise AssertionError

    monkeypatch.setattr(Nothing, "name", "nothing", raising=False)
    with pytest.raises(NotImplementedError, match="nothing: give the step a method plan"):
        Nothing()(make_image(FRAMES))
    with pytest.raises(NotImplementedError, match="nothing: give the step a method pixels"):
        Nothing().pixels()


@pytest.mark.parametrize(
    ("step", "more"),
    [
        (Binning(factor=2), {}),
        (Binning(factor=1), {}),
        (Caving(), {"geometry": GEOMETRY}),
        (MedianFilter(size=3), {}),
    ],
    ids=["binning", "no binning", "caving", "median"],
)
@pytest.mark.parametrize("before", [None, Caving(), Binning(factor=3)], ids=["masked", "caved", "binned"])
def test_the_pixels_that_an_image_step_tells_are_those_of_its_image(
    step: ImageStep, more: dict[str, Any], before: Any
) -> None:
    image = make_image(FRAMES, HOLES)
    if before is not None:
        image = before(image, GEOMETRY) if isinstance(before, Caving) else before(image)
    made = step(image, **more)  # type: ignore[operator]
    told = step.pixels(image.pixels, **more)
    assert told.agree_with(made.pixels)
    np.testing.assert_array_equal(told.valid, np.isfinite(made.intensity))
    assert told.stage is not None
    index = np.flatnonzero(told.valid)
    for found, expected in zip(
        told.stage.gather(index)(FRAMES[1], 1), made.stage.gather(index)(FRAMES[1], 1), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_the_contract_test_tells_of_pixels_that_are_others() -> None:
    class Careless(MedianFilter):
        """It forgets the holes."""

        def pixels(self, image: Pixels) -> Pixels:
            return replace(image, flags=np.zeros_like(image.flags))

    image = make_image(FRAMES, HOLES)
    check_step(Binning(factor=2), image=image)
    check_step(Totals(), image=image, geometry=GEOMETRY)
    with pytest.raises(AssertionError, match="pixels tells others than those of the image"):
        check_step(Careless(), image=image)


def test_masking_goes_by_the_first_frame_until_all_are_read() -> None:
    frames = FRAMES.copy()
    frames[:, 2, 2] = frames[3, 7, 7] = 2**32 - 1
    detector = make_detector(GEOMETRY)
    told = Masking().pixels(Stack(frames), detector, ())
    made = Masking()(Stack(frames), detector, ())
    assert not told.valid[2, 2]
    assert told.valid[7, 7]
    assert not made.pixels.valid[7, 7]
    assert not told.agree_with(made.pixels)
    assert told.agree_with(Masking()(Stack(frames[:3]), detector, ()).pixels) is False  # other frames
    assert (
        Masking().pixels(Stack(frames[:3]), detector, ()).agree_with(Masking()(Stack(frames[:3]), detector, ()).pixels)
    )


def test_a_plan_that_takes_what_is_no_input_is_an_error() -> None:
    class Wrong(Totals):
        def plan(self, picture: Pixels) -> PerFrame:
            raise AssertionError

    with pytest.raises(TypeError, match="totals: plan takes 'picture', which is no input: use image, geometry, rings"):
        Wrong()(make_image(FRAMES), GEOMETRY)


def test_the_mean_of_frames_is_a_reduction() -> None:
    assert isinstance(Masking().plan(Stack(FRAMES), make_detector(GEOMETRY)), Reduction)

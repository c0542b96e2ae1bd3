"""The geometry step: the header's values, replaced or refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nxscatter.errors import ParameterError, StepError
from nxscatter.model import Beam, Detector, Origin, Sample, Scan
from nxscatter.results import Geometry, Rings
from nxscatter.steps.geometry import DetectorGeometry
from nxscatter.steps.masking import Masking
from nxscatter.steps.rings import FindRings
from nxscatter.store.container import Container
from nxscatter.store.writer import creating
from nxscatter.workflow.runner import run, run_steps
from support.scattering import Stack, make_detector, make_geometry, make_image, ring_pattern

BEAM = Beam(1.54)
DETECTOR = Detector(
    "test", 100, 120, 2.5, 1e-4, 2e-4, 40.5, 60.25, offset_y=3.0, offset_x=-2.0, rot1=1.0, orientation=3
)


def test_center_is_the_headers_without_its_offset():
    geometry = DetectorGeometry()(BEAM, DETECTOR)
    assert (geometry.center_y, geometry.center_x) == (37.5, 62.25)
    assert geometry.shape == (100, 120)
    assert (geometry.wavelength, geometry.distance) == (1.54, 2.5)
    assert (geometry.pixel_size_y, geometry.pixel_size_x) == (1e-4, 2e-4)
    assert (geometry.rot1, geometry.orientation) == (1.0, 3)


def test_given_values_take_the_place_of_the_headers():
    step = DetectorGeometry(center_x=50.0, center_y=20.0, distance=1.0, wavelength=0.9)
    geometry = step(BEAM, DETECTOR)
    assert (geometry.center_y, geometry.center_x) == (17.0, 52.0)
    assert (geometry.wavelength, geometry.distance) == (0.9, 1.0)


@pytest.mark.parametrize(
    ("change", "key", "remedy"),
    [
        ({"distance": float("nan")}, "SampleDistance", "geometry.distance"),
        ({"distance": 0.0}, "SampleDistance", "geometry.distance"),
        ({"distance": -1.0}, "SampleDistance", "geometry.distance"),
        ({"pixel_size_y": 0.0}, "PSize_2", "--poni"),
        ({"pixel_size_x": float("nan")}, "PSize_1", "--poni"),
        ({"center_x": float("nan")}, "Center_1", "geometry.center_x"),
        ({"center_y": float("inf")}, "Center_2", "geometry.center_y"),
    ],
)
def test_what_cannot_be_is_refused_with_key_and_remedy(change, key, remedy):
    with pytest.raises(StepError) as caught:
        DetectorGeometry()(BEAM, replace(DETECTOR, **change))
    assert key in str(caught.value)
    assert remedy in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wavelength", [0.0, -1.0, float("nan")])
def test_missing_wavelength_is_refused_unless_given(wavelength):
    with pytest.raises(StepError, match=r"WaveLength.*geometry\.wavelength"):
        DetectorGeometry()(Beam(wavelength), DETECTOR)
    assert DetectorGeometry(wavelength=1.2)(Beam(wavelength), DETECTOR).wavelength == 1.2


def test_unknown_orientation_is_refused():
    with pytest.raises(StepError, match="RasterOrientation = 9"):
        DetectorGeometry()(BEAM, replace(DETECTOR, orientation=9))


def test_impossible_parameters_are_refused_where_they_are_set():
    with pytest.raises(ParameterError, match=r"geometry\.wavelength"):
        DetectorGeometry(wavelength=0.0)


TRUE = make_geometry(360, 350, distance=0.3, wavelength=1.54189)
PLACES = [TRUE.distance / 1e-4 * np.tan(2 * np.arcsin(order * 1.54189 / (2 * 58.38))) for order in (1, 2)]
HEADER = replace(make_detector(TRUE), center_y=TRUE.center_y + 6.0, center_x=TRUE.center_x - 4.0, distance=0.4)
REFINE = DetectorGeometry(center="refine")


def behenate() -> np.ndarray:
    """Counts of two orders of silver behenate about the true centre."""
    expected = ring_pattern(TRUE, [(place, 4.0, 30.0) for place in PLACES])
    return np.random.default_rng(0).poisson(expected).astype(np.uint32)


def rings_with(geometry: Geometry) -> Rings:
    return FindRings()(make_image(behenate()[np.newaxis]), geometry)


def test_the_centre_is_refined_on_rings():
    header = DetectorGeometry()(Beam(1.54189), HEADER)
    refined = REFINE(Beam(1.54189), HEADER, rings_with(header))
    assert (refined.center_y, refined.center_x) == pytest.approx((TRUE.center_y, TRUE.center_x), abs=0.1)
    assert 0 < refined.center_y_error < 0.1
    assert 0 < refined.center_x_error < 0.1
    assert refined.auto == {
        "center_y": refined.center_y,
        "center_y_header": HEADER.center_y,
        "center_x": refined.center_x,
        "center_x_header": HEADER.center_x,
    }
    assert refined.distance == HEADER.distance
    assert np.isnan(refined.distance_error)


def test_rings_about_the_refined_centre_do_not_move_it():
    refined = REFINE(Beam(1.54189), HEADER, rings_with(DetectorGeometry()(Beam(1.54189), HEADER)))
    again = REFINE(Beam(1.54189), HEADER, rings_with(refined))
    assert np.hypot(again.center_y - refined.center_y, again.center_x - refined.center_x) < 0.05


def test_an_offset_of_the_detector_changes_nothing():
    shifted = replace(HEADER, offset_y=10.0, offset_x=-7.0, center_y=HEADER.center_y + 10, center_x=HEADER.center_x - 7)
    refined = [
        REFINE(Beam(1.54189), detector, rings_with(DetectorGeometry()(Beam(1.54189), detector)))
        for detector in (HEADER, shifted)
    ]
    assert refined[1].center_y == pytest.approx(refined[0].center_y)
    assert refined[1].auto["center_x_header"] == pytest.approx(HEADER.center_x)


def test_the_distance_is_refined_on_a_calibrant():
    header = DetectorGeometry()(Beam(1.54189), HEADER)
    step = DetectorGeometry(center="refine", calibrant="AgBh")
    refined = step(Beam(1.54189), HEADER, rings_with(header))
    assert refined.distance == pytest.approx(TRUE.distance, rel=2e-3)
    assert 0 < refined.distance_error < 2e-3
    assert refined.auto["distance_header"] == 0.4
    assert refined.auto["lines"] == [1, 2]
    # Rings found with the wrong distance or the right one have the same radii.
    again = step(Beam(1.54189), HEADER, rings_with(refined))
    assert again.distance == pytest.approx(refined.distance, rel=1e-4)


def test_a_ring_that_is_none_of_the_calibrants_is_told():
    header = DetectorGeometry()(Beam(1.54189), HEADER)
    rings = rings_with(header)
    strange = replace(rings, q=np.append(rings.q, 0.4), radius=np.append(rings.radius, 1.4 * rings.radius[1]))
    refined = DetectorGeometry(calibrant="AgBh")(Beam(1.54189), HEADER, strange)
    assert refined.notes == ("the rings at q = 0.4 1/angstrom are none of AgBh's",)


@pytest.mark.parametrize(
    ("step", "change", "words"),
    [
        (REFINE, None, "after a rings step"),
        (DetectorGeometry(calibrant="AgBh"), None, "after a rings step"),
        (REFINE, {"center_y": float("nan")}, "own centre is unknown"),
        (DetectorGeometry(calibrant="AgBh"), {"radius": None}, "run the rings step again"),
        (DetectorGeometry(calibrant="AgBh"), {"radius": np.array([50.0])}, "rings fit the calibrant, at least two"),
    ],
)
def test_without_fitting_rings_nothing_is_refined(step, change, words):
    header = DetectorGeometry()(Beam(1.54189), HEADER)
    rings = None if change is None else replace(rings_with(header), **change)
    with pytest.raises(StepError, match=words) as caught:
        step(Beam(1.54189), HEADER, rings)
    assert "\n" not in str(caught.value)


def test_a_tilted_detector_needs_a_calibration_of_its_own():
    header = DetectorGeometry()(Beam(1.54189), HEADER)
    with pytest.raises(StepError, match="--poni"):
        DetectorGeometry(calibrant="AgBh")(Beam(1.54189), replace(HEADER, rot1=3.0), rings_with(header))


@pytest.mark.parametrize(
    "parameters", [{"center": "refine", "center_x": 3.0}, {"calibrant": "AgBh", "distance": 1.0}, {"center": "fit"}]
)
def test_what_is_given_is_not_refined(parameters):
    with pytest.raises(ParameterError, match="geometry"):
        DetectorGeometry(**parameters)


@pytest.fixture
def box(tmp_path: Path) -> Container:
    """A container of one frame whose header has a wrong centre and a wrong distance."""
    scan = Scan(
        title="behenate",
        beam=Beam(1.54189),
        detector=HEADER,
        sample=Sample("AgBh"),
        origin=Origin("a.edf", "lgc", "application/x-edf", "0" * 64),
        frames=behenate()[np.newaxis],
    )
    with creating(tmp_path / "a.nxs", scan):
        pass
    return Container(tmp_path / "a.nxs")


def test_a_recipe_goes_on_with_the_refined_geometry(box):
    step = DetectorGeometry(center="refine", calibrant="AgBh")
    steps: list[Any] = [
        (DetectorGeometry(), "geometry", {}),
        (Masking(), "masking", {}),
        (FindRings(), "found", {}),
        (step, "refined", {}),
        (FindRings(), "rings", {}),
    ]
    made = run_steps(box, steps)
    assert {one.name for one in made[-1].parents} == {"masking_v1", "refined_v1"}
    assert made[-1].load().q[0] == pytest.approx(2 * np.pi / 58.38, rel=3e-3)
    assert made[3].load().distance_error > 0
    assert made[3].auto["center_x_header"] == pytest.approx(HEADER.center_x)
    assert not any(record.stale for record in box.records)
    assert [one.name for one in run_steps(box, steps)] == [one.name for one in made]


def test_a_step_alone_takes_the_rings_it_is_given(box):
    run_steps(box, [(DetectorGeometry(), "geometry", {}), (Masking(), "masking", {}), (FindRings(), "rings", {})])
    with pytest.raises(StepError, match="after a rings step"):
        run(box, REFINE, name="refined")
    record = run(box, REFINE, name="refined", rings=box.latest("rings"))
    assert record.load().center_x == pytest.approx(TRUE.center_x, abs=0.1)
    assert not record.stale


@pytest.mark.slow
def test_silver_behenate_as_measured(shared_data: Path):
    import fabio

    with fabio.open(shared_data / "xeuss_AgBh_2018-01-31-OT_0_13459.edf") as edf:
        frame = edf.data
    rows, columns = frame.shape
    detector = Detector("Pilatus", rows, columns, 2.46, 172e-6, 172e-6, 903.0, 348.0, dummy=-1.5, ddummy=0.6)
    image = Masking()(Stack(frame[np.newaxis]), detector, ())
    rings = FindRings()(image, DetectorGeometry()(Beam(1.54189), detector))
    refined = DetectorGeometry(center="refine", calibrant="AgBh")(Beam(1.54189), detector, rings)
    assert (refined.center_x, refined.center_y) == pytest.approx((357.4, 904.1), abs=1)
    # No certificate of this distance is known: the orders have to agree among themselves.
    assert refined.auto["lines"] == [1, 2, 3, 4]
    assert refined.distance_error / refined.distance < 1e-3
    again = FindRings()(image, refined)
    assert np.hypot(again.center_x - refined.center_x, again.center_y - refined.center_y) < 0.05
    assert again.q == pytest.approx(2 * np.pi / 58.38 * np.arange(1, 5), rel=5e-3)

"""What viewers show of a result: the curves, their labels, and that nobody is misled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nxscatter.results import Fits, Image, Orientation, Profiles, QMap, Rings
from nxscatter.results.plots import scattered
from nxscatter.store.container import Container
from support import toy

NAN = float("nan")


def orientation(frames: list[int], q: list[float], method: list[str], **other: Any) -> Orientation:
    rows = len(frames)
    values: dict[str, Any] = {
        "frame": np.array(frames),
        "ring": np.ones(rows, dtype=int),
        "peak": np.ones(rows, dtype=int),
        "q": np.array(q),
        "hkl": ("",) * rows,
        "model": tuple(method),
        "method": tuple(method),
        "reflection": ("",) * rows,
        "S": np.linspace(0.1, 0.9, rows),
        "S_errors": np.linspace(0.01, 0.09, rows),
        "P4": np.full(rows, NAN),
        "P4_errors": np.full(rows, NAN),
        "status": ("ok",) * rows,
        "reason": ("",) * rows,
    }
    return Orientation(**{**values, **other})


def drawn(plot, label: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places, values and errors of the points of a curve that have an error."""
    (name,) = [name for name, (_, _, text) in plot.values.items() if text == label]
    axis, values, errors = (plot.values[one][0] for one in (plot.axes[0], name, f"{name}_errors"))
    seen = np.isfinite(errors)
    return axis[seen], values[seen], errors[seen]


def test_order_parameters_of_an_image_stand_against_q() -> None:
    made = orientation([-1] * 4, [0.05, 0.068, 0.05, 0.068], ["maier_saupe"] * 2 + ["kratky"] * 2)
    (plot,) = made.plots()
    assert plot.axes == ("q",)
    assert plot.values["q"][1:] == ("1/angstrom", "q (1/angstrom)")
    assert (plot.signal, plot.auxiliary, plot.title) == ("S_1", ("S_2",), "order parameter S")
    for label, rows in (("S maier_saupe", [0, 1]), ("S kratky", [2, 3])):
        places, values, errors = drawn(plot, label)
        np.testing.assert_allclose(places, [0.05, 0.068])
        np.testing.assert_array_equal(values, made.S[rows])
        np.testing.assert_array_equal(errors, made.S_errors[rows])


def test_a_lone_point_is_a_level_line_that_can_be_seen() -> None:
    (plot,) = orientation([-1, -1], [0.05, 0.07], ["kratky", "maier_saupe"]).plots()
    axis, values = plot.values["q"][0], plot.values["S_1"][0]
    line = np.isfinite(values)
    assert line.sum() == 3
    assert np.ptp(axis[line]) == pytest.approx(0.4 * 0.02)
    assert np.ptp(values[line]) == 0
    assert np.all(np.diff(axis) > 0)


@pytest.mark.parametrize(("elapsed", "axis", "units"), [([0.0, 2.0, 4.5] * 2, "time", "s"), ([NAN] * 6, "frame", "")])
def test_a_stack_stands_against_time_where_it_is_known(elapsed: list[float], axis: str, units: str) -> None:
    made = orientation([0, 1, 2] * 2, [0.05] * 3 + [0.068] * 3, ["kratky"] * 6, elapsed=np.array(elapsed))
    (plot,) = made.plots()
    assert plot.axes == (axis,)
    assert plot.values[axis][1] == units
    places, values, _ = drawn(plot, "S kratky, q = 0.068")
    np.testing.assert_array_equal(values, made.S[3:])
    np.testing.assert_allclose(places, elapsed[3:] if axis == "time" else [0, 1, 2])


def test_a_long_stack_is_a_curve_through_its_points() -> None:
    frames = list(range(20))
    (plot,) = orientation(frames, [0.05] * 20, ["kratky"] * 20).plots()
    assert len(plot.values["frame"][0]) == len(plot.values["S_1"][0]) == 20


def test_curves_are_told_apart_by_peak_model_and_reflection() -> None:
    made = orientation(
        [0, 1, 0, 1],
        [2.9] * 4,
        ["pseudo_voigt_periodic"] * 2 + ["moments"] * 2,
        peak=np.array([1, 1, 2, 2]),
        hkl=("1 0 0",) * 4,
        model=("pseudo_voigt",) * 2 + ("kratky",) * 2,
    )
    (plot,) = made.plots()
    labels = [plot.values[name][2] for name in (plot.signal, *plot.auxiliary)]
    assert labels == ["S pseudo_voigt_periodic, peak 1, (1 0 0)", "S moments, kratky, peak 2, (1 0 0)"]


def test_nothing_at_all_is_an_empty_plot() -> None:
    plot = scattered("order", "S", [], ("q", "1/angstrom"))
    assert np.isnan(plot.values["S_1"][0]).all()
    assert len(plot.values["q"][0]) == len(plot.values["S_1"][0])


def test_only_the_first_frame_of_a_stack_is_drawn_and_that_is_said(box: Container) -> None:
    profiles = box.latest("toy_profiles").load()
    assert isinstance(profiles, Profiles)
    assert profiles.plots()[0].title == "intensity (counts) against azimuth"
    stack = np.stack([profiles.intensity, 2 * profiles.intensity])
    twice = replace(profiles, intensity=stack, intensity_errors=np.sqrt(stack), units="1/cm")
    (plot,) = twice.plots()
    assert plot.title == "intensity (1/cm) against azimuth, first of 2 frames"
    np.testing.assert_array_equal(plot.values["ring_2"][0], profiles.intensity[1])
    assert plot.values["ring_2"][2] == "q = 0.07 1/angstrom"


def test_rings_with_a_fitted_line_come_first(box: Container) -> None:
    fits = box.latest("toy_fit").load()
    assert isinstance(fits, Fits)
    assert [plot.name for plot in fits.plots()] == ["fit_1", "fit_2"]
    fitted = fits.fitted.copy()
    fitted[0] = NAN
    first, second = replace(fits, fitted=fitted).plots()
    assert (first.name, second.name) == ("fit_2", "fit_1")
    assert first.title == "intensity (counts) and pseudo voigt, q = 0.07 1/angstrom: isotropic"
    np.testing.assert_array_equal(first.values["intensity"][0], fits.profile[1])


def test_the_radial_profile_begins_where_rings_can_be_seen() -> None:
    q = np.linspace(0.001, 0.1, 100)
    one = np.ones(1)
    made = Rings(
        q=np.array([0.05]),
        fwhm=one,
        fwhm_pixels=one,
        height=one,
        prominence=one,
        radial_q=q,
        intensity=1 / q,
        intensity_errors=np.sqrt(1 / q),
        center_y=NAN,
        center_x=NAN,
        center_y_error=NAN,
        center_x_error=NAN,
    )
    (plot,) = made.plots()
    shown = plot.values["q"][0]
    np.testing.assert_array_equal(shown, q[q >= 0.03])
    np.testing.assert_array_equal(plot.values["intensity"][0], 1 / shown)
    assert plot.title == "intensity (counts), rings at q = 0.05 1/angstrom"
    (plot,) = replace(made, q=np.zeros(0)).plots()
    assert len(plot.values["q"][0]) == 100
    assert plot.title == "intensity (counts), no ring found"


def test_images_are_named_by_quantity_and_frames() -> None:
    image = Image(np.ones((2, 2)), np.zeros((2, 2), dtype=np.uint16), frames=3)
    assert image.title == "intensity (counts), mean of 3 frames"
    assert replace(image, frames=1, units="1/cm").title == "intensity (1/cm)"
    flat = np.ones((2, 2))
    assert QMap(np.arange(2.0), np.arange(2.0), flat, flat, flat).title == "intensity (counts) on a grid of q"


def test_the_title_is_in_the_file(box: Container) -> None:
    with box.opened() as file:
        assert (
            file["entry/toy_masking_v1/image/title"].asstr()[()] == f"intensity (counts), mean of {toy.FRAMES} frames"
        )

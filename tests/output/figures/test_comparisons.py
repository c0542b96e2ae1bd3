"""Profiles of a series in one figure: a panel a ring, colours by field or time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from nxscatter.output.figures.comparisons import Member, draw_azimuthal, draw_radial
from nxscatter.results import Profiles, Sectors

NAN = float("nan")


def figure() -> Figure:
    made = Figure(layout="compressed")
    FigureCanvasAgg(made)
    return made


def profiles(level: float, rings: int = 3) -> Profiles:
    bins = np.arange(-179.0, 181.0)
    one = np.ones((rings, len(bins)))
    return Profiles(
        angle="chi",
        q=np.array([0.05, 0.068, 0.1])[:rings],
        q_width=np.full(rings, 1e-3),
        hkl=("", "1 1 0", "")[:rings],
        bins=bins,
        intensity=level * one,
        intensity_errors=one,
        pixels=one.astype(int),
        measured=one.astype(int),
        variance_slope=one,
        variance_floor=one,
        theta_bragg=np.zeros(rings),
    )


def panels(drawn: Figure) -> list[Any]:
    return [axes for axes in drawn.axes if axes.axison and axes.lines]


def test_a_panel_a_ring_and_a_curve_a_field() -> None:
    drawn = figure()
    draw_azimuthal(drawn, [Member(field, profiles(field), 0) for field in (100.0, 400.0)], title="rods")
    assert [axes.get_title() for axes in panels(drawn)] == ["q = 0.05 Å⁻¹", "(1 1 0) q = 0.068 Å⁻¹", "q = 0.1 Å⁻¹"]
    for axes in panels(drawn):
        assert [line.get_ydata()[0] for line in axes.lines] == [100.0, 400.0]
        assert axes.get_xlim() == (-180, 180)
    legend = panels(drawn)[0].get_legend()
    assert legend.get_title().get_text() == "magnetic field"
    assert [text.get_text() for text in legend.get_texts()] == ["100 mT", "400 mT"]


def test_many_curves_have_a_colour_bar_in_place_of_a_legend() -> None:
    drawn = figure()
    draw_azimuthal(drawn, [Member(float(time), profiles(1.0, 1), 0) for time in range(20)], in_time=True)
    (axes,) = panels(drawn)
    assert axes.get_legend() is None
    assert len({to_hex(line.get_color()) for line in axes.lines}) == 20
    assert [one.get_ylabel() for one in drawn.axes if one is not axes] == ["time (s)"]


@pytest.mark.parametrize("states", [(NAN, NAN), (500.0, 500.0)])
def test_without_different_fields_measurements_are_numbered(states: tuple[float, float]) -> None:
    drawn = figure()
    draw_azimuthal(drawn, [Member(state, profiles(1.0), 0) for state in states])
    legend = panels(drawn)[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["1", "2"]


def test_a_measurement_with_fewer_rings_leaves_panels_out() -> None:
    drawn = figure()
    draw_azimuthal(drawn, [Member(1.0, profiles(1.0), 0), Member(2.0, profiles(2.0, 1), 0)])
    assert [len(axes.lines) for axes in panels(drawn)] == [2, 1, 1]


def test_radial_profiles_leave_out_what_has_no_logarithm() -> None:
    q = np.array([0.01, 0.02, 0.03])
    one = np.ones((1, 3))
    sectors = Sectors(
        chi=np.array([45.0]),
        width=20.0,
        q=q,
        intensity=np.array([[5.0, 0.0, NAN]]),
        intensity_errors=one,
        pixels=one.astype(int),
        measured=one.astype(int),
    )
    drawn = figure()
    draw_radial(drawn, [Member(1.0, sectors, 0)])
    (axes,) = panels(drawn)
    assert axes.get_title() == "χ = 45° ± 10°"
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), [0.01])

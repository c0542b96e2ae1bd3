"""Views: what is shown, and which values they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nxscatter.errors import ParameterError, StepError
from nxscatter.results import Geometry, Image, Sectors
from nxscatter.steps.views import MapView, View

GEOMETRY = Geometry(
    wavelength=1.0,
    distance=1.0,
    pixel_size_y=1e-3,
    pixel_size_x=1e-3,
    center_y=20.0,
    center_x=20.0,
    rows=40,
    columns=40,
)


def image(value: float = 7.0) -> Image:
    return Image(intensity=np.full(GEOMETRY.shape, value), flags=np.zeros(GEOMETRY.shape, dtype=np.uint16))


def test_a_view_repeats_the_curves_of_what_it_shows() -> None:
    one = np.arange(6.0).reshape(2, 3)
    sectors = Sectors(
        chi=np.array([0.0, 90.0]),
        width=10.0,
        q=np.array([0.1, 0.2, 0.3]),
        intensity=one,
        intensity_errors=one,
        pixels=one.astype(int),
        measured=one.astype(int),
        units="1/cm",
    )
    (plot,) = View()(sectors).plots()
    assert (plot.signal, plot.auxiliary, plot.axes) == ("curve_1", ("curve_2",), ("q",))
    np.testing.assert_array_equal(plot.values["curve_2"][0], one[1])
    assert plot.values["curve_2"][2] == "chi = 90 ± 5 degrees"
    np.testing.assert_array_equal(plot.values["q"][0], sectors.q)
    with pytest.raises(StepError, match="no curves to show: use map_view"):
        View()(image())


def test_a_map_view_keeps_a_coarse_map_of_what_is_drawn() -> None:
    whole, part = MapView()(image(), GEOMETRY), MapView(zoom=4.0)(image(), GEOMETRY)
    assert whole.intensity.dtype == np.float32
    np.testing.assert_allclose(whole.intensity[np.isfinite(whole.intensity)], 7.0, rtol=1e-6)
    assert part.q_parr.max() == pytest.approx(whole.q_parr.max() / 4, rel=0.5)
    fine = Geometry(**{**vars(GEOMETRY), "rows": 400, "columns": 400, "pixel_size_y": 1e-4, "pixel_size_x": 1e-4,
                       "center_y": 200.0, "center_x": 200.0})  # fmt: skip
    big = Image(intensity=np.ones(fine.shape), flags=np.zeros(fine.shape, dtype=np.uint16))
    assert max(MapView()(big, fine).intensity.shape) <= 260


def test_the_reach_ends_with_the_detector() -> None:
    largest = MapView().reach(GEOMETRY)
    assert MapView(q_max=10 * largest).reach(GEOMETRY) == largest
    assert MapView(q_max=largest / 2, zoom=2.0).reach(GEOMETRY) == largest / 4


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"q_min": 0.2, "q_max": 0.1}, "q_min = 0.2 is not below q_max = 0.1"),
        ({"low": 1.0, "high": 1.0}, "low = 1 is not below high = 1"),
        ({"zoom": 0.5}, "zoom = 0.5: give at least 1"),
        ({"kind": "poster"}, "use one of map, data, zoom"),
    ],
)
def test_what_cannot_be_drawn_is_refused(parameters: dict[str, Any], text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        MapView(**parameters)

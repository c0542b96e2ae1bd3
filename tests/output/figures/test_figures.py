"""Figures: what is drawn where, in which colour, and that nothing but the data decides the bytes."""

from __future__ import annotations

import io
import subprocess
import sys
from dataclasses import replace

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm, to_rgb
from matplotlib.figure import Figure
from PIL import Image as Picture

from nxscatter.errors import ParameterError
from nxscatter.output import table
from nxscatter.output.figures.curves import COLOURS, draw_fit, draw_radial, draw_sectors, with_error
from nxscatter.output.figures.figures import figure_png
from nxscatter.output.figures.maps import MASKED, block_mean, colour_limits, draw_map, rasterised
from nxscatter.output.figures.summary import draw_summary
from nxscatter.results import Fits, Geometry, Rings, Sectors
from nxscatter.science.geometry import qspace

NAN = float("nan")
SMALL_ANGLE = Geometry(
    wavelength=1.0,
    distance=3.0,
    pixel_size_y=1e-4,
    pixel_size_x=1e-4,
    center_y=60.3,
    center_x=51.7,
    rows=120,
    columns=100,
)
WIDE_ANGLE = replace(SMALL_ANGLE, distance=0.1, pixel_size_y=1e-3, pixel_size_x=1e-3)


def empty_figure() -> Figure:
    figure = Figure(figsize=(6, 5), dpi=100)
    FigureCanvasAgg(figure)
    return figure


def drawn_colour(figure: Figure, axes: Axes, x: float, y: float) -> np.ndarray:
    """Colour (0..1) of the picture's pixel at data coordinates."""
    figure.canvas.draw()
    column, row = axes.transData.transform((x, y))
    picture = np.asarray(figure.canvas.buffer_rgba())
    return picture[picture.shape[0] - 1 - int(row), int(column), :3] / 255


@pytest.mark.parametrize(
    "geometry",
    [
        SMALL_ANGLE,
        WIDE_ANGLE,
        replace(SMALL_ANGLE, orientation=6),
        replace(WIDE_ANGLE, rot1=12.0, rot2=-7.0, rot3=20.0),
        replace(SMALL_ANGLE, center_y=-40.0),
    ],
    ids=["small angle", "wide angle", "turned", "tilted", "beam off the detector"],
)
def test_each_pixel_is_drawn_at_its_q(geometry: Geometry) -> None:
    image = np.arange(geometry.rows * geometry.columns, dtype=float).reshape(geometry.shape)
    raster = rasterised(image, geometry)
    left, right, low, high = raster.extent
    rows, columns = raster.intensity.shape
    for index in (3, 777, 6021, 11_900):
        z, x = np.nonzero(raster.intensity == index)
        assert len(z), f"pixel {index} is not drawn"
        seen = qspace.pixels(geometry, np.array([index]))
        spot = left + (x.mean() + 0.5) * (right - left) / columns, low + (z.mean() + 0.5) * (high - low) / rows
        pixel = 2 * np.pi * geometry.pixel_size_x / geometry.distance / geometry.wavelength
        assert np.hypot(spot[0] - seen.qx[0], spot[1] - seen.qz[0]) < 0.7 * pixel


def test_a_map_ends_where_the_detector_does() -> None:
    raster = rasterised(np.ones(SMALL_ANGLE.shape), SMALL_ANGLE)
    edges = qspace.positions(SMALL_ANGLE, np.array([0.0, 120.0]), np.array([0.0, 100.0]))
    np.testing.assert_allclose(raster.extent, [*edges.qx, *edges.qz], rtol=1e-5)
    assert raster.detector.mean() > 0.995
    corner = rasterised(np.ones(WIDE_ANGLE.shape), WIDE_ANGLE)
    assert not corner.detector[0, 0]
    assert np.isnan(corner.intensity[0, 0])
    part = rasterised(np.ones(SMALL_ANGLE.shape), SMALL_ANGLE, q_max=0.005)
    assert part.extent == (-0.005, 0.005, -0.005, 0.005)
    with pytest.raises(ParameterError, match="does not see q so small"):
        rasterised(np.ones(SMALL_ANGLE.shape), replace(SMALL_ANGLE, center_y=-90.0), q_max=0.001)


def test_pixels_smaller_than_a_cell_are_averaged() -> None:
    fine = replace(SMALL_ANGLE, rows=120, columns=100)
    checked = np.indices(fine.shape).sum(axis=0) % 2 * 2.0
    raster = rasterised(checked, fine, cells=60)
    np.testing.assert_array_equal(raster.intensity[raster.detector], 1.0)


def test_block_means_leave_out_what_is_invalid() -> None:
    image = np.array([[1.0, 3.0, NAN, NAN, 5.0], [NAN, 5.0, NAN, NAN, 7.0], [0.0, 0.0, 2.0, NAN, 9.0]])
    np.testing.assert_array_equal(block_mean(image, 2), [[3.0, NAN, 6.0], [0.0, 2.0, 9.0]])
    np.testing.assert_array_equal(block_mean(image, 1), image)


def test_colour_limits_come_from_positive_intensities() -> None:
    intensity = np.concatenate([np.arange(1.0, 1002.0), np.zeros(5000), np.full(100, NAN), [-5.0]])
    assert colour_limits(intensity) == pytest.approx((11.0, 1000.0))
    assert colour_limits(np.array([0.0, NAN])) == (0.1, 1.0)
    low, high = colour_limits(np.full(9, 7.0))
    assert low == 7.0 < high


def test_masked_pixels_zeros_and_the_outside_look_different() -> None:
    image = np.full(WIDE_ANGLE.shape, 100.0)
    image[:60, :50] = np.nan
    image[:60, 50:] = 0.0
    figure = empty_figure()
    axes = figure.add_subplot()
    shown = draw_map(axes, image, WIDE_ANGLE, limits=(1.0, 100.0))
    assert isinstance(shown.norm, LogNorm)
    viridis = matplotlib.colormaps["viridis"]
    spots = {(-1.0, -1.0): to_rgb(MASKED), (1.0, -1.0): viridis(0.0)[:3], (0.5, 1.0): viridis(1.0)[:3]}
    for (x, z), colour in spots.items():
        np.testing.assert_allclose(drawn_colour(figure, axes, x, z), colour, atol=0.02)
    left, _, _, high = shown.get_extent()
    np.testing.assert_array_equal(drawn_colour(figure, axes, 0.97 * left, 0.97 * high), [1, 1, 1])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["masked"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$q_x$ (Å⁻¹)", "$q_z$ (Å⁻¹)")
    assert axes.get_aspect() == 1


def test_an_image_without_masked_pixels_has_no_legend() -> None:
    axes = empty_figure().add_subplot()
    draw_map(axes, np.ones(SMALL_ANGLE.shape), SMALL_ANGLE)
    assert axes.get_legend() is None


def test_rings_are_circles_where_their_pixels_are() -> None:
    axes = empty_figure().add_subplot()
    draw_map(axes, np.ones(WIDE_ANGLE.shape), WIDE_ANGLE, rings=(1.2, 2.0), labels=("(100)", "2 Å⁻¹"))
    for circle, q in zip(axes.patches, (1.2, 2.0), strict=True):
        y, x = qspace.locate(WIDE_ANGLE, q, 30.0)
        seen = qspace.positions(WIDE_ANGLE, y, x)
        assert circle.radius == pytest.approx(float(np.hypot(seen.qx, seen.qz)), rel=1e-12)
    labels = {text.get_text(): text.get_position() for text in axes.texts}
    assert set(labels) == {"(100)", "2 Å⁻¹"}
    assert np.hypot(*labels["(100)"]) == pytest.approx(axes.patches[0].radius)
    left, right, low, high = axes.images[0].get_extent()
    assert all(left < x < right and low < z < high for x, z in labels.values())


def fits(status: str = "ok", reason: str = "", notes: tuple[str, ...] = ()) -> Fits:
    """Maier-Saupe fits of two rings; the second one's curve stands 2 standard errors below its profile."""
    bins = np.arange(-179.0, 181.0)
    line = 20 + 80 * np.exp(5 * (np.cos(np.radians(bins - 25)) ** 2 - 1))
    errors = np.sqrt(line) / 3
    one = np.ones(2)
    ok = status == "ok"
    return Fits(
        model="maier_saupe",
        angle="chi",
        frame=np.array([-1, -1]),
        ring=np.array([1, 2]),
        peak=np.array([1, 1]),
        q=np.array([0.05, 0.068]),
        hkl=("", ""),
        values={"x0": np.full(2, 25.0 if ok else NAN), "kappa": np.full(2, 5.0 if ok else NAN)},
        errors={"x0": 0.12 * one, "kappa": 0.034 * one},
        covariance=np.zeros((2, 2, 2)),
        R2=one,
        chi2_red=one,
        S_harmonic=0.004 * one,
        S_harmonic_error=0.003 * one,
        isotropy_p=one,
        status=(status,) * 2,
        reason=(reason,) * 2,
        theta_bragg=one,
        bins=bins,
        profile=np.stack([line, line + 2 * errors]),
        profile_errors=np.stack([errors, errors]),
        fitted=np.stack([line, line]) * (1.0 if ok else NAN),
        notes=notes,
        units="1/cm",
    )


def row(**changes: object) -> table.Row:
    known = {"q": 0.05, "model": "maier_saupe", "peak": 1, "status": "ok", "S_method": "maier_saupe"}
    return dict.fromkeys(table.columns()) | known | changes


def test_a_fit_shows_profile_line_residuals_and_s() -> None:
    figure, result = empty_figure(), fits(notes=("the rings' own centre is not the header's",))
    draw_fit(figure, result, 2, [row(S=0.64612, S_error=0.00384)], "rods, 400 mT, $x_1.h5")
    figure.canvas.draw()
    upper, lower = figure.axes
    np.testing.assert_array_equal(upper.lines[-1].get_ydata(), result.fitted[1])
    np.testing.assert_allclose(np.asarray(lower.lines[-1].get_ydata()), 2.0)
    assert upper.get_title().splitlines() == [
        "rods, 400 mT, $x_1.h5",
        "q = 0.068 Å⁻¹, Maier-Saupe: ok",
        "x₀ = 25.00 ± 0.12, κ = 5.000 ± 0.034",
        "S = 0.6461 ± 0.0038 (Maier-Saupe)",
    ]
    assert upper.get_ylabel() == "intensity (1/cm)"
    assert lower.get_xlabel() == "χ (degrees)"
    assert lower.get_xlim() == (-180, 180)
    assert figure.get_supxlabel() == "the rings' own centre is not the header's"


def test_a_ring_without_a_fitted_line_says_so() -> None:
    figure = empty_figure()
    draw_fit(figure, fits("isotropic", "isotropic: S_harmonic = 0.0040, p = 0.2"), 1)
    figure.canvas.draw()
    upper, lower = figure.axes
    assert upper.get_title().splitlines()[1:] == ["q = 0.05 Å⁻¹, Maier-Saupe: isotropic: S_harmonic = 0.0040, p = 0.2"]
    assert [text.get_text() for text in lower.texts] == ["no fitted line"]
    assert [text.get_text() for text in upper.get_legend().get_texts()] == ["data"]


def test_beta_runs_from_0_to_180() -> None:
    figure = empty_figure()
    draw_fit(figure, replace(fits("coverage", "60% of the half circle has data"), angle="beta"), 1)
    assert figure.axes[1].get_xlim() == (0, 180)
    assert figure.axes[1].get_xlabel() == "β (degrees)"
    assert "coverage, 60% of the half circle has data" in figure.axes[0].get_title()


def test_the_radial_profile_marks_its_rings() -> None:
    q = np.linspace(0.01, 0.2, 50)
    found = Rings(
        q=np.array([0.05, 0.1]),
        fwhm=np.ones(2),
        fwhm_pixels=np.ones(2),
        height=np.ones(2),
        prominence=np.ones(2),
        radial_q=q,
        intensity=np.where(q > 0.18, NAN, 1 / q),
        intensity_errors=0.1 / q,
        center_y=1.0,
        center_x=1.0,
        center_y_error=NAN,
        center_x_error=NAN,
    )
    figure = empty_figure()
    draw_radial(figure, found, "agbh")
    figure.canvas.draw()
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    assert axes.get_title() == "agbh\n2 rings found"
    assert [np.asarray(line.get_xdata())[0] for line in axes.lines[1:]] == [0.05, 0.1]
    assert [text.get_text() for text in axes.texts] == ["0.05", "0.1"]
    assert axes.get_xlim() == (0.0, q[q <= 0.18].max())
    figure = empty_figure()
    draw_radial(figure, replace(found, q=np.zeros(0)))
    assert figure.axes[0].get_title().endswith("no ring found")


def test_sectors_are_labelled_with_their_full_width() -> None:
    q = np.geomspace(0.01, 0.1, 5)
    one, count = np.ones((2, 5)), np.ones((2, 5), dtype=int)
    sectors = Sectors(
        chi=np.array([0.0, 90.0]), width=10.0, q=q, intensity=one, intensity_errors=one, pixels=count, measured=count
    )
    figure = empty_figure()
    draw_sectors(figure, sectors)
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["χ = 0° ± 5°", "χ = 90° ± 5°"]


def series() -> list[table.Row]:
    known = [
        row(field_mT=float(field), x0=25.0, x0_error=0.1, kappa=field / 100, kappa_error=0.1, S=0.1, S_error=0.01, q=q)
        for field in (200, 400)
        for q in (0.05 * field / 200.1 * 200 / field, 0.068)
    ]
    return [
        row(field_mT=0.0, status="isotropic", S_harmonic=0.004),
        *known,
        row(field_mT=600.0, q=0.0502, kappa=6.0, S=0.6, status="at_limit"),
    ]


def test_a_summary_has_a_panel_for_what_was_fitted_against_the_field() -> None:
    figure = empty_figure()
    draw_summary(figure, series(), title="rods")
    labels = [axes.get_ylabel() for axes in figure.axes if axes.axison]
    assert labels == ["x₀ (degrees)", "κ", "order parameter S"]
    assert {axes.get_xlabel() for axes in figure.axes if axes.axison} == {"magnetic field (mT)"}
    kappa = figure.axes[1]
    drawn = {x: y for one in kappa.containers for x, y in zip(*one.lines[0].get_data(), strict=True)}
    assert drawn == {200.0: 2.0, 400.0: 4.0, 600.0: 6.0}
    (legend,) = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    # the rings at 0.05 and 0.0502 are one
    assert texts == ["q ≈ 0.05 Å⁻¹", "q ≈ 0.068 Å⁻¹", "Maier-Saupe", "second harmonic", "faint: status not ok"]


def test_an_isotropic_ring_is_an_open_symbol_and_a_doubtful_one_faint() -> None:
    figure = empty_figure()
    draw_summary(figure, series())
    points = {one.lines[0].get_xdata()[0]: one.lines[0] for one in figure.axes[2].containers}
    assert points[0.0].get_markerfacecolor() == "none"
    assert points[0.0].get_ydata()[0] == 0.004
    assert points[600.0].get_alpha() == 0.35
    assert points[200.0].get_alpha() == 1.0
    assert points[200.0].get_color() in COLOURS


@pytest.mark.parametrize(
    ("rows", "label"),
    [
        ([row(field_mT=100.0, frame=n, elapsed_s=2.0 * n, S=0.5) for n in range(3)], "time (s)"),
        ([row(frame=n, S=0.5) for n in range(3)], "frame"),
        ([row(q=q, S=0.5) for q in (0.05, 0.068)], "q (Å⁻¹)"),
        ([row(status="not_converged")], "q (Å⁻¹)"),
    ],
)
def test_a_summary_is_drawn_against_what_varies(rows: list[table.Row], label: str) -> None:
    figure = empty_figure()
    draw_summary(figure, rows)
    figure.canvas.draw()
    assert [axes.get_xlabel() for axes in figure.axes] == [label]


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.64612, 0.00384, "0.6461 ± 0.0038"),
        (25.0, 0.1, "25.00 ± 0.10"),
        (1234.5, 56.7, "1234 ± 57"),
        (0.0, NAN, "0"),
        (0.5, None, "0.5"),
    ],
)
def test_a_value_has_two_digits_of_its_error(value: float, error: float | None, text: str) -> None:
    assert with_error(value, error) == text


def scribble(figure: Figure) -> None:
    figure.add_subplot().plot([1, 2], [3, 4], label="Å⁻¹")


def test_a_picture_depends_on_its_data_alone() -> None:
    first = figure_png((3, 2), scribble)
    with matplotlib.rc_context({"lines.linewidth": 9, "axes.facecolor": "black", "savefig.dpi": 30}):
        assert figure_png((3, 2), scribble) == first
    picture = Picture.open(io.BytesIO(first))
    assert picture.size == (450, 300)
    assert set(picture.info) == {"dpi"}


def test_figures_leave_pyplot_and_its_backends_alone() -> None:
    code = (
        "import sys; from nxscatter.output.figures.figures import figure_png;"
        "figure_png((2, 2), lambda figure: figure.add_subplot()); print('matplotlib.pyplot' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"

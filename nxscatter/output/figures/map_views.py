"""Maps as somebody asked for them: colours, limits, circles, part of q space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscatter.errors import ParameterError
from nxscatter.model import Floats
from nxscatter.output.figures.canvas import figure_png, title_of
from nxscatter.output.figures.maps import MASKED, colour_limits, draw_raster, rasterised
from nxscatter.output.files import write_file
from nxscatter.output.names import Names
from nxscatter.output.views import map_views, viewed
from nxscatter.results import Geometry, Image
from nxscatter.science.geometry import qspace
from nxscatter.steps.views import MapView
from nxscatter.store.selection import of_kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from nxscatter.store.container import Container
    from nxscatter.store.record import Record

SIZE = (6.6, 5.8)  # inches: a square map and the colour bar beside it


def export_views(container: Container, folder: Path, records: Sequence[Record]) -> list[Path]:
    """Write the maps that were asked for."""
    written = []
    for record in map_views(records):
        view, image, geometry = load_view(record)
        names = Names.of(container).by(view)
        path = {"map": names.map_figure(), "data": names.data_figure(), "zoom": names.zoom_figure()}[view.kind]
        png = figure_png(SIZE, draw_view, image, geometry, view, title_of(container, view))
        written.append(write_file(folder / path, png))
    return written


def load_view(record: Record) -> tuple[MapView, Image, Geometry]:
    """Return a view, the image that it shows and the geometry of that image's pixels."""
    view = MapView(**record.parameters)
    image = viewed(record).load_as(Image)
    geometry = of_kind(record.parents, Geometry)[0].load_as(Geometry)
    return view, image, geometry.binned(image.binning)


def check_colormap(name: str) -> None:
    """Refuse a name that is no colour map.

    Raises
    ------
    ParameterError
        Naming some that are.
    """
    from matplotlib import colormaps

    if name not in colormaps:
        raise ParameterError(f"cmap = '{name}' is no colour map of matplotlib: use viridis, cividis, jet, gray, ...")


def draw_view(figure: Figure, image: Image, geometry: Geometry, view: MapView, title: str = "") -> None:
    """Draw an image as a view wants it, in an empty figure; ``geometry`` is that of the image's own pixels."""
    _draw(figure, figure.add_subplot(), image, geometry, view, title)


def draw_both(figure: Figure, image: Image, geometry: Geometry, view: MapView, title: str = "") -> None:
    """Draw an image pixel by pixel, and beside it in q space, in an empty figure."""
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm

    left, right = figure.subplots(1, 2)
    low, high = _limits(image.intensity, view)
    left.imshow(
        np.maximum(image.intensity, low),
        origin="lower",
        norm=LogNorm(low, high),
        cmap=colormaps[view.colormap].with_extremes(bad=MASKED),
    )
    left.set_xlabel("column (pixel)")
    left.set_ylabel("row (pixel)")
    left.set_title(f"pixels of {image.binning} x {image.binning}" if image.binning > 1 else "pixels", fontsize=9)
    _draw(figure, right, image, geometry, view, title)


def _draw(figure: Figure, axes: Axes, image: Image, geometry: Geometry, view: MapView, title: str) -> None:
    values = image.intensity
    if view.q_min > 0:
        values = np.where(qspace.q_map(geometry) < view.q_min, np.nan, values)
    whole = view.q_max is None and view.zoom == 1
    raster = rasterised(values, geometry, None if whole else view.reach(geometry))
    shown = draw_raster(
        axes,
        raster,
        geometry,
        rings=view.circles,
        limits=_limits(raster.intensity, view),
        colormap=view.colormap,
        rotate=view.rotate,
    )
    axes.set_title(title, fontsize=9, parse_math=False)
    figure.colorbar(shown, ax=axes, label=f"intensity ({image.units})")


def draw_components(figure: Figure, maps: Mapping[str, Floats], title: str = "") -> None:
    """Draw maps of the detector's pixels (rows, columns) with their colour bars, in an empty figure."""
    grid = figure.subplots(2, 2)
    for axes, (label, values) in zip(grid.ravel(), maps.items(), strict=True):
        shown = axes.imshow(values, origin="lower", cmap="viridis")
        axes.set_title(label, fontsize=9)
        axes.set_xlabel("column (pixel)")
        axes.set_ylabel("row (pixel)")
        figure.colorbar(shown, ax=axes)
    figure.suptitle(title, fontsize=9, parse_math=False)


def _limits(intensity: Floats, view: MapView) -> tuple[float, float]:
    low, high = colour_limits(intensity)
    unit: Any = high if view.relative else 1.0
    return (
        low if view.low is None else unit * 10.0**view.low,
        high if view.high is None else unit * 10.0**view.high,
    )

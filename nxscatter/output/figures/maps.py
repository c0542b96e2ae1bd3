"""The detector image as a map in q space, drawn as an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nxscatter.errors import ParameterError
from nxscatter.model import Array, Floats
from nxscatter.science.geometry import qspace
from nxscatter.science.pixels.radial import radius_to_q

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

    from nxscatter.results import Geometry

MASKED = "0.72"  # a grey that no common colour map contains
_CELLS = 720  # along the longer side of a map: about the pixels of its axes in a figure


@dataclass(frozen=True)
class Raster:
    """Intensity on a regular grid of (q_z, q_x), made for drawing.

    Attributes
    ----------
    intensity : ndarray (z, x)
        NaN where the pixel is invalid or where there is no detector.
    detector : ndarray of bool (z, x)
        True where there is detector.
    extent : tuple of float
        Smallest and largest q_x, smallest and largest q_z, 1/angstrom: the edges of the grid.
    """

    intensity: Floats
    detector: Array
    extent: tuple[float, float, float, float]


def rasterised(image: Floats, geometry: Geometry, q_max: float | None = None, cells: int = _CELLS) -> Raster:
    """Resample an image onto a regular grid of q, for drawing.

    Each cell takes the nearest pixel, after pixels much smaller than a cell have been averaged in blocks. Tilts, the
    raster's orientation and the curvature at wide angles are honoured.

    Parameters
    ----------
    image : ndarray (rows, columns)
        Intensity, NaN where invalid.
    geometry : Geometry
        Of this image, binned as it is.
    q_max : float, optional
        Only what lies within -q_max..q_max of either component, 1/angstrom.
    cells : int
        Number of cells along the longer side.

    Raises
    ------
    ParameterError
        When no part of the detector lies within ``q_max``.
    """
    extent = _extent(geometry, q_max)
    width, height = extent[1] - extent[0], extent[3] - extent[2]
    # Whole pixels a cell, or whole cells a pixel: any other ratio would draw stripes.
    pixel = float(radius_to_q(geometry, 1.0))
    ratio = max(width, height) / cells / pixel
    block = max(1, round(ratio))
    cell = pixel * block if ratio > 1 else pixel / np.ceil(1 / ratio)
    columns, rows = max(1, round(width / cell)), max(1, round(height / cell))
    qx = extent[0] + (np.arange(columns) + 0.5) * width / columns
    qz = (extent[2] + (np.arange(rows) + 0.5) * height / rows)[:, np.newaxis]
    # hypot(qx, qz) = q cos(theta) = 2 pi/wavelength * sin(2 theta)
    sine = np.hypot(qx, qz) * geometry.wavelength / (2 * np.pi)
    theta = np.arcsin(np.where(sine <= 1, sine, np.nan)) / 2
    q = 4 * np.pi / geometry.wavelength * np.sin(theta)
    y, x = qspace.locate(geometry, q, np.degrees(np.arctan2(qz, qx)))
    detector = (y >= 0) & (y < geometry.rows) & (x >= 0) & (x < geometry.columns)
    means = block_mean(image, block)
    row = np.where(detector, y, 0).astype(np.intp) // block
    column = np.where(detector, x, 0).astype(np.intp) // block
    return Raster(np.where(detector, means[row, column], np.nan), detector, extent)


def block_mean(image: Floats, size: int) -> Floats:
    """Return the mean of the valid pixels in blocks of ``size`` x ``size``, NaN without any; the last ones may be cut.

    Parameters
    ----------
    image : ndarray (rows, columns)
        NaN where invalid.
    size : int
        Pixels along one side of a block.
    """
    if size == 1:
        return image
    padded = np.pad(image, [(0, -length % size) for length in image.shape], constant_values=np.nan)
    shape = tuple(length // size for length in padded.shape)
    total, count = np.zeros(shape), np.zeros(shape)
    for row, column in np.ndindex(size, size):
        part = padded[row::size, column::size]
        valid = np.isfinite(part)
        total += np.where(valid, part, 0)
        count += valid
    return np.asarray(np.divide(total, count, out=np.full(shape, np.nan), where=count > 0))


def colour_limits(intensity: Floats) -> tuple[float, float]:
    """Return limits of a logarithmic colour scale: the percentiles 1 and 99.9 of the positive intensities."""
    positive = intensity[np.isfinite(intensity) & (intensity > 0)]
    if not positive.size:
        return 0.1, 1.0
    low, high = np.percentile(positive, (1.0, 99.9))
    return float(low), float(max(high, 1.01 * low))


def draw_map(
    axes: Axes,
    image: Floats,
    geometry: Geometry,
    *,
    rings: Sequence[float] = (),
    labels: Sequence[str] | None = None,
    limits: tuple[float, float] | None = None,
    q_max: float | None = None,
    colormap: str = "viridis",
) -> AxesImage:
    """Draw an image in q space with a logarithmic colour scale.

    Parameters
    ----------
    axes : matplotlib Axes
        Where to draw.
    image : ndarray (rows, columns)
        Intensity, NaN where invalid: drawn in grey. Zeros and negative values have the lowest colour.
    geometry : Geometry
        Of this image, binned as it is.
    rings : sequence of float
        Rings to mark, 1/angstrom.
    labels : sequence of str, optional
        Their labels; q without them.
    limits : (low, high), optional
        Ends of the colour scale; percentiles of the intensity without them.
    q_max : float, optional
        Draw only -q_max..q_max of either component, 1/angstrom.
    colormap : str
        Name of a matplotlib colour map.

    Returns
    -------
    AxesImage
        For a colour bar.
    """
    drawn = rasterised(image, geometry, q_max)
    return draw_raster(axes, drawn, geometry, rings=rings, labels=labels, limits=limits, colormap=colormap)


def draw_raster(
    axes: Axes,
    drawn: Raster,
    geometry: Geometry,
    *,
    rings: Sequence[float] = (),
    labels: Sequence[str] | None = None,
    limits: tuple[float, float] | None = None,
    colormap: str = "viridis",
    rotate: bool = False,
) -> AxesImage:
    """Draw a raster as `draw_map` does; with ``rotate`` turned by 90 degrees, q_x upwards and q_z to the left."""
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm
    from matplotlib.patches import Patch

    if rotate:
        drawn = Raster(drawn.intensity.T, drawn.detector.T, (*drawn.extent[2:], *drawn.extent[:2]))
    low, high = colour_limits(drawn.intensity) if limits is None else limits
    shown = axes.imshow(
        np.maximum(drawn.intensity, low),  # a logarithm would leave out the zeros, which are data
        origin="lower",
        extent=drawn.extent,
        norm=LogNorm(low, high),
        cmap=colormaps[colormap].with_extremes(bad=MASKED),
        interpolation="nearest",
        alpha=None if drawn.detector.all() else drawn.detector.astype(float),
    )
    names_of_axes = ["$q_x$ (Å⁻¹)", "$q_z$ (Å⁻¹)"]
    if rotate:
        names_of_axes.reverse()
        axes.invert_xaxis()
    axes.set_xlabel(names_of_axes[0])
    axes.set_ylabel(names_of_axes[1])
    if np.any(drawn.detector & ~np.isfinite(drawn.intensity)):
        patch = Patch(facecolor=MASKED, edgecolor="0.3", linewidth=0.5, label="masked")
        axes.legend(handles=[patch], loc="lower left", fontsize=8, framealpha=0.9)
    names = [f"{q:.4g} Å⁻¹" for q in rings] if labels is None else labels
    for number, (q, name) in enumerate(zip(rings, names, strict=True)):
        _draw_ring(axes, geometry, q, name, drawn.extent, number)
    return shown


def _draw_ring(
    axes: Axes, geometry: Geometry, q: float, label: str, extent: tuple[float, float, float, float], number: int
) -> None:
    from matplotlib.patches import Circle
    from matplotlib.patheffects import withStroke

    outline = withStroke(linewidth=1.6, foreground="black", alpha=0.6)
    radius = q * np.cos(np.radians(float(qspace.two_theta_of(q, geometry.wavelength)) / 2))
    axes.add_patch(Circle((0, 0), radius, fill=False, color="white", linewidth=0.6, linestyle=(0, (6, 5))))
    middle = np.degrees(np.arctan2(extent[2] + extent[3], extent[0] + extent[1]))
    centred = np.hypot(extent[0] + extent[1], extent[2] + extent[3]) < 0.1 * (extent[1] - extent[0])
    # neighbours are labelled at different angles, where the ring is well inside the map
    for turn in sorted(range(-180, 180, 5), key=abs):
        angle = np.radians((45.0 if centred else middle) + (14.0 if number % 2 else -14.0) + turn)
        x, z = radius * np.cos(angle), radius * np.sin(angle)
        margin = 0.06 * (extent[1] - extent[0])
        if extent[0] + margin < x < extent[1] - margin and extent[2] + margin < z < extent[3] - margin:
            text = axes.text(x, z, label, color="white", fontsize=8, ha="center", va="center", parse_math=False)
            text.set_path_effects([outline])
            return


def _extent(geometry: Geometry, q_max: float | None) -> tuple[float, float, float, float]:
    rows, columns = geometry.shape
    y = np.concatenate([np.arange(rows + 1.0)] * 2 + [np.zeros(columns + 1), np.full(columns + 1, rows)])
    x = np.concatenate([np.zeros(rows + 1), np.full(rows + 1, columns)] + [np.arange(columns + 1.0)] * 2)
    border = qspace.positions(geometry, y, x)
    found = [border.qx.min(), border.qx.max(), border.qz.min(), border.qz.max()]
    left, right, low, high = (float(value) for value in found)
    if q_max is None:
        return left, right, low, high
    if min(right, high) <= -q_max or max(left, low) >= q_max:
        raise ParameterError(f"q_max = {q_max:g}: the detector does not see q so small, give a larger one")
    return max(left, -q_max), min(right, q_max), max(low, -q_max), min(high, q_max)

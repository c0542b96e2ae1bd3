"""How results are shown: names of files, limits, colours. Nothing here changes a number; exporters follow it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nxscatter.errors import ParameterError, StepError
from nxscatter.fields import param, quantity
from nxscatter.model import Floats
from nxscatter.results import Geometry, Image, Intensities, Plot, Result
from nxscatter.science.geometry import qspace
from nxscatter.step import Step
from nxscatter.steps.qmap import QSpaceMap

_CELLS = 128  # of a map kept for viewers, from the beam to its edge


@dataclass(frozen=True)
class Naming(Step):
    """Base of the views: what the files of a record are called."""

    prefix: str = param("", "beginning of file names; '': SAXS, WAXS or USAXS, as the detector says", default="")
    time: float | None = param(
        "s", "time since the first measurement of a series, which takes the place of the field", default=None
    )


@dataclass(frozen=True)
class Shown(Result):
    """The curves of a result that a viewer draws first, repeated so that the newest record shows them."""

    axis: str = quantity("", "name of the horizontal axis")
    axis_units: str = quantity("", "its units")
    curve_units: str = quantity("", "units of the curves")
    labels: tuple[str, ...] = quantity("", "name of each curve", dims=("curve",))
    x: Floats = quantity("", "horizontal axis", dims=("point",))
    curves: Floats = quantity("", "curves over it", dims=("curve", "point"))

    def plots(self) -> tuple[Plot, ...]:
        """Draw all curves."""
        named = {
            f"curve_{number}": labelled for number, labelled in enumerate(zip(self.curves, self.labels, strict=True), 1)
        }
        values = {name: (curve, self.curve_units, label) for name, (curve, label) in named.items()}
        names = tuple(values)
        values[self.axis] = (self.x, self.axis_units, f"{self.axis} ({self.axis_units})" if self.axis_units else "")
        return (Plot("shown", names[0], (self.axis,), values, names[1:]),)


@dataclass(frozen=True)
class ShownMap(Intensities):
    """A coarse map of what is drawn, so that the newest record shows it; NaN without a valid pixel."""

    group: ClassVar[str] = "map"
    signal: ClassVar[str] = "intensity"
    axes: ClassVar[Mapping[str, str]] = {"q_perp": "q_perp", "q_parr": "q_parr"}

    q_parr: Floats = quantity("1/angstrom", "horizontal component of q", dims=("q_parr",))
    q_perp: Floats = quantity("1/angstrom", "component across it, signed", dims=("q_perp",))
    intensity: Floats = quantity("counts", "mean of valid pixels", dims=("q_perp", "q_parr"))


@dataclass(frozen=True)
class View(Naming):
    """How profiles, sectors or fits are named and drawn."""

    name = "view"
    version = 1
    r2_threshold: float | None = param("", "R2 from which on a fit is drawn in the summary", default=None, maximum=1)

    def __call__(self, shown: Result) -> Shown:
        """Return the curves of what is shown.

        Raises
        ------
        StepError
            When that has no curves, as an image has none.
        """
        plot = next((plot for plot in shown.plots() if len(plot.axes) == 1), None)
        if plot is None:
            raise StepError(f"{self.name}: there are no curves to show: use map_view for an image")
        names = (plot.signal, *plot.auxiliary)
        x, units, _ = plot.values[plot.axes[0]]
        return Shown(
            axis=plot.axes[0],
            axis_units=units,
            curve_units=plot.values[plot.signal][1],
            labels=tuple(plot.values[name][2] or name for name in names),
            x=np.asarray(x, dtype=float),
            curves=np.array([plot.values[name][0] for name in names], dtype=float),
        )


@dataclass(frozen=True)
class MapView(Naming):
    """How an image is drawn in q space.

    ``low`` and ``high`` are powers of ten: of the intensity itself, or, with ``relative``, of its share in the
    99.9th percentile of what is drawn, so that a hot pixel does not darken the rest.
    """

    name = "map_view"
    version = 1
    kind: str = param(
        "",
        "'map': png_images/SAMPLE.png with an NPZ file; 'data': PREFIX_SAMPLE.png; 'zoom': png_images/..._zoom.png",
        default="map",
        choices=("map", "data", "zoom"),
    )
    low: float | None = param("", "lower end of the colour scale, as a power of ten; none: percentile 1", default=None)
    high: float | None = param("", "upper end, as a power of ten; none: percentile 99.9", default=None)
    relative: bool = param("", "count the powers of ten from percentile 99.9", default=False)
    colormap: str = param("", "matplotlib's name of the colours", default="viridis")
    q_min: float = param("1/angstrom", "q below which nothing is drawn", default=0.0, minimum=0)
    q_max: float | None = param("1/angstrom", "largest |q_x| and |q_z| drawn; none: all", default=None, above=0)
    zoom: float = param("", "draw one part in so many of either axis, around the beam", default=1.0, minimum=1)
    circles: tuple[float, ...] = param("1/angstrom", "circles of constant q", default=(), above=0)
    rotate: bool = param("", "turn the map by 90 degrees, q_x upwards", default=False)

    def __post_init__(self) -> None:
        """Check what a single parameter's range cannot say."""
        super().__post_init__()
        if self.q_max is not None and self.q_min >= self.q_max:
            raise ParameterError(f"{self.name}.q_min = {self.q_min:g} is not below q_max = {self.q_max:g}")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ParameterError(f"{self.name}.low = {self.low:g} is not below high = {self.high:g}")

    def reach(self, geometry: Geometry) -> float:
        """Return the largest |q_x| and |q_z| that is drawn, 1/angstrom."""
        largest = qspace.q_range(geometry)[1]
        return (largest if self.q_max is None else min(self.q_max, largest)) / self.zoom

    def __call__(self, image: Image, geometry: Geometry) -> ShownMap:
        """Return a coarse map for viewers; exporters draw the image itself.

        Raises
        ------
        StepError
            When nothing is left to draw.
        """
        binned = geometry.binned(image.binning)
        reach = self.reach(binned)
        side = max(binned.pixel_size_y, binned.pixel_size_x)
        pixel = 2 * np.pi / binned.wavelength * side / binned.distance
        found = QSpaceMap(cell=max(pixel, reach / _CELLS), q_max=reach)(image, geometry)
        return ShownMap(
            q_parr=found.q_parr,
            q_perp=found.q_perp,
            intensity=found.intensity.astype(np.float32),
            notes=found.notes,
            units=found.units,
        )

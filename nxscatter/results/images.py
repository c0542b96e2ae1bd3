"""Where the detector stands, and what it saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from nxscatter.fields import quantity
from nxscatter.model import Floats, Ints
from nxscatter.results.base import Intensities, Result
from nxscatter.results.plots import Plot
from nxscatter.results.stages import Pixels, Stage


@dataclass(frozen=True)
class Geometry(Result):
    """Where the detector stands: parameters and axes, not maps.

    The centre (PONI) is in pixels of the stored image, offset removed: 0.5 is the middle of pixel 0.
    Rotations are pyFAI's, in degrees.
    """

    wavelength: float = quantity("angstrom", "X-ray wavelength")
    distance: float = quantity("m", "sample to detector, along the detector's normal")
    pixel_size_y: float = quantity("m", "pixel size along y")
    pixel_size_x: float = quantity("m", "pixel size along x")
    center_y: float = quantity("pixel", "row of the point of normal incidence, 0.5 = middle of row 0")
    center_x: float = quantity("pixel", "column of the point of normal incidence, 0.5 = middle of column 0")
    rows: int = quantity("", "number of pixels along y")
    columns: int = quantity("", "number of pixels along x")
    rot1: float = quantity("degree", "rotation 1 (pyFAI)", default=0.0)
    rot2: float = quantity("degree", "rotation 2 (pyFAI)", default=0.0)
    rot3: float = quantity("degree", "rotation 3 (pyFAI)", default=0.0)
    orientation: int = quantity("", "RasterOrientation of the stored image", default=1)
    center_y_error: float = quantity("pixel", "standard error when refined, else NaN", default=float("nan"))
    center_x_error: float = quantity("pixel", "standard error when refined, else NaN", default=float("nan"))
    distance_error: float = quantity("m", "standard error when refined, else NaN", default=float("nan"))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.columns

    def binned(self, factor: int) -> Geometry:
        """Return the geometry of the image binned by ``factor``.

        Pixels grow, rows and columns that do not fill a block are left out, and a centre in SaxsKeyword
        coordinates scales without a shift.
        """
        return replace(
            self,
            pixel_size_y=self.pixel_size_y * factor,
            pixel_size_x=self.pixel_size_x * factor,
            center_y=self.center_y / factor,
            center_x=self.center_x / factor,
            rows=self.rows // factor,
            columns=self.columns // factor,
            center_y_error=self.center_y_error / factor,
            center_x_error=self.center_x_error / factor,
        )

    @property
    def axis_y(self) -> Floats:
        """Signed q (1/angstrom) of each row's middle on the column through the centre, without tilt."""
        return self._axis(np.arange(self.rows) + 0.5 - self.center_y, self.pixel_size_y)

    @property
    def axis_x(self) -> Floats:
        """Signed q (1/angstrom) of each column's middle on the row through the centre, without tilt."""
        return self._axis(np.arange(self.columns) + 0.5 - self.center_x, self.pixel_size_x)

    def _axis(self, pixels: Floats, size: float) -> Floats:
        two_theta = np.arctan(pixels * size / self.distance)
        return np.asarray(4 * np.pi * np.sin(two_theta / 2) / self.wavelength)

    def plots(self) -> tuple[Plot, ...]:
        """Draw signed q along the row and the column through the centre."""
        made = []
        for letter, values in (("x", self.axis_x), ("y", self.axis_y)):
            drawn = {
                f"q_{letter}": (values, "1/angstrom", f"q along {letter} (1/angstrom)"),
                f"pixel_{letter}": (np.arange(len(values)) + 0.5, "pixel", f"{letter} (pixel)"),
            }
            title = f"q (1/angstrom) along {letter} through the beam centre"
            made.append(Plot(f"axis_{letter}", f"q_{letter}", (f"pixel_{letter}",), drawn, title=title))
        return tuple(made)


@dataclass(frozen=True)
class Image(Intensities):
    """The averaged image after an image step, and the chain that makes it frame by frame.

    ``variance`` None means Poisson counts: the variance of the mean of ``frames`` frames is
    ``intensity / frames``. ``gain`` times the intensity is the part of the variance that comes from counting what
    is left in the image, the rest comes from what was subtracted; None means that nothing was. A pixel that is
    invalid in any averaged frame is invalid in the mean.
    ``binning`` relates the image to the geometry, which describes the stored pixels: a step that uses both
    takes ``geometry.binned(image.binning)``.
    """

    group: ClassVar[str] = "image"
    signal: ClassVar[str] = "intensity"

    intensity: Floats = quantity("counts", "mean intensity, NaN where invalid", dims=("y", "x"))
    flags: Ints = quantity("", "PixelFlag bits (uint16); 0 = plainly measured", dims=("y", "x"))
    frames: int = quantity("", "number of frames averaged", default=1)
    left_out: Ints | None = quantity(
        "", "numbers (from 0) of frames that are not in the mean, None: all are", dims=("lost",), default=None
    )
    binning: int = quantity("", "stored pixels along one side of an image pixel", default=1)
    variance: Floats | None = quantity(
        "counts2", "variance of the mean intensity, NaN for filled pixels", dims=("y", "x"), default=None
    )
    gain: Floats | None = quantity("counts", "variance of the mean per intensity", dims=("y", "x"), default=None)
    stage: Stage | None = quantity("", "the chain, in memory only", default=None, stored=False)

    @property
    def title(self) -> str:
        """Quantity, units and number of frames."""
        return f"intensity ({self.units})" + (f", mean of {self.frames} frames" if self.frames > 1 else "")

    @property
    def pixels(self) -> Pixels:
        """What is known of it apart from its intensity."""
        left_out = () if self.left_out is None else tuple(self.left_out.tolist())
        return Pixels(self.flags, self.stage, self.frames, self.binning, left_out)

    def variance_at(self, index: Ints | slice) -> Floats:
        """Return the variance of the mean intensity at flat pixels ``index``, NaN where invalid or filled."""
        if self.variance is not None:
            return np.asarray(self.variance.reshape(-1)[index], dtype=float)
        poisson = np.asarray(self.intensity.reshape(-1)[index], dtype=float) / self.frames
        poisson[self.flags.reshape(-1)[index] != 0] = np.nan
        return poisson

    def gain_at(self, index: Ints | slice) -> Floats:
        """Return the counting variance of the mean per intensity at flat pixels ``index``.

        Without a stored gain it is the ratio of variance to intensity, NaN where nothing was counted.
        """
        if self.gain is not None:
            return np.asarray(self.gain.reshape(-1)[index], dtype=float)
        if self.variance is None:
            return np.broadcast_to(1 / self.frames, self.flags.reshape(-1)[index].shape)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = self.variance_at(index) / self.intensity.reshape(-1)[index]
        return np.where(ratio > 0, ratio, np.nan)


@dataclass(frozen=True)
class QMap(Intensities):
    """Mean intensity on a regular grid of q_parr and q_perp.

    ``q_perp`` carries the sign of the side of the beam. ``pixels`` is the area of valid pixels in a cell, in
    pixels. Neighbouring cells share pixels, so their errors are not independent.
    """

    group: ClassVar[str] = "qmap"
    signal: ClassVar[str] = "intensity"
    axes: ClassVar[Mapping[str, str]] = {"q_perp": "q_perp", "q_parr": "q_parr"}

    q_parr: Floats = quantity("1/angstrom", "horizontal component of q, middle of each cell", dims=("q_parr",))
    q_perp: Floats = quantity("1/angstrom", "component across it, signed, middle of each cell", dims=("q_perp",))
    intensity: Floats = quantity("counts", "mean of valid pixels, NaN without any", dims=("q_perp", "q_parr"))
    intensity_errors: Floats = quantity(
        "counts", "standard error from measured pixels, NaN without any", dims=("q_perp", "q_parr")
    )
    pixels: Floats = quantity("pixel", "area of valid pixels in the cell", dims=("q_perp", "q_parr"))

    @property
    def title(self) -> str:
        """Quantity and units."""
        return f"intensity ({self.units}) on a grid of q"

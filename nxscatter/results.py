"""What steps return: frozen values that declare units and dimensions once.

NaN in an array means "no data" (or "not fitted", with a status beside it), never zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntFlag
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nxscatter.frames import Stage
from nxscatter.model import Floats, Ints, Json, quantity
from nxscatter.plots import Axis, Curve, curves, scattered
from nxscatter.plots import Plot as Plot

if TYPE_CHECKING:
    import pandas

_PARAMETER_UNITS = {
    "y0": "counts",
    "I": "counts",
    "x0": "degree",
    "x0_S": "degree",
    "gamma": "degree",
    "slope": "counts/degree",
    "a": "counts/degree",
    "b": "counts",
}
STATUSES = (
    "ok",
    "isotropic",
    "coverage",
    "background",
    "folded",
    "misfit",
    "not_converged",
    "at_limit",
    "too_few_points",
)


class PixelFlag(IntFlag):
    """Why a pixel is not a plain measured one. Bits 0 to 8 as in NeXus NXdetector ``pixel_mask``."""

    GAP = 1 << 0
    DEAD = 1 << 1
    UNDER_RESPONDING = 1 << 2
    OVER_RESPONDING = 1 << 3
    NOISY = 1 << 4
    CLUSTER = 1 << 6
    MASKED = 1 << 8
    DUMMY = 1 << 9
    BEAMSTOP = 1 << 10
    NOT_A_NUMBER = 1 << 11
    SATURATED = 1 << 12
    FILLED = 1 << 15

    @classmethod
    def invalid(cls) -> int:
        """All bits that make a pixel invalid: every one but FILLED."""
        return 0xFFFF & ~int(cls.FILLED)


@dataclass(frozen=True, kw_only=True)
class Result:
    """Base of all results.

    Attributes
    ----------
    notes : tuple of str
        Warnings in words; they travel on to what is derived from this result.
    auto : mapping
        Values that the step chose by itself, stored beside the parameters and marked.

    ``signal`` names the field that the main NXdata plots ("" when all are details), ``group`` that NXdata,
    and ``axes`` which field runs along a dimension (a dimension without a field is numbered).
    """

    group: ClassVar[str] = "data"
    signal: ClassVar[str] = ""
    axes: ClassVar[Mapping[str, str]] = {}

    notes: tuple[str, ...] = field(default=(), metadata={"stored": False})
    auto: Mapping[str, Json] = field(default_factory=dict, metadata={"stored": False})

    def column_units(self, name: str) -> str:
        """Return the declared units of a column of a table that is kept as a mapping."""
        return ""

    @property
    def title(self) -> str:
        """Title of the main NXdata, "" for none."""
        return ""

    def plots(self) -> tuple[Plot, ...]:
        """Return what `silx view` shows, the record's default first; empty: the main NXdata itself."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Intensities(Result):
    """Base of the results that hold intensities: declared in counts, which corrections turn into other units."""

    units: str = quantity("", "units that the intensities have in place of the declared counts", default="counts")


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
class Rings(Intensities):
    """Rings found in the radial profile, and their common centre."""

    group: ClassVar[str] = "radial"
    signal: ClassVar[str] = "intensity"
    axes: ClassVar[Mapping[str, str]] = {"radial_q": "radial_q"}

    q: Floats = quantity("1/angstrom", "position of each ring, ascending", dims=("ring",))
    fwhm: Floats = quantity("1/angstrom", "full width at half maximum", dims=("ring",))
    fwhm_pixels: Floats = quantity("pixel", "full width at half maximum", dims=("ring",))
    height: Floats = quantity("counts", "height above the background", dims=("ring",))
    prominence: Floats = quantity("", "prominence in units of its standard deviation", dims=("ring",))
    radial_q: Floats = quantity("1/angstrom", "middle of each annulus", dims=("radial_q",))
    intensity: Floats = quantity("counts", "mean of valid pixels, NaN without any", dims=("radial_q",))
    intensity_errors: Floats = quantity("counts", "standard error of the mean", dims=("radial_q",))
    center_y: float = quantity("pixel", "row of the rings' own centre, NaN when it cannot be fitted")
    center_x: float = quantity("pixel", "column of the rings' own centre, NaN when it cannot be fitted")
    center_y_error: float = quantity("pixel", "standard error")
    center_x_error: float = quantity("pixel", "standard error")
    radius: Floats | None = quantity(
        "pixel", "radius of each ring on a detector across the beam, stored pixels", dims=("ring",), default=None
    )

    def plots(self) -> tuple[Plot, ...]:
        """Draw the radial profile around the rings: what lies close to the beam would make them invisible."""
        found = ", ".join(f"{q:.4g}" for q in self.q)
        near = self.radial_q >= 0.6 * np.min(self.q, initial=np.inf) if found else np.ones(len(self.radial_q), bool)
        values = {
            "intensity": (self.intensity[near], "counts", "mean intensity"),
            "intensity_errors": (self.intensity_errors[near], "counts", ""),
            "q": (self.radial_q[near], "1/angstrom", "q (1/angstrom)"),
        }
        title = f"intensity ({self.units}), {f'rings at q = {found} 1/angstrom' if found else 'no ring found'}"
        return (Plot("radial_profile", "intensity", ("q",), values, title=title),)


@dataclass(frozen=True)
class Profiles(Intensities):
    """Mean intensity against azimuth on rings of constant q.

    A stack processed frame by frame has a leading frame axis. ``pixels`` counts the valid pixels of a bin,
    filled ones included; ``measured`` leaves those out, and so does every error. The variance of a bin follows
    a model intensity m as ``variance_slope * m + variance_floor``.

    ``replicates`` are profiles of resampled pixels: their scatter is that of the profile. ``pattern_axis`` tells
    profiles against beta what they cannot see: where the pattern stands. Two sides of one that stands askew to the
    q_parr axis lie on each other in them.
    """

    group: ClassVar[str] = "profiles"
    signal: ClassVar[str] = "intensity"
    axes: ClassVar[Mapping[str, str]] = {"ring": "q", "bin": "bins"}

    angle: str = quantity("", "'chi' (full circle) or 'beta' (0..180)")
    q: Floats = quantity("1/angstrom", "ring centre", dims=("ring",))
    q_width: Floats = quantity("1/angstrom", "half-width of the ring", dims=("ring",))
    hkl: tuple[str, ...] = quantity("", "reflection of each ring, '' without one", dims=("ring",))
    bins: Floats = quantity("degree", "middle of each angular bin", dims=("bin",), name="{angle}")
    intensity: Floats = quantity("counts", "mean of valid pixels, NaN without any", dims=("frame?", "ring", "bin"))
    intensity_errors: Floats = quantity(
        "counts", "standard error from measured pixels, NaN without any", dims=("frame?", "ring", "bin")
    )
    pixels: Ints = quantity("", "valid pixels in the bin", dims=("ring", "bin"))
    measured: Ints = quantity("", "measured (not filled) pixels in the bin", dims=("ring", "bin"))
    variance_slope: Floats = quantity("counts", "variance per unit intensity", dims=("ring", "bin"))
    variance_floor: Floats = quantity("counts2", "variance at zero intensity", dims=("ring", "bin"))
    theta_bragg: Floats = quantity("degree", "half the scattering angle of each ring", dims=("ring",))
    elapsed: Floats = quantity("s", "start of each frame, empty for the mean", dims=("frame",), default=None)
    background: Floats | None = quantity(
        "counts", "level under the ring, from its radial flanks", dims=("frame?", "ring", "bin"), default=None
    )
    background_errors: Floats | None = quantity(
        "counts", "its standard error in each bin", dims=("frame?", "ring", "bin"), default=None
    )
    background_scale_errors: Floats | None = quantity(
        "", "its relative standard error, common to all bins of a ring", dims=("ring",), default=None
    )
    pattern_axis: Floats = quantity(
        "degree",
        "chi of the second harmonic's maximum, NaN if isotropic, seen from one side alone, or against chi",
        dims=("ring",),
        default=None,
    )
    pattern_axis_errors: Floats = quantity("degree", "its standard error", dims=("ring",), default=None)
    replicates: Floats | None = quantity(
        "counts", "mean intensity of resampled pixels", dims=("replicate", "ring", "bin"), default=None
    )
    background_replicates: Floats | None = quantity(
        "counts", "level under the ring of resampled pixels", dims=("replicate", "ring", "bin"), default=None
    )

    def __post_init__(self) -> None:
        """Make a missing time axis an empty one, and a missing pattern axis unknown."""
        if self.elapsed is None:
            object.__setattr__(self, "elapsed", np.zeros(0))
        for name in ("pattern_axis", "pattern_axis_errors"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.full(len(self.q), np.nan))

    @property
    def stack(self) -> Floats:
        """Intensity as (frame, ring, bin), with one frame for the mean."""
        return self.intensity.reshape(-1, len(self.q), len(self.bins))

    @property
    def stack_errors(self) -> Floats:
        """Errors as (frame, ring, bin)."""
        return self.intensity_errors.reshape(-1, len(self.q), len(self.bins))

    def label(self, ring: int) -> str:
        """Name of a ring for people."""
        name = f"q = {self.q[ring]:.4g} 1/angstrom"
        return f"({self.hkl[ring]}) {name}" if self.hkl[ring] else name

    def plots(self) -> tuple[Plot, ...]:
        """Draw labelled curves, one a ring (of the first frame)."""
        pairs = zip(self.stack[0], self.stack_errors[0], strict=True)
        drawn = [Curve(self.label(ring), *pair) for ring, pair in enumerate(pairs)]
        title = f"intensity ({self.units}) against azimuth{_first_of(len(self.stack))}"
        return (curves("curves", "ring", drawn, Axis(self.angle, "degree", self.bins), title=title),)


@dataclass(frozen=True)
class PixelProfiles(Intensities):
    """One (angle, intensity) pair per pixel of each ring, sorted by angle; rings one after the other."""

    group: ClassVar[str] = "pixels"
    signal: ClassVar[str] = "intensity"
    axes: ClassVar[Mapping[str, str]] = {"pixel": "pixel_angle"}

    angle: str = quantity("", "'chi' or 'beta'")
    q: Floats = quantity("1/angstrom", "ring centre", dims=("ring",))
    q_width: Floats = quantity("1/angstrom", "half-width of the ring", dims=("ring",))
    hkl: tuple[str, ...] = quantity("", "reflection of each ring, '' without one", dims=("ring",))
    first: Ints = quantity("", "index of each ring's first pixel", dims=("ring",))
    pixel_angle: Floats = quantity("degree", "angle of each pixel", dims=("pixel",), name="{angle}")
    intensity: Floats = quantity("counts", "intensity of each pixel, NaN where invalid", dims=("pixel",))
    row: Ints = quantity("", "row of each pixel", dims=("pixel",))
    column: Ints = quantity("", "column of each pixel", dims=("pixel",))

    def ring(self, number: int) -> slice:
        """Return the slice of pixels that belongs to ring ``number`` (from 0)."""
        ends = [*self.first[1:], len(self.intensity)]
        return slice(int(self.first[number]), int(ends[number]))

    def plots(self) -> tuple[Plot, ...]:
        """Draw the pixels of the first ring against their angle."""
        where = self.ring(0)
        return (
            Plot(
                "curves",
                "intensity",
                (self.angle,),
                {
                    "intensity": (self.intensity[where], "counts", "intensity of each pixel"),
                    self.angle: (self.pixel_angle[where], "degree", f"{self.angle} (degree)"),
                },
                title=f"intensity ({self.units}) of the pixels at q = {self.q[0]:.4g} 1/angstrom",
            ),
        )


@dataclass(frozen=True)
class Sectors(Intensities):
    """Mean intensity against q in sectors of azimuth.

    A stack processed frame by frame has a leading frame axis. ``pixels`` counts the valid pixels of a bin,
    filled ones included; ``measured`` leaves those out, and so does every error.
    """

    group: ClassVar[str] = "sectors"
    signal: ClassVar[str] = "intensity"
    axes: ClassVar[Mapping[str, str]] = {"sector": "chi", "q": "q"}

    chi: Floats = quantity("degree", "azimuth of each sector's middle, (-180, 180]", dims=("sector",))
    width: float = quantity("degree", "full angular width of a sector")
    q: Floats = quantity("1/angstrom", "middle of each bin", dims=("q",))
    intensity: Floats = quantity("counts", "mean of valid pixels, NaN without any", dims=("frame?", "sector", "q"))
    intensity_errors: Floats = quantity(
        "counts", "standard error from measured pixels, NaN without any", dims=("frame?", "sector", "q")
    )
    pixels: Ints = quantity("", "valid pixels in the bin", dims=("sector", "q"))
    measured: Ints = quantity("", "measured (not filled) pixels in the bin", dims=("sector", "q"))
    elapsed: Floats = quantity("s", "start of each frame, empty for the mean", dims=("frame",), default=None)

    def __post_init__(self) -> None:
        """Make a missing time axis an empty one."""
        if self.elapsed is None:
            object.__setattr__(self, "elapsed", np.zeros(0))

    @property
    def stack(self) -> Floats:
        """Intensity as (frame, sector, q), with one frame for the mean."""
        return self.intensity.reshape(-1, len(self.chi), len(self.q))

    @property
    def stack_errors(self) -> Floats:
        """Errors as (frame, sector, q)."""
        return self.intensity_errors.reshape(-1, len(self.chi), len(self.q))

    def label(self, sector: int) -> str:
        """Name of a sector for people."""
        return f"chi = {self.chi[sector]:g} ± {self.width / 2:g} degrees"

    def plots(self) -> tuple[Plot, ...]:
        """Draw labelled curves, one a sector (of the first frame)."""
        pairs = zip(self.stack[0], self.stack_errors[0], strict=True)
        drawn = [Curve(self.label(sector), *pair) for sector, pair in enumerate(pairs)]
        title = f"intensity ({self.units}) in sectors{_first_of(len(self.stack))}"
        return (curves("curves", "sector", drawn, Axis("q", "1/angstrom", self.q), title=title),)


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


@dataclass(frozen=True)
class Fits(Intensities):
    """Fitted lines: one row a frame, ring and peak.

    ``values`` and ``errors`` map a parameter's name to one number a row (NaN: not fitted, held fixed for an
    error). ``frame`` is -1 for the mean of all frames; ``ring`` and ``peak`` count from 1.
    ``profile`` and ``fitted`` keep the curves of the first frame for looking at.
    """

    group: ClassVar[str] = "table"
    signal: ClassVar[str] = "x0"

    model: str = quantity("", "pseudo_voigt, pseudo_voigt_periodic, maier_saupe, kratky or leadbetter_norris")
    angle: str = quantity("", "'chi' or 'beta'")
    frame: Ints = quantity("", "frame number, -1 for the mean", dims=("row",))
    ring: Ints = quantity("", "ring number, from 1", dims=("row",))
    peak: Ints = quantity("", "peak number on its ring, from 1", dims=("row",))
    q: Floats = quantity("1/angstrom", "ring centre", dims=("row",))
    hkl: tuple[str, ...] = quantity("", "reflection, '' without one", dims=("row",))
    values: Mapping[str, Floats] = quantity("", "fitted parameters", dims=("row",))
    errors: Mapping[str, Floats] = quantity("", "standard errors", dims=("row",))
    covariance: Floats = quantity("", "covariance in the order of values, NaN if fixed", dims=("row", "p", "p2"))
    R2: Floats = quantity("", "coefficient of determination on unsmoothed data", dims=("row",))
    chi2_red: Floats = quantity("", "reduced chi square", dims=("row",))
    S_harmonic: Floats = quantity("", "order parameter from the second harmonic", dims=("row",))
    S_harmonic_error: Floats = quantity("", "its standard error", dims=("row",))
    isotropy_p: Floats = quantity("", "probability of the anisotropy by chance", dims=("row",))
    status: tuple[str, ...] = quantity("", "one of STATUSES", dims=("row",))
    reason: tuple[str, ...] = quantity("", "the status in words, '' when ok", dims=("row",))
    theta_bragg: Floats = quantity("degree", "Bragg angle of each row's ring", dims=("row",))
    bins: Floats = quantity("degree", "middle of each bin of the curves", dims=("bin",))
    profile: Floats = quantity("counts", "profile of the first frame", dims=("curve", "bin"))
    profile_errors: Floats = quantity("counts", "its standard error", dims=("curve", "bin"))
    fitted: Floats = quantity("counts", "model on the same bins, NaN outside its range", dims=("curve", "bin"))
    elapsed: Floats = quantity("s", "time of each row's frame, NaN for the mean", dims=("row",), default=None)
    bootstrap: Floats | None = quantity(
        "", "covariance as its scatter over resampled pixels tells it", dims=("row", "p", "p2"), default=None
    )

    def __post_init__(self) -> None:
        """Fill the time of rows that have none."""
        if self.elapsed is None:
            object.__setattr__(self, "elapsed", np.full(len(self.frame), np.nan))

    def column_units(self, name: str) -> str:
        """Return the declared units of a fitted parameter; I of a pseudo-Voigt is an area."""
        if name == "I" and self.model.startswith("pseudo_voigt"):
            return "counts*degree"
        return _PARAMETER_UNITS.get(name, "")

    def to_pandas(self) -> pandas.DataFrame:
        """Return the rows as a table; columns as in ``nxscatter table``, one row a frame, ring and peak."""
        import pandas

        columns: dict[str, Any] = {
            name: getattr(self, name) for name in ("frame", "ring", "peak", "q", "hkl", "elapsed")
        }
        for name, values in self.values.items():
            columns[name] = values
            columns[f"{name}_error"] = self.errors[name]
        for name in ("S_harmonic", "S_harmonic_error", "isotropy_p", "R2", "chi2_red", "status", "reason"):
            columns[name] = getattr(self, name)
        return pandas.DataFrame(columns)

    def plots(self) -> tuple[Plot, ...]:
        """Draw profile and fitted line of each ring of the first frame, rings that have a line first."""
        lacking = ~np.any(np.isfinite(self.fitted), axis=1)
        return tuple(self._overlay(int(curve)) for curve in np.argsort(lacking, kind="stable"))

    def _overlay(self, curve: int) -> Plot:
        name, axis = self.model.replace("_", " "), Axis(self.angle, "degree", self.bins)
        values = {
            "intensity": (self.profile[curve], "counts", "measured"),
            "intensity_errors": (self.profile_errors[curve], "counts", ""),
            "model": (self.fitted[curve], "counts", name),
            axis.name: axis.entry,
        }
        row = int(np.flatnonzero(self.ring == curve + 1)[0])
        ring = f"({self.hkl[row]}) " if self.hkl[row] else ""
        status = self.status[row].replace("_", " ") + _first_of(len(np.unique(self.frame)))
        title = f"intensity ({self.units}) and {name}, {ring}q = {self.q[row]:.4g} 1/angstrom: {status}"
        return Plot(f"fit_{curve + 1}", "intensity", (axis.name,), values, ("model",), title)


@dataclass(frozen=True)
class Orientation(Result):
    """Order parameters: one row a frame, ring, peak, fitted model and method."""

    group: ClassVar[str] = "table"
    signal: ClassVar[str] = "S"

    frame: Ints = quantity("", "frame number, -1 for the mean", dims=("row",))
    ring: Ints = quantity("", "ring number, from 1", dims=("row",))
    peak: Ints = quantity("", "peak number on its ring, from 1", dims=("row",))
    q: Floats = quantity("1/angstrom", "ring centre", dims=("row",))
    hkl: tuple[str, ...] = quantity("", "reflection, '' without one", dims=("row",))
    model: tuple[str, ...] = quantity("", "fitted model that S was made from, '' for moments", dims=("row",))
    method: tuple[str, ...] = quantity("", "definition of S", dims=("row",), name="S_method")
    reflection: tuple[str, ...] = quantity("", "meridional, equatorial, an angle, or ''", dims=("row",))
    S: Floats = quantity("", "order parameter <P2>, -1/2..1", dims=("row",))
    S_errors: Floats = quantity("", "its standard error", dims=("row",))
    P4: Floats = quantity("", "<P4>, NaN where the method gives none", dims=("row",))
    P4_errors: Floats = quantity("", "its standard error", dims=("row",))
    status: tuple[str, ...] = quantity("", "one of STATUSES", dims=("row",))
    reason: tuple[str, ...] = quantity("", "the status in words, '' when ok", dims=("row",))
    elapsed: Floats = quantity("s", "time of each row's frame, NaN for the mean", dims=("row",), default=None)

    def __post_init__(self) -> None:
        """Fill the time of rows that have none."""
        if self.elapsed is None:
            object.__setattr__(self, "elapsed", np.full(len(self.frame), np.nan))

    def to_pandas(self) -> pandas.DataFrame:
        """Return the rows as a table, one row a frame, ring, peak and method."""
        import pandas

        names = ("frame", "ring", "peak", "q", "hkl", "model", "method", "reflection", "S", "P4", "status", "reason")
        columns: dict[str, Any] = {name: getattr(self, name) for name in names}
        columns["S_error"], columns["P4_error"] = self.S_errors, self.P4_errors
        return pandas.DataFrame(columns)

    def plots(self) -> tuple[Plot, ...]:
        """Draw S with error bars, one curve a definition: against q, or for a stack each ring against time or frame."""
        stack = len(np.unique(self.frame)) > 1
        timed = stack and bool(np.isfinite(self.elapsed).all())
        axis = ("time", "s") if timed else ("frame", "") if stack else ("q", "1/angstrom")
        places = {"time": self.elapsed, "frame": self.frame, "q": self.q}[axis[0]].tolist()
        labels = [self._label(row, stack) for row in range(len(self.S))]
        points = list(zip(labels, places, self.S.tolist(), self.S_errors.tolist(), strict=True))
        return (scattered("order", "S", points, axis, "order parameter S"),)

    def _label(self, row: int, stack: bool) -> str:
        """Name what one curve of S has in common."""
        model = "" if self.method[row].startswith(self.model[row]) else self.model[row]
        hkl, peaks = self.hkl[row], bool(np.any(self.peak > 1))
        ring = f"({hkl})" if hkl else f"q = {self.q[row]:.4g}"
        parts = [f"S {self.method[row]}", model, f"peak {self.peak[row]}" if peaks else "", ring if stack else ""]
        return ", ".join(part for part in parts if part)


def _first_of(frames: int) -> str:
    """Say that only the first frame of a stack is drawn."""
    return f", first of {frames} frames" if frames > 1 else ""

"""Curves integrated from an image: azimuthal and radial profiles, sectors, and the rings among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from nxscatter.fields import quantity
from nxscatter.model import Floats, Ints
from nxscatter.results.base import Intensities, first_of
from nxscatter.results.plots import Axis, Curve, Plot, curves


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
        title = f"intensity ({self.units}) against azimuth{first_of(len(self.stack))}"
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
        title = f"intensity ({self.units}) in sectors{first_of(len(self.stack))}"
        return (curves("curves", "sector", drawn, Axis("q", "1/angstrom", self.q), title=title),)

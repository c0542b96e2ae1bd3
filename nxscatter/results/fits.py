"""Tables of fitted lines and order parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nxscatter.fields import quantity
from nxscatter.model import Floats, Ints
from nxscatter.results.base import Intensities, Rows, first_of
from nxscatter.results.plots import Axis, Plot, scattered

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Fits(Rows, Intensities):
    """Fitted lines: one row a frame, ring and peak.

    ``values`` and ``errors`` map a parameter's name to one number a row (NaN: not fitted, held fixed for an
    error). ``frame`` is -1 for the mean of all frames; ``ring`` and ``peak`` count from 1.
    ``profile`` and ``fitted`` keep the curves of the first frame for looking at.
    """

    group: ClassVar[str] = "table"
    signal: ClassVar[str] = "x0"

    model: str = quantity("", "name of the fit model")
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

    parameter_units: Mapping[str, str] = quantity("", "units of the fitted parameters", default={}, stored=False)

    def __post_init__(self) -> None:
        """Fill the time of rows that have none."""
        if self.elapsed is None:
            object.__setattr__(self, "elapsed", np.full(len(self.frame), np.nan))

    def column_units(self, name: str) -> str:
        """Return the declared units of a fitted parameter."""
        return self.parameter_units.get(name, "")

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
        status = self.status[row].replace("_", " ") + first_of(len(np.unique(self.frame)))
        title = f"intensity ({self.units}) and {name}, {ring}q = {self.q[row]:.4g} 1/angstrom: {status}"
        return Plot(f"fit_{curve + 1}", "intensity", (axis.name,), values, ("model",), title)


@dataclass(frozen=True)
class Orientation(Rows):
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

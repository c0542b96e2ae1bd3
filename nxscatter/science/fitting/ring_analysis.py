"""What there is to fit on a ring, and what is to be thought of the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from nxscatter.model import Floats, Ints
from nxscatter.science.fitting.harmonics import Harmonics, analyse
from nxscatter.science.fitting.leastsquares import Data
from nxscatter.science.fitting.lineshapes import wrap
from nxscatter.science.fitting.models import Line
from nxscatter.science.fitting.peakfit import PeakFit, Window, fit_peaks, parameter_names
from nxscatter.science.fitting.peaks import coverage, find_peaks

Verdict: TypeAlias = tuple[str, str]  # status and reason

COVERED = 0.8  # of the half circle
_AT_PEAK = 60.0  # degrees about a peak that must have data if its numbers are to be kept
_SEEN = 0.9  # of those
_ASKEW = 3.0  # degrees from the q_parr axis, or from the one across it
_UNEXPLAINED = 0.2  # of a profile's variation, above which a line is not its shape


class Peak(NamedTuple):
    """One row of the table: a fitted peak, or NaN and the reason why there is none.

    ``scatter`` is the covariance of the values fitted to resampled profiles, NaN without any.
    """

    values: Floats
    covariance: Floats
    scatter: Floats
    chi2_red: float
    R2: float
    status: str
    reason: str


class Block(NamedTuple):
    """What came of some profiles; curves are kept of the first frame alone."""

    harmonics: Harmonics
    peaks: list[list[Peak]]
    curves: Floats


@dataclass(frozen=True)
class RingFitter:
    """Decides what there is to fit, fits it, and judges the outcome."""

    line: Line
    window: Window
    target: float | None
    peaks: int | str
    min_S: float  # noqa: N815
    bins: Floats
    shared: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the reported parameters, in the line's order."""
        return parameter_names(self.line, self.window.onefold)

    def __call__(
        self,
        data: Data,
        theta_bragg: Floats,
        known: Sequence[Verdict | None],
        replicates: Floats | None = None,
    ) -> Block:
        """Fit profiles (row, bin).

        Parameters
        ----------
        data : Data
            The profiles.
        theta_bragg : ndarray (row,)
            Bragg angle of each, degrees.
        known : sequence of (status, reason) or None
            What is known beforehand of a profile that tells nothing.
        replicates : ndarray (replicate, row, bin), optional
            The profiles of resampled pixels.
        """
        harmonics = analyse(self.bins, data, onefold=self.window.onefold)
        oriented = harmonics.oriented(self.min_S, several=self.peaks != 1)
        covered = coverage(self.bins, data.use)
        points = np.count_nonzero(data.use, axis=1)
        verdicts = [
            known[row] or untold(harmonics, points, covered, row, enough=2 * len(self.names), oriented=oriented[row])
            for row in range(len(points))
        ]
        peaks = [[self._nothing(*verdict)] if verdict else [] for verdict in verdicts]
        curves = np.full(data.y.shape, np.nan)
        rows = np.array([row for row, verdict in enumerate(verdicts) if not verdict], dtype=int)
        centres = find_peaks(self.bins, data.rows(rows), self.target, self.peaks) if len(rows) else []
        counts = np.array([len(found) for found in centres])
        for number in np.unique(counts):
            some = rows[counts == number]
            start = np.stack([found for found in centres if len(found) == number])
            made = fit_peaks(self.line, self.bins, data.rows(some), start, self.window, theta_bragg[some], self.shared)
            x0 = made.values[:, :, made.names.index("x0")]
            seen = np.stack([coverage(self.bins, data.use[some], x0[:, k], _AT_PEAK) for k in range(number)], axis=1)
            for index, row in enumerate(some):
                scatter = [np.full((len(self.names),) * 2, np.nan)] * number
                if replicates is not None:
                    use = data.use[row] & np.isfinite(replicates[:, row])
                    again = Data.of(replicates[:, row], data.slope[row], data.floor[row], use)
                    scatter = self._scatter(again, x0[index], theta_bragg[row])
                peaks[row] = [
                    self._after(made, index, k, covered[row], seen[index, k], scatter[k]) for k in range(number)
                ]
                curves[row] = made.curve[index] if made.converged[index] else np.nan
        return Block(harmonics, peaks, curves)

    def _scatter(self, replicates: Data, x0: Floats, theta_bragg: float) -> list[Floats]:
        """Return for each peak the covariance of its values over replicates (replicate, bin) of one profile."""
        start = np.broadcast_to(x0, (len(replicates.y), len(x0)))
        made = fit_peaks(self.line, self.bins, replicates, start, self.window, theta_bragg)
        values = made.values[made.converged]
        if len(values) < max(2, 0.9 * len(start)):
            values = np.full((2, *made.values.shape[1:]), np.nan)
        return [np.cov(values[:, peak], rowvar=False) for peak in range(len(x0))]

    def _after(self, made: PeakFit, row: int, peak: int, covered: float, seen: float, scatter: Floats) -> Peak:
        """Judge a fitted peak; numbers that do not hold become NaN.

        A width on its limit is a bound, not a measurement, and has no error. eta keeps its error at 0 and 1, the
        ends of its meaning, as if it could go on: the order parameter made from it is no better known there.
        """
        values, covariance = made.values[row, peak], made.covariance[row, peak].copy()
        limited = [name for name, there in zip(made.names, made.at_limit[row, peak], strict=True) if there]
        status, keep, reasons = "at_limit" if limited else "ok", True, []
        for name in limited:
            at = made.names.index(name)
            reasons.append(f"{name} stands at its limit of {values[at]:.4g}")
            if name != "eta":
                covariance[at], covariance[:, at] = np.nan, np.nan
        if isinstance(self.peaks, int) and made.values.shape[1] < self.peaks:
            reasons.append(f"{made.values.shape[1]} of {self.peaks} peaks found")
        if "x0" in limited:
            keep, reasons = False, ["no peak where it was expected: x0 comes to the end of its range"]
        elif made.unexplained[row] > _UNEXPLAINED:
            status, keep = "not_converged", False
            reasons = [f"the line does not follow {made.unexplained[row]:.0%} of the profile's variation"]
        if not made.converged[row]:
            status, keep, reasons = "not_converged", False, ["the fit did not converge"]
        if covered < COVERED:
            status = "coverage"
            reasons.insert(0, share(covered))
            if seen < _SEEN:
                keep = False
                reasons.insert(1, f"{seen:.0%} of the {_AT_PEAK:g} degrees about the peak")
        reason = "; ".join(reasons)
        if not keep:
            return self._nothing(status, reason)
        scatter = np.where(np.isnan(covariance), np.nan, scatter)
        return Peak(values, covariance, scatter, float(made.chi2_red[row]), float(made.R2[row]), status, reason)

    def _nothing(self, status: str, reason: str) -> Peak:
        nan = np.full((len(self.names), len(self.names)), np.nan)
        return Peak(nan[0], nan, nan, np.nan, np.nan, status, reason)


def untold(
    harmonics: Harmonics, points: Ints, covered: Floats, row: int, *, enough: int, oriented: bool
) -> Verdict | None:
    """Return status and reason of a profile that tells nothing of a direction, None of one that does.

    Parameters
    ----------
    harmonics, points, covered
        Of all profiles: their harmonics, how many bins have data, and which part of the half circle.
    row : int
        The profile in question.
    enough : int
        Number of bins from which on a fit makes sense.
    oriented : bool
        What `Harmonics.oriented` says of the profile.
    """
    if points[row] < enough:
        return "too_few_points", f"{points[row]} bins have data, {enough} are needed"
    if not harmonics.mean[row] > 0:
        return "too_few_points", "no intensity above 0"
    if oriented:
        return None
    if np.isnan(harmonics.p[row]):
        status, reason = "too_few_points", "the bins with data do not determine the harmonics of the ring"
    else:
        status, reason = "isotropic", f"S_harmonic = {harmonics.S[row]:.4f}, p = {harmonics.p[row]:.2g}"
    if covered[row] < COVERED:
        return "coverage", f"{share(covered[row])}; {status.replace('_', ' ')}: {reason}"
    return status, reason


def folded(axis: float, error: float) -> Verdict | None:
    """Return status and reason of a profile against beta whose pattern stands askew to the q_parr axis.

    Two mirror images d degrees on either side of the axis make a peak wider as if S were smaller, by up to 3 d^2 (d in
    radians), and no profile against beta tells that from lower order: 3 degrees move S by 0.01.

    Parameters
    ----------
    axis, error : float
        Where the pattern stands, chi in degrees; NaN where that is not known or does not matter.
    """
    if not abs(wrap(axis, 90)) > np.fmax(_ASKEW, 3 * error):
        return None
    return "not_converged", (
        f"the pattern stands at chi = {axis:.1f} degrees, and beta lays its two sides on each other: "
        "make the profile with angle = 'chi'"
    )


def share(covered: float) -> str:
    """Say how much of the half circle has data."""
    return f"{covered:.0%} of the half circle has data"

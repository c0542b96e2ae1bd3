"""The fit of a ring: whether there is a direction to find, where its peaks stand, what they are, how good that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nxscatter.model import Floats
from nxscatter.science.fitting.harmonics import Harmonics, analyse
from nxscatter.science.fitting.leastsquares import Data
from nxscatter.science.fitting.line_model import LineModel
from nxscatter.science.fitting.peakfit import PeakFit, Window, fit_peaks, parameter_names
from nxscatter.science.fitting.peaks import coverage, find_peaks
from nxscatter.science.fitting.verdicts import AT_PEAK, Outcome, Verdict, judge, without_direction

_ENOUGH = 0.9  # of the replicates must be fitted for their scatter to be an error


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
    """What came of some profiles: harmonics, the peaks of each, and the fitted curves (row, bin)."""

    harmonics: Harmonics
    peaks: list[list[Peak]]
    curves: Floats


@dataclass(frozen=True)
class RingFitter:
    """Decides what there is to fit, fits it, and judges the outcome."""

    model: LineModel
    window: Window
    target: float | None
    peaks: int | str
    min_S: float  # noqa: N815
    bins: Floats
    shared: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the reported parameters, in the line's order."""
        return parameter_names(self.model, self.window.onefold)

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
        covered = coverage(self.bins, data.use)
        verdicts = self._before(data, harmonics, covered, known)
        peaks = [[self._nothing(*verdict)] if verdict else [] for verdict in verdicts]
        curves = np.full(data.y.shape, np.nan)
        rows = np.array([row for row, verdict in enumerate(verdicts) if not verdict], dtype=int)
        centres = find_peaks(self.bins, data.rows(rows), self.target, self.peaks) if len(rows) else []
        counts = np.array([len(found) for found in centres])
        for number in np.unique(counts):  # profiles with as many peaks are fitted together
            alike = rows[counts == number]
            start = np.stack([found for found in centres if len(found) == number])
            again = None if replicates is None else replicates[:, alike]
            fitted = self._fit(data.rows(alike), start, theta_bragg[alike], covered[alike], again)
            for row, (found, curve) in zip(alike, fitted, strict=True):
                peaks[row], curves[row] = found, curve
        return Block(harmonics, peaks, curves)

    def _before(
        self, data: Data, harmonics: Harmonics, covered: Floats, known: Sequence[Verdict | None]
    ) -> list[Verdict | None]:
        """Judge each profile before any peak is fitted."""
        oriented = harmonics.oriented(self.min_S, several=self.peaks != 1)
        points, enough = np.count_nonzero(data.use, axis=1), 2 * len(self.names)
        return [
            known[row] or without_direction(harmonics, points, covered, row, enough=enough, oriented=oriented[row])
            for row in range(len(points))
        ]

    def _fit(
        self, data: Data, start: Floats, theta_bragg: Floats, covered: Floats, replicates: Floats | None
    ) -> Iterator[tuple[list[Peak], Floats]]:
        """Fit profiles with peaks at ``start`` (row, peak); yield the peaks of each row, judged, and its curve."""
        made = fit_peaks(self.model, self.bins, data, start, self.window, theta_bragg, self.shared)
        x0 = made.values[:, :, made.names.index("x0")]
        peaks = range(x0.shape[1])
        seen = np.stack([coverage(self.bins, data.use, x0[:, peak], AT_PEAK) for peak in peaks], axis=1)
        for row in range(len(x0)):
            scatter = [np.full((len(self.names),) * 2, np.nan)] * len(peaks)
            if replicates is not None:
                use = data.use[row] & np.isfinite(replicates[:, row])
                again = Data.of(replicates[:, row], data.slope[row], data.floor[row], use)
                scatter = self._scatter(again, x0[row], theta_bragg[row])
            found = [self._after(made, row, peak, covered[row], seen[row, peak], scatter[peak]) for peak in peaks]
            yield found, made.curve[row] if made.converged[row] else np.full(len(self.bins), np.nan)

    def _scatter(self, replicates: Data, x0: Floats, theta_bragg: float) -> list[Floats]:
        """Return for each peak the covariance of its values over replicates (replicate, bin) of one profile."""
        start = np.broadcast_to(x0, (len(replicates.y), len(x0)))
        made = fit_peaks(self.model, self.bins, replicates, start, self.window, theta_bragg)
        values = made.values[made.converged]
        if len(values) < max(2, _ENOUGH * len(start)):
            values = np.full((2, *made.values.shape[1:]), np.nan)
        return [np.cov(values[:, peak], rowvar=False) for peak in range(len(x0))]

    def _after(self, made: PeakFit, row: int, peak: int, covered: float, seen: float, scatter: Floats) -> Peak:
        """Judge a fitted peak; numbers that do not hold become NaN.

        A width on its limit is a bound, not a measurement, and has no error. A fraction keeps its error at 0 and 1, the
        ends of its meaning, as if it could go on: the order parameter made from it is no better known there.
        """
        values, covariance = made.values[row, peak], made.covariance[row, peak].copy()
        limited = {name: at for at, name in enumerate(made.names) if made.at_limit[row, peak, at]}
        fractions = {parameter.name for parameter in self.model.parameters if parameter.fraction}
        for name, at in limited.items():
            if name not in fractions:
                covariance[at], covariance[:, at] = np.nan, np.nan
        found = made.values.shape[1]
        status, reason, keep = judge(
            Outcome(
                covered=covered,
                seen=seen,
                converged=bool(made.converged[row]),
                limits={name: values[at] for name, at in limited.items()},
                unexplained=made.unexplained[row],
                found=found,
                wanted=self.peaks if isinstance(self.peaks, int) else found,
            )
        )
        if not keep:
            return self._nothing(status, reason)
        scatter = np.where(np.isnan(covariance), np.nan, scatter)
        return Peak(values, covariance, scatter, float(made.chi2_red[row]), float(made.R2[row]), status, reason)

    def _nothing(self, status: str, reason: str) -> Peak:
        nan = np.full((len(self.names), len(self.names)), np.nan)
        return Peak(nan[0], nan, nan, np.nan, np.nan, status, reason)

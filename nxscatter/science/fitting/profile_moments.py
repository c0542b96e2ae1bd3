"""Moments of measured profiles: what lies under each, which way it points, and whether it tells anything."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from nxscatter.errors import StepError
from nxscatter.model import Floats
from nxscatter.results import Profiles
from nxscatter.science.fitting.harmonics import analyse
from nxscatter.science.fitting.moments import Moments, moments
from nxscatter.science.fitting.peaks import coverage
from nxscatter.science.fitting.profile_data import measured, verdicts
from nxscatter.science.fitting.verdicts import COVERED, Verdict, share, without_direction

_ENOUGH = 12  # bins


class Background(NamedTuple):
    """What lies under profiles; NaN where nothing is known of it.

    ``level`` and ``variance`` are (row, bin), rows being frames and rings, ``scale_error`` is (ring,), ``replicates``
    (replicate, ring, bin).
    """

    level: Floats
    variance: Floats
    scale_error: Floats
    replicates: Floats


@dataclass(frozen=True)
class ProfileMoments:
    """How moments are taken.

    Parameters
    ----------
    angle : float
        Of the reflection from the director, degrees.
    director : float or None
        Azimuth of the director, degrees; None: from the second harmonic.
    min_S : float
        S of the second harmonic up to which a ring is isotropic.
    bootstrap : bool
        Take errors from the profiles' replicates.
    """

    angle: float
    director: float | None
    min_S: float  # noqa: N815
    bootstrap: bool

    def __call__(self, profiles: Profiles, under: Background) -> list[Moments]:
        """Return the moments of each profile, row by row."""
        data = measured(profiles)
        harmonics = analyse(profiles.bins, data)
        oriented, twofold = harmonics.oriented(self.min_S, several=True), harmonics.oriented(self.min_S)
        covered = coverage(profiles.bins, data.use)
        points = np.count_nonzero(data.use, axis=1)
        known = verdicts(profiles)
        variance = np.maximum(data.slope * data.y + data.floor, 0.0) + under.variance
        intensity = np.where(data.use, data.y - under.level, np.nan)
        found = []
        for row in range(len(data.y)):
            verdict = known[row] or without_direction(
                harmonics, points, covered, row, enough=_ENOUGH, oriented=bool(oriented[row])
            )
            verdict = verdict or self._without_ground(under.level[row], twofold=bool(twofold[row]))
            if verdict is not None:
                found.append(Moments.nothing(*verdict))
                continue
            director = harmonics.phase[row] + (90.0 if self.angle == 90 else 0.0)
            if self.director is not None:
                director = self.director
            common = under.level[row] * under.scale_error[row % len(profiles.q)]
            made = self._moments(profiles, row, intensity[row], director, variance[row], common, under.replicates)
            if made.status == "ok" and covered[row] < COVERED:
                made = replace(made, status="coverage", reason=share(covered[row]))
            found.append(made)
        return found

    def _without_ground(self, level: Floats, *, twofold: bool) -> Verdict | None:
        """Return status and reason of a profile whose background (bin,) or director is not known."""
        if np.isnan(level).all():
            return "background", "no background: give one, or profiles with the ring's flanks"
        if self.director is None and not twofold:
            return "not_converged", "a pattern of four maxima does not say where the director stands: give it"
        return None

    def _moments(
        self,
        profiles: Profiles,
        row: int,
        intensity: Floats,
        director: float,
        variance: Floats,
        common: Floats,
        background: Floats,
    ) -> Moments:
        ring, again = row % len(profiles.q), None
        if self.bootstrap and profiles.replicates is not None:
            again = profiles.replicates[:, ring] - background[:, ring]
            intensity = np.where(np.isnan(again).any(axis=0), np.nan, intensity)
        return moments(
            _azimuths(profiles, ring),
            intensity,
            director,
            variance=variance,
            common_error=common,
            replicates=again,
            reflection=self.angle,
            theta_bragg=float(profiles.theta_bragg[ring]),
        )


def background_of(step: str, profiles: Profiles, given: tuple[float, ...]) -> Background:
    """Return what lies under the profiles: the levels ``given``, one or one a ring, else that of the rings' flanks.

    Raises
    ------
    StepError
        When levels and rings differ in number.
    """
    rings = len(profiles.q)
    shape = len(profiles.stack) * rings, len(profiles.bins)
    if given:
        if len(given) not in (1, rings):
            raise StepError(f"{step}.background: {len(given)} levels for {rings} rings: give one each")
        level = np.resize(np.array(given), rings)
        levels = np.broadcast_to(np.tile(level, len(profiles.stack))[:, None], shape)
        return Background(levels, np.zeros(shape), np.zeros(rings), level[None, :, None])
    if profiles.background is None or profiles.background_errors is None:
        nothing = np.full(shape, np.nan)
        return Background(nothing, nothing, np.full(rings, np.nan), np.full((1, rings, 1), np.nan))
    scale, replicates = profiles.background_scale_errors, profiles.background_replicates
    return Background(
        profiles.background.reshape(shape),
        profiles.background_errors.reshape(shape) ** 2,
        np.zeros(rings) if scale is None else scale,
        np.full((1, rings, 1), np.nan) if replicates is None else replicates,
    )


def _azimuths(profiles: Profiles, ring: int) -> Floats:
    """Return the azimuths of a ring's bins, degrees; of beta those on one side of the q_parr axis."""
    if profiles.angle == "chi":
        return profiles.bins
    cosine = np.cos(np.radians(profiles.bins)) / np.cos(np.radians(profiles.theta_bragg[ring]))
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1, 1))))

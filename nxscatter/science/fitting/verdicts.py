"""What is to be thought of a profile and of its fit: a status, its reason, and whether the numbers stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from nxscatter.model import Floats, Ints
from nxscatter.science.fitting.harmonics import Harmonics
from nxscatter.science.fitting.lineshapes import wrap

Verdict: TypeAlias = tuple[str, str]  # status and reason

COVERED = 0.8  # of the half circle
AT_PEAK = 60.0  # degrees about a peak that must have data if its numbers are to be kept
_SEEN = 0.9  # of those
_ASKEW = 3.0  # degrees from the q_parr axis, or from the one across it
_UNEXPLAINED = 0.2  # of a profile's variation, above which a line is not its shape


@dataclass(frozen=True)
class Outcome:
    """What is known of a fitted peak.

    Attributes
    ----------
    covered, seen : float
        Part of the half circle, and of the degrees about the peak, that has data.
    converged : bool
        Whether the fit came to its end.
    limits : mapping
        Values of the parameters that stand on a limit.
    unexplained : float
        Part of the profile's variation that the line does not follow, as in `PeakFit`.
    found, wanted : int
        Peaks found, and asked for.
    """

    covered: float
    seen: float
    converged: bool
    limits: Mapping[str, float]
    unexplained: float
    found: int
    wanted: int


class _Rule(NamedTuple):
    """What follows where a condition holds: a status, its reason, and whether the numbers of the fit are kept.

    ``last``: nothing that comes after it is worth saying.
    """

    status: str
    holds: Callable[[Outcome], bool]
    reason: Callable[[Outcome], str]
    keeps: bool = True
    last: bool = False


# In order of precedence: the first that holds gives the status.
_RULES = (
    _Rule("coverage", lambda fit: fit.covered < COVERED, lambda fit: share(fit.covered)),
    _Rule(
        "coverage",
        lambda fit: fit.covered < COVERED and fit.seen < _SEEN,
        lambda fit: f"{fit.seen:.0%} of the {AT_PEAK:g} degrees about the peak",
        keeps=False,
    ),
    _Rule(
        "not_converged",
        lambda fit: not fit.converged,
        lambda fit: "the fit did not converge",
        keeps=False,
        last=True,
    ),
    _Rule(
        "at_limit",
        lambda fit: "x0" in fit.limits,
        lambda fit: "no peak where it was expected: x0 comes to the end of its range",
        keeps=False,
        last=True,
    ),
    _Rule(
        "not_converged",
        lambda fit: fit.unexplained > _UNEXPLAINED,
        lambda fit: f"the line does not follow {fit.unexplained:.0%} of the profile's variation",
        keeps=False,
        last=True,
    ),
    _Rule(
        "at_limit",
        lambda fit: bool(fit.limits),
        lambda fit: "; ".join(f"{name} stands at its limit of {value:.4g}" for name, value in fit.limits.items()),
    ),
    _Rule("ok", lambda fit: fit.found < fit.wanted, lambda fit: f"{fit.found} of {fit.wanted} peaks found"),
)


def judge(fit: Outcome) -> tuple[str, str, bool]:
    """Return status and reason of a fitted peak, and whether its numbers are kept."""
    holding: list[_Rule] = []
    for rule in _RULES:
        if rule.holds(fit):
            holding.append(rule)
            if rule.last:
                break
    status = holding[0].status if holding else "ok"
    return status, "; ".join(rule.reason(fit) for rule in holding), all(rule.keeps for rule in holding)


def without_direction(
    harmonics: Harmonics, points: Ints, covered: Floats, row: int, *, enough: int, oriented: bool
) -> Verdict | None:
    """Return status and reason of a profile that tells nothing of a direction, None of one that does.

    Parameters
    ----------
    harmonics, points, covered
        Of all profiles: their harmonics, how many bins have data, and which part of the half circle (row,).
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

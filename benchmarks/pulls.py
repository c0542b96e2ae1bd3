"""Are the standard errors true? Pulls (value - truth)/error of simulated profiles, as one table.

Each method meets data of its own model: a peak on a tenth of background, with module gaps and a beamstop's arm
taken out, Poisson noise, and 100 or 10,000 counts in the fullest bin. If the errors are true, pulls have mean 0
and standard deviation 1. Run it with ``python benchmarks/pulls.py [PROFILES]``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nxscatter.results import Fits, Profiles
from nxscatter.science.fitting.lineshapes import wrap
from nxscatter.science.fitting.models import models
from nxscatter.science.fitting.order import averages
from nxscatter.steps.fits import fit_step
from nxscatter.steps.orientation import OrderParameter

X0 = 25.0
BACKGROUND = 0.1


@dataclass(frozen=True)
class Case:
    """One method, one shape, one exposure."""

    method: str
    model: str
    shape: dict[str, float]
    counts: float


def cases() -> Iterator[Case]:
    """Yield all cases: kappa 1, 5 and 15, and pseudo-Voigts of the same widths."""
    for counts in (100.0, 10_000.0):
        for kappa in (1.0, 5.0, 15.0):
            for method in ("maier_saupe", "kratky", "leadbetter_norris"):
                yield Case(method, method, {"kappa": kappa}, counts)
            yield Case("moments", "maier_saupe", {"kappa": kappa}, counts)
            gamma = 2 * np.degrees(np.arcsin(min(1.0, np.sqrt(np.log(2) / kappa))))
            for method in ("pseudo_voigt", "pseudo_voigt_periodic"):
                yield Case(method, method, {"gamma": round(gamma, 1), "eta": 0.5}, counts)


def pixels(chi: np.ndarray) -> np.ndarray:
    """Return measured pixels a bin: three gaps, a beamstop's arm, and bins at their edges that are half full."""
    count = np.full(len(chi), 50)
    for middle, width in ((-140.0, 6.0), (-78.0, 4.0), (28.0, 5.0), (110.0, 12.0)):
        distance = np.abs(wrap(chi - middle, 360))
        count[distance <= width / 2 + 2] = 25
        count[distance <= width / 2] = 0
    return count


def simulate(case: Case, number: int, rng: np.random.Generator) -> tuple[Profiles, float]:
    """Return profiles with Poisson noise, and their true background level."""
    chi = np.arange(-179.0, 181.0)
    measured = pixels(chi)
    peak = models()[case.model].peak
    shape = tuple(case.shape.values())
    inside = chi[:, None] + (np.arange(16) - 7.5) / 16  # photons fall all over a bin
    height = peak(wrap(inside - X0), *shape)[0].mean(axis=1) / peak(np.zeros(1), *shape)[0]
    line = BACKGROUND + (1 - BACKGROUND) * height
    scale = case.counts / np.max(line * measured)
    per_pixel = 1 / np.where(measured > 0, measured, np.nan)
    intensity = rng.poisson(line * scale * measured, size=(number, 1, len(chi))) * per_pixel
    profiles = Profiles(
        angle="chi",
        q=np.array([0.05]),
        q_width=np.array([0.001]),
        hkl=("",),
        bins=chi,
        intensity=intensity,
        intensity_errors=np.sqrt(intensity * per_pixel),
        pixels=measured[None],
        measured=measured[None],
        variance_slope=per_pixel[None],
        variance_floor=np.where(measured > 0, 0.0, np.nan)[None],
        theta_bragg=np.array([0.2]),
        elapsed=np.arange(float(number)),
    )
    return profiles, BACKGROUND * scale


def pulls(case: Case, number: int, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], float, dict[str, int]]:
    """Return the pulls of each quantity, the median error of S and how often each status came."""
    profiles, level = simulate(case, number, rng)
    fits: tuple[Fits, ...] = ()
    found = {}
    if case.method == "moments":
        orientation = OrderParameter(method=("moments",), background=(level,))(profiles, fits)
    else:
        fits = (fit_step(case.model)()(profiles),)
        orientation = OrderParameter(method=(case.method,))(profiles, fits)
        for name, true in {**case.shape, "x0": X0}.items():
            found[name] = (fits[0].values[name] - true) / fits[0].errors[name]
    model = "maier_saupe" if case.method == "moments" else case.method
    S = averages(model, **case.shape)[0]
    found = {"S": (orientation.S - S) / orientation.S_errors, **found}
    statuses = {status: orientation.status.count(status) for status in sorted(set(orientation.status))}
    return found, float(np.nanmedian(orientation.S_errors)), statuses


def main() -> None:
    """Print the table."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"{number} profiles a case; pulls as mean / standard deviation")
    print(f"{'method':22} {'shape':22} {'counts':>6} {'sigma_S':>8}  judged  pulls; statuses")
    for seed, case in enumerate(cases()):
        found, sigma, statuses = pulls(case, number, np.random.default_rng((20240229, seed)))
        values = {name: pull[np.isfinite(pull)] for name, pull in found.items()}
        good = all(abs(pull.mean()) <= 0.15 and 0.85 <= pull.std() <= 1.15 for pull in values.values())
        judged = "listed" if sigma > 0.05 else ("good" if good else "BAD")
        shape = " ".join(f"{name}={value:g}" for name, value in case.shape.items())
        texts = [f"{name} {pull.mean():+.2f}/{pull.std():.2f}" for name, pull in values.items()]
        print(
            f"{case.method:22} {shape:22} {case.counts:6.0f} {sigma:8.4f}  {judged:6}  {', '.join(texts)}; {statuses}"
        )


if __name__ == "__main__":
    main()

"""Azimuthal profiles with known truth and Poisson noise, for the tests of fits and order parameters."""

from __future__ import annotations

from typing import Any

import numpy as np

from nxscatter.model import Floats
from nxscatter.results import Profiles
from nxscatter.science.fitting.lineshapes import wrap
from nxscatter.science.fitting.models import models

CHI = np.arange(-179.0, 181.0)
BETA = np.arange(0.0, 181.0)
FULL = np.full(360, 50)


def gappy() -> Floats:
    """Return measured pixels of 360 bins of chi with three module gaps and a beamstop's arm."""
    pixels = np.full(360, 50)
    for middle, width in ((-140.0, 6.0), (-78.0, 4.0), (28.0, 5.0), (110.0, 12.0)):
        pixels[np.abs(wrap(CHI - middle, 360)) <= width / 2] = 0
    return pixels


def line(
    model: str,
    shape: tuple[float, ...],
    x0: float,
    *,
    background: float = 0.1,
    bins: Floats = CHI,
    width: float = 1.0,
    theta_bragg: float = 0.0,
) -> Floats:
    """Return a line with maximum 1 on a background, averaged over bins of a width in degrees.

    Each azimuth sees the nearer of the two maxima.
    """
    inside = bins[:, None] + width * (np.arange(32) - 15.5) / 32
    height, top = (
        models()[model].peak(d, *shape, theta_bragg=theta_bragg)[0] for d in (wrap(inside - x0), np.zeros(1))
    )
    height /= top
    return background + (1 - background) * height.mean(axis=1)


def profiles(
    intensity: Floats,
    *,
    pixels: Any = FULL,
    frames: int = 0,
    rng: np.random.Generator | None = None,
    bins: Floats = CHI,
    angle: str = "chi",
) -> Profiles:
    """Return profiles of rings (ring, bin) in counts a pixel; with ``rng`` they have Poisson noise.

    ``frames`` 0 makes the mean of all frames, without a frame axis.
    """
    intensity = np.atleast_2d(intensity)
    rings = len(intensity)
    measured = np.broadcast_to(pixels, intensity.shape)
    slope = 1 / np.where(measured > 0, measured, np.nan)
    counts = np.tile(intensity * measured, (max(frames, 1), 1, 1))
    values = (counts if rng is None else rng.poisson(counts)) * slope
    if not frames:
        values = values[0]
    return Profiles(
        angle=angle,
        q=0.05 * np.arange(1, rings + 1),
        q_width=np.full(rings, 0.001),
        hkl=("",) * rings,
        bins=bins,
        intensity=values,
        intensity_errors=np.sqrt(values * slope),
        pixels=measured,
        measured=measured,
        variance_slope=slope,
        variance_floor=np.where(measured > 0, 0.0, np.nan),
        theta_bragg=np.full(rings, 0.2),
        elapsed=np.arange(float(frames)),
    )


def assert_calibrated(value: Floats, error: Floats, truth: float | Floats) -> None:
    """Check that pulls scatter as a normal distribution does: within 4 of their own standard errors."""
    pulls = (value - truth) / error
    assert np.isfinite(pulls).all()
    assert abs(pulls.mean()) < 4 / np.sqrt(len(pulls))
    assert abs(pulls.std() - 1) < 4 / np.sqrt(2 * len(pulls))

"""Where a pattern stands, for profiles against beta, which cannot tell."""

from __future__ import annotations

import numpy as np

from nxscatter.model import Floats
from nxscatter.results import Profiles
from nxscatter.science.fitting.harmonics import analyse
from nxscatter.science.fitting.profile_data import measured

_ONE_SIDED = 0.1  # share of pixels with a partner across the q_parr axis, below which nothing is folded


def pattern_axis(profiles: Profiles) -> tuple[Floats, Floats]:
    """Return the azimuth of the second harmonic of each ring's profile against chi, and its standard error.

    Both are NaN for a ring without significant anisotropy, and for one seen on one side of the q_parr axis alone, which
    beta does not fold.
    """
    harmonics = analyse(profiles.bins, measured(profiles))
    counts = profiles.measured.astype(float)
    # Bins run from above -180 to 180 degrees: without the last, the list mirrors about 0.
    mirrored = np.minimum(counts[:, :-1], counts[:, -2::-1]).sum(axis=1)
    two_sided = mirrored > _ONE_SIDED * counts.sum(axis=1)
    known = harmonics.oriented(0.0) & two_sided
    # The phase of a wave is known to half the relative error of its amplitude.
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.degrees(harmonics.S_error / harmonics.S) / 2
    return np.where(known, harmonics.phase, np.nan), np.where(known, error, np.nan)

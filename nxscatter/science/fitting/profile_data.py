"""What a fit takes of azimuthal profiles: the bins that were measured, and what is known of a ring beforehand."""

from __future__ import annotations

import numpy as np

from nxscatter.model import Floats
from nxscatter.results import Profiles
from nxscatter.science.fitting.leastsquares import Data
from nxscatter.science.fitting.verdicts import Verdict, folded


def measured(profiles: Profiles) -> Data:
    """Take the bins that were measured, as rows of (frame, ring)."""
    intensity = profiles.stack
    frames, rings, bins = intensity.shape
    slope, floor = profiles.variance_slope, np.maximum(profiles.variance_floor, 0.0)
    counted = (profiles.measured > 0) & (slope > 0) & np.isfinite(floor)
    use = np.isfinite(intensity) & counted
    shape = (frames * rings, bins)
    return Data.of(
        intensity.reshape(shape), np.tile(slope, (frames, 1)), np.tile(floor, (frames, 1)), use.reshape(shape)
    )


def verdicts(profiles: Profiles) -> list[Verdict | None]:
    """Return for each row of `measured` what is known of it before any fit: that nothing is there, or all is folded."""
    rings = [
        folded(axis, error) if pixels else ("too_few_points", "no pixel of the ring is measured")
        for axis, error, pixels in zip(
            profiles.pattern_axis.tolist(),
            profiles.pattern_axis_errors.tolist(),
            np.count_nonzero(profiles.measured, axis=1).tolist(),
            strict=True,
        )
    ]
    return rings * len(profiles.stack)


def tilts(profiles: Profiles) -> Floats:
    """Return the Bragg angle (degrees) by which each ring's angles differ from those to the director: 0 for beta."""
    return profiles.theta_bragg if profiles.angle == "chi" else np.zeros(len(profiles.q))

"""What surrounds the frames: the logbook's entry, the mask files, and the record of what was simulated."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from nxscatter.model import Array
from nxscatter.simulate.camera import Camera
from nxscatter.simulate.physics import Pattern, Truth


@dataclass(frozen=True)
class Run:
    """What the logbook says of a measurement.

    Parameters
    ----------
    sample : str
        Sample name.
    field : float
        Magnetic field in mT; NaN: the title names none.
    start : datetime
        Time of the first frame, with its zone.
    exposure_time, dead_time : float
        Exposure time of a frame, and the pause before the next one, in seconds.
    seed : int
        Seed of the Poisson noise.
    """

    sample: str = "rods"
    field: float = float("nan")
    start: datetime = datetime(2024, 3, 1, 8, 0, 0, tzinfo=UTC)
    exposure_time: float = 1.0
    dead_time: float = 0.0
    seed: int = 0

    @property
    def title(self) -> str:
        """Sample and field, as ``rods_400mT``."""
        return self.sample if np.isnan(self.field) else f"{self.sample}_{self.field:g}mT"

    def end(self, frames: int) -> datetime:
        """Return when the last of ``frames`` frames ends."""
        return self.start + timedelta(seconds=frames * self.exposure_time + (frames - 1) * self.dead_time)


@dataclass(frozen=True)
class Simulated:
    """A written file and the truth in it.

    Attributes
    ----------
    path : Path
        The file.
    masks : mapping of str to Path
        Mask files beside it by what they hide (``"beamstop"``, ``"gaps"``); non-zero = ignore.
    truth : tuple of Truth
        One row a ring, or one a frame and ring when the frames differ.
    patterns : tuple of Pattern
        What was scattered in each frame.
    camera, run : Camera, Run
        How it was measured.
    """

    path: Path
    masks: Mapping[str, Path]
    truth: tuple[Truth, ...]
    patterns: tuple[Pattern, ...]
    camera: Camera
    run: Run


def stacked(patterns: Pattern | Sequence[Pattern]) -> tuple[Pattern, ...]:
    """Return one pattern a frame."""
    return (patterns,) if isinstance(patterns, Pattern) else tuple(patterns)


def write_masks(folder: Path, prefix: str, camera: Camera) -> dict[str, Path]:
    """Write the masks of a camera as EDF files ``PREFIX_beamstop_mask.edf`` and ``PREFIX_gaps_mask.edf``.

    A mask that hides nothing is not written.
    """
    written = {}
    for role, mask in (("beamstop", camera.beamstop_mask()), ("gaps", camera.gap_mask())):
        if mask.any():
            written[role] = folder / f"{prefix}_{role}_mask.edf"
            write_edf(written[role], mask.astype(np.int8), {})
    return written


def write_edf(path: Path, image: Array, header: Mapping[str, Any]) -> None:
    """Write an image (rows, columns) and its header as an EDF file."""
    from fabio.edfimage import EdfImage

    EdfImage(data=image, header={key: str(value) for key, value in header.items()}).write(str(path))


def saxs_keywords(camera: Camera) -> dict[str, Any]:
    """Return the geometry as SaxsKeyword header values: lengths in m, centres in pixels, rotations in radians.

    SaxsKeyword counts its axes 1 and 2 along columns and rows, pyFAI the other way round.
    """
    place = camera.geometry
    return {
        "Center_1": place.center_x,
        "Center_2": place.center_y,
        "PSize_1": place.pixel_size_x,
        "PSize_2": place.pixel_size_y,
        "BSize_1": 1,
        "BSize_2": 1,
        "Offset_1": 0,
        "Offset_2": 0,
        "RasterOrientation": place.orientation,
        "DetectorRotation_1": math.radians(place.rot2),
        "DetectorRotation_2": math.radians(place.rot1),
        "DetectorRotation_3": math.radians(place.rot3),
        "SampleDistance": place.distance,
        "WaveLength": float(f"{place.wavelength * 1e-10:.12g}"),
    }

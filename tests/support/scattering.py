"""A stack of frames in memory, and patterns of rings to put into it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nxscatter.model import Array, Detector, Floats
from nxscatter.results import Geometry, Image, PixelFlag
from nxscatter.science.geometry import qspace
from nxscatter.science.pixels.stage_links import MaskedStage, RawStage


@dataclass(frozen=True, eq=False)
class Stack:
    """Frames in memory, read like those of a file."""

    frames: Array

    @property
    def shape(self) -> tuple[int, int, int]:
        frames, rows, columns = self.frames.shape
        return frames, rows, columns

    def __iter__(self) -> Iterator[Array]:
        return iter(self.frames)

    def read(self, frame: int) -> Array:
        return self.frames[frame]


def make_geometry(rows: int = 120, columns: int = 130, **changes: float) -> Geometry:
    """A detector of 0.1 mm pixels at 2 m, the beam a little off its middle."""
    values: dict[str, Any] = {
        "wavelength": 1.0,
        "distance": 2.0,
        "pixel_size_y": 1e-4,
        "pixel_size_x": 1e-4,
        "center_y": rows / 2 + 0.3,
        "center_x": columns / 2 - 1.2,
        "rows": rows,
        "columns": columns,
    }
    return Geometry(**{**values, **changes})


def make_detector(geometry: Geometry, **changes: float) -> Detector:
    """The detector that a file would describe for a geometry."""
    names = ("rows", "columns", "distance", "pixel_size_y", "pixel_size_x", "center_y", "center_x", "rot1", "rot2")
    values = {name: getattr(geometry, name) for name in names}
    return Detector(name="test", **{**values, **changes})


def make_image(frames: Array, invalid: Array | None = None) -> Image:
    """The masked mean of frames (frame, y, x), with its chain."""
    out = np.zeros(frames.shape[1:], dtype=bool) if invalid is None else invalid
    return Image(
        intensity=np.where(out, np.nan, frames.mean(axis=0)),
        flags=np.where(out, int(PixelFlag.MASKED), 0).astype(np.uint16),
        frames=len(frames),
        stage=MaskedStage(RawStage(Stack(frames)), out),
    )


def radius_map(geometry: Geometry) -> Floats:
    """Distance of each pixel's middle from the centre, pixels (square ones)."""
    y = np.arange(geometry.rows)[:, np.newaxis] + 0.5 - geometry.center_y
    x = np.arange(geometry.columns)[np.newaxis, :] + 0.5 - geometry.center_x
    return np.hypot(y, x)


def ring_pattern(
    geometry: Geometry,
    rings: Sequence[tuple[float, float, float]],
    *,
    background: float = 2.0,
    steep: float = 0.0,
    kappa: float = 0.0,
    director: float = 0.0,
) -> Floats:
    """Expected counts: rings (radius, sigma, height) on a flat background and ``steep*(20/r)**3``."""
    radius = radius_map(geometry)
    azimuth = np.exp(kappa * (np.cos(np.radians(qspace.chi_map(geometry) - director)) ** 2 - 1))
    counts = background + steep * (20 / np.maximum(radius, 5)) ** 3
    for place, sigma, height in rings:
        counts = counts + height * np.exp(-((radius - place) ** 2) / (2 * sigma**2)) * azimuth
    return np.asarray(counts)


def q_at(geometry: Geometry, radius: float) -> float:
    """q (1/angstrom) at a radius in pixels, from the definition."""
    two_theta = np.arctan(radius * geometry.pixel_size_x / geometry.distance)
    return float(4 * np.pi * np.sin(two_theta / 2) / geometry.wavelength)

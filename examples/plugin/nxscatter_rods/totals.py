"""A step that works frame by frame: the counts of each frame on its valid pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from nxscatter.fields import param, quantity
from nxscatter.model import Array, Floats
from nxscatter.results import Image
from nxscatter.results.base import Result
from nxscatter.results.stages import Gather, PerFrame, Pixels
from nxscatter.steps.framewise import FramewiseStep


@dataclass(frozen=True)
class Totals(Result):
    """Counts of each frame."""

    group: ClassVar[str] = "totals"
    signal: ClassVar[str] = "total"
    axes: ClassVar[Mapping[str, str]] = {"frame": "frame"}

    frame: Floats = quantity("", "number of the frame", dims=("frame",))
    total: Floats = quantity("counts", "sum over the valid pixels, scaled", dims=("frame",))


@dataclass(frozen=True)
class FrameTotals(FramewiseStep):
    """Sum of the valid pixels of each frame, which tells whether the beam decays."""

    name = "rods_totals"
    version = 1
    scale: float = param("", "factor of all sums", default=1.0, above=0)

    def plan(self, image: Pixels) -> PerFrame:
        """Want the sum over the pixels that are valid in all frames."""
        gather = image.chain(self.name).gather(np.flatnonzero(image.valid))
        return partial(_total, gather, self.scale)

    def finish(self, plan: PerFrame, arrays: tuple[Array, ...], image: Image) -> Totals:
        """Return the sums in the order of the frames."""
        totals = arrays[0][:, 0]
        return Totals(frame=np.arange(float(len(totals))), total=totals, notes=image.notes)


def _total(gather: Gather, scale: float, frame: Array, number: int) -> tuple[Array, ...]:
    return (np.array([scale * gather(frame, number)[0].sum(dtype=float)]),)

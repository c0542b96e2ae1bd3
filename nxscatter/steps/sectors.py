"""Intensity against q in sectors of azimuth."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

from nxscatter.errors import ParameterError, StepError
from nxscatter.fields import param
from nxscatter.model import Exposure, Floats
from nxscatter.results import Geometry, Image, Sectors
from nxscatter.results.stages import Pixels
from nxscatter.science.fitting.lineshapes import wrap
from nxscatter.science.geometry import qspace
from nxscatter.science.pixels.pixel_bins import FrameSums, PixelBins, frame_times, of_kept
from nxscatter.science.pixels.radial import radius_to_q
from nxscatter.steps.framewise import FramewiseStep


@dataclass(frozen=True, eq=False)
class SectorSums(FrameSums):
    """Sums of the pixels of a frame in sectors and bins of q.

    Attributes
    ----------
    middles : ndarray (sector,)
        chi of the middle of each sector, degrees.
    edges : ndarray (bin + 1,)
        Edges of the bins of q, 1/angstrom.
    auto : mapping
        What was chosen here and not by the user.
    """

    middles: Floats
    edges: Floats
    auto: dict[str, float]


@dataclass(frozen=True)
class RadialSectors(FramewiseStep):
    """Mean intensity of the valid pixels of each sector in equal bins of q.

    Sector k is centred on ``offset + k*delta`` and reaches ``width/2`` to either side of it, across the seam at 180
    degrees where it must. The sector on the other side of the beam is another one. Errors come from the measured
    pixels alone: the square root of the sum of their variances, divided by their number.
    """

    name = "radial_sectors"
    version = 1
    nb_azim: int = param("", "number of sectors", default=2, minimum=1, maximum=360)
    offset: float = param("degree", "chi of the first sector's middle", default=0.0)
    delta: float = param("degree", "from the middle of one sector to the next", default=90.0)
    width: float = param("degree", "full angular width of a sector", default=10.0, above=0, maximum=360)
    q_min: float | None = param(
        "1/angstrom", "where the first bin begins; none: on the detector", default=None, minimum=0
    )
    q_max: float | None = param("1/angstrom", "where the last bin ends; none: on the detector", default=None, above=0)
    bins: int | None = param("", "bins of q; none: each one pixel wide", default=None, minimum=1)
    frames: str = param("", "profiles of the mean, or of each frame", default="mean", choices=("mean", "each"))

    def __post_init__(self) -> None:
        """Check what a single parameter's range cannot say."""
        super().__post_init__()
        if self.q_min is not None and self.q_max is not None and self.q_min >= self.q_max:
            raise ParameterError(f"{self.name}.q_min = {self.q_min:g} is not below q_max = {self.q_max:g}")

    @property
    def reads_frames(self) -> bool:
        """Whether each frame has profiles of its own."""
        return self.frames == "each"

    def plan(self, image: Pixels, geometry: Geometry) -> SectorSums:
        """Find the pixels of each sector and bin of q.

        Raises
        ------
        StepError
            When the range of q lies outside the detector.
        """
        geometry = geometry.binned(image.binning)
        middles = 0 - wrap(-(self.offset + self.delta * np.arange(self.nb_azim)), 360)
        edges, auto = self._edges(geometry)
        bins = self._bins(image, geometry, middles, edges)
        return SectorSums(self.name, image, bins, middles, edges, auto)

    def finish(
        self,
        plan: SectorSums,
        arrays: tuple[Floats, ...],
        image: Image,
        geometry: Geometry,
        exposure: Exposure | None = None,
    ) -> Sectors:
        """Return the profiles of the mean, or of each frame with a leading frame axis.

        Raises
        ------
        StepError
            When frames and their times differ in number.
        """
        bins, edges = plan.bins, plan.edges
        intensity, errors = bins.averages(*of_kept(image, arrays)) if self.reads_frames else bins.mean(image)
        empty = [f"{chi:g}" for chi, pixels in zip(plan.middles, bins.valid_count, strict=True) if not pixels.any()]
        notes = [f"no valid pixel in the sectors at chi = {', '.join(empty)} degrees"] if empty else []
        return Sectors(
            chi=plan.middles,
            width=self.width,
            q=(edges[:-1] + edges[1:]) / 2,
            intensity=intensity,
            intensity_errors=errors,
            pixels=bins.valid_count.astype(np.int64),
            measured=bins.measured_count.astype(np.int64),
            elapsed=frame_times(self.name, image, exposure) if self.reads_frames else np.zeros(0),
            notes=tuple(dict.fromkeys((*image.notes, *geometry.notes, *notes))),
            auto=plan.auto,
            units=image.units,
        )

    def _edges(self, geometry: Geometry) -> tuple[Floats, dict[str, float]]:
        """Return the edges of the bins of q, and what was chosen here."""
        first, last = qspace.q_range(geometry)
        low = first if self.q_min is None else self.q_min
        high = last if self.q_max is None else self.q_max
        if low >= min(last, high) or high <= first:
            raise StepError(
                f"{self.name}: q from {low:.4g} to {high:.4g} lies outside the detector: it reaches from "
                f"{first:.4g} to {last:.4g} 1/angstrom"
            )
        # A pixel spans less q the farther it is from the beam, so no bin between others is left without one.
        bins = self.bins or ceil((high - low) / float(radius_to_q(geometry, 1.0)))
        chosen: dict[str, float] = {"q_min": low, "q_max": high, "bins": bins}
        return np.linspace(low, high, bins + 1), {
            key: value for key, value in chosen.items() if getattr(self, key) is None
        }

    def _bins(self, image: Pixels, geometry: Geometry, middles: Floats, edges: Floats) -> PixelBins:
        index, label = [], []
        bins, low, high = len(edges) - 1, edges[0], edges[-1]
        for sector, middle in enumerate(middles):
            pixels, q = qspace.sector_pixels(geometry, float(middle), self.width)
            inside = (q >= low) & (q <= high) & image.valid_at(pixels)
            number = ((q[inside] - low) * (bins / (high - low))).astype(np.int64)
            index.append(pixels[inside])
            label.append(sector * bins + np.minimum(number, bins - 1))
        return PixelBins.of(image, np.concatenate(index), np.concatenate(label), (len(middles), bins))

"""Intensity against q in sectors of azimuth."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

from nxscatter.errors import ParameterError, StepError
from nxscatter.fields import param
from nxscatter.model import Exposure, Floats
from nxscatter.results import Geometry, Image, Sectors
from nxscatter.science.fitting.lineshapes import wrap
from nxscatter.science.geometry import qspace
from nxscatter.science.pixels.pixel_bins import Cells, frame_times
from nxscatter.science.pixels.radial import radius_to_q
from nxscatter.step import Step


@dataclass(frozen=True)
class RadialSectors(Step):
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

    def __call__(self, image: Image, geometry: Geometry, exposure: Exposure | None = None) -> Sectors:
        """Return the profiles of the mean, or of each frame with a leading frame axis.

        Raises
        ------
        StepError
            When the range of q lies outside the detector, or frames and their times differ in number.
        """
        geometry = geometry.binned(image.binning)
        middles = 0 - wrap(-(self.offset + self.delta * np.arange(self.nb_azim)), 360)
        edges, auto = self._edges(geometry)
        cells = self._cells(image, geometry, middles, edges)
        intensity, errors = cells.each_frame() if self.frames == "each" else cells.mean()
        empty = [f"{chi:g}" for chi, pixels in zip(middles, cells.pixels, strict=True) if not pixels.any()]
        notes = [f"no valid pixel in the sectors at chi = {', '.join(empty)} degrees"] if empty else []
        return Sectors(
            chi=middles,
            width=self.width,
            q=(edges[:-1] + edges[1:]) / 2,
            intensity=intensity,
            intensity_errors=errors,
            pixels=cells.pixels.astype(np.int64),
            measured=cells.hits.astype(np.int64),
            elapsed=frame_times(self.name, image, exposure) if self.frames == "each" else np.zeros(0),
            notes=tuple(dict.fromkeys((*image.notes, *geometry.notes, *notes))),
            auto=auto,
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
        return np.linspace(low, high, bins + 1), {key: one for key, one in chosen.items() if getattr(self, key) is None}

    def _cells(self, image: Image, geometry: Geometry, middles: Floats, edges: Floats) -> Cells:
        index, label = [], []
        bins, low, high = len(edges) - 1, edges[0], edges[-1]
        for sector, middle in enumerate(middles):
            pixels, q = qspace.sector_pixels(geometry, float(middle), self.width)
            inside = (q >= low) & (q <= high) & np.isfinite(image.intensity.reshape(-1)[pixels])
            number = ((q[inside] - low) * (bins / (high - low))).astype(np.int64)
            index.append(pixels[inside])
            label.append(sector * bins + np.minimum(number, bins - 1))
        return Cells.of(self.name, image, np.concatenate(index), np.concatenate(label), (len(middles), bins))

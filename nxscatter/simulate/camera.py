"""Detectors at their places: what each pixel sees of a pattern, and what it counts (Poisson noise, dead pixels)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nxscatter.model import Array, Floats
from nxscatter.results import Geometry
from nxscatter.science.geometry import qspace
from nxscatter.simulate.physics import Pattern


@dataclass(frozen=True)
class Camera:
    """A detector and its beamstop.

    Parameters
    ----------
    name : str
        Name of the detector.
    geometry : Geometry
        Where it stands.
    gap_rows, gap_columns : tuple of (first, stop)
        Rows and columns between modules, where nothing is measured.
    beamstop : float
        Radius of the beamstop's shadow in pixels, 0 for none.
    arm : float
        Width in pixels of the shadow of the beamstop's holder, which comes from row 0.
    dead : int
        Number of dead pixels, scattered over the detector by ``dead_seed``.
    dtype : str
        Type of the stored counts.
    dummy : int
        Value of a pixel without data: in gaps and where a pixel is dead.
    """

    name: str
    geometry: Geometry
    gap_rows: tuple[tuple[int, int], ...] = ()
    gap_columns: tuple[tuple[int, int], ...] = ()
    beamstop: float = 0.0
    arm: float = 0.0
    dead: int = 0
    dead_seed: int = 0
    dtype: str = "uint32"
    dummy: int = 2**32 - 1

    def gap_mask(self) -> Array:
        """Return True in the gaps between modules, (rows, columns)."""
        mask = np.zeros(self.geometry.shape, dtype=bool)
        for first, stop in self.gap_rows:
            mask[first:stop] = True
        for first, stop in self.gap_columns:
            mask[:, first:stop] = True
        return mask

    def beamstop_mask(self) -> Array:
        """Return True in the shadow of the beamstop and its holder, (rows, columns)."""
        rows, columns = self.geometry.shape
        beam_y, beam_x = qspace.direct_beam(self.geometry)
        y = np.arange(rows)[:, np.newaxis] + 0.5 - beam_y
        x = np.arange(columns) + 0.5 - beam_x
        disc = y**2 + x**2 < self.beamstop**2
        holder = (np.abs(x) < self.arm / 2) & (y < 0)
        return np.asarray(disc | holder)

    def dead_mask(self) -> Array:
        """Return True on dead pixels, (rows, columns)."""
        rows, columns = self.geometry.shape
        mask = np.zeros(rows * columns, dtype=bool)
        generator = np.random.default_rng(self.dead_seed)
        mask[generator.choice(rows * columns, size=self.dead, replace=False)] = True
        return mask.reshape(rows, columns)

    def expected(self, pattern: Pattern) -> Floats:
        """Return the counts per second of each pixel, (rows, columns): 0 in the beamstop's shadow."""
        place = qspace.pixels(self.geometry)
        rate = pattern.rate(place.q, place.chi, self.geometry.wavelength)
        rate[self.beamstop_mask()] = 0.0
        return rate

    def expose(self, patterns: Sequence[Pattern], exposure_time: float, seed: int = 0) -> Iterator[Array]:
        """Yield one frame of counts (rows, columns) for each pattern, with Poisson noise.

        Frame n depends on ``seed`` and n only, not on the frames before it.

        Parameters
        ----------
        patterns : sequence of Pattern
            What the sample scatters during each frame.
        exposure_time : float
            Exposure time of a frame in seconds.
        seed : int
            Seed of the noise.
        """
        blind = self.gap_mask() | self.dead_mask()
        largest = np.iinfo(self.dtype).max
        previous: Pattern | None = None
        mean: Floats = np.zeros(0)
        for frame, pattern in enumerate(patterns):
            if pattern != previous:
                previous, mean = pattern, self.expected(pattern) * exposure_time
            counts = np.random.default_rng((seed, frame)).poisson(mean)
            counts = np.minimum(counts, largest).astype(self.dtype)
            counts[blind] = self.dummy
            yield counts


def _geometry(
    shape: tuple[int, int], center: tuple[float, float], pixel_size: float, distance: float, wavelength: float
) -> Geometry:
    return Geometry(
        wavelength=wavelength,
        distance=distance,
        pixel_size_y=pixel_size,
        pixel_size_x=pixel_size,
        center_y=center[0],
        center_x=center[1],
        rows=shape[0],
        columns=shape[1],
    )


# Modules of 512 x 1028 pixels, 38 rows and 12 columns apart.
EIGER2_4M = Camera(
    name="eiger2",
    geometry=_geometry((2162, 2068), (1102.37, 1049.81), 75e-6, 3.114, 1.0),
    gap_rows=((512, 550), (1062, 1100), (1612, 1650)),
    gap_columns=((1028, 1040),),
    beamstop=60.0,
    arm=24.0,
    dead=2000,
)
# A quarter of the resolution: quick, with gaps and beamstop in proportion.
EIGER2_SMALL = Camera(
    name="eiger2",
    geometry=_geometry((512, 480), (262.31, 245.64), 300e-6, 5.012, 1.0),
    gap_rows=((119, 128), (393, 402)),
    gap_columns=((233, 236),),
    beamstop=22.0,
    arm=7.0,
    dead=50,
)
EIGER2_USAXS = replace(EIGER2_SMALL, geometry=replace(EIGER2_SMALL.geometry, distance=31.012))
RAYONIX_WAXS = Camera(
    name="rayonixhs",
    geometry=_geometry((600, 600), (289.62, 310.24), 177.1e-6, 0.0905, 1.0),
    beamstop=30.0,
    arm=9.0,
    dead=20,
    dtype="uint16",
    dummy=2**16 - 1,
)
# Three modules of 195 rows, 17 rows apart, on a laboratory instrument with copper radiation.
PILATUS_300K = Camera(
    name="pilatus300k",
    geometry=_geometry((619, 487), (301.72, 247.18), 172e-6, 1.2074, 1.54189),
    gap_rows=((195, 212), (407, 424)),
    beamstop=20.0,
    arm=6.0,
    dead=30,
    dtype="int32",
    dummy=-1,
)

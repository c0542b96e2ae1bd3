"""What a measurement is: set-up, sample, maps of angles and q, crystal; lazy, maps are memoised."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from nxscatter.mapping.measurement import Measurement
from nxscatter.model import Floats
from nxscatter.results import Geometry
from nxscatter.science.geometry import qspace

if TYPE_CHECKING:
    from nxscatter.science.geometry.atoms import Atoms

_PER_M = 1e10  # 1/angstrom in 1/m


class Attributes(Measurement):
    """The attributes of `Mapping`, in the units of its users: q in 1/m, lengths in m, angles in degrees.

    Maps have the shape of ``data``. They are computed at the first look, whatever ``mapping`` says, and kept.
    """

    @property
    def wl(self) -> float:
        """Wavelength, m; NaN when unknown."""
        return self.container.beam.wavelength * 1e-10

    @property
    def D(self) -> float:  # noqa: N802
        """Distance from the sample to the detector, m; NaN when unknown."""
        return self._detector.distance

    @property
    def x_center(self) -> float:
        """Column of the beam centre in pixels of ``data``: 0.5 is the middle of the first one."""
        detector = self._detector
        return (detector.center_x - detector.offset_x) / self.binning

    @property
    def z_center(self) -> float:
        """Row of the beam centre in pixels of ``data``: 0.5 is the middle of the first one."""
        detector = self._detector
        return (detector.center_y - detector.offset_y) / self.binning

    @property
    def pixel_size_x(self) -> float:
        """Width of a pixel of ``data``, m."""
        return self._detector.pixel_size_x * self.binning

    @property
    def pixel_size_z(self) -> float:
        """Height of a pixel of ``data``, m."""
        return self._detector.pixel_size_y * self.binning

    @property
    def B(self) -> float:  # noqa: N802
        """Magnetic field, mT; NaN when the title names none."""
        return self.container.sample.magnetic_field

    @property
    def samplename(self) -> str:
        """Name of the sample."""
        return self.container.sample.name

    @property
    def epoch(self) -> float:
        """Start of the measurement (its end where no start is known), seconds since 1970; NaN when unknown."""
        time = self.container.start_time or self.container.end_time
        return float("nan") if time is None else time.timestamp()

    @property
    def data(self) -> Floats:
        """Mean counts of all frames (rows, columns), binned; NaN where a pixel is invalid."""
        return self._image.intensity

    @property
    def qx(self) -> Floats:
        """Horizontal component of q, 1/m."""
        return self._map("qx", lambda geometry: qspace.pixels(geometry).qx * _PER_M)

    @property
    def qy(self) -> Floats:
        """Component of q along the beam, 1/m, never positive."""
        return self._map("qy", lambda geometry: qspace.pixels(geometry).qy * _PER_M)

    @property
    def qz(self) -> Floats:
        """Component of q along the rows' direction, 1/m."""
        return self._map("qz", lambda geometry: qspace.pixels(geometry).qz * _PER_M)

    @property
    def q_parr(self) -> Floats:
        """Component of q along the horizontal, the direction of the field: `qx`, 1/m."""
        return self.qx

    @property
    def q_perp(self) -> Floats:
        """Component of q across it, ``hypot(qy, qz)``, 1/m."""
        return self._map("q_perp", lambda geometry: qspace.pixels(geometry).q_perp * _PER_M)

    @property
    def norm_Q(self) -> Floats:  # noqa: N802
        """Modulus of q, 1/m."""
        return self._map("norm_Q", lambda geometry: qspace.q_map(geometry) * _PER_M)

    @property
    def thetaB(self) -> Floats:  # noqa: N802
        """Bragg angle, half the scattering angle, degrees."""
        return self._map("thetaB", lambda geometry: qspace.pixels(geometry).two_theta / 2)

    @property
    def beta(self) -> Floats:
        """Angle between q and the horizontal, 0 to 180 degrees."""
        return self._map("beta", lambda geometry: qspace.pixels(geometry).beta)

    @property
    def phi(self) -> Floats:
        """Azimuth folded to [0, 180) degrees, defined on every pixel."""
        return self._map("phi", lambda geometry: qspace.pixels(geometry).phi)

    def _map(self, name: str, make: Callable[[Geometry], Floats]) -> Floats:
        geometry = self._geometry
        key = (name, geometry.pixel_size_x)
        if key not in self._maps:
            self._maps[key] = np.ascontiguousarray(np.broadcast_to(make(geometry), geometry.shape))
        return self._maps[key]

    @property
    def lattice_parameters(self) -> Floats | None:
        """Lengths (angstrom) and angles (degrees) of the cell: a, b, c, alpha, beta, gamma; None without a CIF."""
        if self._crystal is None:
            return None
        cell = self._crystal.cell
        return np.array([cell.a, cell.b, cell.c, cell.alpha, cell.beta, cell.gamma])

    @property
    def a(self) -> float | None:
        """Lattice constant a, angstrom; None without a CIF."""
        return None if self._crystal is None else self._crystal.cell.a

    @property
    def b(self) -> float | None:
        """Lattice constant b, angstrom; None without a CIF."""
        return None if self._crystal is None else self._crystal.cell.b

    @property
    def c(self) -> float | None:
        """Lattice constant c, angstrom; None without a CIF."""
        return None if self._crystal is None else self._crystal.cell.c

    @property
    def alpha(self) -> float | None:
        """Angle between b and c, degrees; None without a CIF."""
        return None if self._crystal is None else self._crystal.cell.alpha

    @property
    def beta_lattice(self) -> float | None:
        """Angle between a and c, degrees; None without a CIF."""
        return None if self._crystal is None else self._crystal.cell.beta

    @property
    def gamma(self) -> float | None:
        """Angle between a and b, degrees; None without a CIF."""
        return None if self._crystal is None else self._crystal.cell.gamma

    @property
    def atom_positions(self) -> Floats | None:
        """Fractional coordinates of the atoms that the CIF lists (atom, 3); None without a CIF that ase reads."""
        return None if self._atoms is None else self._atoms.positions

    @property
    def atom_elements(self) -> list[str] | None:
        """Chemical symbols of these atoms; None without a CIF that ase reads."""
        return None if self._atoms is None else list(self._atoms.elements)

    @property
    def _atoms(self) -> Atoms | None:
        """The atoms of the CIF; None without one, and with a warning when they cannot be read."""
        if self._crystal is None or self._cif is None:
            return None
        atoms = self._crystal.atoms
        if atoms.note:
            self._warn(f"{self._cif.name}: {atoms.note}")
            return None
        return atoms

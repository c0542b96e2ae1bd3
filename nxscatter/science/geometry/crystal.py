"""Where a crystal's reflections stand: d, theta and q from the unit cell of a CIF."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from nxscatter.errors import ParameterError, ReadError
from nxscatter.model import Floats, Ints
from nxscatter.science.geometry.atoms import Atoms, read_atoms
from nxscatter.science.geometry.cif import find_structure, number, stated
from nxscatter.science.geometry.space_group import find_space_group

_LONGEST = 1e8  # angstrom, 1 cm: what is longer is no edge, and its square overflows in the end
_FLATTEST = 1e-12  # (volume / abc)^2 from which on angles span a volume; 72-layer polytypes have 2e-7, rounding 1e-16
_LARGEST_INDEX = 10**6
_VOLUME_MISFIT = 0.01  # relative, from which on the volume that a CIF states is another cell's


@dataclass(frozen=True)
class Cell:
    """A unit cell of any crystal system: lengths in angstrom, angles in degrees.

    Raises
    ------
    ParameterError
        When no cell has these lengths and angles.
    """

    a: float
    b: float
    c: float
    alpha: float = 90.0
    beta: float = 90.0
    gamma: float = 90.0

    def __post_init__(self) -> None:
        """Check that the edges span a volume."""
        lengths, angles = (self.a, self.b, self.c), (self.alpha, self.beta, self.gamma)
        possible = min(lengths) > 0 and max(lengths) < _LONGEST and min(angles) > 0 and max(angles) < 180
        if not (possible and np.linalg.det(self.metric) > _FLATTEST * np.prod(lengths) ** 2):
            numbers = " ".join(f"{number:g}" for number in (*lengths, *angles))
            raise ParameterError(f"no unit cell has a b c alpha beta gamma = {numbers}: give angstrom and degree")

    @property
    def metric(self) -> Floats:
        """Metric tensor: the scalar products of the edges, angstrom^2."""
        lengths = np.array([self.a, self.b, self.c])
        alpha, beta, gamma = np.cos(np.radians([self.alpha, self.beta, self.gamma]))
        cosines = np.array([[1, gamma, beta], [gamma, 1, alpha], [beta, alpha, 1]])
        return np.asarray(lengths[:, None] * lengths * cosines)

    @property
    def is_hexagonal(self) -> bool:
        """Whether the axes are those of four-index (Miller-Bravais) notation: a = b, gamma = 120, c across them."""
        edges, angles = (self.a, self.b), (self.alpha, self.beta, self.gamma)
        return bool(np.allclose(*edges, rtol=0.01) and np.allclose(angles, (90, 90, 120), rtol=0, atol=0.5))

    @property
    def volume(self) -> float:
        """Volume, angstrom^3."""
        return float(np.sqrt(np.linalg.det(self.metric)))


@dataclass(frozen=True, eq=False)
class Crystal:
    """What a CIF says: the cell, its symmetry, and the atoms.

    Attributes
    ----------
    cell : Cell
        The unit cell.
    space_group : str
        Name of the space group, "" when the CIF names none.
    rotations, translations : ndarray (operation, 3, 3) and (operation, 3)
        Symmetry operations on fractional coordinates; none when the space group is not known.
    notes : tuple of str
        What to be aware of: a broken grammar, statements that contradict each other, that no extinctions are known.
    block : str
        Text of the CIF's block, for its atoms; "" when its grammar is broken.
    """

    cell: Cell
    space_group: str
    rotations: Ints
    translations: Floats
    notes: tuple[str, ...] = ()
    block: str = ""

    @cached_property
    def atoms(self) -> Atoms:
        """The atoms listed, with a note when they cannot be read; looked up when they are asked for."""
        return read_atoms(self.block)

    @property
    def elements(self) -> tuple[str, ...]:
        """Chemical symbol of each atom listed."""
        return self.atoms.elements

    @property
    def positions(self) -> Floats:
        """Fractional coordinates of the atoms listed (the asymmetric unit), (atom, 3)."""
        return self.atoms.positions

    def is_absent(self, hkl: Sequence[int]) -> bool:
        """Whether symmetry extinguishes a reflection; False when the space group is not known.

        That is so when an operation (R, t) leaves hkl as it is but shifts its phase: ``hkl R = hkl`` with
        ``hkl t`` not a whole number.
        """
        index = np.asarray(hkl)
        kept = (index @ self.rotations == index).all(axis=-1)
        shift = self.translations[kept] @ index
        return bool(np.any(np.abs(shift - np.rint(shift)) > 1e-3))


def parse_indices(text: str) -> tuple[int, ...]:
    """Read three or four indices such as ``"1 0 -2"``, ``"(1,0,-2)"``, ``"102"`` or ``"1 0 -1 2"``.

    Raises
    ------
    ParameterError
        When there are not three or four whole numbers, all are 0, or the third of four is not -(h + k).
    """
    bare = text.strip().strip("()[]{}").strip()
    parts = re.findall(r"-?\d", bare) if re.fullmatch(r"(-?\d){3,4}", bare) else re.split(r"[\s,]+", bare)
    if len(parts) not in (3, 4) or not all(re.fullmatch(r"[+-]?\d{1,9}", part, re.ASCII) for part in parts):
        raise ParameterError(f"hkl = '{text}': give three whole numbers, such as '1 0 0'")
    indices = tuple(int(part) for part in parts)
    if len(indices) == 4 and indices[2] != -(indices[0] + indices[1]):
        raise ParameterError(f"hkl = '{text}': of four indices h k i l, i is -(h + k), here {-indices[0] - indices[1]}")
    _check(_three(indices))
    return indices


def parse_hkl(text: str, cell: Cell | None = None) -> tuple[int, int, int]:
    """Read Miller indices as `parse_indices` does; of four, which a cell must have hexagonal axes for, the third goes.

    Raises
    ------
    ParameterError
        When these are no indices, or four for a cell with other axes.
    """
    indices = parse_indices(text)
    if len(indices) == 4 and cell is not None and not cell.is_hexagonal:
        raise ParameterError(f"hkl = '{text}': four indices need hexagonal axes (a = b, gamma = 120); give three")
    return _three(indices)


def _three(indices: Sequence[int]) -> tuple[int, int, int]:
    h, k, *_, l = indices  # noqa: E741
    return h, k, l


def d_hkl(cell: Cell, hkl: Sequence[int]) -> float:
    """Return the lattice spacing in angstrom, ``1/d^2 = h G* h`` with the reciprocal metric G*."""
    _check(hkl)
    index = np.asarray(hkl, dtype=float)
    return float(1 / np.sqrt(index @ np.linalg.solve(cell.metric, index)))


def q_hkl(cell: Cell, hkl: Sequence[int]) -> float:
    """Return ``q = 2*pi/d`` in 1/angstrom."""
    return 2 * np.pi / d_hkl(cell, hkl)


def theta_hkl(cell: Cell, hkl: Sequence[int], wavelength: float) -> float:
    """Return the Bragg angle in radians for a wavelength in angstrom.

    Raises
    ------
    ParameterError
        When d is below half the wavelength, so that the reflection cannot be reached.
    """
    d = d_hkl(cell, hkl)
    if not wavelength > 0:
        raise ParameterError(f"wavelength = {wavelength:g} angstrom: give one above 0")
    if d < wavelength / 2:
        raise ParameterError(
            f"reflection ({' '.join(map(str, hkl))}): d = {d:.4f} angstrom is below half the wavelength "
            f"({wavelength / 2:.4f} angstrom), choose another"
        )
    return float(np.arcsin(wavelength / (2 * d)))


@lru_cache(maxsize=8)  # every file of a run asks for the same few
def read_cif(text: str, name: str = "CIF") -> Crystal:
    """Read the crystal structure of a CIF: cell and space group with gemmi, atoms when they are asked for.

    Parameters
    ----------
    text : str
        The file's text.
    name : str
        Its name, for errors; behind a colon the name of the block to read, where several have different cells.

    Raises
    ------
    ReadError
        When there is no unit cell, none is possible, or the block is not told.
    """
    try:
        block, items, numbers, notes = find_structure(text, name.partition(":")[2])
        cell = Cell(*numbers)
    except (ReadError, ParameterError) as error:
        raise ReadError(f"{name}: {error}") from error
    group = find_space_group(items, cell.metric)
    for volume in map(number, stated(items, "_cell_volume", "_cell.volume")[:1]):
        if abs(volume / cell.volume - 1) > _VOLUME_MISFIT:
            notes += (f"the cell's volume is {cell.volume:g} angstrom^3, _cell_volume {volume:g}: check its edges",)
    return Crystal(cell, group.name, group.rotations, group.translations, (*notes, *group.notes), block)


def _check(hkl: Sequence[int]) -> None:
    if len(hkl) != 3 or not any(hkl):
        raise ParameterError(f"hkl = {tuple(hkl)}: give three Miller indices that are not all 0")
    if max(map(abs, hkl)) > _LARGEST_INDEX:
        raise ParameterError(f"hkl = {tuple(hkl)}: give indices up to {_LARGEST_INDEX}")

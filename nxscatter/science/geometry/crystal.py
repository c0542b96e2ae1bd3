"""Where a crystal's reflections stand: d, theta and q from the unit cell of a CIF."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nxscatter.errors import ParameterError, ReadError
from nxscatter.model import Floats, Ints

# What ase raises over a CIF that it cannot make sense of.
_ASE_ERRORS = (RuntimeError, ValueError, AssertionError, LookupError, TypeError, AttributeError, StopIteration)


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
        if not (min(lengths) > 0 and min(angles) > 0 and max(angles) < 180 and np.linalg.det(self.metric) > 0):
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
    elements : tuple of str
        Chemical symbol of each atom listed.
    positions : ndarray (atom, 3)
        Fractional coordinates of the atoms listed (the asymmetric unit).
    """

    cell: Cell
    space_group: str
    rotations: Ints
    translations: Floats
    elements: tuple[str, ...]
    positions: Floats

    def is_absent(self, hkl: Sequence[int]) -> bool:
        """Whether symmetry extinguishes a reflection; False when the space group is not known.

        That is so when an operation (R, t) leaves hkl as it is but shifts its phase: ``hkl R = hkl`` with
        ``hkl t`` not a whole number.
        """
        index = np.asarray(hkl)
        kept = (index @ self.rotations == index).all(axis=-1)
        shift = self.translations[kept] @ index
        return bool(np.any(np.abs(shift - np.rint(shift)) > 1e-3))


def parse_hkl(text: str) -> tuple[int, int, int]:
    """Read Miller indices such as ``"1 0 -2"``, ``"(1,0,-2)"`` or ``"102"``.

    Raises
    ------
    ParameterError
        When there are not three whole numbers, or all are 0.
    """
    bare = text.strip().strip("()[]{}").strip()
    parts = list(bare) if re.fullmatch(r"\d{3}", bare) else re.split(r"[\s,]+", bare)
    if len(parts) != 3 or not all(re.fullmatch(r"[+-]?\d+", part) for part in parts):
        raise ParameterError(f"hkl = '{text}': give three whole numbers, such as '1 0 0'")
    h, k, l = (int(part) for part in parts)  # noqa: E741
    _check((h, k, l))
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


def read_cif(text: str, name: str = "CIF") -> Crystal:
    """Read the first crystal structure of a CIF with ase.

    Parameters
    ----------
    text : str
        The file's text.
    name : str
        Its name, for errors.

    Raises
    ------
    ReadError
        When ase cannot parse it, or no block has a unit cell.
    """
    from ase.io.cif import parse_cif

    try:
        blocks: list[Any] = [block for block in parse_cif(io.StringIO(text)) if _cell_numbers(block)]
    except _ASE_ERRORS as error:
        raise ReadError(
            f"{name}: ase cannot read it as CIF ({str(error) or type(error).__name__}): check the file"
        ) from error
    if not blocks:
        raise ReadError(f"{name}: no unit cell (_cell_length_a ...) in it: give the CIF of a crystal structure")
    try:
        cell = Cell(*_cell_numbers(blocks[0]))
        atoms = blocks[0].get_unsymmetrized_structure() if blocks[0].has_structure() else None
    except (ParameterError, *_ASE_ERRORS) as error:
        raise ReadError(f"{name}: {error}") from error
    space_group, rotations, translations = _symmetry(blocks[0])
    return Crystal(
        cell,
        space_group,
        rotations,
        translations,
        () if atoms is None else tuple(atoms.get_chemical_symbols()),
        np.zeros((0, 3)) if atoms is None else atoms.get_scaled_positions(wrap=False),
    )


def _cell_numbers(block: Mapping[str, Any]) -> tuple[float, ...]:
    """Return the six numbers of a block's cell, or nothing."""
    keys = [f"_cell_length_{name}" for name in "abc"] + [f"_cell_angle_{name}" for name in ("alpha", "beta", "gamma")]
    numbers = [block.get(key) for key in keys]
    if not all(isinstance(number, int | float) for number in numbers):
        return ()
    return tuple(float(number) for number in numbers if number is not None)


def _symmetry(block: Mapping[str, Any]) -> tuple[str, Ints, Floats]:
    """Return name and operations of the space group: those listed, else those of the group that is named.

    A bare number is not enough: it leaves the choice of axes open.
    """
    from ase.spacegroup import spacegroup as groups

    names = ("_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m")
    name = next((str(block[key]) for key in names if key in block), "")
    listed = ("_space_group_symop_operation_xyz", "_space_group_symop.operation_xyz", "_symmetry_equiv_pos_as_xyz")
    operations = next((block[key] for key in listed if key in block), None)
    if operations is not None:
        operations = [operations] if isinstance(operations, str) else operations
        rotations, translations = groups.parse_sitesym(operations)  # type: ignore[no-untyped-call]
        return name, np.asarray(rotations, dtype=int), np.asarray(translations)
    try:
        pairs = groups.Spacegroup(name).get_symop() if name else []  # type: ignore[no-untyped-call]
    except groups.SpacegroupNotFoundError:
        pairs = []
    rotations = np.array([rotation for rotation, _ in pairs], dtype=int).reshape(-1, 3, 3)
    return name, rotations, np.array([translation for _, translation in pairs], dtype=float).reshape(-1, 3)


def _check(hkl: Sequence[int]) -> None:
    if len(hkl) != 3 or not any(hkl):
        raise ParameterError(f"hkl = {tuple(hkl)}: give three Miller indices that are not all 0")

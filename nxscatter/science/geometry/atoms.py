"""The atoms that a CIF lists, read by ase."""

from __future__ import annotations

import io
import warnings
from typing import Any, NamedTuple

import numpy as np

from nxscatter.model import Floats
from nxscatter.science.geometry.cif import shown


class Atoms(NamedTuple):
    """The atoms of the asymmetric unit.

    Attributes
    ----------
    elements : tuple of str
        Chemical symbols.
    positions : ndarray (atom, 3)
        Fractional coordinates.
    note : str
        Why ase cannot read them, "" when it can.
    """

    elements: tuple[str, ...]
    positions: Floats
    note: str = ""


def read_atoms(block: str) -> Atoms:
    """Read the atoms of one block of a CIF, given as text; none when it lists none, or ase cannot read them."""
    if not block:
        return Atoms((), np.zeros((0, 3)), "the atoms are not read, as it is no valid CIF")
    from ase.io.cif import parse_cif

    note = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a cell, settings and dialects that are read elsewhere
            blocks: list[Any] = list(parse_cif(io.StringIO(block)))
            if blocks[0].has_structure():
                atoms = blocks[0].get_unsymmetrized_structure()
                return Atoms(tuple(atoms.get_chemical_symbols()), atoms.get_scaled_positions(wrap=False))
        if "_atom_site" in block.lower():
            note = "the atoms cannot be read by ase (no fractional coordinates)"
    except Exception as error:  # noqa: BLE001, ase raises anything over labels and coordinates that it does not know
        note = f"the atoms cannot be read by ase ({shown(str(error)) or type(error).__name__})"
    return Atoms((), np.zeros((0, 3)), note)

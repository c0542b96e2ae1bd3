"""The space group that a CIF states: by its operations, a Hall name, a Hermann-Mauguin name or a number.

What the International Tables say of each setting is gemmi's. A group is believed when it leaves the metric of the
cell as it is and all statements agree on what it extinguishes; origin choices do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nxscatter.model import Floats, Ints
from nxscatter.science.geometry.cif import Items, shown, stated

if TYPE_CHECKING:
    from gemmi import GroupOps, Op

_OPERATIONS = (
    *("_space_group_symop_operation_xyz", "_space_group_symop.operation_xyz"),
    *("_symmetry_equiv_pos_as_xyz", "_symmetry_equiv.pos_as_xyz"),
)
# Magnetic CIFs: the fourth part of an operation is time reversal, which charges do not see.
_MAGNETIC_OPERATIONS = ("_space_group_symop_magn_operation.xyz", "_space_group_symop.magn_operation_xyz")
_MAGNETIC_CENTERING = ("_space_group_symop_magn_centering.xyz", "_space_group_symop.magn_centering_xyz")
_HALL = (
    *("_space_group_name_hall", "_space_group.name_hall"),
    *("_symmetry_space_group_name_hall", "_symmetry.space_group_name_hall"),
)
_HERMANN_MAUGUIN = (
    *("_space_group_name_h-m_alt", "_space_group.name_h-m_alt", "_space_group_name_h-m"),
    *("_symmetry_space_group_name_h-m", "_symmetry.space_group_name_h-m"),
    *("_space_group_name_h-m_full", "_space_group.name_h-m_full", "_symmetry.space_group_name_h-m_full"),
)
_NUMBER = (
    *("_space_group_it_number", "_space_group.it_number"),
    *("_symmetry_int_tables_number", "_symmetry.int_tables_number"),
)
# Origin and axes, as databases write them behind a name: the cell tells the axes, and no origin moves extinctions.
_CHOICE = re.compile(r"[\s:]*(?:\([^()]*\)|[SZ]|RS|HR|HS|O[12])$")
_MOST_OPERATIONS = 1024  # of a group in gemmi; conventional cells have up to 192
_MOST_NAMES = 10  # that a block may give its group
_MISFIT = 0.02  # of the edges, by which a cell may miss the symmetry: relaxed and refined cells do
# Every residue of indices modulo 12, which all translations of the tables repeat by, on every plane and line.
_GRID = np.stack(np.meshgrid(*[np.arange(-6, 7, dtype=np.int32)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)


class SpaceGroup(NamedTuple):
    """A space group.

    Attributes
    ----------
    name : str
        As the CIF names it, else as the tables do; "" without one.
    rotations, translations : ndarray (operation, 3, 3) and (operation, 3)
        Operations on fractional coordinates; none when the group is not known.
    notes : tuple of str
        What does not fit, and why nothing is known.
    """

    name: str
    rotations: Ints
    translations: Floats
    notes: tuple[str, ...]


class _Statement(NamedTuple):
    """What a CIF states, the groups that it may mean, and why there is none."""

    text: str
    groups: Sequence[GroupOps]
    problem: str = ""


def find_space_group(items: Items, metric: Floats) -> SpaceGroup:
    """Return the space group that a block of a CIF states for a cell with this metric tensor."""
    from gemmi import find_spacegroup_by_ops

    name = next(iter(_names(items, _HERMANN_MAUGUIN)), "")
    notes: list[str] = []
    problems: list[str] = []
    believed: dict[str, dict[bytes, GroupOps]] = {}  # of each statement: its groups by what they extinguish
    for text, groups, problem in _statements(items):
        fitting = {_extinctions(group): group for group in groups if _fits(group, metric)}
        if fitting:
            believed[text] = fitting
        elif groups:
            notes.append(f"the cell has not the symmetry of {text}")
        else:
            problems.append(problem)
    agreed = set.intersection(*map(set, believed.values())) if believed else set()
    if len(agreed) == 1:
        group = next(iter(believed.values()))[agreed.pop()]
        known = find_spacegroup_by_ops(group)
        return SpaceGroup(name or (known.hm if known else ""), *_matrices(group), tuple(notes))
    if believed and not agreed:
        problems = [f"{' and '.join(believed)} contradict each other"]
    elif believed:
        problems = [f"{' and '.join(believed)} leaves the choice of axes open"]
    if not problems and not notes:
        problems = ["the CIF states no symmetry"]
    notes.append(": ".join(["no extinctions known", *problems[:1]]))
    return SpaceGroup(name, np.zeros((0, 3, 3), dtype=int), np.zeros((0, 3)), tuple(notes))


def _statements(items: Items) -> Iterator[_Statement]:
    """Give what a block states of its symmetry. A number counts only where nothing else does: it has many settings."""
    import gemmi

    found = [*_operations(items), *map(_by_hall, _names(items, _HALL)), *_by_name(items)]
    yield from found
    for text in () if any(statement.groups for statement in found) else _names(items, _NUMBER):
        settings = [group.operations() for group in gemmi.spacegroup_table() if str(group.number) == text]
        yield _Statement(f"space group number {text}", settings, f"'{text}' is no space group number")


def _names(items: Items, tags: Sequence[str]) -> list[str]:
    return [shown(text) for text in stated(items, *tags)[:_MOST_NAMES]]


def _operations(items: Items) -> Iterator[_Statement]:
    """Give the group of the operations that are listed."""
    for tags, centering in ((_OPERATIONS, ()), (_MAGNETIC_OPERATIONS, _MAGNETIC_CENTERING)):
        triplets = [line for text in stated(items, *tags) for line in text.splitlines() if line.strip()]
        if triplets:
            try:
                yield _Statement("the listed operations", [_group(triplets, stated(items, *centering))])
            except (RuntimeError, ValueError) as error:
                yield _Statement("", (), f"the listed symmetry operations make no group ({shown(str(error))})")


def _group(triplets: Sequence[str], centering: Sequence[str]) -> GroupOps:
    """Return the group of all operations, with each centering translation; ValueError when something is missing."""
    from gemmi import GroupOps, Op

    if len(triplets) * max(len(centering), 1) > _MOST_OPERATIONS:
        raise ValueError(f"more than {_MOST_OPERATIONS}")
    identity = Op("x,y,z")
    products = {
        (_operation(triplet) * shift).wrap().triplet()
        for triplet in (identity.triplet(), *triplets)
        for shift in (identity, *map(_operation, centering))
    }
    group = GroupOps([Op(triplet) for triplet in products])
    group.add_missing_elements()
    if len(group) != len(products):
        raise ValueError(f"{len(products)} of {len(group)}")
    return group


def _operation(text: str) -> Op:
    from gemmi import Op

    parts = text.split(",")
    operation = Op(",".join(parts[:3] if len(parts) == 4 else parts))
    rotation = np.array(operation.rot)
    if np.any(rotation % Op.DEN) or abs(round(np.linalg.det(rotation / Op.DEN))) != 1:
        raise ValueError(f"{shown(text)} keeps no lattice")
    return operation


def _by_hall(text: str) -> _Statement:
    from gemmi import symops_from_hall

    try:
        return _Statement(f"Hall name '{text}'", [symops_from_hall(text)])
    except (RuntimeError, ValueError):
        return _Statement("", (), f"'{text}' is no Hall name")


def _by_name(items: Items) -> Iterator[_Statement]:
    """Give the settings that have the name: of a rhombohedral group both, unless the name says which."""
    from gemmi import find_spacegroup_by_name

    for text in _names(items, _HERMANN_MAUGUIN):
        bare = re.sub(r"\((\d)\)", r"\1", re.sub(r"(?<=\d)_(?=\d)", "", text)).replace("_", " ")
        for name in (bare, _CHOICE.sub("", bare), _short(_CHOICE.sub("", bare))):
            found = [find_spacegroup_by_name(name, angle, gamma) for angle, gamma in ((90, 120), (60, 60))]
            groups = [group.operations() for group in found if group is not None]
            if groups:
                break
        yield _Statement(f"'{text}'", groups, f"'{text}' is no space group of the tables")


def _short(name: str) -> str:
    """Shorten a full name: ``F 4/m -3 2/m`` is ``F m -3 m``, ``P 63/m 2/m 2/c`` is ``P 63/m m c``."""
    centering, *axes = name.split() or [""]
    keeps_first = len(axes) > 1 and axes[0][0] in "46" and axes[1] != "-3"  # tetragonal and hexagonal
    kept = axes[:1] if keeps_first else []
    return " ".join([centering, *kept, *(re.sub(r"^\d+/", "", axis) for axis in axes[len(kept) :])])


def _extinctions(group: GroupOps) -> bytes:
    """Return which reflections of the grid the group extinguishes, as a key to compare groups by."""
    return bytes(np.asarray(group.systematic_absences(_GRID), dtype=bool))


def _matrices(group: GroupOps) -> tuple[Ints, Floats]:
    rotations = np.array([operation.rot for operation in group], dtype=int)
    translations = np.array([operation.tran for operation in group], dtype=float)
    return rotations // group.sym_ops[0].DEN, translations / group.sym_ops[0].DEN


def _fits(group: GroupOps, metric: Floats) -> bool:
    """Whether all operations leave the metric of the cell as it is, within what relaxed cells are off."""
    rotations, _ = _matrices(group)
    moved = rotations.transpose(0, 2, 1) @ metric @ rotations
    edges = np.sqrt(np.diag(metric))
    return bool(np.all(np.abs(moved - metric) <= _MISFIT * np.outer(edges, edges)))

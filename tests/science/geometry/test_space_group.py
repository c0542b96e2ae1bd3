"""Which group a CIF states, and what it extinguishes, against structure factors."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest

from nxscatter.science.geometry.crystal import Crystal, read_cif
from support.cif import cif

HEXAGONAL = ((4.989, 4.989, 17.062), (90, 90, 120))
RHOMBOHEDRAL = ((6.36, 6.36, 6.36), (46.1, 46.1, 46.1))
CUBIC = ((5.43, 5.43, 5.43), (90, 90, 90))
ORTHORHOMBIC = ((5, 6, 7), (90, 90, 90))
MONOCLINIC = ((5, 6, 7), (90, 103, 90))
GRID = np.stack(np.meshgrid(*[np.arange(-1, 7)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
UNKNOWN = "no extinctions known: "


def read(cell: tuple[tuple[float, ...], tuple[float, ...]], more: str) -> Crystal:
    return read_cif(cif(*cell, more=more))


def named(name: str, tag: str = "_symmetry_space_group_name_H-M") -> str:
    return f"{tag} '{name}'\n"


def listed(*triplets: str, tag: str = "_symmetry_equiv_pos_as_xyz") -> str:
    return f"loop_\n{tag}\n" + "".join(f"'{triplet}'\n" for triplet in triplets)


def extinct(crystal: Crystal) -> set[tuple[int, ...]]:
    return {tuple(hkl) for hkl in GRID.tolist() if crystal.is_absent(hkl)}


def without_intensity(group: gemmi.SpaceGroup) -> set[tuple[int, ...]]:
    """Reflections whose structure factor is 0 for atoms anywhere: six in general positions of the group."""
    random = np.random.default_rng(3)
    atoms, weights = random.random((6, 3)), random.random(6)
    factor = np.zeros(len(GRID), dtype=complex)
    for operation in group.operations():
        rotation, translation = np.array(operation.rot) / 24, np.array(operation.tran) / 24
        factor += np.exp(2j * np.pi * (atoms @ rotation.T + translation) @ GRID.T).T @ weights
    return {tuple(hkl) for hkl, value in zip(GRID.tolist(), np.abs(factor), strict=True) if value < 1e-8}


def cell_of(group: gemmi.SpaceGroup) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """A cell with the symmetry of a setting: the metric of a random one, averaged over the operations."""
    random = np.random.default_rng(4).random((3, 3)) + 3 * np.eye(3)
    rotations = np.array([operation.rot for operation in group.operations()]) / 24
    metric = (rotations.transpose(0, 2, 1) @ (random @ random.T) @ rotations).mean(axis=0)
    a, b, c = np.sqrt(np.diag(metric))
    cosines = (metric[1, 2] / (b * c), metric[0, 2] / (a * c), metric[0, 1] / (a * b))
    return (a, b, c), tuple(np.degrees(np.arccos(cosines)))


SETTINGS = [group for number, group in enumerate(gemmi.spacegroup_table()) if number % 17 == 0]


@pytest.mark.parametrize("group", SETTINGS, ids=lambda group: group.xhm())
def test_extinctions_of_settings_are_zeros_of_the_structure_factor(group: gemmi.SpaceGroup) -> None:
    cell = cell_of(group)
    truth = without_intensity(group)
    assert extinct(read(cell, named(group.xhm()))) == truth
    assert extinct(read(cell, f"_space_group_name_Hall\n;{group.hall}\n;\n")) == truth
    triplets = [operation.triplet() for operation in group.operations()]
    assert extinct(read(cell, listed(*triplets))) == truth


@pytest.mark.parametrize(
    "name",
    [
        *("F d -3 m", "Fd-3m", "F D -3 M", "F d 3 m", "Fd3m", "F d -3 m :1", "F d -3 m:2", "F d -3 m S", "Fd-3mZ"),
        *("F_d_-3_m", "F 41/d -3 2/m", "F d -3 m (origin 2)", "227"),
    ],
)
def test_names_of_silicon(name: str) -> None:
    crystal = read(CUBIC, named(name))
    assert (crystal.space_group, crystal.notes, len(crystal.rotations)) == (name, (), 192)
    assert [crystal.is_absent(hkl) for hkl in ((1, 1, 1), (2, 0, 0), (2, 2, 0), (0, 2, 0))] == [
        False,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("cell", "name", "absent", "present"),
    [
        (MONOCLINIC, "P 1 21/c 1", [(0, 1, 0), (1, 0, 1)], [(0, 2, 0), (1, 0, 2), (0, 0, 2)]),
        (MONOCLINIC, "P2(1)/c", [(0, 1, 0), (1, 0, 1)], [(1, 0, 2)]),
        (MONOCLINIC, "P2_1/c", [(0, 1, 0), (1, 0, 1)], [(1, 0, 2)]),
        (MONOCLINIC, "P 21/n", [(0, 1, 0), (1, 0, 2)], [(1, 0, 1)]),
        (MONOCLINIC, "P 21/a", [(0, 1, 0), (1, 0, 2)], [(2, 0, 1)]),
        (((5, 6, 7), (90, 90, 103)), "P 1 1 21/b", [(0, 0, 1), (0, 1, 0)], [(1, 0, 0)]),
        (ORTHORHOMBIC, "P n m a", [(0, 1, 2), (1, 1, 0)], [(0, 1, 1), (2, 1, 0)]),
        (ORTHORHOMBIC, "P b n m", [(0, 1, 2), (1, 0, 2)], [(1, 1, 0), (1, 0, 1)]),
        (ORTHORHOMBIC, "C m c e", [(1, 0, 0), (1, 1, 0)], [(1, 1, 1)]),
        (((3.2, 3.2, 5.2), (90, 90, 120)), "P 63_m_c", [(0, 0, 1), (1, 1, 1)], [(1, 0, 1), (0, 0, 2)]),
        (((3.2, 3.2, 5.2), (90, 90, 120)), "P 63/m 2/m 2/c", [(0, 0, 1), (1, 1, 1)], [(1, 0, 1)]),
        (CUBIC, "F 4/m -3 2/m", [(1, 0, 0), (1, 1, 0)], [(1, 1, 1), (2, 0, 0)]),
        (CUBIC, "F m 3 m", [(1, 0, 0)], [(2, 0, 0)]),
        (HEXAGONAL, "R -3 c", [(0, 0, 3), (1, 0, 0)], [(0, 0, 6), (1, 0, 4), (0, 1, 2)]),
        (HEXAGONAL, "R -3 c :H", [(0, 0, 3), (1, 0, 0)], [(0, 0, 6), (1, 0, 4)]),
        (HEXAGONAL, "H -3 c", [(0, 0, 3), (1, 0, 0)], [(0, 0, 6), (1, 0, 4)]),
        (RHOMBOHEDRAL, "R -3 c", [(1, 1, 1)], [(2, 2, 2), (2, 1, 1), (1, 1, 0)]),
        (RHOMBOHEDRAL, "R -3 c :R", [(1, 1, 1)], [(2, 2, 2), (2, 1, 1)]),
        (RHOMBOHEDRAL, "R -3 c RS", [(1, 1, 1)], [(2, 2, 2), (2, 1, 1)]),
        (RHOMBOHEDRAL, "R-3cR", [(1, 1, 1)], [(2, 2, 2), (2, 1, 1)]),
    ],
)
def test_names_and_settings(
    cell: tuple[tuple[float, ...], tuple[float, ...]],
    name: str,
    absent: list[tuple[int, ...]],
    present: list[tuple[int, ...]],
) -> None:
    crystal = read(cell, named(name))
    assert crystal.notes == ()
    assert [crystal.is_absent(hkl) for hkl in (*absent, *present)] == [True] * len(absent) + [False] * len(present)


@pytest.mark.parametrize(
    "more",
    [
        named("-F 4vw 2vw 3", "_symmetry_space_group_name_Hall"),
        named("-F 4vw 2vw 3", "_space_group_name_Hall"),
        named("F 4d 2 3 -1d", "_space_group.name_Hall"),
        named("F d -3 m", "_symmetry.space_group_name_H-M"),
        named("F d -3 m", "_space_group.name_H-M_alt"),
        named("F d -3 m", "_space_group_name_H-M_alt").upper(),
        "_symmetry_Int_Tables_number '227'\n",
        "_space_group_IT_number 227\n",
        named("F d -3 m S") + named("-F 4vw 2vw 3", "_space_group_name_Hall") + "_space_group_IT_number 227\n",
        named("?") + "_space_group_IT_number 227\n",
        named("no such name") + "_space_group_IT_number 227\n",
    ],
)
def test_all_ways_to_state_a_group(more: str) -> None:
    crystal = read(CUBIC, more)
    assert crystal.notes == ()
    assert [crystal.is_absent(hkl) for hkl in ((1, 1, 1), (2, 0, 0), (2, 2, 0), (0, 2, 0))] == [
        False,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    "more",
    [
        listed("x,y,z", "-x,-y,z+1/2"),
        listed("x,y,z", "-x,-y,z+0.5"),
        listed("X, Y, Z", "-X, -Y, 1/2+Z"),
        listed("+x,+y,+z", "-x,-y,.5+z", tag="_space_group_symop_operation_xyz"),
        listed("-x,-y,z+1/2", tag="_space_group_symop.operation_xyz"),  # without the identity
        "loop_\n_symmetry_equiv.id\n_symmetry_equiv.pos_as_xyz\n1 x,y,z\n2 -x,-y,z+1/2\n",
        "_symmetry_equiv_pos_as_xyz\n;\nx,y,z\n-x,-y,z+1/2\n;\n",
        listed("x,y,z,+1", "-x,-y,z+1/2,-1", tag="_space_group_symop_magn_operation.xyz"),
    ],
)
def test_listed_operations(more: str) -> None:
    crystal = read(ORTHORHOMBIC, more)
    assert (crystal.space_group, len(crystal.rotations), crystal.notes) == ("P 1 1 21", 2, ())
    assert [crystal.is_absent((0, 0, l)) for l in (1, 2, 3)] == [True, False, True]  # noqa: E741


def test_a_magnetic_group_has_its_centering_beside_its_operations() -> None:
    operations = listed("x,y,z,+1", "-x,-y,-z,+1", tag="_space_group_symop_magn_operation.xyz")
    crystal = read(
        ORTHORHOMBIC, operations + listed("x,y,z,+1", "x+1/2,y,z,-1", tag="_space_group_symop_magn_centering.xyz")
    )
    assert len(crystal.rotations) == 4
    assert [crystal.is_absent((h, 0, 1)) for h in (1, 2)] == [True, False]  # charges see no time reversal


@pytest.mark.parametrize(
    ("cell", "more", "notes"),
    [
        (CUBIC, "", ["the CIF states no symmetry"]),
        (CUBIC, named("?") + named("."), ["the CIF states no symmetry"]),
        (CUBIC, named("Q 1 2 3"), ["'Q 1 2 3' is no space group of the tables"]),
        (CUBIC, named("F 9vw", "_space_group_name_Hall"), ["'F 9vw' is no Hall name"]),
        (CUBIC, "_space_group_IT_number 231", ["'231' is no space group number"]),
        (ORTHORHOMBIC, "_space_group_IT_number 62", ["space group number 62 leaves the choice of axes open"]),
        (MONOCLINIC, "_space_group_IT_number 14", ["space group number 14 leaves the choice of axes open"]),
        (
            CUBIC,
            named("F m -3 m") + listed("x, y, z"),
            ["the listed operations and 'F m -3 m' contradict each other"],
        ),
        (
            CUBIC,
            named("F m -3 m") + named("P m -3 m", "_space_group_name_H-M_alt"),
            ["'P m -3 m' and 'F m -3 m' contradict each other"],
        ),
        (CUBIC, listed("x,y,z", "-x,,z"), ["the listed symmetry operations make no group (trailing sign in:)"]),
        (
            CUBIC,
            listed("x,y"),
            ["the listed symmetry operations make no group (expected exactly two commas in triplet)"],
        ),
        (CUBIC, listed("x,y,z", "x,x,z"), ["the listed symmetry operations make no group (x,x,z keeps no lattice)"]),
        (CUBIC, listed("x,y,z", "y,z,x"), ["the listed symmetry operations make no group (2 of 3)"]),
        (CUBIC, listed("x+1/7,y,z"), ["the listed symmetry operations make no group (Wrong denominator 7 in: x+1/7)"]),
        (CUBIC, listed(*["x,y,z"] * 3, *[f"x+{n}/3,y,z" for n in range(2000)]), ["more than 1024"]),
    ],
)
def test_where_no_extinctions_are_known_it_says_why(
    cell: tuple[tuple[float, ...], tuple[float, ...]], more: str, notes: list[str]
) -> None:
    crystal = read(cell, more)
    (note,) = crystal.notes
    assert note.startswith(UNKNOWN)
    assert notes[0] in note
    assert not extinct(crystal)
    assert len(crystal.rotations) == 0


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        (((2.5, 2.5, 4.07), (90, 90, 90)), "P 63/m m c"),  # gamma of 90 is a slip
        (RHOMBOHEDRAL, "R -3 c :H"),
        (HEXAGONAL, "R -3 c :R"),
        (((5.43, 5.43, 5.9), (90, 90, 90)), "F d -3 m"),
        (((3.84, 3.84, 3.84), (60, 60, 60)), "F d -3 m"),  # a primitive cell with the name of the conventional one
        (((5, 6, 7), (90, 90, 103)), "P 1 21/c 1"),
    ],
)
def test_a_cell_without_the_symmetry_of_its_group_is_named(
    cell: tuple[tuple[float, ...], tuple[float, ...]], name: str
) -> None:
    crystal = read(cell, named(name))
    assert crystal.notes == (f"the cell has not the symmetry of '{name}'", "no extinctions known")
    assert not extinct(crystal)


def test_a_relaxed_cell_keeps_its_group() -> None:
    crystal = read(((5.43, 5.44, 5.42), (90.1, 89.9, 90)), named("F d -3 m"))
    assert (crystal.notes, crystal.is_absent((2, 0, 0))) == ((), True)


def test_listed_operations_count_where_a_name_does_not_fit_the_cell() -> None:
    crystal = read(((5.43, 5.43, 5.9), (90, 90, 90)), named("F d -3 m") + listed("x,y,z", "-x,-y,z+1/2"))
    assert crystal.notes == ("the cell has not the symmetry of 'F d -3 m'",)
    assert crystal.is_absent((0, 0, 1))

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import gemmi
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nxscatter.errors import ParameterError, ReadError
from nxscatter.science.geometry.crystal import Cell, d_hkl, parse_hkl, parse_indices, q_hkl, read_cif, theta_hkl
from support.cif import cif

CELLS = {
    "triclinic": Cell(6.378, 7.454, 10.308, 75.26, 79.37, 88.16),
    "monoclinic": Cell(5.0, 6.0, 7.0, 90.0, 103.0, 90.0),
    "orthorhombic": Cell(5.0, 6.0, 7.0),
    "hexagonal": Cell(2.5071, 2.5071, 4.0686, 90.0, 90.0, 120.0),
    "rhombohedral": Cell(4.0, 4.0, 4.0, 60.0, 60.0, 60.0),
    "cubic": Cell(5.43, 5.43, 5.43),
}
REFLECTIONS = [hkl for hkl in itertools.product(range(-3, 4), repeat=3) if any(hkl)]
INDEX = st.integers(-20, 20)
EDGE = st.floats(1.5, 500)
ANGLE = st.floats(20, 160)


@pytest.mark.parametrize("system", CELLS)
def test_spacings_agree_with_an_independent_code(system: str) -> None:
    from pyFAI.crystallography.cell import Cell as PyfaiCell

    cell = CELLS[system]
    other = PyfaiCell(cell.a, cell.b, cell.c, cell.alpha, cell.beta, cell.gamma)
    found = [d_hkl(cell, hkl) for hkl in REFLECTIONS]
    np.testing.assert_allclose(found, [other.d(hkl) for hkl in REFLECTIONS], rtol=1e-9)
    assert cell.volume == pytest.approx(other.volume, rel=1e-9)


@given(EDGE, EDGE, EDGE, ANGLE, ANGLE, ANGLE, st.tuples(INDEX, INDEX, INDEX).filter(any))
def test_spacings_of_any_triclinic_cell(
    a: float, b: float, c: float, alpha: float, beta: float, gamma: float, hkl: tuple[int, int, int]
) -> None:
    cosines = np.cos(np.radians([alpha, beta, gamma]))
    assume(1 - np.sum(cosines**2) + 2 * np.prod(cosines) > 1e-4)
    cell = Cell(a, b, c, alpha, beta, gamma)
    other = gemmi.UnitCell(a, b, c, alpha, beta, gamma)
    assert d_hkl(cell, hkl) == pytest.approx(other.calculate_d(hkl), rel=1e-9)
    assert cell.volume == pytest.approx(other.volume, rel=1e-9)
    # d is 1/|h a* + k b* + l c*|, of reciprocal edges made from edges in space
    across = np.array([a, 0, 0])
    second = b * np.array([cosines[2], np.sin(np.radians(gamma)), 0])
    third_y = (cosines[0] - cosines[1] * cosines[2]) / np.sin(np.radians(gamma))
    third = c * np.array([cosines[1], third_y, np.sqrt(1 - cosines[1] ** 2 - third_y**2)])
    reciprocal = np.linalg.inv(np.array([across, second, third]))  # columns a*, b*, c*
    assert d_hkl(cell, hkl) == pytest.approx(1 / np.linalg.norm(reciprocal @ np.array(hkl)), rel=1e-7)


def test_textbook_formulas() -> None:
    a, c = 2.5071, 4.0686
    h, k, l = 2, -1, 3  # noqa: E741
    inverse_square = 4 / 3 * (h * h + h * k + k * k) / a**2 + l * l / c**2
    assert d_hkl(CELLS["hexagonal"], (h, k, l)) == pytest.approx(inverse_square**-0.5, rel=1e-12)
    assert d_hkl(CELLS["cubic"], (1, 1, 1)) == pytest.approx(5.43 / np.sqrt(3), rel=1e-12)
    sine = np.sin(np.radians(103.0))
    inverse_square = ((h / 5) ** 2 + (l / 7) ** 2 - 2 * h * l * np.cos(np.radians(103.0)) / 35) / sine**2 + (k / 6) ** 2
    assert d_hkl(CELLS["monoclinic"], (h, k, l)) == pytest.approx(inverse_square**-0.5, rel=1e-12)
    # the primitive cell of an fcc lattice with a = 4 sqrt(2): (1 1 1) on rhombohedral axes is its (1 1 1)
    assert d_hkl(CELLS["rhombohedral"], (1, 1, 1)) == pytest.approx(4 * np.sqrt(2) / np.sqrt(3), rel=1e-12)


def test_rhombohedral_and_hexagonal_axes_give_one_lattice() -> None:
    """Corundum on both axes: h_hex = h - k, k_hex = k - l, l_hex = h + k + l (obverse)."""
    a, c = 4.7589, 12.9919
    edge = np.sqrt(3 * a * a + c * c) / 3
    angle = 2 * np.degrees(np.arcsin(3 / (2 * np.sqrt(3 + (c / a) ** 2))))
    rhombohedral, hexagonal = Cell(edge, edge, edge, angle, angle, angle), Cell(a, a, c, 90, 90, 120)
    for h, k, l in REFLECTIONS:  # noqa: E741
        assert d_hkl(rhombohedral, (h, k, l)) == pytest.approx(d_hkl(hexagonal, (h - k, k - l, h + k + l)), rel=1e-12)


def test_q_and_theta_belong_together() -> None:
    cell = CELLS["triclinic"]
    theta = theta_hkl(cell, (1, 2, -1), 1.0)
    assert 4 * np.pi * np.sin(theta) / 1.0 == pytest.approx(q_hkl(cell, (1, 2, -1)), rel=1e-12)


def test_cobalt(shared_data: Path) -> None:
    crystal = read_cif((shared_data / "Co_hcp_COD9008492.cif").read_text())
    assert q_hkl(crystal.cell, (1, 0, 0)) == pytest.approx(2.8939, abs=5e-5)
    assert (crystal.space_group, crystal.notes) == ("P 63/m m c", ())
    assert crystal.elements == ("Co",)
    np.testing.assert_allclose(crystal.positions, [[1 / 3, 2 / 3, 1 / 4]], atol=1e-4)


def test_triclinic(shared_data: Path) -> None:
    crystal = read_cif((shared_data / "triclinic_P-1.cif").read_text())
    assert crystal.cell == CELLS["triclinic"]
    assert (len(crystal.rotations), crystal.notes) == (2, ())
    assert not any(crystal.is_absent(hkl) for hkl in REFLECTIONS)


def test_a_cif_of_a_molecule_has_no_cell(shared_data: Path) -> None:
    path = shared_data / "SO3_unreadable_by_ase.cif"
    with pytest.raises(ReadError, match=rf"{path.name}: no unit cell .* give the CIF of a crystal structure"):
        read_cif(path.read_text(), path.name)


def test_symmetry_extinguishes_reflections(shared_data: Path) -> None:
    cobalt = read_cif((shared_data / "Co_hcp_COD9008492.cif").read_text())
    assert [cobalt.is_absent((0, 0, l)) for l in (1, 2, 3, 4)] == [True, False, True, False]  # noqa: E741
    assert cobalt.is_absent((1, 1, 1))
    assert not cobalt.is_absent((1, 0, 1))
    silicon = read_cif(cif(more="_symmetry_space_group_name_H-M 'F d -3 m'"))
    for hkl in itertools.product(range(4), repeat=3):
        if any(hkl):
            unmixed = len({index % 2 for index in hkl}) == 1
            glides = 0 not in hkl or sum(hkl) % 4 == 0
            assert silicon.is_absent(hkl) == (not (unmixed and glides)), hkl


@pytest.mark.parametrize(
    ("volume", "warned"), [("160.1", False), ("160.1(2)", False), ("?", False), ("155", True), ("0.1601", True)]
)
def test_a_volume_that_is_not_the_cells_is_named(volume: str, warned: bool) -> None:
    crystal = read_cif(cif(more=f"_cell_volume {volume}\n_symmetry_space_group_name_H-M 'P 1'"))
    text = f"the cell's volume is 160.103 angstrom^3, _cell_volume {volume}: check its edges"
    assert crystal.notes == ((text,) if warned else ())


def test_atoms_are_read_when_they_are_asked_for_and_cost_no_q() -> None:
    loop = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n"
    good = read_cif(cif(lengths=("'5.43(1)'", 5.43, 5.43), more=f"{loop}Si1 0.125 0.125 0.25\n"))
    assert "atoms" not in vars(good)
    assert (good.elements, good.atoms.note) == (("Si",), "")
    np.testing.assert_allclose(good.positions, [[0.125, 0.125, 0.25]])
    for rows, says in (("Wat1 0 0 0\n", "cannot be read by ase"), ("Si1 . ? '0.7(2)'\n", "cannot be read by ase")):
        crystal = read_cif(cif(more=loop + rows))
        assert q_hkl(crystal.cell, (1, 0, 0)) == pytest.approx(2 * np.pi / 5.43)
        assert (crystal.elements, crystal.positions.shape) == ((), (0, 3))
        assert says in crystal.atoms.note
    none = read_cif(cif())
    assert (none.elements, none.positions.shape, none.atoms.note) == ((), (0, 3), "")


def test_q_needs_no_ase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ase", None)
    monkeypatch.setitem(sys.modules, "ase.io.cif", None)
    crystal = read_cif(cif(more="_space_group_name_H-M_alt 'F d -3 m'"), "without_ase.cif")
    assert q_hkl(crystal.cell, (2, 0, 0)) == pytest.approx(4 * np.pi / 5.43)
    assert crystal.is_absent((2, 0, 0))


def test_unreachable_reflections_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"\(3 0 0\): d = 0.7237 angstrom is below half the wavelength"):
        theta_hkl(CELLS["hexagonal"], (3, 0, 0), 1.54)
    assert theta_hkl(CELLS["hexagonal"], (3, 0, 0), 2 * d_hkl(CELLS["hexagonal"], (3, 0, 0)) * (1 - 1e-9)) < np.pi / 2
    for wavelength in (0.0, np.nan):
        with pytest.raises(ParameterError, match="wavelength"):
            theta_hkl(CELLS["cubic"], (1, 0, 0), wavelength)
    for hkl in ((0, 0, 0), (1, 0)):
        with pytest.raises(ParameterError, match="three Miller indices"):
            d_hkl(CELLS["cubic"], hkl)
    with pytest.raises(ParameterError, match="up to 1000000"):
        d_hkl(CELLS["cubic"], (1, 0, 10**20))


@pytest.mark.parametrize(
    "numbers",
    [
        (5, 5, 0),
        (5, 5, -5),
        (5, 5, 5, 90, 90, 180),
        (5, 5, 5, 30, 60, 90),  # flat
        (5, 5, 5, 120, 120, 120),  # flat
        (np.nan, 5, 5),
        (np.inf, 5, 5),
        (1e200, 5, 5),
        (1e-200, 5, 5),
    ],
)
def test_impossible_cells_are_refused(numbers: tuple[float, ...]) -> None:
    with pytest.raises(ParameterError, match="no unit cell"):
        Cell(*numbers)


def test_the_thinnest_rhombohedral_cells_are_cells() -> None:
    assert Cell(118, 118, 118, 2.2, 2.2, 2.2).volume == pytest.approx(2100, rel=0.01)


@pytest.mark.parametrize("text", ["1 0 -2", "(1,0,-2)", "[1, 0, -2]", " +1 0  -2 ", "10-2"])
def test_miller_indices(text: str) -> None:
    assert parse_hkl(text) == (1, 0, -2)
    assert parse_hkl("102") == (1, 0, 2)
    for wrong in (
        "1 0",
        "1 0 2 3 4",
        "a b c",
        "1.5 0 0",
        "0 0 0",
        "",
        "1 0 0 0",
        "0 0 0 0",
        "1 0 ²",
        "1 0 " + "9" * 99,
    ):
        with pytest.raises(ParameterError, match="hkl"):
            parse_hkl(wrong)


@pytest.mark.parametrize("text", ["1 0 -1 2", "(1,0,-1,2)", "10-12"])
def test_four_indices_are_for_hexagonal_axes(text: str) -> None:
    assert parse_indices(text) == (1, 0, -1, 2)
    assert parse_hkl(text) == parse_hkl(text, CELLS["hexagonal"]) == (1, 0, 2)
    for system in set(CELLS) - {"hexagonal"}:
        with pytest.raises(ParameterError, match="four indices need hexagonal axes"):
            parse_hkl(text, CELLS[system])
    with pytest.raises(ParameterError, match=r"i is -\(h \+ k\), here -1"):
        parse_indices("1 0 1 2")

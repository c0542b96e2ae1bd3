from __future__ import annotations

import itertools

import numpy as np
import pytest

from nxscatter.errors import ParameterError, ReadError
from nxscatter.science.geometry.crystal import Cell, d_hkl, parse_hkl, q_hkl, read_cif, theta_hkl

CELLS = {
    "triclinic": Cell(6.378, 7.454, 10.308, 75.26, 79.37, 88.16),
    "monoclinic": Cell(5.0, 6.0, 7.0, 90.0, 103.0, 90.0),
    "orthorhombic": Cell(5.0, 6.0, 7.0),
    "hexagonal": Cell(2.5071, 2.5071, 4.0686, 90.0, 90.0, 120.0),
    "rhombohedral": Cell(4.0, 4.0, 4.0, 60.0, 60.0, 60.0),
    "cubic": Cell(5.43, 5.43, 5.43),
}
REFLECTIONS = [hkl for hkl in itertools.product(range(-3, 4), repeat=3) if any(hkl)]


@pytest.mark.parametrize("system", CELLS)
def test_spacings_agree_with_an_independent_code(system):
    from pyFAI.crystallography.cell import Cell as PyfaiCell

    cell = CELLS[system]
    other = PyfaiCell(cell.a, cell.b, cell.c, cell.alpha, cell.beta, cell.gamma)
    found = [d_hkl(cell, hkl) for hkl in REFLECTIONS]
    np.testing.assert_allclose(found, [other.d(hkl) for hkl in REFLECTIONS], rtol=1e-9)
    assert cell.volume == pytest.approx(other.volume, rel=1e-9)


def test_textbook_formulas():
    a, c = 2.5071, 4.0686
    h, k, l = 2, -1, 3  # noqa: E741
    inverse_square = 4 / 3 * (h * h + h * k + k * k) / a**2 + l * l / c**2
    assert d_hkl(CELLS["hexagonal"], (h, k, l)) == pytest.approx(inverse_square**-0.5, rel=1e-12)
    assert d_hkl(CELLS["cubic"], (1, 1, 1)) == pytest.approx(5.43 / np.sqrt(3), rel=1e-12)


def test_q_and_theta_belong_together():
    cell = CELLS["triclinic"]
    theta = theta_hkl(cell, (1, 2, -1), 1.0)
    assert 4 * np.pi * np.sin(theta) / 1.0 == pytest.approx(q_hkl(cell, (1, 2, -1)), rel=1e-12)


def test_cobalt(shared_data):
    crystal = read_cif((shared_data / "Co_hcp_COD9008492.cif").read_text())
    assert q_hkl(crystal.cell, (1, 0, 0)) == pytest.approx(2.8939, abs=5e-5)
    assert crystal.space_group == "P 63/m m c"
    assert crystal.elements == ("Co",)
    np.testing.assert_allclose(crystal.positions, [[1 / 3, 2 / 3, 1 / 4]], atol=1e-4)


def test_triclinic(shared_data):
    crystal = read_cif((shared_data / "triclinic_P-1.cif").read_text())
    assert crystal.cell == CELLS["triclinic"]
    assert len(crystal.rotations) == 2
    assert not any(crystal.is_absent(hkl) for hkl in REFLECTIONS)


def test_a_cif_that_ase_does_not_understand(shared_data):
    path = shared_data / "SO3_unreadable_by_ase.cif"
    with pytest.raises(ReadError, match=rf"{path.name}: no unit cell .* give the CIF of a crystal structure"):
        read_cif(path.read_text(), path.name)


def cif(lengths=(5.43, 5.43, 5.43), angles=(90, 90, 90), more=""):
    keys = [f"_cell_length_{name}" for name in "abc"] + [f"_cell_angle_{name}" for name in ("alpha", "beta", "gamma")]
    return (
        "data_x\n"
        + "\n".join(f"{key} {value}" for key, value in zip(keys, (*lengths, *angles), strict=True))
        + f"\n{more}\n"
    )


def test_symmetry_extinguishes_reflections(shared_data):
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


@pytest.mark.parametrize("more", ["", "_space_group_IT_number 227", "_symmetry_space_group_name_H-M 'Q 1 2 3'"])
def test_without_known_operations_nothing_is_called_absent(more):
    crystal = read_cif(cif(more=more))
    assert not crystal.is_absent((1, 0, 0))
    assert crystal.elements == ()
    assert crystal.positions.shape == (0, 3)


def test_standard_uncertainties_are_read_over():
    assert read_cif(cif(lengths=("5.431(2)", "6", "7.10(1)"))).cell == Cell(5.431, 6.0, 7.1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no unit cell"),
        ("loop_\n_a\n", "ase cannot read it as CIF"),
        (cif(lengths=("?", 1, 1)), "no unit cell"),
        (cif(angles=(10, 120, 20)), "no unit cell has a b c alpha beta gamma = 5.43"),
    ],
)
def test_broken_cifs(text, says):
    with pytest.raises(ReadError, match=f"x.cif: {says}"):
        read_cif(text, "x.cif")


def test_unreachable_reflections_are_refused():
    with pytest.raises(ParameterError, match=r"\(3 0 0\): d = 0.7237 angstrom is below half the wavelength"):
        theta_hkl(CELLS["hexagonal"], (3, 0, 0), 1.54)
    assert theta_hkl(CELLS["hexagonal"], (3, 0, 0), 2 * d_hkl(CELLS["hexagonal"], (3, 0, 0)) * (1 - 1e-9)) < np.pi / 2
    for wavelength in (0.0, np.nan):
        with pytest.raises(ParameterError, match="wavelength"):
            theta_hkl(CELLS["cubic"], (1, 0, 0), wavelength)
    for hkl in ((0, 0, 0), (1, 0)):
        with pytest.raises(ParameterError, match="three Miller indices"):
            d_hkl(CELLS["cubic"], hkl)


@pytest.mark.parametrize("numbers", [(5, 5, 0), (5, 5, -5), (5, 5, 5, 90, 90, 180), (np.nan, 5, 5)])
def test_impossible_cells_are_refused(numbers):
    with pytest.raises(ParameterError, match="no unit cell"):
        Cell(*numbers)


@pytest.mark.parametrize("text", ["1 0 -2", "(1,0,-2)", "[1, 0, -2]", " +1 0  -2 "])
def test_miller_indices(text):
    assert parse_hkl(text) == (1, 0, -2)
    assert parse_hkl("102") == (1, 0, 2)
    for wrong in ("1 0", "1 0 2 3", "a b c", "1.5 0 0", "0 0 0", ""):
        with pytest.raises(ParameterError, match="hkl"):
            parse_hkl(wrong)

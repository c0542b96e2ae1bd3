"""Cells of CIFs as people have them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from contextlib import suppress
from time import process_time

import pytest

from nxscatter.errors import ReadError
from nxscatter.science.geometry.cif import number
from nxscatter.science.geometry.crystal import Cell, read_cif
from support.cif import cif

SILICON = Cell(5.43, 5.43, 5.43)
ATOMS = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nSi1 0 0 0\n"
PLAIN = cif(more=ATOMS)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5.4309", 5.4309),
        ("5.4309(12)", 5.4309),
        ("0.54309(12)E1", 5.4309),
        ("5.43(0.01)", 5.43),
        ("5.4309 (12)", 5.4309),
        ("+90.", 90.0),
        (".5", 0.5),
        ("1e1", 10.0),
        ("54e-1", 5.4),
    ],
)
def test_numbers(text: str, value: float) -> None:
    assert number(text) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    "text", ["", "?", "5,43", "5.43 A", "nan", "inf", "1e999", "0x10", "5.43(2", "1_0", "٥", "--5"]
)
def test_what_is_no_number(text: str) -> None:
    assert number(text) != number(text)


@pytest.mark.parametrize(
    "text",
    [
        cif(lengths=("5.43(1)", "'5.43'", '"5.43(12)"')),
        cif(lengths=("+5.43", "0.543(1)E1", "5.430"), angles=("90.", "90.0(0)", "9e1")),
        PLAIN.upper(),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        f"\ufeff{PLAIN}",
        f"{PLAIN}\x1a",
        PLAIN.replace(" 5.43", "\xa05.43"),
        f"global_\n_x 1\n{PLAIN}",
        f"data_\n_x ?\n{PLAIN}",
        f"data_other\n{cif(lengths=('?', '?', '.'), angles=('?', '?', '?'))}{PLAIN.replace('data_x', 'data_y')}",
        f"# {'long' * 5000}\n{PLAIN}",
        f"{PLAIN}save_frame\n_cell_length_a 3\nsave_\n",
        PLAIN.replace("data_x\n", "data_x\n_title\n;\n data_b loop_ _cell_length_a 3\n;\n"),
        PLAIN.replace("data_x\n", "data_x\n_author 'J. Gräfe'\n_place Grenoblé\n"),
        PLAIN.replace("data_x\n", "data_x\n_cell_length_a 5.430\n"),  # twice, the same
        PLAIN.replace("_cell_", "_cell.").replace("length", "length"),  # mmCIF and the newer core dictionary
        "data_x\nloop_\n_cell.length_a\n_cell.length_b\n_cell.length_c\n_cell.angle_alpha\n_cell.angle_beta\n"
        "_cell.angle_gamma\n5.43 5.43 5.43 90 90 90\n",
        f"{PLAIN}data_second\n{PLAIN.partition(chr(10))[2]}",  # two blocks, the same cell
        "#\\#CIF_2.0\n" + PLAIN,
        cif(more="loop_\n_atom_site_label\n_atom_site_fract_x\nWat1 .\nM1(a) '0.707(2)'\n"),
    ],
)
def test_the_cell_of_dialects_and_encodings(text: str) -> None:
    crystal = read_cif(text, "x.cif")
    assert crystal.cell == SILICON
    assert crystal.notes == ("no extinctions known: the CIF states no symmetry",)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"{PLAIN}Si2 0 0\n", "Wrong number of values in loop"),  # a coordinate is missing
        (f"#\\#CIF_2.0\n{PLAIN}_x [1 2 3]\n", "parse error"),
        (f"{PLAIN}_y '''a\n_cell_length_a 3\n'''\n", "unterminated"),
        (f"{PLAIN}_t\n;\nnever closed\n_cell_length_a 3\n", "unterminated text field"),
        (PLAIN.removeprefix("data_x\n"), r"expected block header \(data_\)"),
        (f"{PLAIN}_place Grenoble Isere\n", "parse error"),
    ],
)
def test_a_broken_grammar_costs_no_cell_and_is_named(text: str, line: str) -> None:
    crystal = read_cif(text + "_space_group_name_H-M_alt 'P 1'\n" if ";" not in text else text, "x.cif")
    assert crystal.cell == SILICON
    assert crystal.notes[0].startswith("is no valid CIF (line ")
    assert re.search(line, crystal.notes[0])
    assert crystal.notes[0].endswith("only the cell and the names on lines of their own are read")
    assert (crystal.elements, crystal.atoms.note) == ((), "the atoms are not read, as it is no valid CIF")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"no unit cell \(_cell_length_a ...\) in it: give the CIF of a crystal structure"),
        ("loop_\n_a\n", r"is no valid CIF \(line 1: expected block header \(data_\)\): give the CIF"),
        ("hello world\n", "is no valid CIF"),
        ("ATOM      1  N   MET A   1      38.198\n", "is no valid CIF"),
        ("data_x\n" + ATOMS, "no unit cell"),
        (cif(lengths=("?", 1, 1)), "no unit cell in block 'x': _cell_length_a is not given: write its value"),
        (cif(angles=(90, 90, ".")), "no unit cell in block 'x': _cell_angle_gamma is not given"),
        (cif(lengths=("5,43", 5, 5)), "_cell_length_a = '5,43' is no number: write it as 5.431"),
        (cif(lengths=("5.43(1 2)", 5, 5)), r"is no valid CIF \(line 2: parse error\), no unit cell .* _cell_length_a"),
        (cif(angles=(10, 120, 20)), "no unit cell has a b c alpha beta gamma = 5.43"),
        (cif(lengths=(0, 5, 5)), "no unit cell has a b c alpha beta gamma = 0 5 5"),
        (cif(lengths=(5, -5, 5)), "no unit cell has a b c alpha beta gamma = 5 -5 5"),
        (cif(more="_cell_length_a 6"), "_cell_length_a is 5.43 and 6: leave one of them"),
        (cif(more="_cell.length_a 6"), "_cell_length_a is 5.43 and 6: leave one of them"),
        (cif(lengths=(0.543, 0.543, 0.543)), r"_cell_length_a = 0.543 angstrom: no crystal has such an edge"),
        (cif(lengths=(1, 1, 1)), ".*a placeholder, or nm"),
    ],
)
def test_cells_that_cannot_be_had(text: str, says: str) -> None:
    with pytest.raises(ReadError, match=f"^x.cif: {says}"):
        read_cif(text, "x.cif")


TWO = cif(lengths=(5, 5, 5)).replace("data_x", "data_A") + cif(lengths=(8, 8, 8)).replace("data_x", "data_B")


@pytest.mark.parametrize(("wanted", "a"), [("A", 5), ("b", 8), ("1", 5), ("2", 8)])
def test_a_block_is_chosen_by_name_or_number(wanted: str, a: float) -> None:
    assert read_cif(TWO, f"two.cif:{wanted}").cell.a == a


def test_blocks_with_different_cells_are_named() -> None:
    text = r"two.cif: has 2 blocks with different cells, A \(a = 5\), B \(a = 8\): choose one as FILE:BLOCK"
    with pytest.raises(ReadError, match=text):
        read_cif(TWO, "two.cif")
    for wanted in ("C", "0", "3", "A:B"):
        with pytest.raises(ReadError, match=rf"two.cif:{wanted}: no block '{wanted}' with .* use one of A, B"):
            read_cif(TWO, f"two.cif:{wanted}")
    third = cif(lengths=("x", 8, 8)).replace("data_x", "data_C")
    assert read_cif(TWO + third, "x.cif:A").cell.a == 5  # what is wrong with another block does not matter
    named_like_a_number = TWO.replace("data_A", "data_2")
    assert read_cif(named_like_a_number, "x.cif:2").cell.a == 5


@pytest.mark.slow
def test_messages_stay_short_and_printable() -> None:
    for text in (
        cif(lengths=("5" * 9999 + "x", 5, 5)),
        cif(more="".join(f"_cell_length_a {a}\n" for a in range(6, 3000))),
        "".join(cif(lengths=(a, 5, 5)).replace("data_x", f"data_b{a}") for a in range(5, 300)),
        cif(lengths=("'\x1b[31m5'", 5, 5)),
    ):
        with pytest.raises(ReadError) as error:
            read_cif(text, "x.cif")
        assert len(str(error.value)) < 500
        assert str(error.value).isprintable()


@pytest.mark.parametrize(
    "text",
    [
        cif(more="_symmetry_space_group_name_H-M 'x" + " " * 10**6 + "y'"),
        cif(more="_space_group_name_Hall '" + "P 2 3 " * 10**5 + "'"),
        cif(more="loop_\n_space_group_name_H-M_alt\n" + "".join(f"P{number}\n" for number in range(10**5))),
        cif(more="loop_\n_symmetry_equiv_pos_as_xyz\n" + "".join(f"x+{n}/24,y,z\n" for n in range(10**5))),
        cif(lengths=("5" * 10**6 + "x", 5, 5)),
        cif(lengths=("5" * 10**6, 5, 5)),
        cif(more="_x 5 4\n" + "_cell_" * 10**5 + "'" * 10**6),
        "".join(f"data_{number}\n_cell_length_a 5\n" for number in range(10**5)),
    ],
    ids=["blanks", "hall", "names", "operations", "no_number", "digits", "quotes", "blocks"],
)
def test_no_text_takes_long(text: str) -> None:
    start = process_time()
    with suppress(ReadError):
        assert len(read_cif(text, "x.cif").notes) < 20
    assert process_time() - start < 3


_TOKENS = (
    *("0", "-1", "1e999", "nan", "?", "'", '"', ";", "\n;\n", "loop_", "data_", "save_", "_cell_length_a", "x,y,z"),
    *("(", "9" * 40, "\0", "\x1b[31m", "é", "\r", "#", "[", "1/0", "x+9/7", "R -3 c", "227", "{", "$a", "global_"),
)


def _cut(text: str, at: int, chance: random.Random) -> str:
    return text[:at] + text[at + chance.randrange(20) :]


def _insert(text: str, at: int, chance: random.Random) -> str:
    return text[:at] + chance.choice(_TOKENS) + text[at:]


def _another(text: str, at: int, chance: random.Random) -> str:
    return text[:at] + chr(chance.randrange(256)) + text[at + 1 :]


@pytest.mark.parametrize("change", [_cut, _insert, _another])
def test_mutants_are_read_or_refused(change: Callable[[str, int, random.Random], str]) -> None:
    chance = random.Random(7)
    seeds = [
        PLAIN,
        cif(more="_symmetry_space_group_name_H-M 'F d -3 m'\n_symmetry_Int_Tables_number 227\n"),
        cif(more="loop_\n_symmetry_equiv_pos_as_xyz\n'x,y,z'\n'-x,-y,z+1/2'\n"),
        cif(more="_space_group_name_Hall '-F 4vw 2vw 3'\n" + ATOMS),
        TWO,
    ]
    for _ in range(300):
        text = chance.choice(seeds)
        for _ in range(chance.choice((1, 2, 5))):
            text = change(text, chance.randrange(len(text) + 1), chance)
        try:
            crystal = read_cif(text, "x.cif")
        except ReadError as error:
            said: tuple[str, ...] = (str(error),)
        else:
            crystal.is_absent((1, 2, 3))
            said = crystal.notes
        assert all(text.isprintable() for text in said), said

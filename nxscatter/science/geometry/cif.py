"""The block of a CIF that holds the crystal structure, its unit cell, and what its tags state.

CIF dictionaries name one thing in several ways (``_cell_length_a``, ``_cell.length_a``); tags know no upper case, and
``?`` and ``.`` stand for a value that is not there. The grammar is gemmi's.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

from nxscatter.errors import ReadError

if TYPE_CHECKING:
    from gemmi.cif import Block, Document

Items: TypeAlias = Mapping[str, Sequence[str]]
CELL_NAMES = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
# A number, with its standard uncertainty in brackets behind it or before the exponent: 5.4309(12), 0.54309(12)E1
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))\s*(?:\([\d.]*\))?(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
# On a line of its own: the header of a block, or a tag of the cell or the symmetry with its value.
_PLAIN = re.compile(
    r"""data_[!-~]+
    | _(?:cell|symmetry|space_group)[!-~]+ [ ] (?:'[^']*' | "[^"]*" | [-+.\w(][!-~]*) (?:[ ]\#.*)?""",
    re.IGNORECASE | re.ASCII | re.VERBOSE,
)
_BLANK = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\xa0\ufeff]")  # control characters, byte order mark, hard spaces
_USED = ("_cell", "_space_group", "_symmetry")
_NOTHING = ("", "?", ".")  # in quotes too
_TRIPLE_QUOTED = re.compile(r"'''.*?'''|\"\"\".*?\"\"\"", re.DOTALL)
# No crystal has a shorter edge, angstrom: 1 1 1 is what the PDB writes where there is no crystal, 0.5 means nm.
_SHORTEST = 1.0
_LONGEST_TEXT = 60  # of a foreign text in a message, and of a number or a name
_LONGEST_LIST = 300  # of names of blocks in a message
_MOST_BLOCKS = 10000


class Structure(NamedTuple):
    """A block with a unit cell.

    Attributes
    ----------
    block : str
        Its text, with a cell in plain numbers; "" when the grammar of the file is broken.
    items : mapping
        What it says of cell and symmetry, as `items_of` returns it.
    cell : tuple of float
        a, b, c in angstrom and alpha, beta, gamma in degrees, not yet checked.
    notes : tuple of str
        What was wrong with the file.
    """

    block: str
    items: Items
    cell: tuple[float, ...]
    notes: tuple[str, ...]


def find_structure(text: str, wanted: str = "") -> Structure:
    """Find the block that has a unit cell.

    Of a file with an error in its grammar the cell and the names are read where they stand on lines of their own, and
    a note says so.

    Parameters
    ----------
    text : str
        The file's text.
    wanted : str
        Name of the block, or its number among those with a cell; "" when all cells are the same.

    Raises
    ------
    ReadError
        When no block has a cell, several have different ones and none is chosen, or a cell is incomplete.
    """
    document, problem = _parse(_plain(text))
    if len(document) > _MOST_BLOCKS:
        raise ReadError(f"has {len(document)} blocks: give a CIF of the one that is used")
    found = [(block, items_of(block)) for block in document]
    blocks = [(block, items) for block, items in found if any(stated(items, *_tags(name)) for name in CELL_NAMES)]
    broken = f"is no valid CIF ({problem})" if problem else ""
    if not blocks:
        what = broken or "no unit cell (_cell_length_a ...) in it"
        raise ReadError(f"{what}: give the CIF of a crystal structure")
    try:
        block, items, cell = _choose(blocks, _plain(wanted).strip())
    except ReadError as error:
        raise ReadError(f"{broken}, {error}" if broken else str(error)) from error
    if broken:
        return Structure("", items, cell, (f"{broken}: only the cell and the names on lines of their own are read",))
    for name, value in zip(CELL_NAMES, cell, strict=True):
        block.set_pair(f"_cell_{name}", repr(value))  # as a plain number, which ase takes
    return Structure(block.as_string(), items, cell, ())


def items_of(block: Block) -> Items:
    """Return the values of each tag (in lower case) of cell and symmetry, of an item or a loop, without quotes."""
    from gemmi.cif import as_string

    found: dict[str, list[str]] = {}
    for item in block:
        pair, loop = cast("tuple[str, str] | None", item.pair), item.loop
        tags = [pair[0]] if pair is not None else loop.tags if loop is not None else []
        for column, tag in enumerate(tags):
            if tag.lower().startswith(_USED):
                values = pair[1:] if pair is not None else [loop[row, column] for row in range(loop.length())]
                texts = (as_string(value).strip() for value in values)
                found.setdefault(tag.lower(), []).extend(text for text in texts if text not in _NOTHING)
    return found


def stated(items: Items, *tags: str) -> list[str]:
    """Return the values of any of these tags, each once."""
    return list(dict.fromkeys(value for tag in tags for value in items.get(tag, ())))


def number(text: str) -> float:
    """Read a number, NaN when it is none; a standard uncertainty is read over."""
    match = _NUMBER.fullmatch(text) if len(text) <= _LONGEST_TEXT else None
    value = float(match[1] + (match[2] or "")) if match else math.nan
    return value if math.isfinite(value) else math.nan


def shown(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Return a foreign text as it may stand in a message: on one line, and cut."""
    text = " ".join(text.split())
    return text if len(text) <= longest else f"{text[:longest]}..."


def _plain(text: str) -> str:
    """Return the text in ASCII, as the grammar wants it: nothing that is used here needs more."""
    lines = _BLANK.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    return re.sub(r"[^\t\n -~]", "_", lines)


def _parse(text: str) -> tuple[Document, str]:
    """Return the document, and "" or what is wrong with its grammar and had to be left out."""
    from gemmi import cif

    try:
        return cif.read_string(text, check_level=0), ""  # duplicates are looked for in what is used
    except (ValueError, RuntimeError, IndexError) as error:
        problem = re.sub(r"^string:(\d+)\S*:?", r"line \1:", str(error))
    try:
        return cif.read_string("\n".join(["data_", *_plain_lines(text)]), check_level=0), shown(problem)
    except (ValueError, RuntimeError, IndexError) as error:
        raise ReadError(f"is no valid CIF ({shown(problem)}): give the CIF of a crystal structure") from error


def _plain_lines(text: str) -> Iterator[str]:
    """Give the headers of blocks, and what is said of cell and symmetry on one line, outside of text fields."""
    inside = False
    for line in _TRIPLE_QUOTED.sub("", text).split("\n"):
        inside ^= line.startswith(";")
        bare = " ".join(line.split())
        if not inside and _PLAIN.fullmatch(bare):
            yield bare


def _choose(blocks: Sequence[tuple[Block, Items]], wanted: str) -> tuple[Block, Items, tuple[float, ...]]:
    """Return the wanted block with its cell, the first when all have the same."""
    names = [shown(block.name.strip()) for block, _ in blocks]
    if wanted:
        fitting = [(block, items) for block, items in blocks if block.name.strip().lower() == wanted.lower()]
        if not fitting and wanted.isdecimal() and 0 < int(wanted) <= len(blocks):
            fitting = [blocks[int(wanted) - 1]]
        if not fitting:
            known = shown(", ".join(names), _LONGEST_LIST)
            raise ReadError(f"no block '{shown(wanted)}' with a unit cell in it: use one of {known}")
        blocks = fitting
    cells = [_cell(block.name, items) for block, items in blocks]
    if len(set(cells)) > 1:
        listed = ", ".join(f"{name} (a = {cell[0]:g})" for name, cell in zip(names, cells, strict=False))
        raise ReadError(
            f"has {len(blocks)} blocks with different cells, {shown(listed, _LONGEST_LIST)}: choose one as FILE:BLOCK"
        )
    return *blocks[0], cells[0]


def _cell(block: str, items: Items) -> tuple[float, ...]:
    return tuple(_cell_number(block, items, name) for name in CELL_NAMES)


def _cell_number(block: str, items: Items, name: str) -> float:
    """Return one of the six numbers of a cell."""
    texts = stated(items, *_tags(name))
    if not texts:
        raise ReadError(f"no unit cell in block '{shown(block)}': _cell_{name} is not given: write its value")
    values = {number(text): text for text in texts}
    if any(math.isnan(value) for value in values):
        raise ReadError(f"_cell_{name} = '{shown(texts[0])}' is no number: write it as 5.431 or 5.431(2)")
    if len(values) > 1:
        raise ReadError(f"_cell_{name} is {shown(' and '.join(texts))}: leave one of them")
    (value,) = values
    if name.startswith("length") and 0 < value <= _SHORTEST:
        raise ReadError(
            f"_cell_{name} = {value:g} angstrom: no crystal has such an edge (a placeholder, or nm?); "
            "write the cell in angstrom"
        )
    return value


def _tags(name: str) -> tuple[str, str]:
    return f"_cell_{name}", f"_cell.{name}"

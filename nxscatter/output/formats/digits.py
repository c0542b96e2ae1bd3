"""Numbers as text of fixed width, tens of millions of them a second.

``numpy.savetxt`` formats one number at a time and needs 12 s for the pixels of a large detector. Here all numbers of a
block become text together: nine significant digits are three groups of three, each looked up in a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from nxscatter.model import Array, Floats, Ints

WIDTH = 16  # bytes of a number and the separator behind it: "-1.23456789e-01 "
_HALF = WIDTH // 2
_EXPONENTS = (-99, 99)  # what two digits can say
_SMALLEST, _LARGEST = 1e-99, 9.999999995e99


class _Tables(NamedTuple):
    """Pieces of text as 8-byte words, and what they are looked up by.

    ``scale`` and ``exponent`` go by the exponent of a number's binary form: the factor that makes nine digits (or ten)
    before the point, and the decimal exponent.
    """

    first: Ints
    second: Ints
    third: Ints
    power: Ints
    scale: Floats
    exponent: Ints


def text_rows(columns: Sequence[Floats]) -> bytes:
    """Return columns of numbers as lines of text, ``WIDTH`` bytes a number, the last one a space or a line's end.

    Parameters
    ----------
    columns : sequence of ndarray
        One-dimensional, of equal length.

    Returns
    -------
    bytes
        Nine significant digits, which tell every float32 from all others; eight for a number beyond 1e99 or below
        1e-99. NaN is ``nan``.
    """
    words = np.empty((len(columns[0]), len(columns), 2), dtype="<u8")
    for number, column in enumerate(columns):
        _write_words(np.asarray(column, dtype=float), words[:, number, 0], words[:, number, 1])
    text = words.view(np.uint8).reshape(-1, len(columns) * WIDTH)
    text[:, WIDTH - 1 :: WIDTH] = ord(" ")
    text[:, -1] = ord("\n")
    return text.tobytes()


def _write_words(values: Floats, left: Array, right: Array) -> None:
    """Write the text of each value as two words; the last byte of the second is left for the separator."""
    tables = _tables()
    size = np.abs(values)
    special = ~(size < _LARGEST) | ((size < _SMALLEST) & (size > 0))
    any_special = bool(special.any())
    if any_special:
        size[special] = 0
    binary = size.view(np.int64) >> 52
    digits = size * tables.scale.take(binary)
    exponent = tables.exponent.take(binary)
    one_more = digits >= 999_999_999.5  # would be rounded to ten digits
    np.multiply(digits, 0.1, out=digits, where=one_more)
    exponent += one_more
    whole = np.rint(digits).astype(np.uint32)
    thousands, millions = whole // np.uint32(1_000), whole // np.uint32(1_000_000)
    negative = np.signbit(values) * np.uint64(ord("-") - ord(" "))
    left[:] = tables.first.take(millions) + tables.second.take(thousands - 1000 * millions) + negative
    right[:] = tables.third.take(whole - 1000 * thousands) + tables.power.take(exponent - _EXPONENTS[0])
    if any_special:
        _write_special(values, np.flatnonzero(special), left, right)


def _write_special(values: Floats, where: Ints, left: Array, right: Array) -> None:
    missing = np.isnan(values[where])
    left[where[missing]], right[where[missing]] = _words("nan".rjust(WIDTH - 1) + " ")
    for index in where[~missing]:
        left[index], right[index] = _words(f"{values[index]: .7e}".rjust(WIDTH - 1) + " ")


def _words(text: str) -> Array:
    return np.frombuffer(text.encode(), dtype="<u8")


@cache
def _tables() -> _Tables:
    first = [f" {number // 100}.{number % 100:02d}" for number in range(1000)]
    powers = range(_EXPONENTS[0], _EXPONENTS[1] + 2)
    exponent, scale = np.zeros(2048, dtype=np.int64), np.zeros(2048)
    for binary in range(1, 2047):
        decimal = int(np.floor(np.log10(2.0) * (binary - 1023)))
        if _EXPONENTS[0] - 1 <= decimal <= _EXPONENTS[1]:
            exponent[binary], scale[binary] = decimal, float(f"1e{8 - decimal}")
    return _Tables(
        _column(first, 0),
        _column([f"{number:03d}" for number in range(1000)], 5),
        _column([f"{number:03d}" for number in range(1000)], 0),
        _column([f"e{power:+03d}" for power in powers], 3),
        scale,
        exponent,
    )


def _column(texts: Sequence[str], start: int) -> Ints:
    """Return texts as words, each text from byte ``start`` on and zero elsewhere."""
    padded = [(b"\0" * start + text.encode()).ljust(_HALF, b"\0") for text in texts]
    return np.frombuffer(b"".join(padded), dtype="<u8")

"""Values that a detector or its software writes in place of a count: the ends of a number type, and small negatives.

A mask value survives a change of the number type: 2**32 - 1 of an unsigned image stays what it is in int64 and floats,
65535 in uint32, and -1 or -2 (gaps and dead pixels of pixel detectors) are there without a word in the header. No
value is taken for such a mark by itself: it must stand apart from all that was counted, pixel by pixel or as straight
gaps. A plateau around a maximum is saturation, and is told as such.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from nxscatter.model import Array

# The largest number of a counter or type of so many bits, and the one below, which marks bad pixels beside gaps.
_BITS = (8, 10, 12, 14, 15, 16, 20, 24, 31, 32, 63, 64)
_ENDS = {2**bits - step: f"2**{bits} - {step}" for bits in _BITS for step in (1, 2)}
_ROUNDED = {2**bits: f"2**{bits}, rounded" for bits in _BITS if bits > 24}  # what float32 makes of them
_UNREACHED = 2**31 - 2  # no counter of 32 bits gets there by counting
_MOST = 4  # different values of marks at one end of an image
_CONTRAST = 4  # a mark is so many times what its neighbours count
_FAR = 10  # or so many times all other pixels
_GRAIN = 4  # a negative mark is so many counts below all its neighbours
_DEEP = 12  # or so many in a few places, where noise that small has no negatives
_SHARE = 0.6  # of the pixels of a value that must stand apart
_LINE = 0.9  # of a row or column that a straight gap fills
_FEW = 3  # pixels; fewer at the end of a short type may be chance
_PLATEAU = 5  # pixels; fewer are no saturation
_SPIKE = 5  # times as many pixels as the values below have


@dataclass(frozen=True, eq=False)
class Mark:
    """Pixels of a frame that hold one value which is no count, or may be none.

    Attributes
    ----------
    value : int or float
        The value.
    where : ndarray of bool (rows, columns)
        The pixels.
    kind : str
        ``"sentinel"``, ``"saturated"``, or ``"unsure"`` for a negative value that is none for certain, and no noise.
    """

    value: int | float
    where: Array
    kind: str


def is_suspect(frame: Array) -> bool:
    """Tell from the extremes of a frame alone whether it may hold a mark.

    The maximum of an unsigned type does not count, as that is no count in any case; seen as signed, -1 is that maximum
    and -2 the number below.
    """
    kind = frame.dtype
    if kind.kind == "u":
        signed = frame.view(kind.str.replace("u", "i"))
        low, high = int(signed.min()), int(signed.max())
        return low < -1 or high in _ENDS or (kind.itemsize <= 2 and low == -1)
    if kind.kind == "b":
        return False
    low, high = frame.min(), frame.max()
    if not (np.isfinite(low) and np.isfinite(high)):
        finite = frame[np.isfinite(frame)]
        if not finite.size:
            return False
        low, high = finite.min(), finite.max()
    return bool(low < 0 or high in _ends(kind))


def find_marks(frame: Array, invalid: Array) -> list[Mark]:
    """Return the marks in a frame: the largest values first, then the negative ones.

    Parameters
    ----------
    frame : ndarray (rows, columns)
        Raw values.
    invalid : ndarray of bool (rows, columns)
        Pixels that are known to be no data.
    """
    if frame.dtype.kind == "f":
        invalid = invalid | ~np.isfinite(frame)
    return [*_at_the_top(frame, invalid), *_below_zero(frame, invalid)]


def named(value: float) -> str:
    """Return a value in figures, with its power of two where it is beside one."""
    number = int(value) if float(value).is_integer() else value
    name = (_ENDS | _ROUNDED).get(number, "") if isinstance(number, int) else ""
    return f"{number} ({name})" if name else f"{number}"


def _ends(kind: np.dtype[Any]) -> set[Any]:
    """Return the ends of counters as a type holds them; a float32 rounds the largest ones."""
    return set(_ENDS) if kind.kind in "iu" else {float(kind.type(end)) for end in _ENDS}


def _at_the_top(frame: Array, invalid: Array) -> Iterator[Mark]:
    known = invalid
    ends = _ends(frame.dtype)
    found: list[tuple[Any, Array]] = []
    left = frame[~known]
    while left.size and len(found) < _MOST:
        value = left.max().item()
        if value not in ends:
            break
        where = (frame == value) & ~known
        found.append((value, where))
        known = known | where
        left = left[left < value]
    highest = left.max().item() if left.size else 0
    for value, where in found:
        kind = _kind_of_end(frame, known, where, value, highest, left)
        if kind:
            yield Mark(value, where, kind)


def _kind_of_end(frame: Array, known: Array, where: Array, value: Any, highest: Any, others: Array) -> str:
    """Say what a value at the end of a type is, "" for a count."""
    count = int(np.count_nonzero(where))
    limit = np.iinfo(frame.dtype).max if frame.dtype.kind in "iu" else None
    if count < _FEW and value < _UNREACHED and (limit is None or value < limit - 1):
        return ""
    around = _neighbours(frame, known, where, np.maximum)
    apart = around.astype(float) * _CONTRAST < value
    alone = len(apart) > 0 and np.count_nonzero(apart) >= _SHARE * len(apart)
    if alone or float(highest) * _FAR < value or _in_lines(where, known) >= _SHARE:
        return "sentinel"
    # As many more pixels as values run into an end: the values just below it tell what would be there.
    below = np.count_nonzero(others > 0.9 * value) / (0.1 * value)
    return "saturated" if count >= _PLATEAU and count > _SPIKE * below else ""


def _below_zero(frame: Array, invalid: Array) -> Iterator[Mark]:
    """Yield negative marks: few different values, each far below its neighbours or in straight gaps.

    Where something was subtracted, zeros have neighbours of about their own size and negatives of many values.
    """
    if frame.dtype.kind == "u":
        return
    negative = (frame < 0) & ~invalid
    known = invalid | negative
    counts = {0: int(np.count_nonzero((frame == 0) & ~invalid))}  # of values that may be noise
    for value in _few_values(frame[negative])[::-1]:
        where = negative & (frame == value)
        count = int(np.count_nonzero(where))
        above = counts.get(round(value) + 1, 0)  # the smaller, the rarer is a value of noise
        depth = _neighbours(frame, known, where, np.minimum).astype(float) - value
        deep = np.count_nonzero(depth >= _DEEP)
        many = count >= _FEW and (value == -1 or count > 2 * above)
        apart = len(depth) > 0 and many and np.count_nonzero(depth >= _GRAIN) >= _SHARE * len(depth)
        shaped = max(_in_lines(where, known), _in_blocks(where, known)) >= _SHARE
        if apart or shaped or deep >= min(_FEW, count) or (value < -1 and many):
            yield Mark(value, where, "sentinel")
        else:
            if count > above and count >= _FEW:
                yield Mark(value, where, "unsure")
            counts[round(value)] = count


def _few_values(values: Array) -> list[Any]:
    """Return the different values, none where they are many or no whole numbers."""
    found: list[Any] = []
    left = values
    while left.size:
        value = left.min()
        if len(found) == _MOST or value != np.rint(value):
            return []
        found.append(value.item())
        left = left[left != value]
    return found


def _neighbours(frame: Array, known: Array, where: Array, pick: np.ufunc) -> Array:
    """Return what the eight neighbours of each pixel count, those that have a counting one.

    It is the largest count with `numpy.maximum` for ``pick``, the smallest with `numpy.minimum`.
    """
    rows, columns = frame.shape
    pixels = np.flatnonzero(where)
    row, column = np.divmod(pixels, columns)
    around = np.zeros(len(pixels), frame.dtype)
    any_yet = np.zeros(len(pixels), bool)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            at_row, at_column = row + down, column + right
            inside = (at_row >= 0) & (at_row < rows) & (at_column >= 0) & (at_column < columns)
            at_row, at_column = np.where(inside, at_row, row), np.where(inside, at_column, column)
            counts = inside & ~known[at_row, at_column]
            value = frame[at_row, at_column]
            around = np.where(counts, np.where(any_yet, pick(around, value), value), around)
            any_yet |= counts
    return np.asarray(around[any_yet])


def _in_lines(where: Array, known: Array) -> float:
    """Return which share of the pixels lies in rows or columns that they fill, but for a few."""
    lines = np.zeros(where.shape, bool)
    for axis in (0, 1):
        filled = np.count_nonzero(where, axis=axis)
        possible = np.maximum(np.count_nonzero(~known | where, axis=axis), 1)
        full = (filled >= _LINE * possible) & (filled >= where.shape[axis] / 3)
        lines |= np.expand_dims(full, axis)
    return float(np.mean(lines[where]))


def _in_blocks(where: Array, known: Array) -> float:
    """Return which share of the pixels has marks all around: gaps between chips that do not cross the image."""
    padded = np.pad(known, 1, constant_values=True)
    rows, columns = where.shape
    around = np.zeros(where.shape, np.uint8)
    for down in range(3):
        for right in range(3):
            around += padded[down : down + rows, right : right + columns]
    return float(np.mean(around[where] >= 6))

"""JSON-plain values: what headers, parameters and results look like in JSON, and how NaN is written."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Json: TypeAlias = Any

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_UNDECODED = re.compile("[\udc80-\udcff]")
_LONE = re.compile("[\ud800-\udfff]")


def canonical_json(value: Any) -> str:
    """Write JSON one way only: sorted keys, no spaces, UTF-8, no NaN (``null`` instead)."""
    return _CANONICAL.encode(plain(value))


def null_for_nan(value: Any) -> Json:
    """Return the value, None for NaN and infinities, which JSON does not have."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def plain(value: Any, leaf: Callable[[Any], Json] = null_for_nan) -> Json:
    """Turn a value into one of JSON.

    Parameters
    ----------
    value : object
        Mappings become dict, tuples and arrays of numpy lists, scalars of numpy those of Python, bytes text.
    leaf : callable
        What is made of each value that holds no others, such as NaN.
    """
    if isinstance(value, str):
        return leaf(value)
    if hasattr(value, "tolist"):  # of numpy, which is too slow to import where nothing but JSON is written
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(item, leaf) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, leaf) for item in value]
    return leaf(value.decode("utf-8", "replace") if isinstance(value, bytes) else value)


def readable(text: str) -> str:
    """Return a file name as text that can be stored: its bytes that are no UTF-8 are taken as Latin-1."""
    # Python keeps such bytes as U+DC80 to U+DCFF
    return _LONE.sub("?", _UNDECODED.sub(lambda byte: chr(ord(byte[0]) - 0xDC00), text))


def header_value(value: Any) -> Json:
    """Turn a value of a header into one of JSON; NaN stays, since the number may yet be used.

    An array of one is its element, a text has no blanks or NUL around it, and what JSON does not know is a text.
    """
    return plain(only_element(value), _header_leaf)


def only_element(value: Any) -> Any:
    """Return the element of an array of one, in any number of dimensions; everything else as it is."""
    return value.ravel()[0] if getattr(value, "size", None) == 1 else value


def _header_leaf(value: Any) -> Json:
    if isinstance(value, str):
        return value.strip(" \t\r\n\0")
    return value if value is None or isinstance(value, int | float) else str(value)

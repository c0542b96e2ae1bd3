"""JSON-plain values: what headers, parameters and results look like in JSON, and how NaN is written."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_json(value: Json) -> str:
    """Write JSON one way only: sorted keys, no spaces, UTF-8, no NaN (``null`` instead)."""
    return _CANONICAL.encode(_finite(value))


def _finite(value: Json) -> Json:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, np.ndarray):
        return _finite(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def plain(value: Any) -> Json:
    """Turn a header value into a JSON one: bytes to text, numpy to Python, an array of one to its element."""
    if isinstance(value, np.ndarray):
        value = value.tolist() if value.size != 1 else value.ravel()[0]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value.strip(" \t\r\n\0")
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)


Json: TypeAlias = Any

"""JSON-plain values: one way to write them, NaN by rule, numpy's types as Python's."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscatter.plain import canonical_json, header_value, only_element, plain

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=6
)


@given(VALUES)
def test_canonical_json_is_read_back_as_what_was_written_plainly(value: Any) -> None:
    text = canonical_json(value)
    assert json.loads(text) == plain(value)
    assert canonical_json(json.loads(text)) == text


def test_canonical_json_has_one_form() -> None:
    value = {"b": (1, 2.5), "a": {"µ": math.nan, "x": -math.inf}, 3: b"\xff", "c": None, "d": True}
    assert canonical_json(value) == '{"3":"�","a":{"x":null,"µ":null},"b":[1,2.5],"c":null,"d":true}'


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.float64(np.nan), None),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.bytes_(b"a"), "a"),
        (np.array(2.0), 2.0),
        (np.array([[1.0, np.inf]]), [[1.0, None]]),
        (np.array([b"a", b"b"]), ["a", "b"]),
        (np.array([1, "x", None], dtype=object), [1, "x", None]),
        (np.void(b"ab"), "ab"),
        ((1, (2, np.int8(3))), [1, [2, 3]]),
    ],
)
def test_values_of_numpy_become_those_of_python(value: Any, expected: Any) -> None:
    found = plain(value)
    assert found == expected
    assert type(found) is type(expected)
    assert canonical_json(value) == json.dumps(expected, separators=(",", ":"))


def test_what_json_does_not_know_is_refused_and_not_guessed() -> None:
    for value in (object(), 1 + 2j, {"a": [np.datetime64("2024-01-01")]}):
        with pytest.raises(TypeError, match="not JSON serializable"):
            canonical_json(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b" a\0", "a"),
        ("\ta \r\n", "a"),
        (np.array([[7.5]]), 7.5),
        (np.array([b" x "]), "x"),
        (np.array([1.0, 2.0]), [1.0, 2.0]),
        (np.zeros(0), []),
        ([" a", b"b "], ["a", "b"]),
        (1 + 2j, "(1+2j)"),
        (None, None),
        (np.True_, True),
    ],
)
def test_header_values(value: Any, expected: Any) -> None:
    assert header_value(value) == expected


def test_a_header_keeps_its_nan() -> None:
    assert math.isnan(header_value(np.float32(np.nan)))
    assert header_value(np.array([1.0, np.inf])) == [1.0, math.inf]


@pytest.mark.parametrize(
    ("value", "expected"), [(np.array([[3]]), 3), (np.array(3), 3), (np.float64(3), 3), ([3], [3]), ("a", "a")]
)
def test_only_an_array_of_one_is_its_element(value: Any, expected: Any) -> None:
    assert only_element(value) == expected


def test_writing_json_needs_no_numpy() -> None:
    program = "import sys, nxscatter.plain as p; p.canonical_json({'a': [1.0]}); sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

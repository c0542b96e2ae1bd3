"""Declared fields: each annotation is read once, and values are brought to it or refused in one line."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Optional

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscatter.errors import ParameterError
from nxscatter.fields import (
    Either,
    One,
    Row,
    Several,
    Table,
    checked_value,
    classes,
    declared,
    declared_fields,
    param,
    without_none,
)
from nxscatter.model import Attachment, Floats

NO_LIMITS = param("", "anything").metadata
NONE = One(type(None))


@pytest.mark.parametrize(
    ("annotation", "kind", "found"),
    [
        (float, One(float), (float,)),
        (float | None, Either((One(float), NONE)), (float,)),
        (None | str, Either((One(str), NONE)), (str,)),
        (Optional[int], Either((One(int), NONE)), (int,)),  # noqa: UP045, the old spelling
        (int | str, Either((One(int), One(str))), (int, str)),
        (tuple[Attachment, ...], Several(One(Attachment)), (Attachment,)),
        (tuple[float, float] | None, Either((Row((One(float), One(float))), NONE)), (float, float)),
        (tuple[tuple[int, int, int], ...], Several(Row((One(int),) * 3)), (int, int, int)),
        (str | Mapping[str, str], Either((One(str), Table(One(str)))), (str, str)),
        (Floats, One(np.ndarray), (np.ndarray,)),
        (bool | Attachment, Either((One(bool), One(Attachment))), (bool, Attachment)),
    ],
)
def test_an_annotation_is_read_as_what_it_declares(annotation: Any, kind: Any, found: tuple[type, ...]) -> None:
    assert declared(annotation) == kind
    assert classes(kind) == found


def test_none_is_taken_off_a_declared_type() -> None:
    assert without_none(declared(float | None)) == One(float)
    assert without_none(declared(int | str | None)) == declared(int | str)
    assert without_none(declared(tuple[str, ...])) == Several(One(str))


def test_what_cannot_be_declared_says_what_can() -> None:
    with pytest.raises(TypeError, match=r"Literal\['a'\] cannot be declared: use classes, and tuples"):
        declared(Literal["a"])


def test_the_fields_of_a_dataclass_are_read_together() -> None:
    @dataclass
    class Beam:
        wavelength: float
        axes: tuple[str, ...] = ()

    assert declared_fields(Beam) == {"wavelength": One(float), "axes": Several(One(str))}


def brought(annotation: Any, value: Any, **limits: Any) -> Any:
    return checked_value("step.x", value, declared(annotation), param("m", "x", **limits).metadata)


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (float, 3, 3.0),
        (float, np.float32(0.5), 0.5),
        (int, 3.0, 3),
        (int, np.int16(3), 3),
        (bool, np.bool_(True), True),
        (float | None, None, None),
        (bool | float, True, True),
        (bool | float, 1, 1.0),
        (int | str, "auto", "auto"),
        (int | str, 2, 2),
        (tuple[float, ...], np.array([1, 2]), (1.0, 2.0)),
        (tuple[float, ...], 0.05, (0.05,)),
        (tuple[float, ...], [], ()),
        (tuple[str, ...], ["1 0 0"], ("1 0 0",)),
        (tuple[float, float] | None, [1, 2.5], (1.0, 2.5)),
        (tuple[tuple[int, int, int], ...], [[1, 0, 0], (0, 0, 2.0)], ((1, 0, 0), (0, 0, 2))),
        (Mapping[str, float], {"a": 1}, {"a": 1.0}),
    ],
)
def test_values_are_brought_to_their_declared_type(annotation: Any, value: Any, expected: Any) -> None:
    found = brought(annotation, value)
    assert found == expected
    assert type(found) is type(expected)
    if isinstance(found, tuple):
        assert [type(part) for part in found] == [type(part) for part in expected]


@pytest.mark.parametrize(
    ("annotation", "value", "message"),
    [
        (float, "wide", "step.x = 'wide': give a number"),
        (float, True, "step.x = True: give a number"),
        (int, 2.5, "step.x = 2.5: give a whole number"),
        (int, math.inf, "step.x = inf: give a whole number"),
        (int, True, "step.x = True: give a whole number"),
        (bool, 1, "step.x = 1: give true or false"),
        (str, 3, "step.x = 3: give a text"),
        (float | None, "wide", "step.x = 'wide': give a number"),
        (Attachment | None, 3, "step.x = 3: give a file"),
        (tuple[float, ...], "1 2", "step.x = '1 2': give a list"),
        (tuple[float, ...], {"a": 1}, "step.x = {'a': 1}: give a list"),
        (tuple[float, ...], [1, "b"], "step.x = 'b': give a number"),
        (tuple[float, float], [1, 2, 3], "step.x = [1, 2, 3]: give 2 values"),
        (Mapping[str, str], 3, "step.x = 3: give a table"),
    ],
)
def test_a_wrong_type_is_refused_with_what_is_wanted(annotation: Any, value: Any, message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        brought(annotation, value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("limits", "value", "message"),
    [
        ({"minimum": 1}, 0, "step.x = 0: give at least 1 m"),
        ({"maximum": 0.5}, 0.6, "step.x = 0.6: give at most 0.5 m"),
        ({"above": 0, "maximum": 9}, 0, "step.x = 0: give above 0 and at most 9 m"),
        ({}, math.nan, "step.x = nan: give a finite number m"),
        ({"above": 0}, (1.0, -2.0), "step.x = -2: give above 0 m"),
        ({"choices": ("chi", "beta")}, "phi", "step.x = 'phi': use one of chi, beta"),
        ({"choices": ("chi", "beta")}, ("chi", "phi"), "step.x = 'phi': use one of chi, beta"),
    ],
)
def test_a_value_out_of_its_limits_is_refused_with_the_legal_range(
    limits: dict[str, Any], value: Any, message: str
) -> None:
    kind: Any = str if "choices" in limits else float
    with pytest.raises(ParameterError) as caught:
        brought(kind | tuple[kind, ...], value, **limits)
    assert str(caught.value) == message


def test_limits_leave_out_what_is_no_number() -> None:
    assert brought(bool | float, True, minimum=2) is True
    assert brought(float | None, None, minimum=2, choices=(3.0,)) is None


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(-10, 10), st.floats(0, 10))
def test_what_is_accepted_lies_within_the_limits(value: float, low: float, span: float) -> None:
    try:
        assert low <= brought(float, value, minimum=low, maximum=low + span) <= low + span
    except ParameterError:
        assert not low <= value <= low + span


def test_declaring_needs_no_numpy() -> None:
    program = "import sys, nxscatter.fields; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

"""Header values of any kind."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscatter.errors import ReadError
from nxscatter.plain import header_value
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.headers.keywords import Keywords, find_sample, per_frame

FORMS: list[Any] = [
    float,
    np.float64,
    np.array,
    lambda value: np.array([value]),
    lambda value: np.full(3, value),
    repr,
    lambda value: repr(value).encode(),
    lambda value: np.bytes_(repr(value)),
    lambda value: np.array([repr(value).encode()]),
    lambda value: f"  {value!r}\0",
    lambda value: np.array(repr(value), dtype=object),
]


@given(st.floats(-1e12, 1e12, allow_subnormal=False), st.sampled_from(FORMS))
def test_a_number_is_the_same_in_every_form(value: float, form: Any) -> None:
    assert Keywords("f", {"Center_1": form(value)}).number("center_1") == value


@given(st.integers(-(2**31), 2**31), st.sampled_from(FORMS))
def test_a_whole_number_is_one_in_every_form(value: int, form: Any) -> None:
    assert Keywords("f", {"BSize_1": form(value)}).integer("BSIZE_1", 7) == value


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=5,
    )
)
def test_every_value_becomes_json(value: Any) -> None:
    json.dumps(header_value(value))


@pytest.mark.parametrize("value", ["abc", "nan", "inf", math.nan, math.inf, True, [1.0, 2.0], "1 2", "0x10", "1_0"])
def test_what_is_no_number_names_file_and_key(value: Any) -> None:
    with pytest.raises(ReadError, match=r"^scan.h5: header key Center_1 = .*"):
        Keywords("scan.h5", {"Center_1": value}).number("Center_1")


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [
        ("2.46", "length", 2.46),
        ("2460_mm", "length", 2.46),
        ("1.54189 Angstrom", "length", 1.54189e-10),
        ("0.005 s", "time", 0.005),
        ("90_deg", "angle", math.pi / 2),
        ("1.5D-10", "length", 1.5e-10),
    ],
)
def test_a_unit_behind_a_number_is_converted(text: str, kind: str, number: float) -> None:
    assert Keywords("f", {"key": text}).number("key", kind) == pytest.approx(number, rel=1e-14)


@pytest.mark.parametrize(("text", "kind"), [("5 s", "length"), ("5 mm", ""), ("5 parsec", "length")])
def test_a_unit_that_does_not_fit_is_an_error(text: str, kind: str) -> None:
    with pytest.raises(ReadError, match="unit that does not fit"):
        Keywords("f", {"key": text}).number("key", kind)


def test_what_is_missing_or_empty_is_unknown() -> None:
    keys = Keywords("f", {"empty": "  ", "none": None, "here": 0})
    assert [keys.number(key) for key in ("empty", "none", "absent", "here")] == [None, None, None, 0.0]
    assert keys.text("absent") == ""
    assert keys.integer("absent", 3) == 3
    with pytest.raises(ReadError, match="whole number"):
        Keywords("f", {"BSize_1": 1.5}).integer("BSize_1", 1)


def test_the_first_readable_date_is_taken_and_assumptions_are_noted() -> None:
    keys = Keywords("f", {"start_time": "soon", "Date": "Wed Jan 31 09:41:46 2018"})
    found = keys.time("start_time", "Date")
    assert found is not None
    assert found.isoformat() == "2018-01-31T09:41:46+00:00"
    assert keys.notes == [
        "start_time: 'soon' is no date in a form that is known (ISO 8601, ctime, EXIF, 30-Oct-2021 10:00:00)",
        "Date = 'Wed Jan 31 09:41:46 2018' names no time zone: UTC is assumed",
    ]
    assert Keywords("f", {"Date": "2018-01-31T09:41:46+01:00"}).time("Date") is not None
    assert Keywords("f", {}).time("Date") is None


def test_the_user_s_sample_and_field_win_over_the_title_s() -> None:
    notes: list[str] = []
    sample = find_sample("a_100mT", ReadOptions(sample="b", field_mT=-5.0), notes)
    assert (sample.name, sample.magnetic_field, notes) == ("b", -5.0, [])


def test_what_the_title_does_not_tell_is_noted_with_its_option() -> None:
    notes: list[str] = []
    sample = find_sample("", ReadOptions(), notes)
    assert sample.name == ""
    assert math.isnan(sample.magnetic_field)
    assert notes == ["the file names no sample (--sample)", "no title names a magnetic field (--field-mT)"]


def test_one_value_for_every_frame() -> None:
    assert per_frame(2.0, 3).tolist() == [2.0, 2.0, 2.0]
    assert per_frame(None, 3).size == 0

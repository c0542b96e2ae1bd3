"""Titles and file names."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscatter.readers.headers.titles import parse_composite, parse_title


@pytest.mark.parametrize(
    ("title", "sample", "field"),
    [
        ("25Ti_x_100mT", "25Ti_x", 100.0),
        ("Co12_1.4T", "Co12", 1400.0),
        ("Co12_0.5mT", "Co12", 0.5),
        ("Co12_1.001T", "Co12", 1001.0),
        ("Co12 -100 mT", "Co12", -100.0),
        ("-1 T Co12", "Co12", -1000.0),
        ("a_100mT_b", "a_b", 100.0),
        ("a 100mT b", "a b", 100.0),
        ("100mT", "", 100.0),
        ("a_100mT_0.1T", "a", 100.0),
        (" a_0mT ", "a", 0.0),
    ],
)
def test_a_title_is_taken_apart_into_sample_and_field(title: str, sample: str, field: float) -> None:
    assert parse_title(title) == (sample, field, "")


@pytest.mark.parametrize("title", ["AG BH", "25Ti", "x100mT", "100mTx", "x-100mT", "5 Tesla", "", "100 mt", "1,4T"])
def test_a_title_without_a_field_leaves_it_unknown_with_a_reason(title: str) -> None:
    found = parse_title(title)
    assert (found.sample, bool(found.reason)) == (title, True)
    assert np.isnan(found.field_mT)


def test_two_different_fields_are_no_field() -> None:
    found = parse_title("a_100mT_200mT")
    assert np.isnan(found.field_mT)
    assert "more than one" in found.reason


@given(
    st.from_regex(r"[A-Z][a-z]{2,5}(_[a-z]{2,5}){0,2}", fullmatch=True),
    st.decimals(-9999, 9999, places=3),
    st.sampled_from(["mT", "T", " mT", " T"]),
    st.sampled_from("_ "),
)
def test_every_sample_and_field_come_back(sample: str, number: object, unit: str, joint: str) -> None:
    found = parse_title(f"{sample}{joint}{number}{unit}")
    assert found.sample == sample
    assert found.field_mT == pytest.approx(float(str(number)) * (1 if "m" in unit else 1000), rel=1e-15)


@given(st.text())
def test_no_title_is_an_error(title: str) -> None:
    found = parse_title(title)
    assert np.isnan(found.field_mT) == bool(found.reason)


@pytest.mark.parametrize(
    "name",
    [
        "a_OT_vd_0_00012-00013.edf",
        "a_OT_0_vd_12-13.edf",
        "a_OT_vd_2018-01-31_12-13.edf",
        "a_OT_vd_12-13_erased.edf",
        "a_OT_vd_12-13.b.edf",
    ],
)
def test_names_of_composites(name: str) -> None:
    assert parse_composite(name) == ("a_OT", 12, 13)


@pytest.mark.parametrize("name", ["a_OT_0_00012.edf", "a_12-13.edf", "a_vd_2018-01-31.edf", "avd_12-13.edf"])
def test_other_names_are_no_composites(name: str) -> None:
    assert parse_composite(name) is None

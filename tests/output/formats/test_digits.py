"""Numbers as text: what Python itself would write, and what reads back as the same number."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscatter.output.formats.digits import WIDTH, text_rows


def words(*columns: object) -> list[list[str]]:
    return [line.split() for line in text_rows([np.asarray(one, dtype=float) for one in columns]).decode().splitlines()]


def test_nine_digits_as_python_writes_them() -> None:
    dice = np.random.default_rng(5)
    values = dice.standard_normal(20_000) * 10.0 ** dice.integers(-93, 98, 20_000)
    assert [one for (one,) in words(values)] == [f"{value:.8e}" for value in values]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00000000e+00"),
        (-0.0, "-0.00000000e+00"),
        (9.999999994, "9.99999999e+00"),
        (9.999999996, "1.00000000e+01"),
        (-123456789.0, "-1.23456789e+08"),
        (1234567895.0, "1.23456790e+09"),
        (2.0**-10, "9.76562500e-04"),
        (1e-99, "1.00000000e-99"),
        (9.99999999e99, "9.99999999e+99"),
        (9.999999999e99, "1.0000000e+100"),
        (-2.5e-100, "-2.5000000e-100"),
        (5e-324, "4.9406565e-324"),
        (1.7976931348623157e308, "1.7976931e+308"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (math.nan, "nan"),
    ],
)
def test_numbers_at_the_edges(value: float, text: str) -> None:
    assert words([1.0, value, 1.0]) == [["1.00000000e+00"], [text], ["1.00000000e+00"]]


@given(st.lists(st.floats(width=32), min_size=1, max_size=30))
def test_every_float32_comes_back(values: list[float]) -> None:
    written = np.array([one for (one,) in words(values)], dtype=float).astype(np.float32)
    tiny = np.abs(np.array(values)) < 1e-37  # near the end of float32 fewer digits tell numbers apart
    np.testing.assert_array_equal(written[~tiny], np.array(values, dtype=np.float32)[~tiny])


@given(st.lists(st.floats(), min_size=1, max_size=30))
def test_every_number_comes_back_to_eight_digits(values: list[float]) -> None:
    written = np.array([one for (one,) in words(values)], dtype=float)
    finite = np.abs(values) < 1e308  # whose eight digits may round to more than there is
    np.testing.assert_allclose(written[finite], np.array(values)[finite], rtol=5.1e-8, atol=5e-324)


def test_rows_have_one_width_and_end_with_a_line() -> None:
    text = text_rows([np.array([1.0, np.nan, -3e200]), np.array([-0.1, np.inf, 0.0])])
    assert len(text) == 3 * 2 * WIDTH
    lines = text.decode().split("\n")
    assert [len(line) for line in lines] == [2 * WIDTH - 1] * 3 + [0]
    assert [line.split() for line in lines[:2]] == [["1.00000000e+00", "-1.00000000e-01"], ["nan", "inf"]]

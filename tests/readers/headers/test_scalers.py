"""Monitors from the scaler card."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nxscatter.errors import ReadError
from nxscatter.readers.headers.keywords import Keywords
from nxscatter.readers.headers.scalers import monitors

PINS = {
    "HS32N01": "TIME", "HS32F01": 1e-6, "HS32Z01": 0, "HS32C01": 2_000_000,
    "HS32N02": b"PIN1", "HS32F02": "10", "HS32Z02": 100.0, "HS32C02": "5200",
    "HS32N03": "PIN2", "HS32F03": 20, "HS32Z03": "50", "HS32C03": 2100,
}  # fmt: skip


@pytest.mark.parametrize(
    "pointers",
    [
        {"HSTime": 1, "HSI0": 2, "HSI1": 3},
        {"HSTime": "1", "HSI0": b"2", "HSI1": 3.0},
        {"HSTime": "TIME", "HSI0": "PIN1", "HSI1": b"PIN2"},
    ],
)
def test_a_monitor_is_counts_less_dark_times_factor(pointers: dict[str, Any]) -> None:
    found = monitors(Keywords("f", PINS | pointers), {}, 2)
    assert found["time"].tolist() == [2.0, 2.0]
    assert found["intensity0"].tolist() == [(5200 - 100 * 2) * 10] * 2
    assert found["intensity1"].tolist() == [(2100 - 50 * 2) * 20] * 2


def test_counts_of_every_frame_as_arrays() -> None:
    counts = np.array([[1_000_000, 5100, 2050], [2_000_000, 5200, 2100]])
    arrays = {"HS32C": counts, "HS32N": ["t", "a", "b"], "HS32Z": [0, 100, 50], "HS32F": [1e-6, 10, 20]}
    found = monitors(Keywords("f", {"HSTime": "t", "HSI0": "a", "HSI1": "b"}), arrays, 2)
    assert found["time"].tolist() == [1.0, 2.0]
    assert found["intensity0"].tolist() == [50_000.0, 50_000.0]
    assert found["intensity1"].tolist() == [40_000.0, 40_000.0]


def test_header_intensities_stand_in_where_there_are_no_counts() -> None:
    found = monitors(Keywords("f", {"Intensity0": 10.0, "Intensity1": "8", "HSTime": 1, "HSI0": 2}), {}, 3)
    assert found["intensity0"].tolist() == [10.0] * 3
    assert found["intensity1"].tolist() == [8.0] * 3
    assert "time" not in found


def test_without_monitors_nothing_is_found() -> None:
    assert monitors(Keywords("f", {}), {}, 2) == {}


@pytest.mark.parametrize(
    ("header", "arrays", "message"),
    [
        (PINS | {"HSTime": 1, "HSI0": "PIN9"}, {}, "HSI0 = 'PIN9' is no pin"),
        (PINS | {"HSTime": 0}, {}, "HSTime = '0' is no pin"),
        (PINS | {"HSTime": 1, "HS32C01": [1, 2, 3]}, {}, "HS32C01 has 3 values for 2 frames"),
        (PINS | {"HSTime": 1, "HS32F01": "fast"}, {}, "HS32F01 = 'fast' is not a number"),
        ({"HSTime": 4}, {"HS32C": np.zeros((2, 3))}, "HS32C has no pin 4"),
    ],
)
def test_what_does_not_fit_is_named(header: dict[str, Any], arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(ReadError, match=f"^f: .*{message}"):
        monitors(Keywords("f", header), arrays, 2)

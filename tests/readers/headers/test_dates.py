"""Dates as headers write them."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscatter.readers.headers.dates import parse_time


@given(
    st.datetimes(datetime(1971, 1, 2), datetime(2099, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from("T "),
    st.sampled_from(["", " "]),
)
def test_iso_dates_with_zone_come_back_in_utc(moment: datetime, offset: int, joint: str, space: str) -> None:
    local = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    text = local.isoformat(joint)
    written = f"{text[:-6]}{space}{text[-6:]}"
    assert parse_time(written) == (local.astimezone(UTC), False)
    assert parse_time(written).time.tzinfo is UTC


@given(st.datetimes(datetime(1971, 1, 2), datetime(2099, 1, 1)).map(lambda one: one.replace(microsecond=0)))
def test_ctime_dates_are_taken_as_utc(moment: datetime) -> None:
    assert parse_time(moment.ctime()) == (moment.replace(tzinfo=UTC), True)


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [("2018-01-31T09:41:46.5", 500000), ("2018-01-31 09:41:46,123456789", 123456), ("2018-01-31T09:41:46", 0)],
)
def test_fractions_of_a_second(text: str, microsecond: int) -> None:
    assert parse_time(text) == (datetime(2018, 1, 31, 9, 41, 46, microsecond, tzinfo=UTC), True)


@pytest.mark.parametrize("zone", ["+0200", "+02:00", "+02", " +0200"])
def test_zone_offsets(zone: str) -> None:
    assert parse_time(f"2018-01-31T09:41:46{zone}") == (datetime(2018, 1, 31, 7, 41, 46, tzinfo=UTC), False)


@pytest.mark.parametrize("text", ["", "yesterday", "2018-13-31T00:00:00", "Wed Foo 31 09:41:46 2018", "15173"])
def test_what_is_no_date_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="is no date"):
        parse_time(text)


@pytest.mark.parametrize(
    "text",
    [
        "2018-01-31 09:41:46 UTC",
        "2018-01-31T09:41:46z",
        "2018-01-31 09:41:46 GMT",
        "20180131T094146Z",
        "Wed Jan 31 09:41:46 UTC 2018",
        "Wed Jan 31 09:41:46 2018 UTC",
        "Wed Jan 31 10:41:46 2018 +0100",
        "Wed, 31 Jan 2018 10:41:46 +0100",
        "31-Jan-2018 09:41:46 UTC",
        "31-JAN-2018 09:41:46+00:00",
        "2018:01:31 09:41:46Z",
        "1517391706",
        "1517391706.0",
        "1517391706000",
    ],
)
def test_other_forms_with_a_zone(text: str) -> None:
    assert parse_time(text) == (datetime(2018, 1, 31, 9, 41, 46, tzinfo=UTC), False)


@pytest.mark.parametrize(
    "text",
    [
        "31-Jan-2018 09:41:46",
        "31 Jan 2018 09:41:46",
        "31.01.2018 09:41:46",
        "2018:01:31 09:41:46",
        "2018/01/31 09:41:46",
        "2018/Jan/31 09:41:46",
        "20180131 09:41:46",
        "20180131094146",
        "Jan 31 2018 09:41:46",
        "Wed Jan 31 09:41:46 2018",
        "Wed  Jan  31  09:41:46  2018",
    ],
)
def test_other_forms_without_a_zone(text: str) -> None:
    assert parse_time(text) == (datetime(2018, 1, 31, 9, 41, 46, tzinfo=UTC), True)
    if ":46" in text:
        fraction = parse_time(text.replace(":46", ":46.1234567"))
        assert fraction == (datetime(2018, 1, 31, 9, 41, 46, 123456, tzinfo=UTC), True)


@pytest.mark.parametrize("text", ["30-Oct-2021", "2021-10-30", "30 Oct 2021", "2021/10/30", "30.10.2021"])
def test_a_day_alone(text: str) -> None:
    assert parse_time(text) == (datetime(2021, 10, 30, tzinfo=UTC), True)


@pytest.mark.parametrize("text", ["1517391706.25", "1517391706250", "1517391706250000", "1517391706250000000"])
def test_epoch_numbers_keep_their_fraction(text: str) -> None:
    assert parse_time(text) == (datetime(2018, 1, 31, 9, 41, 46, 250000, tzinfo=UTC), False)


@pytest.mark.parametrize(
    "text", ["0001-01-01", "0001-01-01T00:00:00", "9999-12-31T23:59:59-05:00", "1970-01-01T00:00:00Z", "0000000000"]
)
def test_a_date_that_cannot_be_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be the date of a measurement"):
        parse_time(text)


@pytest.mark.parametrize("text", ["03/04/2024", "03/04/2024 10:00:00", "2018-02-30", "10:00:00", "Wed Jan 31"])
def test_what_cannot_be_told_apart_is_not_guessed(text: str) -> None:
    with pytest.raises(ValueError, match="is no date"):
        parse_time(text)


@given(st.text())
def test_any_text_is_a_date_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_time(text).time.tzinfo is UTC

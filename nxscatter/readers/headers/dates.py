"""Dates as headers write them, told in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

# Forms beside ISO 8601. Days and months in numbers alone ("03/04/2024") are none of them: which is which is not told.
_WITHOUT_ZONE = (
    "%a %b %d %H:%M:%S %Y",  # ctime
    "%a, %d %b %Y %H:%M:%S",  # mails
    "%d-%b-%Y %H:%M:%S",
    "%d-%b-%Y",
    "%d %b %Y %H:%M:%S",
    "%d %b %Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y",
    "%b %d %Y %H:%M:%S",
    "%b %d %H:%M:%S %Y",
    "%Y:%m:%d %H:%M:%S",  # EXIF and TIFF
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d",
    "%Y/%b/%d %H:%M:%S",  # older Pilatus
    "%Y-%b-%d %H:%M:%S",
    "%Y%m%d %H:%M:%S",
    "%Y%m%d%H%M%S",
)
# the last one is what the command date writes, its zone put as an offset
_FORMS = (*(form + end for form in _WITHOUT_ZONE for end in ("", " %z")), "%a %b %d %H:%M:%S %z %Y")
_EPOCH = re.compile(r"\d{9,10}(?:\.\d+)?|\d{13}|\d{16}|\d{19}")  # seconds, ms, us, ns since 1970
_FRACTION = re.compile(r"(?<=:\d\d)[.,](\d+)")
_UTC_NAMES = re.compile(r"(?<=[\d ])(?:UTC|GMT|Z)\b", re.IGNORECASE)
# A year that no measurement of this kind has: clocks that were never set say 1 or 1970.
_FIRST, _LAST = 1971, 2100

ZONE_ASSUMED = "names no time zone: UTC is assumed"


class Moment(NamedTuple):
    """A time in UTC; ``assumed`` when the text named no zone, so that UTC is an assumption."""

    time: datetime
    assumed: bool


def parse_time(text: str) -> Moment:
    """Read a date: ISO 8601, ctime, EXIF, ``30-Oct-2021 10:00:00``, seconds since 1970 and some others.

    Fractions of a second, zone offsets and the names UTC, GMT and Z are understood in all of them.

    Raises
    ------
    ValueError
        When the text is no such date, or one that cannot be.
    """
    text = " ".join(text.split())
    found = _epoch(text) if _EPOCH.fullmatch(text) else _calendar(text)
    if found is None:
        raise ValueError(f"'{text}' is no date in a form that is known (ISO 8601, ctime, EXIF, 30-Oct-2021 10:00:00)")
    if not _FIRST <= found.year < _LAST:
        raise ValueError(f"'{text}' cannot be the date of a measurement")
    zoned = found.tzinfo is not None
    return Moment(found.astimezone(UTC) if zoned else found.replace(tzinfo=UTC), not zoned)


def is_date(text: str) -> bool:
    """Tell whether a text is a date, and no mere number."""
    try:
        return not _EPOCH.fullmatch(text.strip()) and bool(parse_time(text))
    except ValueError:
        return False


def _epoch(text: str) -> datetime:
    whole, _, fraction = text.partition(".")
    microseconds = int(whole) * 10**6 // 10 ** max(0, len(whole) - 10) + int(fraction.ljust(6, "0")[:6])
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


def _calendar(text: str) -> datetime | None:
    # strptime knows names of zones only by the machine's own zone, and no more than six digits of a fraction
    plain = _UTC_NAMES.sub("+0000", text)
    for form in (text, plain):
        try:
            return datetime.fromisoformat(form)
        except ValueError:
            continue
    fraction = _FRACTION.search(plain)
    microseconds = int(fraction[1].ljust(6, "0")[:6]) if fraction else 0
    spaced = re.sub(r"(?<=:\d\d)(?=[+-]\d\d)", " ", _FRACTION.sub("", plain))
    for form in _FORMS:
        try:
            return datetime.strptime(spaced, form).replace(microsecond=microseconds)
        except ValueError:
            continue
    return None

"""A header of keys and values of any kind, read as numbers and texts with errors that name file and key."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from nxscatter.errors import ReadError
from nxscatter.model import Floats, Sample
from nxscatter.plain import Json, header_value, readable
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.headers.dates import ZONE_ASSUMED, parse_time
from nxscatter.readers.headers.missing import missing_note
from nxscatter.readers.headers.titles import parse_title
from nxscatter.readers.headers.units import factor, scaled

_NUMBER = re.compile(r"(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][-+]?\d+)?)[ _]*(?P<unit>[A-Za-zµμ°Å]*)")


class Keywords:
    """The header of one file, its keys found in any mixture of cases.

    Parameters
    ----------
    file : str
        Name of the file, for errors.
    header : mapping
        Values of any kind.
    notes : list of str, optional
        Where assumptions and missing things are written down.
    """

    def __init__(self, file: str, header: Mapping[str, Any], notes: list[str] | None = None) -> None:
        self.file = file
        self.header = {key: header_value(value) for key, value in header.items()}
        self.notes: list[str] = [] if notes is None else notes
        self._key = {key.lower(): key for key in self.header}

    def __contains__(self, key: str) -> bool:
        """Tell whether the header has a key with a value in it."""
        return self.get(key) not in (None, "", [])

    def get(self, key: str) -> Json:
        """Return the value of a key, None when it is missing."""
        return self.header.get(self._key.get(key.lower(), ""))

    def text(self, key: str) -> str:
        """Return a value as text, "" when it is missing."""
        value = self.get(key)
        return "" if value is None else str(value)

    def number(self, key: str, kind: str = "") -> float | None:
        """Return a value as a finite number, None when it is missing.

        Parameters
        ----------
        key : str
            The key, in any case.
        kind : str
            Kind of quantity ("length", "angle", "time"): a unit behind the number is then converted to m,
            rad or s; without a unit the number is returned as it stands.

        Raises
        ------
        ReadError
            When there is something else than a number.
        """
        number, unit = self.measured(key, kind)
        scale = factor(unit, kind) if unit else None
        return number if number is None or scale is None else scaled(number, scale)

    def measured(self, key: str, kind: str = "") -> tuple[float | None, str]:
        """Return a value as a finite number, and the unit that stands behind it, "" for none.

        The number is None when it is missing; ReadError as `number` raises it.
        """
        if key not in self:
            return None, ""
        value = self.get(key)
        if isinstance(value, list) and value and all(item == value[0] for item in value):
            value = value[0]
        number, unit = self._parse(value) if isinstance(value, str) else (value, "")
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            raise ReadError(f"{self.file}: header key {key} = {value!r} is not a number; correct the header")
        if unit and (not kind or factor(unit, kind) is None):
            raise ReadError(
                f"{self.file}: header key {key} = {value!r} has a unit that does not fit; correct the header"
            )
        return float(number), unit

    def _parse(self, text: str) -> tuple[float, str]:
        match = _NUMBER.fullmatch(text)
        if match is None:
            return math.nan, ""
        return float(match["number"].lower().replace("d", "e")), match["unit"]

    def integer(self, key: str, default: int) -> int:
        """Return a value as a whole number; ReadError when it is none."""
        number = self.number(key)
        if number is None:
            return default
        if not number.is_integer():
            raise ReadError(f"{self.file}: header key {key} = {number:g} is not a whole number; correct the header")
        return int(number)

    def time(self, *keys: str) -> datetime | None:
        """Return the first date that can be read among ``keys``, in UTC; notes say what was assumed."""
        for key in keys:
            if key not in self:
                continue
            try:
                moment = parse_time(self.text(key))
            except ValueError as error:
                self.notes.append(f"{key}: {error}")
                continue
            if moment.assumed:
                self.notes.append(f"{key} = '{self.text(key)}' {ZONE_ASSUMED}")
            return moment.time
        return None


def per_frame(value: float | None, frames: int) -> Floats:
    """Return one value for every frame; an empty array when it is unknown."""
    return np.zeros(0) if value is None else np.full(frames, float(value))


def find_sample(title: str, options: ReadOptions, notes: list[str]) -> Sample:
    """Return sample and field of a title, or the user's; notes name the option for what stays unknown."""
    found = parse_title(title)
    name = readable(found.sample if options.sample is None else options.sample)
    field = found.field_mT if options.field_mT is None else float(options.field_mT)
    if not name:
        notes.append(missing_note("the file names no sample", "--sample"))
    if math.isnan(field):
        notes.append(missing_note(found.reason, "--field-mT"))
    return Sample(name=name, magnetic_field=field)

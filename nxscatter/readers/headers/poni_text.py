"""The text of a PONI file: which calibration in it counts, and its values."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nxscatter.errors import ReadError
from nxscatter.readers.base import first_bytes, is_hdf5

_LARGEST = 2**20  # bytes
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BEGINNINGS = ("# nota:", "# calibration done")  # comments that pyFAI writes at the head of a calibration
_PLACE = ("distance", "poni1", "poni2", "rot1", "rot2", "rot3")


@dataclass(frozen=True)
class PoniValues:
    """The values of one calibration.

    Attributes
    ----------
    file : str
        Name of the file.
    all : str
        Its whole text.
    values : mapping
        Text of each value by its key in lower case.
    """

    file: str
    all: str
    values: Mapping[str, str]

    def given(self, key: str) -> bool:
        """Tell whether there is a value, other than None."""
        return self.text(key).lower() not in ("", "none")

    def text(self, key: str) -> str:
        """Return a value as text, "" when it is missing."""
        return self.values.get(key, "")

    def number(self, key: str, above: float = -math.inf) -> float:
        """Return a value as a finite number; ReadError when it is none, or not above a limit."""
        if key not in self.values:
            raise self.wrong(f"key {key} is missing")
        return self.checked(key, self.values[key], above)

    def checked(self, key: str, value: object, above: float = -math.inf) -> float:
        """Return what stands under a key as a finite number, as `number` does."""
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            comma = "; it has a decimal comma" if re.fullmatch(r"[-+\d]*,\d+([eE][-+]?\d+)?", str(value)) else ""
            raise self.wrong(f"{key} = {value} is not a number{comma}")
        if number <= above:
            raise self.wrong(f"{key} = {number:g} must be above {above:g}")
        return number

    def wrong(self, what: str) -> ReadError:
        """Return the error that something in the file is wrong."""
        return ReadError(f"{self.file}: {what}; write the PONI file again")


def read_values(path: Path) -> PoniValues:
    """Read the last calibration of a PONI file, to which pyFAI-calib appends.

    Raises
    ------
    ReadError
        When there is no such file, or it is no PONI file.
    """
    if not path.is_file():
        raise ReadError(f"{path}: no such PONI file; check --poni")
    if path.stat().st_size > _LARGEST:
        raise ReadError(f"{path.name}: is too large for a PONI file; check --poni")
    if is_hdf5(path):
        raise ReadError(f"{path.name}: is no PONI file but an HDF5 one; save the calibration as PONI with pyFAI")
    if first_bytes(path, 2) in _UTF16:
        raise ReadError(f"{path.name}: is no PONI file as pyFAI writes it: its text is UTF-16; save it as UTF-8")
    text = path.read_text("utf-8-sig", "replace")
    if text.lstrip().startswith(("{", "[")):
        raise ReadError(f"{path.name}: is no PONI file but a JSON one; save the calibration as PONI with pyFAI")
    values = _last(text)
    if not any(key in values for key in _PLACE):
        raise ReadError(f"{path.name}: is no PONI file, it has none of the keys {', '.join(_PLACE)}; check --poni")
    return PoniValues(path.name, text, values)


def _last(text: str) -> dict[str, str]:
    """Return the values of the last calibration of a text.

    One begins with the version, a comment that pyFAI puts first, or a key that was there already.
    """
    blocks: list[dict[str, str]] = [{}]
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        key = key.strip().lower()
        if line.strip().lower().startswith(_BEGINNINGS):
            blocks.append({})
        elif colon and not key.startswith("#"):
            if key == "poni_version" or key in blocks[-1]:
                blocks.append({})
            blocks[-1][key] = value.strip()
    return next((block for block in reversed(blocks) if block), {})

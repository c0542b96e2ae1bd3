"""What titles and file names say: sample, magnetic field, frames of a composite."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

_FIELD = re.compile(r"(?:^|(?<=[_ ]))(?P<number>-?(?:\d+\.?\d*|\.\d+)) ?(?P<unit>mT|T)(?=[_ ]|$)")
_COMPOSITE = re.compile(r"^(?P<prefix>.+?)(?:_0)?_vd(?=_).*?_(?P<first>\d+)-(?P<second>\d+)(?=[_.]|$)")


class Title(NamedTuple):
    """Sample and field as a title tells them; field in mT, NaN with a reason when it tells none."""

    sample: str
    field_mT: float  # noqa: N815 (mT is the unit)
    reason: str


class Composite(NamedTuple):
    """Parts of the name of a line-eraser composite: the prefix and the numbers of its two frames."""

    prefix: str
    first: int
    second: int


def parse_title(title: str) -> Title:
    """Take the magnetic field out of a title; what is left is the sample.

    The field is a number with ``mT`` or ``T``, bounded by ``_``, a space or the ends of the title.

    Examples
    --------
    >>> parse_title("25Ti_x_100mT")[:2]
    ('25Ti_x', 100.0)
    >>> parse_title("Co12 -1.4 T")[:2]
    ('Co12', -1400.0)
    """
    title = title.strip()
    found = list(_FIELD.finditer(title))
    values = {_millitesla(match) for match in found}
    if len(values) > 1:
        return Title(title, float("nan"), f"title '{title}' names more than one magnetic field")
    if not found:
        reason = f"title '{title}' names no magnetic field" if title else "no title names a magnetic field"
        return Title(title.strip("_ "), float("nan"), reason)
    sample = title
    for match in reversed(found):
        before, after = sample[: match.start()].rstrip("_ "), sample[match.end() :].lstrip("_ ")
        joint = sample[match.start() - 1] if before and after else ""
        sample = f"{before}{joint}{after}"
    return Title(sample.strip("_ "), values.pop(), "")


def _millitesla(match: re.Match[str]) -> float:
    # decimal, so that 1.001 T is 1001 mT and not 1000.9999999999999
    return float(Decimal(match["number"]) * (1000 if match["unit"] == "T" else 1))


def parse_composite(file_name: str) -> Composite | None:
    """Return the parts of a composite's name ``..._vd_..._N-M...``, None for any other name."""
    match = _COMPOSITE.search(file_name.rsplit(".", 1)[0])
    return None if match is None else Composite(match["prefix"], int(match["first"]), int(match["second"]))

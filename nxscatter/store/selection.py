"""Choices among records: the newest of each name, those of one kind of result."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nxscatter.results import Result
from nxscatter.step import get_step

if TYPE_CHECKING:
    from nxscatter.store.record import Record


def newest(records: Iterable[Record]) -> list[Record]:
    """Return the newest version of each name, in the order in which they were made."""
    found = {record.base: record for record in sorted(records, key=lambda record: record.number)}
    return sorted(found.values(), key=lambda record: record.sequence)


def of_kind(records: Iterable[Record], *kinds: type[Result]) -> list[Record]:
    """Return the records whose steps return one of these results."""
    return [record for record in records if issubclass(get_step(record.step).output(), kinds)]

"""The records of a container for people: as a tree, with what was chosen and what is out of date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nxscatter.store.record import Record


@dataclass(frozen=True)
class Branch:
    """A record in the tree.

    Attributes
    ----------
    record : Record
        The record.
    others : tuple of str
        Names of the other records that it was directly made from: in the tree it hangs on the newest alone.
    children : tuple of Branch
        What was made from it.
    """

    record: Record
    others: tuple[str, ...]
    children: tuple[Branch, ...]


def tree(records: Sequence[Record]) -> tuple[Branch, ...]:
    """Return the records as a tree: each hangs on the newest of its inputs, those made from none are its roots."""
    inputs = {one.name: [parent.name for parent in nearest(one)] for one in records}

    def grow(root: str) -> tuple[Branch, ...]:
        found = []
        for record in records:
            *others, newest = inputs[record.name] or [""]
            if newest == root:
                found.append(Branch(record, tuple(others), grow(record.name)))
        return tuple(found)

    return grow("")


def nearest(record: Record) -> list[Record]:
    """Return the inputs of a record that none of its other inputs was made from, in the order of their making."""
    behind = {name for parent in record.parents for name in _ancestors(parent)}
    found = {one.name: one for one in record.parents if one.name not in behind}
    return sorted(found.values(), key=lambda one: one.sequence)


def why_stale(record: Record) -> str:
    """Say which newer records make this one stale, "" when none does."""
    ancestors = [one for one in _ancestors(record).values() if not one.stale]
    newest = {one.name: record.container.latest(one.base).name for one in ancestors}
    newer = list(dict.fromkeys(last for name, last in newest.items() if last != name))
    return f"{' and '.join(newer)} {'is' if len(newer) == 1 else 'are'} newer" if newer else ""


def _ancestors(record: Record) -> dict[str, Record]:
    """Return the records that this one stands on, itself left out, by name."""
    return {
        name: one for parent in record.parents for name, one in ({parent.name: parent} | _ancestors(parent)).items()
    }


def ancestors(record: Record) -> list[Record]:
    """Return the records that this one stands on, in the order in which they were made."""
    found = {one.name: one for parent in record.parents for one in (*ancestors(parent), parent)}
    return sorted(found.values(), key=lambda one: one.sequence)

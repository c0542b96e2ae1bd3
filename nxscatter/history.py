"""The records of a container for people: as a tree, with what was chosen and what is out of date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from nxscatter.errors import ParameterError
from nxscatter.model import Json
from nxscatter.step import get_step

if TYPE_CHECKING:
    from nxscatter.record import Record


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


def parameters(record: Record, *, chosen: bool = False) -> dict[str, str]:
    """Return the parameters as texts with units, those that have a value; only what is no default when ``chosen``."""
    try:
        declared = {item.name: item for item in fields(get_step(record.step))}
    except ParameterError:  # a step of another program: its record can be shown all the same
        declared = {}
    found = {}
    for name, value in record.parameters.items():
        item = declared.get(name)
        usual = item is not None and value == (list(item.default) if isinstance(item.default, tuple) else item.default)
        text, units = as_text(value), item.metadata["units"] if item is not None else ""
        if text and not (chosen and usual):
            found[name] = f"{text} {units}" if units else text
    return found


def automatic(record: Record) -> dict[str, str]:
    """Return what the step chose by itself, as texts."""
    return {name: as_text(value) for name, value in record.auto.items() if as_text(value)}


def why_stale(record: Record) -> str:
    """Say which newer records make this one stale, "" when none does."""
    ancestors = [one for one in _ancestors(record).values() if not one.stale]
    newest = {one.name: record.container.latest(one.base).name for one in ancestors}
    newer = list(dict.fromkeys(last for name, last in newest.items() if last != name))
    return f"{' and '.join(newer)} {'is' if len(newer) == 1 else 'are'} newer" if newer else ""


def source_name(path: str) -> str:
    """Name an input of a record: another record, or a part of the converted content."""
    name = path.rsplit("/", 1)[-1]
    return {"data": "raw frames", "attachments": "files of the source"}.get(name, name)


def as_text(value: Json) -> str:
    """Write a parameter for people; a file by its name, nothing as ""."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        if "sha256" in value:
            return str(value["file"])
        return ", ".join(f"{key} {as_text(one)}" for key, one in value.items())
    if isinstance(value, list):
        if value and isinstance(value[0], list):
            return "; ".join(" ".join(map(as_text, one)) for one in value)
        return ", ".join(map(as_text, value))
    return str(value)


def _ancestors(record: Record) -> dict[str, Record]:
    """Return the records that this one stands on, itself left out, by name."""
    return {
        name: one for parent in record.parents for name, one in ({parent.name: parent} | _ancestors(parent)).items()
    }

"""Lineage: the provenance graph of a container's records, over their names alone.

Each record points at its parents, what it was directly made from. They are older than itself: there is no circle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Branch:
    """A record in the tree.

    Attributes
    ----------
    name : str
        Name of the record.
    others : tuple of str
        Names of the other records that it was directly made from: in the tree it hangs on the newest alone.
    children : tuple of Branch
        What was made from it.
    """

    name: str
    others: tuple[str, ...]
    children: tuple[Branch, ...]


def base_name(name: str) -> str:
    """Return a record's name without its version: ``caving`` of ``caving_v2``."""
    return name.rsplit("_v", 1)[0]


class Lineage:
    """Which record was made from which, and what is stale. Made in one pass over the records.

    Parameters
    ----------
    parents : mapping of str to iterable of str
        Names of the records (``NAME_vN``) in the order in which they were made, each with the names of what it was
        made from. Of these, whatever is no older record is left out: a part of the converted content.
    """

    def __init__(self, parents: Mapping[str, Iterable[str]]) -> None:
        self._age = {name: number for number, name in enumerate(parents)}
        self._newest = {base_name(name): name for name in parents}
        self._parents: dict[str, tuple[str, ...]] = {}
        self._newer: dict[str, tuple[str, ...]] = {}  # what makes a record stale
        for name, found in parents.items():
            older = dict.fromkeys(parent for parent in found if parent in self._parents)
            reasons = (self._newer[parent] or self._replacement(parent) for parent in older)
            self._parents[name] = tuple(older)
            self._newer[name] = tuple(dict.fromkeys(newer for reason in reasons for newer in reason))

    def _replacement(self, name: str) -> tuple[str, ...]:
        newest = self.newest(name)
        return () if newest == name else (newest,)

    def parents(self, name: str) -> tuple[str, ...]:
        """Return the records that one was directly made from, in the order of its inputs."""
        return self._parents[name]

    def ancestors(self, *names: str) -> tuple[str, ...]:
        """Return the records that these stand on, oldest first; of these themselves only what another stands on."""
        reached: set[str] = set()
        waiting = list(names)
        while waiting:
            new = set(self._parents[waiting.pop()]) - reached
            reached |= new
            waiting += new
        return self._by_age(reached)

    def nearest(self, name: str) -> tuple[str, ...]:
        """Return the parents of a record that none of its other parents stands on, oldest first."""
        parents = self._parents[name]
        behind = set(self.ancestors(*parents))
        return self._by_age(parent for parent in parents if parent not in behind)

    def newest(self, name: str) -> str:
        """Return the newest version of a record."""
        return self._newest[base_name(name)]

    def stale(self, name: str) -> bool:
        """Tell whether a record stands on one of which there is a newer version."""
        return bool(self._newer[name])

    def why_stale(self, name: str) -> str:
        """Say which newer records make a record stale, "" when none does."""
        newer = self._newer[name]
        return f"{' and '.join(newer)} {'is' if len(newer) == 1 else 'are'} newer" if newer else ""

    def tree(self) -> tuple[Branch, ...]:
        """Return the records as a tree: each hangs on the newest of its parents, those made from none are its roots."""
        children: dict[str, list[Branch]] = {name: [] for name in ("", *self._parents)}
        for name in reversed(self._parents):  # children are younger than their parent, so that they are complete here
            *others, newest = self.nearest(name) or ("",)
            children[newest].append(Branch(name, tuple(others), tuple(reversed(children[name]))))
        return tuple(reversed(children[""]))

    def _by_age(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(names, key=self._age.__getitem__))

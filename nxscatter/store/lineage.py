"""Lineage: the provenance graph of a container's records, over their names alone.

Each record points at its parents, what it was directly made from. They are older than itself: there is no circle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
    """Which record was made from which, and what is stale. A record's inputs are asked for once, when they are needed.

    Parameters
    ----------
    names : iterable of str
        Names of the records (``NAME_vN``) in the order in which they were made.
    inputs : callable
        Returns the names of what a record was made from. Of these, whatever is no older record is left out: a part of
        the converted content.
    """

    def __init__(self, names: Iterable[str], inputs: Callable[[str], Iterable[str]]) -> None:
        self._age = {name: number for number, name in enumerate(names)}
        self._newest = {base_name(name): name for name in self._age}
        self._inputs = inputs
        self._parents: dict[str, tuple[str, ...]] = {}  # those that were asked for
        self._newer: dict[str, tuple[str, ...]] = {}  # what makes a record stale, of those that were asked for

    def parents(self, name: str) -> tuple[str, ...]:
        """Return the records that one was directly made from, in the order of its inputs."""
        if name not in self._parents:
            age = self._age[name]
            older = [parent for parent in self._inputs(name) if self._age.get(parent, age) < age]
            self._parents[name] = tuple(dict.fromkeys(older))
        return self._parents[name]

    def ancestors(self, *names: str) -> tuple[str, ...]:
        """Return the records that these stand on, oldest first; of these themselves only what another stands on."""
        reached: set[str] = set()
        waiting = list(names)
        while waiting:
            new = set(self.parents(waiting.pop())) - reached
            reached |= new
            waiting += new
        return self._by_age(reached)

    def nearest(self, name: str) -> tuple[str, ...]:
        """Return the parents of a record that none of its other parents stands on, oldest first."""
        parents = self.parents(name)
        behind = set(self.ancestors(*parents))
        return self._by_age(parent for parent in parents if parent not in behind)

    def newest(self, name: str) -> str:
        """Return the newest version of a record."""
        return self._newest[base_name(name)]

    def stale(self, name: str) -> bool:
        """Tell whether a record stands on one of which there is a newer version."""
        return bool(self._made_stale_by(name))

    def why_stale(self, name: str) -> str:
        """Say which newer records make a record stale, "" when none does."""
        newer = self._made_stale_by(name)
        return f"{' and '.join(newer)} {'is' if len(newer) == 1 else 'are'} newer" if newer else ""

    def _made_stale_by(self, name: str) -> tuple[str, ...]:
        waiting = [name]
        while waiting:
            parents = self.parents(waiting[-1])
            unknown = [parent for parent in parents if parent not in self._newer]
            if unknown:
                waiting += unknown
                continue
            # through a parent that is stale itself, or of which there is a newer version
            reasons = (self._newer[parent] or {self.newest(parent)} - {parent} for parent in parents)
            self._newer[waiting.pop()] = tuple(dict.fromkeys(newer for reason in reasons for newer in reason))
        return self._newer[name]

    def tree(self) -> tuple[Branch, ...]:
        """Return the records as a tree: each hangs on the newest of its parents, those made from none are its roots."""
        children: dict[str, list[Branch]] = {name: [] for name in ("", *self._age)}
        for name in reversed(self._age):  # children are younger than their parent, so that they are complete here
            *others, newest = self.nearest(name) or ("",)
            children[newest].append(Branch(name, tuple(others), tuple(reversed(children[name]))))
        return tuple(reversed(children[""]))

    def _by_age(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(names, key=self._age.__getitem__))

"""A part of a NeXus file in memory: plain values that are made, hashed and compared without a file.

`nxscatter.store.nexus.hdf5` writes a tree into an HDF5 file and reads it back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from nxscatter.model import Array


@dataclass(frozen=True, eq=False)
class Field:
    """One dataset.

    Attributes
    ----------
    value : str, tuple of str or ndarray
        A text, texts (in C order, whatever the shape) or numbers.
    shape : tuple of int
        Shape in the file; () for a scalar.
    dtype : numpy.dtype
        Of numbers; ``object`` for text of variable length, ``S<n>`` for fixed-length bytes.
    attrs : mapping
        Attributes: text, numbers, or arrays of them.
    compression : {"gzip", "bitshuffle"}
        How a large image is written; of no account for the content.
    """

    value: Any
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    attrs: Mapping[str, Any] = field(default_factory=dict)
    compression: str = "gzip"

    @property
    def is_text(self) -> bool:
        """Whether the values are text."""
        return self.dtype.kind in "SO"

    @property
    def nbytes(self) -> int:
        """Bytes of the numbers, 0 for text."""
        return 0 if self.is_text else int(self.value.nbytes)

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts, one for a scalar."""
        return (self.value,) if isinstance(self.value, str) else tuple(self.value)


@dataclass(frozen=True)
class Link:
    """A soft link."""

    path: str


Node: TypeAlias = "Group | Field | Link"


class Group:
    """A group: its path in the file, attributes, and members by name."""

    def __init__(self, path: str, **attrs: Any) -> None:
        self.path = path
        self.attrs: dict[str, Any] = {name: _attribute(value) for name, value in attrs.items()}
        self.members: dict[str, Node] = {}

    def group(self, name: str, nx_class: str, **attrs: Any) -> Group:
        """Add a NeXus group with ``@target``, its own path, and return it."""
        path = f"{self.path.rstrip('/')}/{name}"
        made = Group(path, NX_class=nx_class, **attrs, target=path)
        self.members[name] = made
        return made

    def field(self, name: str, value: Any, units: str = "", compression: str = "gzip", **attrs: Any) -> None:
        """Add a dataset: text of variable length for str, fixed-length bytes for bytes, else an array.

        HDF5 ends a text at a NUL; one within a text is written as U+2400, the picture of a NUL. Attributes that are
        "" are left out.
        """
        given = {"units": units, **attrs}
        kept = {key: value for key, value in given.items() if not isinstance(value, str) or value}
        self.members[name] = _made(value, kept, compression)

    def link(self, name: str, path: str) -> None:
        """Add a soft link."""
        self.members[name] = Link(path)

    def note(self, name: str, **fields: str | bytes) -> Group:
        """Add an NXnote of texts and return it."""
        made = self.group(name, "NXnote")
        for key, text in fields.items():
            made.field(key, text)
        return made

    def get(self, path: str) -> Node | None:
        """Return what is at a path below this group, None when there is nothing."""
        node: Node | None = self
        for name in path.split("/"):
            node = node.members.get(name) if isinstance(node, Group) else None
        return node

    def __contains__(self, path: str) -> bool:
        return self.get(path) is not None

    def __getitem__(self, path: str) -> Any:
        found = self.get(path)
        if found is None:
            raise KeyError(f"{self.path}/{path}")
        return found

    def groups(self) -> Iterator[tuple[str, Group]]:
        """Yield name and group of each member that is a group."""
        return ((name, one) for name, one in self.members.items() if isinstance(one, Group))


def _made(value: Any, attrs: dict[str, Any], compression: str) -> Field:
    if isinstance(value, str):
        return Field(_without_nul(value), (), np.dtype(object), attrs)
    if isinstance(value, bytes):
        text = value.rstrip(b"\0")  # as NumPy and HDF5 give fixed-length bytes back
        return Field(text.decode("utf-8", "backslashreplace"), (), np.dtype(f"S{max(1, len(value))}"), attrs)
    if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
        return Field(tuple(map(_without_nul, value)), (len(value),), np.dtype(object), attrs)
    array: Array = np.asarray(value)
    return Field(array, array.shape, array.dtype, attrs, compression)


def _attribute(value: Any) -> Any:
    """Return an attribute as it is read back."""
    if isinstance(value, list):
        return np.array(value, dtype=object)
    return np.int64(value) if isinstance(value, int) else value


def _without_nul(text: str) -> str:
    return text.replace("\0", "\N{SYMBOL FOR NULL}")

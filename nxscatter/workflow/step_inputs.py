"""What the annotations of a step ask for, and what the converted content of a container has for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nxscatter.fields import Several, classes, declared, without_none
from nxscatter.results import Result
from nxscatter.results.stages import FrameReader
from nxscatter.store import layout
from nxscatter.store.container import Container
from nxscatter.store.content import FILES, stored_hash
from nxscatter.store.ledger import Source
from nxscatter.store.record import Record


def result_kind(kind: Any) -> tuple[type[Result] | None, bool, bool]:
    """Return the result class that an annotation asks for (None: not a result), whether many, whether optional."""
    found, many = declared(kind), _is_many(kind)
    asked = classes(found)[0]
    return (asked if issubclass(asked, Result) else None), many, many or without_none(found) != found


class Converted:
    """The converted content of a container, for the arguments of steps. Each part is read once."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._values: dict[str, Any] = {}
        self._sources: dict[str, Source] = {}

    def value(self, kind: Any, argument: str) -> Any:
        """Return the part that an annotation asks for."""
        if kind is FrameReader:
            return self._container.raw
        name = argument if _is_many(kind) else classes(declared(kind))[0].__name__.lower()
        if name not in self._values:
            self._values[name] = getattr(self._container, name)
        return self._values[name]

    def source(self, kind: Any, argument: str) -> Source:
        """Return where that part is, and its content hash: of frames and files the one stored at conversion."""
        if argument not in self._sources:
            self._sources[argument] = self._source(kind, argument)
        return self._sources[argument]

    def _source(self, kind: Any, argument: str) -> Source:
        path = self._path(kind)
        return Source(path, stored_hash(self._container, argument, path))

    def _path(self, kind: Any) -> str:
        if kind is FrameReader:
            return layout.FRAMES
        if _is_many(kind):
            return FILES
        name = classes(declared(kind))[0].__name__.lower()
        return f"/entry/{name if name == 'sample' else f'{layout.DESCRIPTION}/{name}'}"


def _is_many(kind: Any) -> bool:
    return isinstance(declared(kind), Several)


def sources(converted: Converted, kind: Any, argument: str, records: Sequence[Record]) -> list[Source]:
    """Return where an input comes from: the records that are taken for it, or the converted content."""
    if result_kind(kind)[0] is None:
        return [converted.source(kind, argument)]
    return [Source(record.path, record.result_hash) for record in records]

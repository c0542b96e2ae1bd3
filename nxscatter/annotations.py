"""What the annotations of a step ask for, and what the converted content of a container has for them."""

from __future__ import annotations

import types
import typing
from typing import Any

from nxscatter import layout
from nxscatter.codec import read_json
from nxscatter.container import Container
from nxscatter.frames import FrameReader
from nxscatter.hashing import combined, frames_hash, group_hashes, text_hash
from nxscatter.ledger import Source
from nxscatter.model import Attachment, Beam, Detector, Exposure, Sample, canonical_json
from nxscatter.results import Result


def result_kind(kind: Any) -> tuple[type[Result] | None, bool, bool]:
    """Return the result class that an annotation asks for (None: not a result), whether many, whether optional."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        inner = next(option for option in arguments if option is not type(None))
        return result_kind(inner)[0], False, True
    if origin is tuple:
        return result_kind(arguments[0])[0], True, True
    return (kind if isinstance(kind, type) and issubclass(kind, Result) else None), False, False


def converted(container: Container, kind: Any, argument: str) -> Any:
    """Return the part of the converted content that an annotation asks for."""
    if kind is FrameReader:
        return container.raw
    if typing.get_origin(kind) is tuple:
        return getattr(container, argument)
    parts = {Beam: "beam", Detector: "detector", Exposure: "exposure", Sample: "sample"}
    return getattr(container, parts[_plain(kind)])


def converted_source(container: Container, kind: Any, argument: str) -> Source:
    """Return where that part is, and its content hash: that of the raw frames is the one stored at conversion."""
    if kind is FrameReader:
        with container.opened() as file:
            return Source(layout.FRAMES, str(read_json(file[layout.CONTENTS])[layout.FRAMES.removeprefix("/entry/")]))
    if typing.get_origin(kind) is tuple:
        path = layout.ATTACHMENTS
    elif _plain(kind) is Sample:
        path = "/entry/sample"
    else:
        path = f"{layout.DESCRIPTION}/{_plain(kind).__name__.lower()}"
    return Source(path, input_checksum(container, argument, path))


def input_checksum(container: Container, argument: str, path: str) -> str:
    """Return the content hash that an input of a step from the converted content has now.

    Parameters
    ----------
    container : Container
        Where the input lies.
    argument : str
        Name of the step's argument that takes it.
    path : str
        The raw frames, or a group of the converted content.

    Raises
    ------
    ContainerError
        When nothing is at ``path``.
    """
    if path == layout.ATTACHMENTS:
        files: tuple[Attachment, ...] = getattr(container, argument)
        return text_hash(canonical_json([[one.name, one.role, one.sha256] for one in files]))
    with container.opened() as file:
        return frames_hash(file[path]) if path == layout.FRAMES else combined(group_hashes(file[path]))


def _plain(kind: Any) -> type:
    found: type = next((option for option in typing.get_args(kind) if option is not type(None)), kind)
    return found

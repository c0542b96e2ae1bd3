"""Content hashes of what steps take from the converted content of a container."""

from __future__ import annotations

from nxscatter.model import Attachment
from nxscatter.plain import canonical_json
from nxscatter.store import layout
from nxscatter.store.container import Container
from nxscatter.store.nexus.hashing import combined, frames_hash, text_hash, tree_hashes
from nxscatter.store.nexus.hdf5 import read_json

FILES = f"/entry/{layout.ATTACHMENTS}"


def stored_hash(container: Container, argument: str, path: str) -> str:
    """Return the content hash of an input of a step: of frames and files the one that was stored at conversion.

    Parameters
    ----------
    container : Container
        Where the input lies.
    argument : str
        Name of the step's argument that takes it.
    path : str
        The raw frames, the files that came with the scan, or a group of the converted content.

    Raises
    ------
    ContainerError
        When nothing is at ``path``.
    """
    if path == layout.FRAMES:
        with container.opened() as file:
            return str(read_json(file, layout.CONTENTS)[layout.FRAMES_IN_ENTRY])
    if path == FILES:
        fields = ("file_name", "description", "checksum")
        notes = container.attachment_paths({"masks": "mask"}.get(argument, argument))
        return _files_hash([[container.part(f"{note}/{field}").value for field in fields] for note in notes])
    return _part_hash(container, path)


def present_hash(container: Container, argument: str, path: str) -> str:
    """Return the content hash that an input of a step has now, computed from all that is there; as `stored_hash`."""
    if path == layout.FRAMES:
        with container.opened() as file:
            return frames_hash(file[path])
    if path == FILES:
        files: tuple[Attachment, ...] = getattr(container, argument)
        return _files_hash([[file.name, file.role, file.sha256] for file in files])
    return _part_hash(container, path)


def _part_hash(container: Container, path: str) -> str:
    return combined(tree_hashes(container.part(path.removeprefix("/entry/"))))


def _files_hash(files: list[list[str]]) -> str:
    return text_hash(canonical_json(files))

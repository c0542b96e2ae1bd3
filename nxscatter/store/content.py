"""Content hashes of what steps take from the converted content of a container."""

from __future__ import annotations

from nxscatter.model import Attachment
from nxscatter.plain import canonical_json
from nxscatter.store import layout
from nxscatter.store.container import Container
from nxscatter.store.nexus.hashing import combined, frames_hash, text_hash, tree_hashes


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
    if path == f"/entry/{layout.ATTACHMENTS}":
        files: tuple[Attachment, ...] = getattr(container, argument)
        return _checksum([[one.name, one.role, one.sha256] for one in files])
    if path == layout.FRAMES:
        with container.opened() as file:
            return frames_hash(file[path])
    return combined(tree_hashes(container.part(path.removeprefix("/entry/"))))


def _stored_checksum(container: Container, argument: str) -> str:
    """Checksum of files as `input_checksum` finds it, from what their notes say."""
    names = ("file_name", "description", "checksum")
    paths = container.attachment_paths({"masks": "mask"}.get(argument, argument))
    return _checksum([[container.part(f"{path}/{name}").value for name in names] for path in paths])


def _checksum(files: list[list[str]]) -> str:
    return text_hash(canonical_json(files))

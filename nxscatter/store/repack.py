"""Rewriting a container without the space that its transactions left unused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nxscatter.errors import ContainerError
from nxscatter.store.container import Container
from nxscatter.store.nexus.transaction import Lock, hdf5_file, replacing
from nxscatter.store.verify import verify

if TYPE_CHECKING:
    import h5py


def repack(path: str | Path) -> tuple[int, int]:
    """Rewrite a container compactly and drop nothing: every content hash and every record's checksum stays.

    Frames and images are copied as they are stored, chunk by chunk.

    Returns
    -------
    before, after : int
        Size of the file in bytes.

    Raises
    ------
    ContainerError
        When the container does not verify, or cannot be read or written. The old file is then intact.
    LockedError
        When another process is writing it.
    """
    target = Container(path).path
    with Lock(target), replacing(target) as temporary:
        _check(target, target)
        before = target.stat().st_size
        with Container(target).opened() as file:
            _copy(file, temporary)
        _check(temporary, target)
        after = temporary.stat().st_size
        if after >= before:
            temporary.unlink()  # it was compact already
            after = before
    return before, after


def _copy(file: h5py.File, temporary: Path) -> None:
    with hdf5_file(temporary) as new:
        new.attrs.update(file.attrs)
        for name in file:
            file.copy(name, new)


def _check(path: Path, target: Path) -> None:
    problems = verify(path).problems
    if problems:
        raise ContainerError(f"{target}: is not repacked, it does not verify ({problems[0]}); use another copy of it")

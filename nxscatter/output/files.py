"""Writing exported files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nxscatter.store.nexus.transaction import disk_error


def write_file(path: Path, content: bytes) -> Path:
    """Write a file so that its name never stands for half of it; folders are made.

    Raises
    ------
    ContainerError
        When it cannot be written.
    """
    with writing(path) as temporary:
        temporary.write_bytes(content)
    return path


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """Give a path beside ``path`` to write to, which takes its name when the block ends well; folders are made.

    Raises
    ------
    ContainerError
        When it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise disk_error(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)

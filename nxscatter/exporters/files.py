"""Writing exported files."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from nxscatter.transaction import disk_error


def write_file(path: Path, content: bytes) -> Path:
    """Write a file so that its name never stands for half of it; folders are made.

    Raises
    ------
    ContainerError
        When it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise disk_error(path, error) from error
    return path

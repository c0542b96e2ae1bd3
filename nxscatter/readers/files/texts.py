"""Text files that a user names: read whole, whatever their encoding, when they are of a text's size."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path

from nxscatter.errors import ReadError
from nxscatter.model import Attachment

_LARGEST_CIF = 2**24  # bytes; it goes into every container


def read_text(path: Path, largest: int, kind: str) -> str:
    """Read a text in UTF-8, UTF-16 or else Latin-1, gzipped or not; its lines end in a newline.

    Parameters
    ----------
    path : Path
        The file.
    largest : int
        Bytes that it may have, unpacked.
    kind : str
        What it should be, for errors.

    Raises
    ------
    ReadError
        When there is no such file, it is a folder or a device, too large, or no text.
    """
    try:
        if not path.exists():
            raise ReadError(f"{path}: no such file; give {kind}")
        if not path.is_file():  # reading a device or a pipe may never end
            raise ReadError(f"{path}: is no regular file; give {kind}")
        with path.open("rb") as file:
            data = file.read(largest + 1)
            if data.startswith(b"\x1f\x8b"):
                file.seek(0)
                data = gzip.GzipFile(fileobj=file).read(largest + 1)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error  # without the path again
        raise ReadError(f"{path}: cannot be read ({reason}); give {kind}") from error
    if len(data) > largest:
        raise ReadError(f"{path}: is larger than {largest >> 20} MB; give {kind}")
    text = _decoded(data)
    if "\0" in text:
        raise ReadError(f"{path}: is no text; give {kind}")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _decoded(data: bytes) -> str:
    """Decode by the byte order mark, by where UTF-16 has its zeros, and as Latin-1 what is no UTF-8."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\0" in data[:2]:
        return data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-16-be", "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def read_cif(path: Path | str) -> Attachment:
    """Read the text of a CIF, ``FILE`` or ``FILE:BLOCK``; the block stays with the attachment's name.

    Raises
    ------
    ReadError
        When it cannot be read as text.
    """
    file, block = _file_and_block(str(path))
    # A name that is no UTF-8 cannot be stored; what stands behind a colon is the block.
    name = os.fsencode(file.name).decode("utf-8", "replace").replace(":", "_")
    return Attachment(f"{name}:{block}" if block else name, read_text(file, _LARGEST_CIF, "a CIF"), "cif")


def _file_and_block(path: str) -> tuple[Path, str]:
    """Split ``FILE:BLOCK`` at the last colon that has a file in front of it; names of files may have colons too."""
    parts = path.split(":")
    for end in range(len(parts), 0, -1):
        file = Path(":".join(parts[:end])).expanduser()
        if os.path.lexists(file):
            return file, ":".join(parts[end:])
    return Path(path).expanduser(), ""

"""Sizes that TIFF files declare, compared with the file before it is read.

fabio only logs that a TIFF file is truncated, and returns what is left.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from nxscatter.errors import ReadError

_WIDTH, _LENGTH = 256, 257
_OFFSETS, _COUNTS = (273, 324), (279, 325)  # of strips, of tiles
_ASCII = 2  # type of a tag
_FORMATS = {3: "H", 4: "I"}  # short and long
_TEXTS = {271: "Make", 272: "Model", 306: "DateTime"}  # what a camera and a file's writer say of themselves
_LONGEST_TEXT = 2**12  # bytes
_MOST_PAGES = 100_000


def check_tiff(path: Path) -> int:
    """Return the number of pixels of all pages, after a check that the file holds all their bytes.

    Raises
    ------
    ReadError
        When the header is damaged or the file is truncated.
    """
    size, pixels = path.stat().st_size, 0
    try:
        with path.open("rb") as file:
            for tags in _pages(file):
                pixels += tags[_WIDTH][0] * tags[_LENGTH][0]
                for offsets, counts in zip(_OFFSETS, _COUNTS, strict=True):
                    ends = [at + count for at, count in zip(tags.get(offsets, ()), tags.get(counts, ()), strict=True)]
                    if ends and max(ends) > size:
                        raise ReadError(
                            f"{path.name}: is truncated, its header declares {max(ends)} bytes and it has {size}; "
                            "copy it again"
                        )
    except (struct.error, KeyError, ValueError) as error:
        raise ReadError(f"{path.name}: TIFF header is damaged or truncated; copy the file again") from error
    return pixels


def tiff_texts(path: Path) -> dict[str, str]:
    """Return make and model of the camera and the date of the first page, as far as a file that was checked has them.

    fabio leaves some of them out, depending on the kind of camera.
    """
    with path.open("rb") as file:
        order = "<" if file.read(2) == b"II" else ">"
        file.seek(4)
        file.seek(*struct.unpack(order + "I", file.read(4)))
        (entries,) = struct.unpack(order + "H", file.read(2))
        found: dict[str, str] = {}
        for tag, kind, count, value in struct.iter_unpack(order + "HHI4s", file.read(entries * 12)):
            if tag in _TEXTS and kind == _ASCII and count <= _LONGEST_TEXT:
                if count > len(value):
                    file.seek(*struct.unpack(order + "I", value))
                    value = file.read(count)
                text = value[:count].split(b"\0")[0].decode("utf-8", "replace").strip()
                found |= {_TEXTS[tag]: text} if text else {}
        return found


def _pages(file: BinaryIO) -> Iterator[dict[int, tuple[int, ...]]]:
    """Yield the whole numbers among the tags of each page."""
    order = "<" if file.read(2) == b"II" else ">"
    file.seek(4)
    (position,) = struct.unpack(order + "I", file.read(4))
    for _ in range(_MOST_PAGES):
        if position == 0:
            return
        file.seek(position)
        (entries,) = struct.unpack(order + "H", file.read(2))
        directory = file.read(entries * 12 + 4)
        yield dict(_tags(file, order, directory[: entries * 12]))
        (position,) = struct.unpack(order + "I", directory[entries * 12 :])
    raise ValueError("the pages of the file form a ring")


def _tags(file: BinaryIO, order: str, directory: bytes) -> Iterator[tuple[int, tuple[int, ...]]]:
    for tag, kind, count, value in struct.iter_unpack(order + "HHI4s", directory):
        if tag not in (_WIDTH, _LENGTH, *_OFFSETS, *_COUNTS):
            continue
        size = count * struct.calcsize(_FORMATS[kind])
        if size > 4:
            file.seek(*struct.unpack(order + "I", value))
            value = file.read(size)
        yield tag, struct.unpack(f"{order}{count}{_FORMATS[kind]}", value[:size])

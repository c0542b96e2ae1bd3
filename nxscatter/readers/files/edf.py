"""Headers of EDF files, and the check that the file holds all the bytes that they declare.

fabio fills the missing end of a short file with zeros and only logs it, so sizes are compared first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np

from nxscatter.errors import ReadError

MAX_BYTES = 2**31  # of one block of binary data
_MAX_HEADER = 2**20
_END = re.compile(rb"\}\r?\n")


@dataclass(frozen=True)
class EdfBlock:
    """One header of an EDF file.

    Attributes
    ----------
    header : dict
        Keys and values as texts, in the file's order.
    start : int
        Position of the binary data.
    size : int
        Declared number of bytes of the binary data.
    """

    header: dict[str, str]
    start: int
    size: int

    @property
    def kind(self) -> str:
        """What the data are: "image", "error", "variance", "mask", "general" (none), or the name of the block.

        ``EDF_DataBlockID`` is ``<number>.Image.<chain>``; the images themselves are the chain Psd. A negative number,
        there or of the key Image, means the errors of an image.
        """
        keys = {key.lower(): value for key, value in self.header.items()}
        number, _, chain = keys.get("edf_datablockid", "").lower().partition(".image.")
        names = chain.split(".")
        negative = (number or keys.get("image", "")).strip().startswith("-")
        if self.size == 0:
            return "general"
        if names[0] == "error" or (negative and names[0] in ("", "psd")):
            return "error"
        return names[0] if names[0] not in ("", "psd") else "image"

    @property
    def number(self) -> str:
        """Number of the image that the block belongs to, without sign, "" where it has none."""
        keys = {key.lower(): value for key, value in self.header.items()}
        return (keys.get("edf_datablockid", "").partition(".")[0] or keys.get("image", "")).strip().lstrip("-")


def is_edf(first: bytes) -> bool:
    """Tell from its first bytes whether a file is an EDF one."""
    return re.match(rb"\s*\{\s*[\w-]+\s*=", first) is not None


def read_blocks(path: Path) -> list[EdfBlock]:
    """Return all headers of an EDF file.

    Raises
    ------
    ReadError
        When a header does not end, a size is missing or beyond reason, or the file is shorter than declared.
    """
    return list(open_blocks(path))


def open_blocks(path: Path) -> Iterator[EdfBlock]:
    """Yield the headers of an EDF file one after the other; raises what `read_blocks` does."""
    with path.open("rb") as file:
        yield from _blocks(path, file)


def _blocks(path: Path, file: BinaryIO) -> Iterator[EdfBlock]:
    length, position = path.stat().st_size, 0
    while position < length:
        file.seek(position)
        head = file.read(_MAX_HEADER)
        if position and not head.strip(b"\0 \r\n\t"):
            return  # padding behind the last block
        opening, end = head.find(b"{"), _END.search(head)
        if opening < 0 or end is None:
            raise ReadError(f"{path.name}: header at byte {position} does not end with }}; copy the file again")
        header = _parse(head[opening + 1 : end.start()])
        start = position + end.end()
        size = _declared_size(path, header)
        if start + size > length:
            raise ReadError(
                f"{path.name}: is truncated, its header declares {start + size} bytes and it has {length}; "
                "copy it again"
            )
        yield EdfBlock(header, start, size)
        position = start + size


def _parse(block: bytes) -> dict[str, str]:
    header: dict[str, str] = {}
    for line in block.split(b";"):
        key, equals, value = line.partition(b"=")
        name = key.strip(b"\0 \r\n\t").decode("utf-8", "replace")
        if equals and name:
            header.setdefault(name, value.strip(b"\0 \r\n\t").decode("utf-8", "replace"))
    return header


def _declared_size(path: Path, header: dict[str, str]) -> int:
    """Return the bytes of a block: EDF_BinarySize or Size, at least what shape and type need."""
    from fabio.edfimage import DATA_TYPES

    keys = {key.lower(): value for key, value in header.items()}
    stated = [_whole(path, key, keys[key.lower()]) for key in ("EDF_BinarySize", "Size") if keys.get(key.lower())]
    sizes = [_whole(path, f"Dim_{axis}", keys[f"dim_{axis}"]) for axis in range(1, 9) if keys.get(f"dim_{axis}")]
    kind = DATA_TYPES.get(keys.get("datatype", ""))
    if not sizes and kind is None and (stated == [0] or (not stated and "edf_dataformatversion" in keys)):
        return 0  # a general block, with keys that hold for all
    if len(sizes) < 2 or kind is None:
        key = "DataType" if len(sizes) > 1 else f"Dim_{len(sizes) + 1}"
        raise ReadError(f"{path.name}: header key {key} is missing or unknown; correct the header")
    needed = prod(sizes) * np.dtype(kind).itemsize
    if max([needed, *stated]) > MAX_BYTES:
        raise ReadError(
            f"{path.name}: header declares an image of {max([needed, *stated])} bytes; correct Dim_1, Dim_2"
        )
    if not keys.get("compression", "none").lower().startswith("no"):
        return stated[0] if stated else 0
    if stated and stated[0] < needed:
        raise ReadError(
            f"{path.name}: header key Size = {stated[0]} is less than the {needed} bytes that Dim_1, Dim_2 and "
            "DataType need; correct the header"
        )
    return stated[0] if stated else needed


def _whole(path: Path, key: str, text: str) -> int:
    if not text.isdecimal():
        raise ReadError(f"{path.name}: header key {key} = {text!r} is not a whole number; correct the header")
    return int(text)

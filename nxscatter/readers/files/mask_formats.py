"""Masks as drawing programs save them: packed files, NPZ, PNG and TIFF of any kind, Fit2D, text.

In all of them non-zero means ignore, as Fit2D, pyFAI and Dioptas write it; rows come as they are stored, the first
one first.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import numpy as np

from nxscatter.errors import ReadError
from nxscatter.model import Array
from nxscatter.readers.base import first_bytes
from nxscatter.readers.files.images import MAX_PIXELS

_PACKED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
_FIT2D = b"M\0\0\0A\0\0\0S\0\0\0K\0\0\0"
_TEXTS = (".txt", ".asc", ".dat", ".csv")


def is_packed(file: Path) -> bool:
    """Tell whether a file is one of gzip, bzip2 or xz."""
    return first_bytes(file, 6).startswith(tuple(_PACKED))


@contextmanager
def unpacked(file: Path) -> Iterator[Path]:
    """Give what is in a packed file as a file, for as long as the block lasts.

    Raises
    ------
    ReadError
        When it is damaged, or too large for an image.
    """
    first = first_bytes(file, 6)
    opening: Any = next(opening for magic, opening in _PACKED.items() if first.startswith(magic))
    with TemporaryDirectory() as folder:
        target = Path(folder) / (file.stem or file.name)
        try:
            with opening(file, "rb") as packed, target.open("wb") as plain:
                _copy(file, packed, plain)
        except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
            raise ReadError(f"{file.name}: cannot be unpacked ({error}); copy it again") from error
        yield target


def read_drawn(file: Path, inner: str = "") -> Array | None:
    """Return the image in a file of one of these kinds, None for a file of another kind.

    Raises
    ------
    ReadError
        When the file is damaged, is no image of one channel, or declares a size beyond reason.
    """
    first = first_bytes(file, 16)
    if first.startswith(b"PK\x03\x04"):
        return _read_npz(file, inner)
    if first == _FIT2D:
        return _read_fit2d(file)
    if first[:4] in (b"\x89PNG", b"II*\0", b"MM\0*"):
        return _read_picture(file)
    return _read_text(file) if file.suffix.lower() in _TEXTS else None


def _copy(file: Path, packed: IO[bytes], plain: IO[bytes]) -> None:
    left = MAX_PIXELS * 8
    while block := packed.read(1 << 20):
        left -= len(block)
        if left < 0:
            raise ReadError(f"{file.name}: holds more than {MAX_PIXELS * 8} bytes; choose another file")
        plain.write(block)


def _read_npz(file: Path, inner: str) -> Array:
    try:
        with zipfile.ZipFile(file) as members:
            sizes = {name.removesuffix(".npy"): members.getinfo(name).file_size for name in members.namelist()}
        if not inner and len(sizes) != 1:
            raise ReadError(f"{file.name}: one image is wanted, there are {', '.join(sizes)}; name it as FILE::NAME")
        name = inner or next(iter(sizes))
        if name not in sizes:
            raise ReadError(f"{file.name}: has no array {name}, only {', '.join(sizes)}; check the name behind ::")
        if sizes[name] > MAX_PIXELS * 8:
            raise ReadError(f"{file.name}: {name} holds {sizes[name]} bytes, too many for an image")
        with np.load(file, allow_pickle=False) as arrays:
            return _checked(file, arrays[name])
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, KeyError, zlib.error) as error:
        raise ReadError(f"{file.name}: is no NumPy archive of numbers ({error}); save it with numpy.savez") from error


def _read_picture(file: Path) -> Array:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file) as picture:
            if math.prod(picture.size) > MAX_PIXELS:
                raise ReadError(f"{file.name}: declares {math.prod(picture.size)} pixels; the header must be wrong")
            # a palette numbers its colours in any order
            values = np.asarray(picture.convert("RGB") if picture.mode == "P" else picture)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ReadError(f"{file.name}: the picture cannot be read ({error}); save it again") from error
    if values.ndim == 3:
        colours = values[..., : 3 if values.shape[2] >= 3 else 1]  # without transparency
        if np.any(colours != colours[..., :1]):
            raise ReadError(f"{file.name}: is a coloured picture; save it in grey, non-zero where pixels are ignored")
        values = colours[..., 0]
    return _checked(file, values)


def _read_fit2d(file: Path) -> Array:
    columns, rows = np.frombuffer(first_bytes(file, 24)[16:], "<i4").tolist()
    if not (columns > 0 and rows > 0 and columns * rows <= MAX_PIXELS):
        raise ReadError(f"{file.name}: declares {rows} x {columns} pixels; the header must be wrong")
    import fabio

    try:
        with fabio.open(str(file)) as image:
            return _checked(file, image.data)
    except Exception as error:  # fabio raises anything on damaged files
        raise ReadError(f"{file.name}: fabio cannot read the mask ({error}); copy it again") from error


def _read_text(file: Path) -> Array:
    if file.stat().st_size > MAX_PIXELS:
        raise ReadError(f"{file.name}: is too large for an image written as text; save it with numpy.save")
    try:
        return _checked(file, np.loadtxt(file, delimiter="," if file.suffix.lower() == ".csv" else None, ndmin=2))
    except (ValueError, UnicodeDecodeError) as error:
        raise ReadError(f"{file.name}: is no table of numbers ({error}); save the mask with numpy.save") from error


def _checked(file: Path, values: Any) -> Array:
    array = np.asarray(values)
    if array.ndim not in (2, 3) or array.dtype.kind not in "biuf" or not 0 < array.size <= MAX_PIXELS:
        raise ReadError(f"{file.name}: holds {array.dtype} of shape {array.shape}, not an image; choose another file")
    return np.array(array)

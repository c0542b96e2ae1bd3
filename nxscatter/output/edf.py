"""Writing EDF files with a header of any keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from nxscatter.model import Array

_BLOCK = 512  # bytes, of which a header fills a whole number
_NAMES = ("HeaderID", "Image")  # of a block's own bookkeeping, written here whatever the source said


def write_edf(path: Path, frames: Iterable[Array], header: Mapping[str, str]) -> None:
    """Write frames as an EDF file, one block each; the first one has the header.

    Byte order and name of the data type are the header's where they can be; shape and size are set, and the data are
    not compressed.

    Parameters
    ----------
    path : Path
        The file.
    frames : iterable of ndarray (rows, columns)
        Integers or floats of up to 64 bits.
    header : mapping of str to str
        Keys and values, without ``;``.
    """
    with path.open("wb") as file:
        for number, frame in enumerate(frames, 1):
            order = _found(header, "ByteOrder", "LowByteFirst")
            data = frame.astype(frame.dtype.newbyteorder(">" if order == "HighByteFirst" else "<"), copy=False)
            described = {
                "HeaderID": f"EH:{number:06d}:000000:000000",
                "Image": str(number),
                "ByteOrder": order,
                "DataType": _data_type(header, frame.dtype),
                "Dim_1": str(frame.shape[1]),
                "Dim_2": str(frame.shape[0]),
                "Size": str(data.nbytes),
            }
            file.write(_block(_corrected(header, described) if number == 1 else described))
            file.write(data.tobytes())


def _corrected(header: Mapping[str, str], described: Mapping[str, str]) -> dict[str, str]:
    """Put right what a header says of its data; its keys keep their case, its names of the image their values."""
    spelled = {key.lower(): key for key in header}
    right = {key: value for key, value in described.items() if key not in _NAMES or key.lower() not in spelled}
    stored = {"EDF_BinarySize": described["Size"], "Compression": "None"}
    right |= {key: value for key, value in stored.items() if key.lower() in spelled}
    return {**header, **{spelled.get(key.lower(), key): value for key, value in right.items()}}


def _block(header: Mapping[str, str]) -> bytes:
    text = "{\n" + "".join(f"{key} = {value} ;\n" for key, value in header.items())
    content = text.encode()
    return content + b" " * (-(len(content) + 2) % _BLOCK) + b"}\n"


def _data_type(header: Mapping[str, str], dtype: np.dtype[np.generic]) -> str:
    from fabio.edfimage import DATA_TYPES, NUMPY_EDF_DTYPE

    name = _found(header, "DataType", "")
    same = name in DATA_TYPES and np.dtype(DATA_TYPES[name]) == dtype.newbyteorder("=")
    return name if same else str(NUMPY_EDF_DTYPE[dtype.name])


def _found(header: Mapping[str, str], name: str, default: str) -> str:
    return next((value for key, value in header.items() if key.lower() == name.lower()), default)

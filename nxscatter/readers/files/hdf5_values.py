"""Small values in HDF5 files: attributes, header values, metadata."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscatter.plain import header_value

if TYPE_CHECKING:
    import h5py


SMALL = 2**20  # bytes of one value that is kept as metadata


def attribute(node: h5py.Group | h5py.Dataset, name: str) -> str:
    """Return an attribute as text, "" when it is missing."""
    value = header_value(node.attrs.get(name))
    return "" if value is None else str(value)


def declared_bytes(dataset: h5py.Dataset) -> int:
    """Return the bytes that reading a dataset takes; 0 for an empty dataspace."""
    shape = dataset.id.shape
    return 0 if shape is None else math.prod(shape) * int(dataset.id.dtype.itemsize)


def read_small(dataset: h5py.Dataset) -> Any:
    """Read a small dataset: numbers as they are, texts decoded, anything else as its text.

    What is stored in other files is not read.
    """
    import h5py

    identifier = dataset.id  # a header has many of them, and the interface above it takes five times as long
    shape, dtype, stored = identifier.shape, identifier.dtype, identifier.get_create_plist()
    if stored.get_layout() == h5py.h5d.CHUNKED:
        import hdf5plugin  # noqa: F401  (registers the filters that chunks may need)
    if shape is None:
        return ""
    if stored.get_layout() == h5py.h5d.VIRTUAL or stored.get_external_count():
        return f"stored elsewhere, shape {shape}"
    values = np.empty(shape, dtype)
    if values.size:
        identifier.read(h5py.h5s.ALL, h5py.h5s.ALL, values)
    if h5py.check_string_dtype(dtype) is not None:
        texts = [text.decode("utf-8", "replace") for text in values.ravel().tolist()]
        return texts[0] if shape == () else np.asarray(texts, dtype=str).reshape(shape)
    if dtype.kind in "biufc":
        return values[()]
    return str(values.tolist())

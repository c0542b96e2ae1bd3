"""Small values in HDF5 files: attributes, header values, metadata."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscatter.model import Json, canonical_json
from nxscatter.readers.keywords import plain

if TYPE_CHECKING:
    import h5py

    from nxscatter.readers.hdf5 import Hdf5Source

SMALL = 2**20  # bytes of one value that is kept as metadata
_ALL_METADATA = 2**26  # bytes of all of them
_LONG_ATTRIBUTE = 2**12  # bytes


def attribute(node: h5py.Group | h5py.Dataset, name: str) -> str:
    """Return an attribute as text, "" when it is missing."""
    value = plain(node.attrs.get(name))
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
        texts = [one.decode("utf-8", "replace") for one in values.ravel().tolist()]
        return texts[0] if shape == () else np.asarray(texts, dtype=str).reshape(shape)
    if dtype.kind in "biufc":
        return values[()]
    return str(values.tolist())


def read_metadata(source: Hdf5Source, image: tuple[int, int], notes: list[str]) -> dict[str, Any]:
    """Return every small dataset that is not an image of this shape, by its path in the file.

    Datasets of more than 1 MB, or beyond 64 MB in all, are left out with a note. The notes of ``source`` are
    added to ``notes`` too.
    """
    found: dict[str, Any] = {}
    left, skipped = _ALL_METADATA, []
    for path, dataset in source.datasets():
        if (dataset.id.shape or ())[-2:] == image:
            continue
        value = source.small(dataset)
        size = 0 if value is None else np.asarray(value).nbytes
        if value is None or size > min(SMALL, left):  # texts of any length declare the size of a pointer
            skipped.append(path)
            continue
        left -= size
        found[path] = value
    if skipped:
        notes.append(f"too large for the metadata: {', '.join(skipped)}")
    notes.extend(dict.fromkeys(source.notes))
    return found


def read_structure(source: Hdf5Source, frames: h5py.Dataset, notes: list[str]) -> dict[str, Json]:
    """Return what it takes, beside frames and metadata, to write a file that is read as this one is.

    Returns
    -------
    dict
        ``frames``, the path of the frames; ``images``, those of other images of their shape; ``links``, further names
        of objects, with the path that they stand for; ``attributes`` of datasets and groups by path, that of a group
        with a slash at its end. Attributes of more than 4 kB, or that cannot be read, are left out with a note.
    """
    import h5py

    place, images, links = frames.name, [], {}
    attributes = {"/": _attributes(source.root)}
    for path, node in source.nodes():
        if isinstance(node, str):
            links[path] = node
            continue
        attributes[f"{path}/" if isinstance(node, h5py.Group) else path] = _attributes(node)
        if node == frames:
            place = path
        elif isinstance(node, h5py.Dataset) and (node.id.shape or ())[-2:] == frames.shape[-2:]:
            images.append(path)
    skipped = [f"{path}@{name}" for path, one in attributes.items() for name, value in one.items() if value is None]
    if skipped:
        notes.append(f"attributes that are not kept: {', '.join(skipped)}")
    structure = {"frames": place, "images": images, "links": links, "attributes": attributes}
    # names and texts need not be UTF-8
    return dict(json.loads(canonical_json(structure).encode("utf-8", "replace")))


def _attributes(node: h5py.Group | h5py.Dataset) -> dict[str, Json]:
    """Return the attributes of an object; None for one that is too large or cannot be read."""
    import h5py

    if not h5py.h5a.get_num_attrs(node.id):
        return {}
    found: dict[str, Json] = {}
    for name in node.attrs:
        try:
            small = node.attrs.get_id(name).get_storage_size() <= _LONG_ATTRIBUTE
            found[name] = plain(node.attrs[name]) if small else None
        except (OSError, TypeError, ValueError, KeyError, RuntimeError):
            found[name] = None
    return found

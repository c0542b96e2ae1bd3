"""The metadata of an HDF5 input: every dataset that is no image, and how the file is laid out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscatter.plain import Json, canonical_json, header_value
from nxscatter.readers.files.hdf5_values import SMALL

if TYPE_CHECKING:
    import h5py

    from nxscatter.readers.files.hdf5 import Hdf5Source


_ALL_METADATA = 2**26  # bytes of all of them


_LONG_ATTRIBUTE = 2**12  # bytes


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
    skipped = [f"{path}@{name}" for path, own in attributes.items() for name, value in own.items() if value is None]
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
            found[name] = header_value(node.attrs[name]) if small else None
        except (OSError, TypeError, ValueError, KeyError, RuntimeError):
            found[name] = None
    return found

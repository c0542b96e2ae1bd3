"""Trees in HDF5 files: written and read in one go, through h5py's low-level interface.

A record has some sixty datasets of a few bytes each. The high-level interface takes several times as long for them as
the library below it.
"""

from __future__ import annotations

import json
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscatter.errors import ContainerError
from nxscatter.plain import Json
from nxscatter.store.nexus.hashing import DAMAGE, first_line
from nxscatter.store.nexus.tree import Field, Group, Link

if TYPE_CHECKING:
    import h5py

    from nxscatter.store.nexus.tree import Node

_SMALL = 1 << 10  # bytes that fit into the header of a dataset
_PLAIN = 1 << 15  # bytes below which compression saves less than it costs
_LARGE_IMAGE = 1 << 16  # pixels
_CHUNK = 1 << 19  # bytes of an image that are encoded together: they stay in the processor's cache


def write(parent: h5py.Group, name: str, node: Node) -> None:
    """Write a tree, a field or a link as a new member of a group.

    Text is written with variable length as UTF-8 or, where it is declared so, as fixed-length bytes; large images with
    bitshuffle-LZ4 unless their compression is gzip; other large arrays with gzip.
    """
    _write(parent.id, name, node)


def read(parent: h5py.Group, path: str, skip: tuple[str, ...] = ()) -> Any:
    """Read what is at a path: a `Field`, or a `Group` with all below it but the relative paths ``skip``.

    Soft links are not followed. Bytes that are no UTF-8 are shown as backslash escapes.

    Raises
    ------
    ContainerError
        Naming what cannot be read.
    KeyError
        When there is nothing.
    """
    import h5py

    identifier = h5py.h5o.open(parent.id, path.encode())
    return _read(identifier, "", skip)


def read_text(parent: h5py.Group, path: str) -> str:
    """Read the text at a path."""
    return str(read(parent, path).value)


def read_json(parent: h5py.Group, path: str) -> Json:
    """Read the JSON value of the NXnote at a path.

    Raises
    ------
    ContainerError
        Naming the note, when it holds none.
    """
    try:
        return json.loads(read_text(parent, f"{path}/data"))
    except DAMAGE as error:
        where = f"{parent.file.filename}: {parent.name.rstrip('/')}/{path.lstrip('/')}/data"
        raise ContainerError(f"{where} cannot be read ({first_line(error)})") from error


def _write(parent: Any, name: str, node: Node) -> None:
    from h5py import h5g

    if isinstance(node, Link):
        parent.links.create_soft(name.encode(), node.path.encode())
        return
    if isinstance(node, Group):
        group = h5g.create(parent, name.encode())
        _write_attributes(group, node.attrs)
        for key, member in node.members.items():
            _write(group, key, member)
        return
    _write_attributes(_write_field(parent, name, node), node.attrs)


def _write_field(parent: Any, name: str, field: Field) -> h5py.h5d.DatasetID:
    import h5py

    values, size = _values(field)
    if size >= _PLAIN and not field.is_text and values.ndim:
        return h5py.Group(parent).create_dataset(name, data=values, **_filters(values, field.compression)).id
    in_file, in_memory = _types(values.dtype)
    made = h5py.h5d.create(parent, name.encode(), in_file, _space(field.shape), _layout(size <= _SMALL))
    if values.size:
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, values, in_memory)
    return made


def _values(field: Field) -> tuple[Any, int]:
    """Return the values as an array for HDF5, and their size in bytes: of texts, what their pointers take."""
    if field.dtype.kind == "S":
        values = np.array([text.encode() for text in field.texts], dtype=field.dtype).reshape(field.shape)
        return values, values.nbytes
    if field.dtype.kind == "O":
        values = np.array(field.texts, dtype=object).reshape(field.shape)
        return values, 16 * values.size
    values = field.value if field.value.flags.c_contiguous else np.ascontiguousarray(field.value)
    return values, values.nbytes


def _write_attributes(identifier: Any, attrs: Any) -> None:
    from h5py import h5a

    for name, value in attrs.items():
        array = np.array(value, dtype=object) if isinstance(value, str) else np.asarray(value)
        in_file, in_memory = _types(array.dtype)
        h5a.create(identifier, name.encode(), in_file, _space(array.shape)).write(array, in_memory)


@cache
def _types(dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """Return the types of an array in the file and in memory: objects are text."""
    import h5py

    known = h5py.string_dtype() if dtype.kind == "O" else dtype
    return h5py.h5t.py_create(known, logical=True), h5py.h5t.py_create(known)


@lru_cache(maxsize=64)
def _space(shape: tuple[int, ...]) -> Any:
    from h5py import h5s

    return h5s.create_simple(shape) if shape else h5s.create(h5s.SCALAR)


@cache
def _layout(compact: bool) -> Any:
    from h5py import h5d, h5p

    properties = h5p.create(h5p.DATASET_CREATE)
    properties.set_obj_track_times(False)  # the same content gives the same bytes
    if compact:
        properties.set_layout(h5d.COMPACT)
    return properties


def _filters(array: Any, compression: str) -> dict[str, Any]:
    if array.ndim >= 2 and array.size >= _LARGE_IMAGE and compression == "bitshuffle":
        import hdf5plugin

        rows = max(1, min(array.shape[-2], _CHUNK // max(1, array.shape[-1] * array.itemsize)))
        chunks = (1,) * (array.ndim - 2) + (rows, array.shape[-1])
        # the decoder crashes on damaged bytes: a checksum of HDF5's own comes before it
        return {"chunks": chunks, **hdf5plugin.Bitshuffle(), "fletcher32": True}
    return {"compression": "gzip", "compression_opts": 4, "shuffle": True}


def _read(identifier: Any, prefix: str, skip: tuple[str, ...]) -> Node:
    import h5py

    try:
        attrs = _read_attributes(identifier)
        if isinstance(identifier, h5py.h5d.DatasetID):
            return _read_field(identifier, attrs)
        names = list(identifier)
    except DAMAGE as error:
        raise _unreadable(identifier, "", error) from error
    made = Group(_text(h5py.h5i.get_name(identifier)))
    made.attrs = attrs
    for name in sorted(names):
        path = f"{prefix}{_text(name)}"
        if path in skip:
            continue
        try:
            member = _member(identifier, name)
        except DAMAGE as error:
            raise _unreadable(identifier, _text(name), error) from error
        made.members[_text(name)] = member if isinstance(member, Link) else _read(member, f"{path}/", skip)
    return made


def _member(group: Any, name: bytes) -> Any:
    """Return the identifier of a member of a group, or a soft link."""
    import h5py

    kind = group.links.get_info(name).type
    if kind == h5py.h5l.TYPE_HARD:
        return h5py.h5o.open(group, name)
    target = group.links.get_val(name)
    if kind == h5py.h5l.TYPE_SOFT:
        return Link(_text(target))
    file, path = map(_text, target)
    return Link(f"{file}::{path}")


def _read_field(identifier: Any, attrs: dict[str, Any]) -> Field:
    import h5py

    if identifier.get_create_plist().get_layout() == h5py.h5d.CHUNKED:
        import hdf5plugin  # noqa: F401  (registers the filters that chunks may need)
    dtype, shape = identifier.dtype, identifier.shape
    string = h5py.check_string_dtype(dtype)
    if shape is None or (dtype.kind == "O" and string is None):
        raise TypeError("it is neither text nor numbers")
    values = np.empty(shape, dtype)
    if values.size:
        identifier.read(h5py.h5s.ALL, h5py.h5s.ALL, values)
    if string is None:
        return Field(values, shape, dtype, attrs)
    texts = tuple(_text(item) for item in values.ravel().tolist())
    return Field(texts if shape else texts[0], shape, np.dtype(dtype.str), attrs)


def _read_attributes(identifier: Any) -> dict[str, Any]:
    import h5py

    found: dict[str, Any] = {}
    for number in range(h5py.h5a.get_num_attrs(identifier)):
        attribute = h5py.h5a.open(identifier, index=number)
        name, dtype = _text(attribute.name), attribute.dtype
        if h5py.check_string_dtype(dtype) is not None and dtype.kind == "O" and attribute.shape == ():
            value = np.empty((), dtype)
            attribute.read(value)
            found[name] = _text(value[()])
        else:
            node = h5py.Dataset if isinstance(identifier, h5py.h5d.DatasetID) else h5py.Group
            found[name] = node(identifier).attrs[name]
    return found


def _text(value: Any) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _unreadable(identifier: Any, name: str, error: BaseException) -> ContainerError:
    import h5py

    file = _text(h5py.h5f.get_name(identifier))
    path = f"{_text(h5py.h5i.get_name(identifier)).rstrip('/')}/{name}".rstrip("/")
    return ContainerError(f"{file}: {path} cannot be read ({first_line(error)})")

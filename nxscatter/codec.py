"""Results and model values as HDF5 groups, and back.

A result becomes one NXdata with all fields that run along the axes of its signal, an NXcollection ``details`` with
the rest, and further NXdata that are only for looking at. What the fields mean is declared once, in `results`.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from nxscatter.errors import ContainerError
from nxscatter.hashing import DAMAGE, first_line, text_hash
from nxscatter.model import Attachment, Json, canonical_json
from nxscatter.plots import Plot
from nxscatter.results import Result

if TYPE_CHECKING:
    from dataclasses import Field

    import h5py

T = TypeVar("T")
R = TypeVar("R", bound=Result)
_LARGE_IMAGE = 1 << 16


def make_group(parent: h5py.Group, name: str, nx_class: str, **attributes: Any) -> h5py.Group:
    """Make a NeXus group with ``@target``, its own path."""
    group = parent.create_group(name)
    group.attrs["NX_class"] = nx_class
    for key, value in attributes.items():
        group.attrs[key] = value
    group.attrs["target"] = group.name
    return group


def write_field(
    parent: h5py.Group, name: str, value: Any, units: str = "", compression: str = "gzip", **attributes: str
) -> h5py.Dataset:
    """Write one dataset: text as variable-length UTF-8, large images with bitshuffle-LZ4, other arrays with gzip.

    HDF5 ends a text at a NUL; one within a text is written as U+2400, the picture of a NUL.
    """
    import h5py

    if isinstance(value, str):
        dataset = parent.create_dataset(name, data=_without_nul(value), dtype=h5py.string_dtype())
    elif isinstance(value, bytes):
        dataset = parent.create_dataset(name, data=np.array(value, dtype=f"S{max(1, len(value))}"))
    elif isinstance(value, tuple) and all(isinstance(item, str) for item in value):
        texts = np.array([_without_nul(item) for item in value], dtype=object)
        dataset = parent.create_dataset(name, data=texts, dtype=h5py.string_dtype(), shape=(len(value),))
    else:
        array = np.asarray(value)
        dataset = parent.create_dataset(name, data=array, **_storage(array, compression))
    if units:
        dataset.attrs["units"] = units
    for key, text in attributes.items():
        if text:
            dataset.attrs[key] = text
    return dataset


def read_text(dataset: h5py.Dataset) -> str:
    """Read a text, stored as fixed-length bytes or variable-length."""
    value = dataset[()]
    return value.decode() if isinstance(value, bytes) else str(value)


def write_json(parent: h5py.Group, name: str, value: Json, description: str = "") -> None:
    """Write a JSON value as an NXnote with its hash."""
    text = canonical_json(value)
    note = make_group(parent, name, "NXnote")
    write_field(note, "type", "application/json")
    if description:
        write_field(note, "description", description)
    write_field(note, "data", text.encode())
    write_field(note, "checksum", text_hash(text))
    write_field(note, "algorithm", "sha256")


def read_json(note: h5py.Group) -> Json:
    """Read a JSON value written by `write_json`.

    Raises
    ------
    ContainerError
        Naming the note, when it holds none.
    """
    try:
        return json.loads(read_text(note["data"]))
    except DAMAGE as error:
        raise ContainerError(f"{note.file.filename}: {note.name}/data cannot be read ({first_line(error)})") from error


def write_values(group: h5py.Group, value: Any, skip: tuple[str, ...] = ()) -> None:
    """Write every stored field of a dataclass into a group, with units."""
    for item in _stored(type(value)):
        content = getattr(value, item.name)
        if item.name not in skip and content is not None:
            write_field(group, item.name, content, item.metadata.get("units", ""))


def read_values(group: h5py.Group, kind: type[T]) -> T:
    """Read a dataclass written by `write_values`; fields that are absent keep their defaults."""
    hints = typing.get_type_hints(kind)
    assert is_dataclass(kind)
    return kind(
        **{item.name: _read(group[item.name], hints[item.name]) for item in _stored(kind) if item.name in group}
    )


def write_result(record: h5py.Group, result: Result, compression: str = "bitshuffle") -> str:
    """Write a result into its record and return the name of the NXdata to show first."""
    kind = type(result)
    details = make_group(record, "details", "NXcollection")
    data = make_group(record, kind.group, "NXdata") if kind.signal else None
    dims = _signal_dims(kind, result) if data is not None else ()
    for item in _stored(kind):
        value = getattr(result, item.name)
        if value is None:
            continue
        place = data if data is not None and _belongs(kind, item, dims) else details
        units = _in_units(item.metadata["units"], result)
        if isinstance(value, Mapping):
            write_field(details, f"{item.name}_names", tuple(value))
            for key, column in value.items():
                declared = _in_units(result.column_units(key), result)
                write_field(place, _column(item.name, key), column, declared)
        else:
            write_field(place, _name(item, result), value, units, compression)
    if data is not None:
        _finish_data(data, kind, result, dims)
    plots = result.plots()
    for plot in plots:
        values = {name: (one, _in_units(units, result), text) for name, (one, units, text) in plot.values.items()}
        write_plot(record, replace(plot, values=values))
    return plots[0].name if plots else kind.group


def read_result(record: h5py.Group, kind: type[R]) -> R:
    """Read the result of a record back."""
    hints = typing.get_type_hints(kind)
    details = record["details"]
    places = [record[kind.group], details] if kind.signal else [details]
    known: dict[str, Any] = {}
    for item in sorted(_stored(kind), key=lambda one: bool(one.metadata["dims"])):
        if typing.get_origin(hints[item.name]) is Mapping:
            names = _read(details[f"{item.name}_names"], tuple[str, ...])
            known[item.name] = {key: _find(places, _column(item.name, key))[()] for key in names}
            continue
        dataset = _find(places, (item.metadata["name"] or item.name).format(**known))
        if dataset is not None:
            known[item.name] = _read(dataset, hints[item.name])
    return kind(**known)


def write_plot(record: h5py.Group, plot: Plot) -> None:
    """Write an NXdata that is only for looking at."""
    data = make_group(record, plot.name, "NXdata", signal=plot.signal, axes=list(plot.axes))
    if plot.auxiliary:
        data.attrs["auxiliary_signals"] = list(plot.auxiliary)
    if plot.title:
        write_field(data, "title", plot.title)
    for position, axis in enumerate(plot.axes):
        data.attrs[f"{axis}_indices"] = position
    for name, (values, units, long_name) in plot.values.items():
        write_field(data, name, np.asarray(values), units, long_name=long_name)


def write_attachment(parent: h5py.Group, name: str, attachment: Attachment) -> h5py.Group:
    """Embed a file as an NXnote with name, role (``description``) and content hash; an image as NXdata inside it."""
    note = make_group(parent, name, "NXnote")
    content = attachment.content
    write_field(note, "type", "text/plain" if isinstance(content, str) else "application/x-hdf5")
    write_field(note, "file_name", attachment.name)
    write_field(note, "description", attachment.role)
    write_field(note, "checksum", attachment.sha256)
    write_field(note, "algorithm", "sha256")
    if isinstance(content, str):
        write_field(note, "data", content.encode())
        return note
    axes = ["frame", "y", "x"][-content.ndim :]
    image = make_group(note, "image", "NXdata", signal="data", axes=axes)
    write_field(image, "data", content)
    for position, axis in enumerate(axes):
        image.attrs[f"{axis}_indices"] = position
        numbers = np.arange(content.shape[position])
        write_field(image, axis, numbers if axis == "frame" else numbers + 0.5, "" if axis == "frame" else "pixel")
    return note


def read_attachment(note: h5py.Group) -> Attachment:
    """Read an embedded file back."""
    content = _content(note["image/data"]) if "image" in note else read_text(note["data"])
    return Attachment(read_text(note["file_name"]), content, read_text(note["description"]))


def _without_nul(text: str) -> str:
    return text.replace("\0", "\N{SYMBOL FOR NULL}")


def _stored(kind: type) -> list[Field[Any]]:
    return [item for item in fields(kind) if item.metadata.get("stored", False)]


def _name(item: Field[Any], result: Result) -> str:
    template: str = item.metadata["name"] or item.name
    return template.format(angle=getattr(result, "angle", ""))


def _in_units(declared: str, result: Result) -> str:
    """Return declared units with those of the result's intensities in place of counts."""
    units = getattr(result, "units", "counts")
    if units == "counts":
        return declared
    return declared.replace("counts2", f"({units})^2").replace("counts", units)


def _column(field_name: str, key: str) -> str:
    return f"{key}_errors" if field_name == "errors" else key


def _find(places: list[h5py.Group], name: str) -> Any:
    return next((place[name] for place in places if name in place), None)


def _signal_dims(kind: type[Result], result: Result) -> tuple[str, ...]:
    if any(item.name == kind.signal for item in fields(kind)):
        declared = next(item for item in fields(kind) if item.name == kind.signal)
        dims: tuple[str, ...] = declared.metadata["dims"]
        present = np.ndim(getattr(result, kind.signal))
        return tuple(name.rstrip("?") for name in dims if not name.endswith("?") or present == len(dims))
    return ("row",)  # a table whose signal is one of its mapped columns


def _belongs(kind: type[Result], item: Field[Any], dims: tuple[str, ...]) -> bool:
    own = tuple(name.rstrip("?") for name in item.metadata["dims"])
    return bool(own) and (
        own[-len(dims) :] == dims or own == dims or (len(own) == 1 and kind.axes.get(own[0]) == item.name)
    )


def _finish_data(data: h5py.Group, kind: type[Result], result: Result, dims: tuple[str, ...]) -> None:
    names = []
    shape = data[kind.signal].shape
    for position, dim in enumerate(dims):
        owner = next((item for item in fields(kind) if item.name == kind.axes.get(dim)), None)
        name = dim if owner is None else _name(owner, result)
        if name not in data:
            numbers = np.arange(shape[position])
            pixels = dim in ("x", "y")
            write_field(data, name, numbers + 0.5 if pixels else numbers, "pixel" if pixels else "")
        data.attrs[f"{name}_indices"] = position
        names.append(name)
    data.attrs["signal"] = kind.signal
    data.attrs["axes"] = names
    if result.title:
        write_field(data, "title", result.title)


def _storage(array: Any, compression: str) -> dict[str, Any]:
    if array.size * array.itemsize < 4096 or array.ndim == 0:
        return {}
    if array.ndim >= 2 and array.size >= _LARGE_IMAGE and compression == "bitshuffle":
        import hdf5plugin

        rows = max(1, min(array.shape[-2], (1 << 22) // max(1, array.shape[-1] * array.itemsize)))
        chunks = (1,) * (array.ndim - 2) + (rows, array.shape[-1])
        # the decoder crashes on damaged bytes: a checksum of HDF5's own comes before it
        return {"chunks": chunks, **hdf5plugin.Bitshuffle(), "fletcher32": True}
    return {"compression": "gzip", "compression_opts": 4, "shuffle": True}


def _content(dataset: h5py.Dataset) -> Any:
    if dataset.size is not None and dataset.size >= _LARGE_IMAGE:
        import hdf5plugin  # noqa: F401  (registers the filters)
    return dataset[()]


def _read(dataset: h5py.Dataset, kind: Any) -> Any:
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        kind = next(option for option in typing.get_args(kind) if option is not type(None))
    value = _content(dataset)
    if kind is str:
        return read_text(dataset)
    if typing.get_origin(kind) is tuple:
        return tuple(item.decode() if isinstance(item, bytes) else str(item) for item in np.atleast_1d(value))
    if kind in (int, float, bool):
        return kind(value)
    return value

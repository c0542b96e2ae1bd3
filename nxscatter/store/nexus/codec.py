"""Results and model values as NeXus groups, and back.

A result becomes one NXdata with all fields that run along the axes of its signal, an NXcollection ``details`` with
the rest, and further NXdata that are only for looking at. What the fields mean is declared once, in `results`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np

from nxscatter.fields import Declared, Row, Several, Table, classes, declared_fields, without_none
from nxscatter.model import Attachment
from nxscatter.plain import Json, canonical_json
from nxscatter.results import Result
from nxscatter.results.plots import Plot
from nxscatter.store.nexus.hashing import text_hash
from nxscatter.store.nexus.tree import Field, Group

T = TypeVar("T")
R = TypeVar("R", bound=Result)


def write_json(parent: Group, name: str, value: Json, description: str = "") -> None:
    """Add a JSON value as an NXnote with its hash."""
    text = canonical_json(value)
    about = {"description": description} if description else {}
    parent.note(
        name, type="application/json", **about, data=text.encode(), checksum=text_hash(text), algorithm="sha256"
    )


def write_values(group: Group, value: Any) -> None:
    """Add every stored field of a dataclass to a group, with units."""
    for item in _stored(type(value)):
        content = getattr(value, item.name)
        if content is not None:
            group.field(item.name, content, item.metadata.get("units", ""))


def read_values(group: Group, kind: type[T]) -> T:
    """Read a dataclass written by `write_values`; fields that are absent keep their defaults."""
    kinds = declared_fields(kind)
    return kind(
        **{item.name: _read(group[item.name], kinds[item.name]) for item in _stored(kind) if item.name in group}
    )


def write_result(record: Group, result: Result, compression: str = "bitshuffle") -> str:
    """Add a result to its record and return the name of the NXdata to show first."""
    kind = type(result)
    details = record.group("details", "NXcollection")
    data = record.group(kind.group, "NXdata") if kind.signal else None
    dims = _signal_dims(kind, result) if data is not None else ()
    for item in _stored(kind):
        value = getattr(result, item.name)
        if value is None:
            continue
        place = data if data is not None and _belongs(kind, item, dims) else details
        units = _in_units(item.metadata["units"], result)
        if isinstance(value, Mapping):
            details.field(f"{item.name}_names", tuple(value))
            for key, column in value.items():
                declared = _in_units(result.column_units(key), result)
                place.field(_column(item.name, key), column, declared)
        else:
            place.field(_name(item, result), value, units, compression)
    if data is not None:
        _finish_data(data, kind, result, dims)
    plots = result.plots()
    for plot in plots:
        values = {name: (one, _in_units(units, result), text) for name, (one, units, text) in plot.values.items()}
        write_plot(record, replace(plot, values=values))
    return plots[0].name if plots else kind.group


def result_groups(kind: type[Result]) -> tuple[str, ...]:
    """Return the names of the groups of a record that `read_result` needs."""
    return ("details", kind.group) if kind.signal else ("details",)


def read_result(record: Group, kind: type[R]) -> R:
    """Read the result of a record back."""
    kinds = declared_fields(kind)
    details = record["details"]
    places = [record[kind.group], details] if kind.signal else [details]
    known: dict[str, Any] = {}
    for item in sorted(_stored(kind), key=lambda one: bool(one.metadata["dims"])):
        if isinstance(kinds[item.name], Table):
            names = details[f"{item.name}_names"].texts
            known[item.name] = {key: _find(places, _column(item.name, key)).value for key in names}
            continue
        field = _find(places, (item.metadata["name"] or item.name).format(**known))
        if field is not None:
            known[item.name] = _read(field, kinds[item.name])
    return kind(**known)


def write_plot(record: Group, plot: Plot) -> None:
    """Add an NXdata that is only for looking at."""
    data = record.group(plot.name, "NXdata", signal=plot.signal, axes=list(plot.axes), **_indices(plot.axes))
    if plot.auxiliary:
        data.attrs["auxiliary_signals"] = np.array(plot.auxiliary, dtype=object)
    if plot.title:
        data.field("title", plot.title)
    for name, (values, units, long_name) in plot.values.items():
        data.field(name, np.asarray(values), units, long_name=long_name)


def write_attachment(parent: Group, name: str, attachment: Attachment, compression: str = "bitshuffle") -> None:
    """Embed a file as an NXnote with name, role (``description``) and content hash; an image as NXdata inside it."""
    content = attachment.content
    note = parent.note(
        name,
        type="text/plain" if isinstance(content, str) else "application/x-hdf5",
        file_name=attachment.name,
        description=attachment.role,
        checksum=attachment.sha256,
        algorithm="sha256",
    )
    if isinstance(content, str):
        note.field("data", content.encode())
        return
    axes = ("frame", "y", "x")[-content.ndim :]
    image = note.group("image", "NXdata", signal="data", axes=list(axes), **_indices(axes))
    image.field("data", content, "", compression)
    for axis, size in zip(axes, content.shape, strict=True):
        numbers = np.arange(size)
        image.field(axis, numbers if axis == "frame" else numbers + 0.5, "" if axis == "frame" else "pixel")


def read_attachment(note: Group) -> Attachment:
    """Read an embedded file back."""
    content = note["image/data" if "image" in note else "data"].value
    return Attachment(note["file_name"].value, content, note["description"].value)


def _indices(axes: Sequence[str]) -> dict[str, int]:
    return {f"{axis}_indices": position for position, axis in enumerate(axes)}


def _stored(kind: type) -> list[dataclasses.Field[Any]]:
    return [item for item in fields(kind) if item.metadata.get("stored", False)]


def _name(item: dataclasses.Field[Any], result: Result) -> str:
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


def _find(places: list[Group], name: str) -> Any:
    return next((place[name] for place in places if name in place), None)


def _signal_dims(kind: type[Result], result: Result) -> tuple[str, ...]:
    if any(item.name == kind.signal for item in fields(kind)):
        declared = next(item for item in fields(kind) if item.name == kind.signal)
        dims: tuple[str, ...] = declared.metadata["dims"]
        present = np.ndim(getattr(result, kind.signal))
        return tuple(name.rstrip("?") for name in dims if not name.endswith("?") or present == len(dims))
    return ("row",)  # a table whose signal is one of its mapped columns


def _belongs(kind: type[Result], item: dataclasses.Field[Any], dims: tuple[str, ...]) -> bool:
    own = tuple(name.rstrip("?") for name in item.metadata["dims"])
    return bool(own) and (
        own[-len(dims) :] == dims or own == dims or (len(own) == 1 and kind.axes.get(own[0]) == item.name)
    )


def _finish_data(data: Group, kind: type[Result], result: Result, dims: tuple[str, ...]) -> None:
    names = []
    shape = data[kind.signal].shape
    for position, dim in enumerate(dims):
        owner = next((item for item in fields(kind) if item.name == kind.axes.get(dim)), None)
        name = dim if owner is None else _name(owner, result)
        if name not in data:
            numbers = np.arange(shape[position])
            pixels = dim in ("x", "y")
            data.field(name, numbers + 0.5 if pixels else numbers, "pixel" if pixels else "")
        names.append(name)
    data.attrs |= {"signal": kind.signal, "axes": np.array(names, dtype=object)}
    data.attrs |= {name: np.int64(position) for name, position in _indices(names).items()}
    if result.title:
        data.field("title", result.title)


def _read(field: Field, kind: Declared) -> Any:
    kind = without_none(kind)
    if isinstance(kind, Several | Row):
        return field.texts
    (found,) = classes(kind)
    return found(field.value) if found in (int, float, bool) else field.value

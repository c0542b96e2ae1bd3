"""What two containers differ in: the measurement, the parameters of their records, and the results, by how much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nxscatter.model import Array
from nxscatter.plain import Json, canonical_json
from nxscatter.results.stages import FrameReader
from nxscatter.store.selection import newest
from nxscatter.workflow.step_inputs import Converted

if TYPE_CHECKING:
    from nxscatter.store.container import Container
    from nxscatter.store.record import Record

_DESCRIBED = ("sample", "beam", "detector", "exposure")


@dataclass(frozen=True)
class Difference:
    """One thing in which two containers differ.

    Attributes
    ----------
    where : str
        Part of the measurement (``"detector"``), or name of a record without version.
    what : str
        ``"measurement"``, ``"record"``, ``"version"``, ``"parameter"``, ``"automatic"`` (a value that the step chose
        by itself), ``"result"`` or ``"environment"``.
    name : str
        Which value.
    first, second : JSON value
        The value in either container, an array as its shape; None where it is absent.
    differing, size : int or None
        Of an array with the same shape in both: how many numbers or texts differ, of how many.
    largest : float or None
        Largest difference between numbers that both have.
    relative : float or None
        The same over the largest magnitude in the first container.
    """

    where: str
    what: str
    name: str
    first: Json = None
    second: Json = None
    differing: int | None = None
    size: int | None = None
    largest: float | None = None
    relative: float | None = None


class _Distance(NamedTuple):
    differing: int
    size: int
    largest: float | None
    relative: float | None


def compare(first: Container, second: Container) -> list[Difference]:
    """Return what two containers differ in; of each record's name the newest version counts.

    Dates, checksums and the way in which frames are compressed are no differences.
    """
    found = [*_measurements(first, second), *_frames(first, second)]
    records = [{record.base: record for record in newest(one.records)} for one in (first, second)]
    for base in dict.fromkeys([*records[0], *records[1]]):
        one, other = (known.get(base) for known in records)
        if one is None or other is None:
            found.append(Difference(base, "record", base, one and one.name, other and other.name))
        else:
            found += _records(base, one, other)
    return found


def _measurements(first: Container, second: Container) -> Iterator[Difference]:
    for part in _DESCRIBED:
        one, other = getattr(first, part), getattr(second, part)
        for item in fields(one):
            yield from _values(part, "measurement", item.name, getattr(one, item.name), getattr(other, item.name))
    sources = [{"file_name": one.file_name, "sha256": one.sha256} for one in (first.origin, second.origin)]
    yield from _mappings("source", "measurement", *sources)
    files = [(*one.masks, *one.auxiliary) for one in (first, second)]
    hashes = [{f"{file.role} {file.name}": file.sha256 for file in some} for some in files]
    yield from _mappings("files", "measurement", *hashes)


def _frames(first: Container, second: Container) -> Iterator[Difference]:
    if first.shape != second.shape:
        yield Difference("frames", "measurement", "shape", list(first.shape), list(second.shape))
        return
    hashes = {Converted(one).source(FrameReader, "raw").checksum for one in (first, second)}
    if len(hashes) == 1:
        return
    found = [_distance(one, other) for one, other in zip(first.raw, second.raw, strict=True)]
    differing = sum(one.differing for one in found)
    if differing:
        largest = max((one.largest for one in found if one.largest is not None), default=None)
        size = sum(one.size for one in found)
        yield Difference("frames", "measurement", "counts", differing=differing, size=size, largest=largest)


def _records(base: str, one: Record, other: Record) -> Iterator[Difference]:
    versions = [{"step": record.step, "step_version": record.step_version} for record in (one, other)]
    yield from _mappings(base, "version", *versions)
    yield from _mappings(base, "parameter", one.parameters, other.parameters)
    yield from _mappings(base, "automatic", one.auto, other.auto)
    if one.result_hash != other.result_hash:
        results = one.load(), other.load()
        if type(results[0]) is type(results[1]):
            for item in fields(results[0]):
                if item.metadata["stored"]:
                    values = (getattr(result, item.name) for result in results)
                    yield from _values(base, "result", item.name, *values)
        yield from _mappings(base, "environment", one.environment, other.environment)


def _mappings(where: str, what: str, one: Mapping[str, Json], other: Mapping[str, Json]) -> Iterator[Difference]:
    for key in dict.fromkeys([*one, *other]):
        if canonical_json(one.get(key)) != canonical_json(other.get(key)):
            yield Difference(where, what, key, one.get(key), other.get(key))


def _values(where: str, what: str, name: str, one: Any, other: Any) -> Iterator[Difference]:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in dict.fromkeys([*one, *other]):
            label = key if name == "values" else f"{key} ({name})"
            yield from _values(where, what, label, one.get(key), other.get(key))
        return
    if one is None or other is None or np.shape(one) != np.shape(other):
        if one is not None or other is not None:
            yield Difference(where, what, name, _shown(one), _shown(other))
        return
    found = _distance(np.asarray(one), np.asarray(other))
    if found.differing:
        yield Difference(where, what, name, _shown(one), _shown(other), **found._asdict())


def _shown(value: Any) -> Json:
    array = np.asarray(value)
    return array.item() if array.ndim == 0 else " x ".join(map(str, array.shape))


def _distance(one: Array, other: Array) -> _Distance:
    """Return how many elements differ, NaN being equal to NaN, and how far apart the numbers are."""
    if one.dtype.kind not in "biuf" or other.dtype.kind not in "biuf":
        return _Distance(int(np.count_nonzero(one != other)), one.size, None, None)
    one, other = one.astype(float), other.astype(float)
    both = np.isfinite(one) & np.isfinite(other)
    apart = np.max(np.abs(one - other), where=both, initial=0.0)
    magnitude = np.max(np.abs(one), where=both, initial=0.0)
    different = (one != other) & ~(np.isnan(one) & np.isnan(other))
    return _Distance(
        int(np.count_nonzero(different)),
        one.size,
        float(apart) if both.any() else None,
        float(apart / magnitude) if magnitude else None,
    )

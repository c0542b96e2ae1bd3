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
    records = [{record.base: record for record in newest(container.records)} for container in (first, second)]
    for base in dict.fromkeys([*records[0], *records[1]]):
        first_record, second_record = (known.get(base) for known in records)
        if first_record is None or second_record is None:
            found.append(
                Difference(
                    base, "record", base, first_record and first_record.name, second_record and second_record.name
                )
            )
        else:
            found += _records(base, first_record, second_record)
    return found


def _measurements(first: Container, second: Container) -> Iterator[Difference]:
    for part in _DESCRIBED:
        first_part, second_part = getattr(first, part), getattr(second, part)
        for item in fields(first_part):
            yield from _values(
                part, "measurement", item.name, getattr(first_part, item.name), getattr(second_part, item.name)
            )
    sources = [{"file_name": origin.file_name, "sha256": origin.sha256} for origin in (first.origin, second.origin)]
    yield from _mappings("source", "measurement", *sources)
    files = [(*container.masks, *container.auxiliary) for container in (first, second)]
    hashes = [{f"{file.role} {file.name}": file.sha256 for file in some} for some in files]
    yield from _mappings("files", "measurement", *hashes)


def _frames(first: Container, second: Container) -> Iterator[Difference]:
    if first.shape != second.shape:
        yield Difference("frames", "measurement", "shape", list(first.shape), list(second.shape))
        return
    hashes = {Converted(container).source(FrameReader, "raw").checksum for container in (first, second)}
    if len(hashes) == 1:
        return
    found = [_distance(frame, other_frame) for frame, other_frame in zip(first.raw, second.raw, strict=True)]
    differing = sum(distance.differing for distance in found)
    if differing:
        largest = max((distance.largest for distance in found if distance.largest is not None), default=None)
        size = sum(distance.size for distance in found)
        yield Difference("frames", "measurement", "counts", differing=differing, size=size, largest=largest)


def _records(base: str, first: Record, second: Record) -> Iterator[Difference]:
    versions = [{"step": record.step, "step_version": record.step_version} for record in (first, second)]
    yield from _mappings(base, "version", *versions)
    yield from _mappings(base, "parameter", first.parameters, second.parameters)
    yield from _mappings(base, "automatic", first.auto, second.auto)
    if first.result_hash != second.result_hash:
        results = first.load(), second.load()
        if type(results[0]) is type(results[1]):
            for item in fields(results[0]):
                if item.metadata["stored"]:
                    values = (getattr(result, item.name) for result in results)
                    yield from _values(base, "result", item.name, *values)
        yield from _mappings(base, "environment", first.environment, second.environment)


def _mappings(where: str, what: str, first: Mapping[str, Json], second: Mapping[str, Json]) -> Iterator[Difference]:
    for key in dict.fromkeys([*first, *second]):
        if canonical_json(first.get(key)) != canonical_json(second.get(key)):
            yield Difference(where, what, key, first.get(key), second.get(key))


def _values(where: str, what: str, name: str, first: Any, second: Any) -> Iterator[Difference]:
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        for key in dict.fromkeys([*first, *second]):
            label = key if name == "values" else f"{key} ({name})"
            yield from _values(where, what, label, first.get(key), second.get(key))
        return
    if first is None or second is None or np.shape(first) != np.shape(second):
        if first is not None or second is not None:
            yield Difference(where, what, name, _shown(first), _shown(second))
        return
    found = _distance(np.asarray(first), np.asarray(second))
    if found.differing:
        yield Difference(where, what, name, _shown(first), _shown(second), **found._asdict())


def _shown(value: Any) -> Json:
    array = np.asarray(value)
    return array.item() if array.ndim == 0 else " x ".join(map(str, array.shape))


def _distance(first: Array, second: Array) -> _Distance:
    """Return how many elements differ, NaN being equal to NaN, and how far apart the numbers are."""
    if first.dtype.kind not in "biuf" or second.dtype.kind not in "biuf":
        return _Distance(int(np.count_nonzero(first != second)), first.size, None, None)
    first, second = first.astype(float), second.astype(float)
    both = np.isfinite(first) & np.isfinite(second)
    apart = np.max(np.abs(first - second), where=both, initial=0.0)
    magnitude = np.max(np.abs(first), where=both, initial=0.0)
    different = (first != second) & ~(np.isnan(first) & np.isnan(second))
    return _Distance(
        int(np.count_nonzero(different)),
        first.size,
        float(apart) if both.any() else None,
        float(apart / magnitude) if magnitude else None,
    )

"""What a container says, for catalogues: every value with its unit and the path where it stands.

Values are read from the datasets that their paths name, so that a number in a catalogue is the number in the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nxscatter.plain import Json, canonical_json, only_element, plain
from nxscatter.results import Geometry, Orientation
from nxscatter.step import get_step
from nxscatter.store import layout
from nxscatter.store.nexus.hashing import text_hash
from nxscatter.store.selection import newest, of_kind

if TYPE_CHECKING:
    import h5py

    from nxscatter.store.container import Container
    from nxscatter.store.record import Record


@dataclass(frozen=True)
class Fact:
    """One value of a container.

    Parameters
    ----------
    value : number, text, or list of them
        A column with several rows is a list; what is NaN in it is None, and the column of status says why.
    unit : str
        As NeXus writes it, "" for a pure number or a text.
    path : str
        The dataset in the container.
    """

    value: Json
    unit: str
    path: str


_CONVERTED = {
    "title": "/entry/title",
    "start_time": "/entry/start_time",
    "end_time": "/entry/end_time",
    "instrument": "/entry/instrument/name",
    "source_name": "/entry/instrument/source/name",
    "source_type": "/entry/instrument/source/type",
    "detector": "/entry/instrument/detector/description",
    "wavelength": "/entry/instrument/monochromator/wavelength",
    "distance": "/entry/instrument/detector/distance",
    "pixel_size_x": "/entry/instrument/detector/x_pixel_size",
    "pixel_size_y": "/entry/instrument/detector/y_pixel_size",
    "beam_center_x": "/entry/instrument/detector/beam_center_x",
    "beam_center_y": "/entry/instrument/detector/beam_center_y",
    "count_time": "/entry/instrument/detector/count_time",
    "sample_name": "/entry/sample/name",
    "magnetic_field": "/entry/sample/magnetic_field",
    "input_file": "/entry/source/file_name",
    "input_sha256": "/entry/source/checksum",
}
_GEOMETRY = (
    *("wavelength", "distance", "pixel_size_x", "pixel_size_y", "center_x", "center_y"),
    *("center_x_error", "center_y_error", "rot1", "rot2", "rot3"),
)
_ORIENTATION = {
    "S": "S",
    "S_error": "S_errors",
    "P4": "P4",
    "P4_error": "P4_errors",
    "S_method": "S_method",
    "S_model": "model",
    "S_q": "q",
    "S_hkl": "hkl",
    "S_reflection": "reflection",
    "S_ring": "ring",
    "S_peak": "peak",
    "S_frame": "frame",
    "S_status": "status",
    "S_reason": "reason",
}


def measured(container: Container) -> dict[str, Fact]:
    """Return what the input file said about sample, instrument and exposure; what is unknown is absent."""
    with container.opened() as file:
        known = dict(read_facts(file, _CONVERTED))
        known["frames"] = Fact(int(file[layout.FRAMES].shape[0]), "", layout.FRAMES)
    times = known.get("count_time")
    if times is not None and isinstance(times.value, list) and len(set(times.value)) == 1:
        known["count_time"] = replace(times, value=times.value[0])
    return known


def facts(container: Container) -> dict[str, Fact]:
    """Return what a container says about sample, instrument, geometry and order parameters.

    Returns
    -------
    dict of str to Fact
        What is unknown is absent. The geometry is the newest record's where there is one, else the source's. The
        columns of order parameters are S, S_error, ...; those of a record with a name of its own start with that
        (``inner_S``).
    """
    known, records = measured(container), newest(container.records)
    with container.opened() as file:
        for record in of_kind(records, Geometry):
            for name in ("beam_center_x", "beam_center_y"):
                known.pop(name, None)
            known.update(read_facts(file, {name: f"{record.path}/details/{name}" for name in _GEOMETRY}))
        for record in of_kind(records, Orientation):
            prefix = "" if record.base == record.step else f"{record.base}_"
            table = {f"{prefix}{name}": f"{record.path}/table/{path}" for name, path in _ORIENTATION.items()}
            known.update(read_facts(file, table))
    return known


def parameters(record: Record) -> dict[str, Fact]:
    """Return the parameters that a record was made with, and as ``auto_...`` what its step chose by itself.

    A file is its name.
    """
    with record.container.opened() as file:
        group = file[f"{record.path}/parameters"]
        known = dict(read_facts(file, {name: f"{group.name}/{name}" for name in group}))
    for name, value in record.parameters.items():
        if isinstance(value, bool):  # the file has it as 0 or 1
            known[name] = replace(known[name], value=value)
    units = {item.name: item.metadata["units"] for item in fields(get_step(record.step))}
    for name, value in record.auto.items():
        known[f"auto_{name}"] = Fact(value, units.get(name, ""), f"{record.path}/configuration/data")
    return known


def software(container: Container) -> tuple[str, ...]:
    """Return the programs that made the records, "name version" each; without records the one that converted."""
    found = {
        f"{name} {version}"
        for record in container.records
        for name, version in record.environment.items()
        if name != "platform"
    }
    if not found:
        with container.opened() as file:
            found = {f"nxscatter {plain(file.attrs['creator_version'])}"}
    return tuple(sorted(found, key=lambda text: (not text.startswith("nxscatter"), text)))


def about(known: dict[str, Fact]) -> str:
    """Say in a few words what was measured."""
    field = known.get("magnetic_field")
    sample = f"X-ray scattering of {known['sample_name'].value}" if "sample_name" in known else "X-ray scattering"
    return sample if field is None else f"{sample} at {field.value:g} {field.unit}"


def last_change(container: Container) -> datetime:
    """When the container became what it is: the date of the newest record, without one that of the file."""
    records = container.records
    return datetime.fromisoformat(records[-1].date) if records else modified(container.path)


def modified(path: Path) -> datetime:
    """When a file was last written."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def content_hash(container: Container) -> str:
    """Hash what was measured, how it was processed and what came out: equal for files that say the same.

    The dates of processing are left out, so that processing the same frames again with the same parameters to the
    same numbers gives the same hash.
    """
    records = [
        [record.name, record.step, record.step_version, record.parameters, record.result_hash]
        for record in container.records
    ]
    return text_hash(canonical_json([container.ledger["content"], records]))


def read_facts(file: h5py.File, paths: Mapping[str, str]) -> Iterator[tuple[str, Fact]]:
    """Read the datasets that are there and known."""
    for name, path in paths.items():
        if path not in file:
            continue
        dataset = file[path]
        value = plain(only_element(dataset[()]))
        unknown = value in (None, "", "unknown") or (isinstance(value, list) and all(item is None for item in value))
        if not unknown:
            yield name, Fact(value, plain(dataset.attrs.get("units", "")), path)

"""Writing a record into an open container, and the checksums that chain the records together."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from nxscatter import __version__, layout
from nxscatter.codec import make_group, write_attachment, write_field, write_json, write_result
from nxscatter.hashing import combined, group_hashes
from nxscatter.model import Attachment, canonical_json

if TYPE_CHECKING:
    import h5py

    from nxscatter.results import Result
    from nxscatter.step import Step

RESULT_CHECKSUM = "result/checksum"


@dataclass(frozen=True)
class Source:
    """Where an input of a step came from: a path in the container, and the content hash it had."""

    path: str
    checksum: str


def write_record(file: h5py.File, step: Step, name: str, inputs: Mapping[str, Sequence[Source]], result: Result) -> str:
    """Append the record of a step to an open container, make it what viewers show, and return its name."""
    entry, ledger = file["entry"], layout.read_ledger(file)
    numbers = [int(other.rsplit("_v", 1)[1]) for other in ledger["names"] if other.rsplit("_v", 1)[0] == name]
    full_name = f"{name}_v{1 + max(numbers, default=0)}"
    group = make_group(entry, full_name, "NXprocess")
    write_field(group, "program", "nxscatter")
    write_field(group, "version", __version__)
    write_field(group, "date", datetime.now(UTC).isoformat(timespec="milliseconds"))
    write_field(group, "sequence_index", ledger["records"] + 1)
    _write_parameters(group, step)
    attachments = _write_inputs(group, step, inputs)
    configuration = {
        "step": step.name,
        "step_version": step.version,
        "parameters": step.parameters,
        "attachments": attachments,
        "inputs": {key: [vars(source) for source in sources] for key, sources in inputs.items()},
        "auto": dict(result.auto),
        "notes": list(result.notes),
        "environment": environment(),
    }
    write_json(group, "configuration", configuration)
    group.attrs["default"] = write_result(group, result, ledger["compression"])
    note = make_group(group, "result", "NXnote")
    write_field(note, "type", "application/json")
    hashes = result_hashes(group)
    write_field(note, "data", canonical_json(hashes).encode())
    write_field(note, "algorithm", "sha256")
    others = other_hashes(group)
    layout.write_contents(group, others)
    checksum = record_checksum(hashes, others, ledger["checksum"])
    write_field(note, "checksum", checksum)
    names = [*ledger["names"], full_name]
    layout.write_ledger(file, {**ledger, "records": len(names), "names": names, "checksum": checksum})
    entry.attrs["default"] = full_name
    return full_name


def result_hashes(record: h5py.Group) -> dict[str, str]:
    """Content hashes of what a step returned, by path in the record."""
    hashes: dict[str, str] = {}
    for name in _result_groups(record):
        inside = group_hashes(record[name], skip_attributes=("target",))
        hashes.update({f"{name}/{path}": value for path, value in inside.items()})
    return hashes


def other_hashes(record: h5py.Group) -> dict[str, str]:
    """Content hashes of the rest of a record, by path: parameters, configuration, inputs, date, attributes."""
    return group_hashes(record, (*_result_groups(record), "contents", RESULT_CHECKSUM))


def _result_groups(record: h5py.Group) -> list[str]:
    return [name for name in record if record[name].attrs.get("NX_class") in ("NXdata", "NXcollection")]


def record_checksum(result: Mapping[str, str], others: Mapping[str, str], previous: str) -> str:
    """Checksum of a record: everything in its group but the checksum itself, and the record before."""
    return combined({**result, **others}, previous)


@cache
def environment() -> dict[str, str]:
    """Versions of what computes here."""
    import h5py

    versions = {name: importlib.metadata.version(name) for name in ("numpy", "scipy", "pyFAI", "h5py")}
    return {
        **versions,
        "nxscatter": __version__,
        "python": platform.python_version(),
        "HDF5": h5py.version.hdf5_version,
        "platform": platform.platform(),
    }


def _write_parameters(group: h5py.Group, step: Step) -> None:
    parameters = make_group(group, "parameters", "NXparameters")
    for item in fields(step):
        value = getattr(step, item.name)
        if isinstance(value, Attachment) or item.name in step.attachments:
            files = step.attachments[item.name]
            value = tuple(attachment.name for attachment in files)
        elif isinstance(value, tuple) and value and isinstance(value[0], tuple):
            value = tuple(" ".join(f"{part:g}" for part in one) for one in value)
        if value is not None and value != ():
            write_field(parameters, item.name, int(value) if isinstance(value, bool) else value, item.metadata["units"])


def _write_inputs(group: h5py.Group, step: Step, inputs: Mapping[str, Sequence[Source]]) -> dict[str, list[str]]:
    import h5py

    number = 0
    for sources in inputs.values():
        for source in sources:
            number += 1
            note = make_group(group, f"input_{number}", "NXnote")
            write_field(note, "file_name", source.path)
            write_field(note, "checksum", source.checksum)
            write_field(note, "algorithm", "sha256")
            note["source"] = h5py.SoftLink(_viewable(group.file, source.path))
    names: dict[str, list[str]] = {}
    for key, files in step.attachments.items():
        for attachment in files:
            number += 1
            write_attachment(group, f"input_{number}", attachment)
            names.setdefault(key, []).append(f"input_{number}")
    return names


def _viewable(file: h5py.File, path: str) -> str:
    """Return the group that shows an input: validators take a link to an NXdata in an NXnote, not to a record."""
    if path == layout.FRAMES:
        return "/entry/data"
    default = file[path].attrs.get("default", "")
    return f"{path}/{default}" if default else path

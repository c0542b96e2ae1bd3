"""Writing a record into an open container, and the hash chain: each checksum covers the one of the record before."""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from nxscatter.model import Attachment
from nxscatter.plain import Json, canonical_json
from nxscatter.store import layout
from nxscatter.store.nexus import hdf5
from nxscatter.store.nexus.codec import write_attachment, write_json, write_result
from nxscatter.store.nexus.hashing import combined, hashed_meanwhile, tree_hashes
from nxscatter.store.nexus.tree import Group
from nxscatter.version import __version__

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


@dataclass(frozen=True)
class Written:
    """What a record says of itself: name, place in the order, date, program, configuration, hashes and checksum."""

    name: str
    sequence: int
    date: str
    program_version: str
    configuration: dict[str, Json]
    hashes: dict[str, str]
    checksum: str


def read_record(file: h5py.File, name: str) -> Written:
    """Read what a record says of itself."""
    path = f"/entry/{name}"
    return Written(
        name,
        int(hdf5.read(file, f"{path}/sequence_index").value),
        hdf5.read_text(file, f"{path}/date"),
        hdf5.read_text(file, f"{path}/version"),
        hdf5.read_json(file, f"{path}/configuration"),
        hdf5.read_json(file, f"{path}/result"),
        hdf5.read_text(file, f"{path}/{RESULT_CHECKSUM}"),
    )


def write_record(
    file: h5py.File,
    ledger: Mapping[str, Any],
    step: Step,
    name: str,
    inputs: Mapping[str, Sequence[Source]],
    result: Result,
) -> Written:
    """Append the record of a step to an open container whose ledger is given, and return what the record says."""
    numbers = [int(other.rsplit("_v", 1)[1]) for other in ledger["names"] if other.rsplit("_v", 1)[0] == name]
    full_name = f"{name}_v{1 + max(numbers, default=0)}"
    date, sequence = datetime.now(UTC).isoformat(timespec="milliseconds"), int(ledger["records"]) + 1
    group = Group("/entry").group(full_name, "NXprocess")
    group.field("program", "nxscatter")
    group.field("version", __version__)
    group.field("date", date)
    group.field("sequence_index", sequence)
    _add_parameters(group, step)
    attachments = _add_inputs(group, step, inputs, file, ledger["compression"])
    configuration = {
        "step": step.name,
        "step_version": step.version,
        "parameters": step.parameters,
        "attachments": attachments,
        "inputs": {key: [vars(source) for source in sources] for key, sources in inputs.items()},
        "auto": dict(result.auto),
        "notes": list(result.notes),
        # told only where there are any, so that records without stay what they were
        **({"doubts": [vars(doubt) for doubt in result.doubts]} if result.doubts else {}),
        "environment": environment(),
    }
    write_json(group, "configuration", configuration)
    group.attrs["default"] = write_result(group, result, ledger["compression"])
    with hashed_meanwhile(group, result_hashes) as hashed:
        hdf5.write(file["entry"], full_name, group)
        hashes = hashed()
    note = group.note("result", type="application/json", data=canonical_json(hashes).encode(), algorithm="sha256")
    others = other_hashes(group)
    checksum = record_checksum(hashes, others, ledger["checksum"])
    note.field("checksum", checksum)
    group.members["contents"] = layout.contents_note(group.path, others)
    for name in ("result", "contents"):
        hdf5.write(file[group.path], name, group[name])
    stored = json.loads(group["configuration/data"].value)
    return Written(full_name, sequence, date, __version__, stored, hashes, checksum)


def added(ledger: Mapping[str, Any], written: Written) -> dict[str, Any]:
    """Return the ledger with one more record."""
    names = [*ledger["names"], written.name]
    return {**ledger, "records": len(names), "names": names, "checksum": written.checksum}


def result_hashes(record: Group) -> dict[str, str]:
    """Content hashes of what a step returned, by path in the record."""
    hashes: dict[str, str] = {}
    for name in _result_groups(record):
        inside = tree_hashes(record[name], skip_attributes=("target",))
        hashes.update({f"{name}/{path}": value for path, value in inside.items()})
    return hashes


def other_hashes(record: Group) -> dict[str, str]:
    """Content hashes of the rest of a record, by path: parameters, configuration, inputs, date, attributes."""
    return tree_hashes(record, (*_result_groups(record), "contents", RESULT_CHECKSUM))


def _result_groups(record: Group) -> list[str]:
    kinds = ("NXdata", "NXcollection")
    return [name for name, group in sorted(record.groups()) if group.attrs.get("NX_class") in kinds]


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


def _add_parameters(group: Group, step: Step) -> None:
    parameters = group.group("parameters", "NXparameters")
    for item in fields(step):
        value = getattr(step, item.name)
        if isinstance(value, Attachment) or item.name in step.attachments:
            files = step.attachments[item.name]
            value = tuple(attachment.name for attachment in files)
        elif isinstance(value, tuple) and value and isinstance(value[0], tuple):
            value = tuple(" ".join(f"{number:g}" for number in row) for row in value)
        if value is not None and value != ():
            parameters.field(item.name, int(value) if isinstance(value, bool) else value, item.metadata["units"])


def _add_inputs(
    group: Group, step: Step, inputs: Mapping[str, Sequence[Source]], file: h5py.File, compression: str
) -> dict[str, list[str]]:
    number = 0
    for sources in inputs.values():
        for source in sources:
            number += 1
            note = group.note(f"input_{number}", file_name=source.path, checksum=source.checksum, algorithm="sha256")
            note.link("source", _viewable(file, source.path))
    names: dict[str, list[str]] = {}
    for key, files in step.attachments.items():
        for attachment in files:
            number += 1
            write_attachment(group, f"input_{number}", attachment, compression)
            names.setdefault(key, []).append(f"input_{number}")
    return names


def _viewable(file: h5py.File, path: str) -> str:
    """Return the group that shows an input: validators take a link to an NXdata in an NXnote, not to a record."""
    if path == layout.FRAMES:
        return "/entry/data"
    default = file[path].attrs.get("default", "")
    return f"{path}/{default}" if default else path

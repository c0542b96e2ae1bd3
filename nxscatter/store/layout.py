"""The converted part of a container: a `Scan` as NeXus NXsas groups, and back.

What NXsas asks for is written in its own terms; beside it, ``/entry/instrument/description`` holds the model values
(beam, detector, exposure) exactly as the reader returned them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from nxscatter.errors import ContainerError
from nxscatter.model import Beam, Detector, Doubt, Exposure, Origin, Sample, Scan
from nxscatter.plain import Json, canonical_json
from nxscatter.store.detector_place import add_place
from nxscatter.store.nexus import hdf5
from nxscatter.store.nexus.codec import write_attachment, write_json, write_values
from nxscatter.store.nexus.frames import copy_frames
from nxscatter.store.nexus.hashing import (
    DAMAGE,
    combined,
    first_line,
    frames_hash,
    hashed_meanwhile,
    is_hard_link,
    tree_hashes,
)
from nxscatter.store.nexus.hdf5 import read_json, read_text
from nxscatter.store.nexus.tree import Group
from nxscatter.version import __version__

if TYPE_CHECKING:
    import h5py

    from nxscatter.model import Array


D = TypeVar("D", Beam, Detector, Exposure)
CONTAINER_VERSION = 1
CREATOR = "nxscatter"
SERIES_CREATOR = "nxscatter series"
_FRAMES = "instrument/detector/data"
FRAMES = f"/entry/{_FRAMES}"
DESCRIPTION = "instrument/description"
ATTACHMENTS = "attachments"
LEDGER = "/entry/ledger"
CONTENTS = "/entry/contents"
DOUBTS_NOTE = "doubts"  # in the entry, where a reader had any


def write_scan(file: h5py.File, scan: Scan, compression: str = "bitshuffle") -> tuple[Group, Array]:
    """Write everything that a reader found into an empty file, and the ledger of no records.

    Returns
    -------
    entry : Group
        What was written but for the frames.
    first : ndarray (rows, columns)
        The first frame as it was read back.
    """
    file.attrs.update(NX_class="NXroot", default="entry", creator=CREATOR, creator_version=__version__)
    entry = _entry(scan, compression)
    with hashed_meanwhile(entry, _entry_hashes) as hashed:
        hdf5.write(file, "entry", entry)
        copied = copy_frames(scan.frames, file["entry/instrument/detector"], "data", compression)
        copied.dataset.attrs["units"] = "counts"
        copied.dataset.attrs["target"] = FRAMES
        hashes = hashed() | {_FRAMES: frames_hash(copied.dataset, copied.hashes), "/": _root_hash(file)}
    hdf5.write(file["entry"], "contents", contents_note(entry.path, hashes))
    content = combined(hashes)
    write_ledger(
        file,
        {
            "container_version": CONTAINER_VERSION,
            "compression": compression,
            "content": content,
            "records": 0,
            "names": [],
            "checksum": content,
        },
    )
    return entry, copied.first


def content_hashes(file: h5py.File) -> dict[str, str]:
    """Hash each part of the converted content, by its path in the entry; the frames as they are stored."""
    skip = (*record_groups(file), "ledger", "contents", _FRAMES)
    frames = {_FRAMES: frames_hash(file[FRAMES])} if FRAMES in file else {}
    return {**_entry_hashes(hdf5.read(file, "entry", skip)), **frames, "/": _root_hash(file)}


def _entry_hashes(entry: Group) -> dict[str, str]:
    return tree_hashes(entry, skip_attributes=("default",))


def _root_hash(file: h5py.File) -> str:
    return combined({key: str(value) for key, value in file.attrs.items() if key != "default"})


def contents_note(parent: str, hashes: dict[str, str]) -> Group:
    """Return the table by which a check can name the part of the entry, or of a record, that was altered."""
    return _json_note(parent, "contents", hashes, "content hash of each part")


def _json_note(parent: str, name: str, value: Json, description: str) -> Group:
    home = Group(parent)
    write_json(home, name, value, description)
    note: Group = home[name]
    return note


def record_groups(file: h5py.File) -> list[str]:
    """Return the names of the records, the NXprocess groups of the entry, in no particular order.

    Raises
    ------
    ContainerError
        Naming the group that cannot be read.
    """
    entry = file["entry"]
    found = []
    for name in entry:
        try:
            if is_hard_link(entry, name):
                nx_class = entry[name].attrs.get("NX_class", "")
                if nx_class in ("NXprocess", b"NXprocess"):
                    found.append(name)
        except DAMAGE as error:
            raise ContainerError(f"{file.filename}: /entry/{name} cannot be read ({first_line(error)})") from error
    return found


def listed_records(file: h5py.File, ledger: Mapping[str, Any]) -> list[str]:
    """Return the names of the records that the ledger lists and the file has, in the order in which they were made."""
    import h5py

    entry = file["entry"]
    return [name for name in ledger["names"] if isinstance(entry.get(name, getlink=True), h5py.HardLink)]


def read_ledger(file: h5py.File) -> dict[str, Any]:
    """Read the ledger.

    Returns
    -------
    dict
        ``container_version``; ``compression`` of images; ``content``, the hash of all converted content; ``records``,
        their number; ``names`` in the order in which they were made; ``checksum`` of the last one, or ``content``
        when there is none.

    Raises
    ------
    ContainerError
        When it cannot be read.
    """
    ledger: dict[str, Any] = read_json(file, LEDGER)
    return ledger


def ledger_note(ledger: dict[str, Any]) -> Group:
    """Return the note that holds the ledger."""
    about = "names of all records, checksum of the last, hash of converted content"
    return _json_note("/entry", "ledger", ledger, about)


def write_ledger(file: h5py.File, ledger: dict[str, Any]) -> None:
    """Replace the ledger: what it holds is told by `read_ledger`."""
    if LEDGER in file:
        del file[LEDGER]
    hdf5.write(file["entry"], "ledger", ledger_note(ledger))


def read_origin(note: Group, doubts: Sequence[Mapping[str, Any]]) -> Origin:
    """Return where the scan came from, as the notes ``source`` and `DOUBTS_NOTE` of the entry tell it."""
    reader, *notes = note["description"].value.split("\n")
    return Origin(
        file_name=note["file_name"].value,
        reader=reader.removeprefix("reader "),
        type=note["type"].value,
        sha256=note["checksum"].value,
        header=json.loads(note["data"].value),
        notes=tuple(notes),
        doubts=tuple(Doubt(**doubt) for doubt in doubts),
    )


def read_sample(sample: Group) -> Sample:
    """Return the sample; a field that is absent is NaN."""
    field = float(sample["magnetic_field"].value) if "magnetic_field" in sample else float("nan")
    return Sample(sample["name"].value, field)


def attachment_paths(file: h5py.File, role: str) -> list[str]:
    """Return where in the entry the scan's own files of one role are: ``mask`` or ``auxiliary``."""
    names = [name for name in file[f"entry/{ATTACHMENTS}"] if name.startswith(role)]
    return [f"{ATTACHMENTS}/{name}" for name in sorted(names, key=lambda name: int(name.rsplit("_", 1)[1]))]


def read_time(file: h5py.File, name: str) -> datetime | None:
    """Read ``start_time`` or ``end_time``; None when unknown."""
    return datetime.fromisoformat(read_text(file, f"entry/{name}")) if name in file["entry"] else None


def read_creator(file: h5py.File) -> str:
    """Return what a file says that it was made by, "" where it does not."""
    creator = file.attrs.get("creator", "")
    return creator.decode() if isinstance(creator, bytes) else str(creator)


def check_ours(file: h5py.File, path: Path) -> None:
    """Refuse a file that is not a container of this version.

    Raises
    ------
    ContainerError
        For a file of another program or of a newer container version.
    """
    creator = read_creator(file)
    if creator == SERIES_CREATOR:
        raise ContainerError(f"{path}: is a series; nxscatter view shows it, its table is the CSV file beside it")
    if creator != CREATOR or LEDGER not in file:
        raise ContainerError(
            f"{path}: is not a nxscatter container (root attribute creator is '{creator}'); convert it first"
        )
    version = read_ledger(file).get("container_version", 0)
    if version > CONTAINER_VERSION:
        raise ContainerError(
            f"{path}: has container version {version}, this nxscatter knows {CONTAINER_VERSION}; update nxscatter"
        )


def _entry(scan: Scan, compression: str) -> Group:
    """Return the converted content but for the frames themselves."""
    entry = Group("/entry", NX_class="NXentry", default="data", target="/entry")
    entry.field("definition", "NXsas")
    entry.field("title", scan.title or scan.sample.name or scan.origin.file_name)
    for name, moment in (("start_time", scan.start_time), ("end_time", scan.end_time)):
        if moment is not None:
            entry.field(name, moment.isoformat())
    _add_instrument(entry, scan)
    sample = entry.group("sample", "NXsample")
    sample.field("name", scan.sample.name or "unknown")
    if np.isfinite(scan.sample.magnetic_field):
        sample.field("magnetic_field", float(scan.sample.magnetic_field), "mT")
    _add_axes(entry, scan)
    _add_source(entry, scan)
    attachments = entry.group("attachments", "NXcollection")
    for role, group in (("mask", scan.masks), ("auxiliary", scan.auxiliary)):
        for number, attachment in enumerate(group, 1):
            write_attachment(attachments, f"{role}_{number}", attachment, compression)
    return entry


def _add_instrument(entry: Group, scan: Scan) -> None:
    instrument = entry.group("instrument", "NXinstrument")
    instrument.field("name", scan.instrument)
    source = instrument.group("source", "NXsource")
    source.field("type", scan.source_type)
    source.field("name", scan.source_name)
    source.field("probe", "x-ray")
    instrument.group("monochromator", "NXmonochromator").field("wavelength", float(scan.beam.wavelength), "angstrom")
    detector = instrument.group("detector", "NXdetector")
    if scan.detector.name:
        detector.field("description", scan.detector.name)
    add_place(detector, scan.detector)
    if scan.exposure.time.size:
        detector.field("count_time", scan.exposure.time, "s")
    description = instrument.group("description", "NXcollection")
    for part in (scan.beam, scan.detector, scan.exposure):
        write_values(description.group(type(part).__name__.lower(), "NXcollection"), part)


def _add_axes(entry: Group, scan: Scan) -> None:
    frames, rows, columns = scan.shape
    data = entry.group(
        "data", "NXdata", signal="data", axes=["frame", "y", "x"], frame_indices=0, y_indices=1, x_indices=2
    )
    data.link("data", FRAMES)
    data.field("frame", np.arange(frames))
    sizes = {"y": (rows, scan.detector.pixel_size_y), "x": (columns, scan.detector.pixel_size_x)}
    for name, (count, size) in sizes.items():
        known = np.isfinite(size)
        data.field(name, (np.arange(count) + 0.5) * (size if known else 1.0), "m" if known else "pixel")


def _add_source(entry: Group, scan: Scan) -> None:
    origin = scan.origin
    entry.note(
        "source",
        type=origin.type,
        file_name=origin.file_name,
        description="\n".join([f"reader {origin.reader}", *origin.notes]),
        data=canonical_json(origin.header).encode(),
        checksum=origin.sha256,
        algorithm="sha256",
    )
    metadata = entry.group("source_metadata", "NXcollection")
    for number, (path, value) in enumerate(sorted(scan.metadata.items()), 1):
        # names of other programs need not be NeXus names: the path is kept as an attribute
        metadata.field(f"item_{number}", _plain(value), source_path=path)
    if origin.doubts:
        about = "what cannot be trusted without a look"
        write_json(entry, DOUBTS_NOTE, [vars(doubt) for doubt in origin.doubts], about)
    if scan.structure:
        write_json(metadata, "structure", scan.structure, "path of the frames, attributes of groups and datasets")


def _plain(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    array = np.asarray(value)
    if array.dtype.kind in "OSU":
        texts = tuple(
            item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in array.ravel()
        )
        return texts if array.ndim else texts[0]
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.names is not None or array.dtype.kind not in "iufc":
        return canonical_json(array.tolist() if array.dtype.names is None else [str(item) for item in array.ravel()])
    return array

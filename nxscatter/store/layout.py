"""Where everything lies in a container, and how its ledger and what the source said are read back.

What NXsas asks for is there in its own terms; beside it, ``/entry/instrument/description`` holds the model values
(beam, detector, exposure) exactly as the reader returned them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nxscatter.errors import ContainerError
from nxscatter.model import Doubt, Origin, Sample
from nxscatter.plain import Json
from nxscatter.store.nexus import hdf5
from nxscatter.store.nexus.codec import write_json
from nxscatter.store.nexus.hashing import DAMAGE, combined, first_line, frames_hash, is_hard_link, tree_hashes
from nxscatter.store.nexus.hdf5 import read_json, read_text
from nxscatter.store.nexus.tree import Group

if TYPE_CHECKING:
    import h5py


CONTAINER_VERSION = 1  # goes up when an older nxscatter would misread the file, which then asks for an update
CREATOR = "nxscatter"  # attribute of the root, by which a file is told apart before anything else is read
SERIES_CREATOR = "nxscatter series"
FRAMES_IN_ENTRY = "instrument/detector/data"
FRAMES = f"/entry/{FRAMES_IN_ENTRY}"
DESCRIPTION = "instrument/description"
ATTACHMENTS = "attachments"
LEDGER = "/entry/ledger"
CONTENTS = "/entry/contents"
DOUBTS_NOTE = "doubts"  # in the entry, where a reader had any


def content_hashes(file: h5py.File) -> dict[str, str]:
    """Hash each part of the converted content, by its path in the entry; the frames as they are stored."""
    skip = (*record_groups(file), "ledger", "contents", FRAMES_IN_ENTRY)
    frames = {FRAMES_IN_ENTRY: frames_hash(file[FRAMES])} if FRAMES in file else {}
    return {**entry_hashes(hdf5.read(file, "entry", skip)), **frames, "/": root_hash(file)}


def entry_hashes(entry: Group) -> dict[str, str]:
    """Hash each part of the entry but its frames, by path; which record it shows first is no content."""
    return tree_hashes(entry, skip_attributes=("default",))


def root_hash(file: h5py.File) -> str:
    """Hash the attributes of the root."""
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

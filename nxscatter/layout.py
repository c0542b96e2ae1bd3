"""The converted part of a container: a `Scan` as NeXus NXsas groups, and back.

What NXsas asks for is written in its own terms; beside it, ``/entry/instrument/description`` holds the model values
(beam, detector, exposure) exactly as the reader returned them.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from nxscatter import __version__
from nxscatter.codec import (
    make_group,
    read_attachment,
    read_json,
    read_text,
    read_values,
    write_attachment,
    write_field,
    write_json,
    write_values,
)
from nxscatter.errors import ContainerError
from nxscatter.hashing import DAMAGE, combined, first_line, frames_hash, group_hashes, is_hard_link
from nxscatter.model import Beam, Detector, Exposure, Origin, Sample, Scan, canonical_json
from nxscatter.rawcopy import copy_frames

if TYPE_CHECKING:
    import h5py

    from nxscatter.model import Attachment

D = TypeVar("D", Beam, Detector, Exposure)
CONTAINER_VERSION = 1
FRAMES = "/entry/instrument/detector/data"
DESCRIPTION = "/entry/instrument/description"
ATTACHMENTS = "/entry/attachments"
LEDGER = "/entry/ledger"
CONTENTS = "/entry/contents"


def write_scan(file: h5py.File, scan: Scan, compression: str = "bitshuffle") -> None:
    """Write everything that a reader found into an empty file, and the ledger of no records."""
    file.attrs.update(NX_class="NXroot", default="entry", creator="nxscatter", creator_version=__version__)
    entry = make_group(file, "entry", "NXentry", default="data")
    write_field(entry, "definition", "NXsas")
    write_field(entry, "title", scan.title or scan.sample.name or scan.origin.file_name)
    for name, moment in (("start_time", scan.start_time), ("end_time", scan.end_time)):
        if moment is not None:
            write_field(entry, name, moment.isoformat())
    _write_instrument(entry, scan, compression)
    sample = make_group(entry, "sample", "NXsample")
    write_field(sample, "name", scan.sample.name or "unknown")
    if np.isfinite(scan.sample.magnetic_field):
        write_field(sample, "magnetic_field", float(scan.sample.magnetic_field), "mT")
    _write_axes(entry, scan)
    _write_source(entry, scan)
    attachments = make_group(entry, "attachments", "NXcollection")
    for role, group in (("mask", scan.masks), ("auxiliary", scan.auxiliary)):
        for number, attachment in enumerate(group, 1):
            write_attachment(attachments, f"{role}_{number}", attachment)
    hashes = content_hashes(file)
    write_contents(entry, hashes)
    write_ledger(
        file,
        {
            "container_version": CONTAINER_VERSION,
            "compression": compression,
            "content": combined(hashes),
            "records": 0,
            "names": [],
            "checksum": combined(hashes),
        },
    )


def content_hashes(file: h5py.File) -> dict[str, str]:
    """Hash each part of the converted content, by its path in the entry; the frames as they are stored."""
    entry = file["entry"]
    skip = (*record_groups(file), "ledger", "contents", "instrument/detector/data")
    hashes = group_hashes(entry, skip, ("default",))
    if FRAMES in file:
        hashes["instrument/detector/data"] = frames_hash(file[FRAMES])
    root = {key: str(value) for key, value in file.attrs.items() if key != "default"}
    hashes["/"] = combined(root)
    return hashes


def write_contents(group: h5py.Group, hashes: dict[str, str]) -> None:
    """Write the table by which a check can name the part of the entry, or of a record, that was altered."""
    write_json(group, "contents", hashes, "content hash of each part")


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
    ledger: dict[str, Any] = read_json(file[LEDGER])
    return ledger


def write_ledger(file: h5py.File, ledger: dict[str, Any]) -> None:
    """Replace the ledger: what it holds is told by `read_ledger`."""
    if LEDGER in file:
        del file[LEDGER]
    write_json(file["entry"], "ledger", ledger, "names of all records, checksum of the last, hash of converted content")


def read_origin(file: h5py.File) -> Origin:
    """Read where the scan came from."""
    note = file["entry/source"]
    reader, *notes = read_text(note["description"]).split("\n")
    return Origin(
        file_name=read_text(note["file_name"]),
        reader=reader.removeprefix("reader "),
        type=read_text(note["type"]),
        sha256=read_text(note["checksum"]),
        header=json.loads(read_text(note["data"])),
        notes=tuple(notes),
    )


def read_sample(file: h5py.File) -> Sample:
    """Read the sample; a field that is absent is NaN."""
    sample = file["entry/sample"]
    field = float(sample["magnetic_field"][()]) if "magnetic_field" in sample else float("nan")
    return Sample(read_text(sample["name"]), field)


def read_description(file: h5py.File, kind: type[D]) -> D:
    """Read one of the model values kept under ``instrument/description``."""
    return read_values(file[f"{DESCRIPTION}/{kind.__name__.lower()}"], kind)


def read_attachments(file: h5py.File, role: str) -> tuple[Attachment, ...]:
    """Read the scan's own files of one role: ``mask`` or ``auxiliary``."""
    group = file[ATTACHMENTS]
    names = sorted((name for name in group if name.startswith(role)), key=lambda name: int(name.rsplit("_", 1)[1]))
    return tuple(read_attachment(group[name]) for name in names)


def read_time(file: h5py.File, name: str) -> datetime | None:
    """Read ``start_time`` or ``end_time``; None when unknown."""
    return datetime.fromisoformat(read_text(file["entry"][name])) if name in file["entry"] else None


def check_ours(file: h5py.File, path: Path) -> None:
    """Refuse a file that is not a container of this version.

    Raises
    ------
    ContainerError
        For a file of another program or of a newer container version.
    """
    creator = file.attrs.get("creator", b"")
    creator = creator.decode() if isinstance(creator, bytes) else str(creator)
    if creator != "nxscatter" or LEDGER not in file:
        raise ContainerError(
            f"{path}: is not a nxscatter container (root attribute creator is '{creator}'); convert it first"
        )
    version = read_ledger(file).get("container_version", 0)
    if version > CONTAINER_VERSION:
        raise ContainerError(
            f"{path}: has container version {version}, this nxscatter knows {CONTAINER_VERSION}; update nxscatter"
        )


def _write_instrument(entry: h5py.Group, scan: Scan, compression: str) -> None:
    instrument = make_group(entry, "instrument", "NXinstrument")
    write_field(instrument, "name", scan.instrument)
    source = make_group(instrument, "source", "NXsource")
    write_field(source, "type", scan.source_type)
    write_field(source, "name", scan.source_name)
    write_field(source, "probe", "x-ray")
    write_field(
        make_group(instrument, "monochromator", "NXmonochromator"),
        "wavelength",
        float(scan.beam.wavelength),
        "angstrom",
    )
    detector = make_group(instrument, "detector", "NXdetector")
    if scan.detector.name:
        write_field(detector, "description", scan.detector.name)
    data = copy_frames(scan.frames, detector, "data", compression)
    data.attrs["units"] = "counts"
    data.attrs["target"] = FRAMES
    model = scan.detector
    lengths = {
        "distance": model.distance,
        "x_pixel_size": model.pixel_size_x,
        "y_pixel_size": model.pixel_size_y,
        "beam_center_x": (model.center_x - model.offset_x) * model.pixel_size_x,
        "beam_center_y": (model.center_y - model.offset_y) * model.pixel_size_y,
    }
    for name, value in lengths.items():
        write_field(detector, name, float(value), "m")
    if scan.exposure.time.size:
        write_field(detector, "count_time", scan.exposure.time, "s")
    description = make_group(instrument, "description", "NXcollection")
    for part in (scan.beam, scan.detector, scan.exposure):
        write_values(make_group(description, type(part).__name__.lower(), "NXcollection"), part)


def _write_axes(entry: h5py.Group, scan: Scan) -> None:
    import h5py

    frames, rows, columns = scan.shape
    data = make_group(
        entry, "data", "NXdata", signal="data", axes=["frame", "y", "x"], frame_indices=0, y_indices=1, x_indices=2
    )
    data["data"] = h5py.SoftLink(FRAMES)
    write_field(data, "frame", np.arange(frames))
    sizes = {"y": (rows, scan.detector.pixel_size_y), "x": (columns, scan.detector.pixel_size_x)}
    for name, (count, size) in sizes.items():
        known = np.isfinite(size)
        write_field(data, name, (np.arange(count) + 0.5) * (size if known else 1.0), "m" if known else "pixel")


def _write_source(entry: h5py.Group, scan: Scan) -> None:
    origin = scan.origin
    note = make_group(entry, "source", "NXnote")
    write_field(note, "type", origin.type)
    write_field(note, "file_name", origin.file_name)
    write_field(note, "description", "\n".join([f"reader {origin.reader}", *origin.notes]))
    write_field(note, "data", canonical_json(origin.header).encode())
    write_field(note, "checksum", origin.sha256)
    write_field(note, "algorithm", "sha256")
    metadata = make_group(entry, "source_metadata", "NXcollection")
    for number, (path, value) in enumerate(sorted(scan.metadata.items()), 1):
        # names of other programs need not be NeXus names: the path is kept as an attribute
        write_field(metadata, f"item_{number}", _plain(value), source_path=path)
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

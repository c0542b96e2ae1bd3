"""Conversion: a scan as the NeXus NXsas groups of a new container."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscatter.model import Scan
from nxscatter.plain import canonical_json
from nxscatter.store import layout
from nxscatter.store.detector_place import add_place
from nxscatter.store.nexus import hdf5
from nxscatter.store.nexus.codec import write_attachment, write_json, write_values
from nxscatter.store.nexus.frames import copy_frames
from nxscatter.store.nexus.hashing import combined, frames_hash, hashed_meanwhile
from nxscatter.store.nexus.tree import Group
from nxscatter.version import __version__

if TYPE_CHECKING:
    import h5py

    from nxscatter.model import Array


def write_scan(file: h5py.File, scan: Scan, compression: str = "bitshuffle") -> tuple[Group, Array]:
    """Write everything that a reader found into an empty file, and the ledger of no records.

    Returns
    -------
    entry : Group
        What was written but for the frames.
    first : ndarray (rows, columns)
        The first frame as it was read back.
    """
    file.attrs.update(NX_class="NXroot", default="entry", creator=layout.CREATOR, creator_version=__version__)
    entry = _entry(scan, compression)
    with hashed_meanwhile(entry, layout.entry_hashes) as hashed:
        hdf5.write(file, "entry", entry)
        copied = copy_frames(scan.frames, file["entry/instrument/detector"], "data", compression)
        copied.dataset.attrs["units"] = "counts"
        copied.dataset.attrs["target"] = layout.FRAMES
        frames = {layout.FRAMES_IN_ENTRY: frames_hash(copied.dataset, copied.hashes)}
        hashes = hashed() | frames | {"/": layout.root_hash(file)}
    hdf5.write(file["entry"], "contents", layout.contents_note(entry.path, hashes))
    content = combined(hashes)
    layout.write_ledger(
        file,
        {
            "container_version": layout.CONTAINER_VERSION,
            "compression": compression,
            "content": content,
            "records": 0,
            "names": [],
            "checksum": content,
        },
    )
    return entry, copied.first


def as_stored(scan: Scan) -> Scan:
    """Return a scan as a container gives it back: it has a title, and a sample without a name is called unknown."""
    title = scan.title or scan.sample.name or scan.origin.file_name
    return replace(scan, title=title, sample=replace(scan.sample, name=scan.sample.name or "unknown"))


def _entry(scan: Scan, compression: str) -> Group:
    """Return the converted content but for the frames themselves."""
    scan = as_stored(scan)
    entry = Group("/entry", NX_class="NXentry", default="data", target="/entry")
    entry.field("definition", "NXsas")
    entry.field("title", scan.title)
    for name, moment in (("start_time", scan.start_time), ("end_time", scan.end_time)):
        if moment is not None:
            entry.field(name, moment.isoformat())
    _add_instrument(entry, scan)
    sample = entry.group("sample", "NXsample")
    sample.field("name", scan.sample.name)
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
    data.link("data", layout.FRAMES)
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
        write_json(entry, layout.DOUBTS_NOTE, [vars(doubt) for doubt in origin.doubts], about)
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

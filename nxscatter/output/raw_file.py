"""Raw files made again from a container: the frames as they were counted, with the header and files that came along.

An HDF5 source becomes an HDF5 file of the same layout, any other an EDF file with every header key. The counts are the
same bit for bit; the bytes of the file are not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nxscatter.errors import ContainerError
from nxscatter.model import Attachment, Hdf5Frames
from nxscatter.output.edf import write_edf
from nxscatter.output.files import writing
from nxscatter.output.names import safe_name
from nxscatter.plain import Json
from nxscatter.store import layout
from nxscatter.store.nexus.frames import copy_frames
from nxscatter.store.nexus.hdf5 import read_json
from nxscatter.store.nexus.transaction import hdf5_file

if TYPE_CHECKING:
    import h5py

    from nxscatter.store.container import Container

_METADATA = "/entry/source_metadata"
_HDF5_SUFFIXES = (".h5", ".hdf5", ".hdf", ".nxs", ".nx5", ".nexus")
_FRAMES = "/entry_0000/measurement/data"  # where Lima puts them


def extract(container: Container, folder: str | Path) -> list[Path]:
    """Write the raw file of a container again, and the masks and other files that were read with it.

    Parameters
    ----------
    container : Container
        Its source's own header is written, not what options put in place of it at conversion.
    folder : path
        Where to write; made when absent.

    Returns
    -------
    list of Path
        The files, the raw one first.

    Raises
    ------
    ContainerError
        When a file of such a name is there already, or one cannot be written.
    """
    folder, source = Path(folder).expanduser(), container.origin
    structure = _structure(container)
    attachments = [*container.masks, *container.auxiliary]
    images = {
        path: attachment
        for path in structure.get("images", ())
        for attachment in attachments
        if path.endswith(f"/{attachment.name}")
    }
    name, suffix = safe_name(Path(source.file_name).stem), Path(source.file_name).suffix
    files: dict[Path, Callable[[Path], None]] = {}
    if source.type == "application/x-hdf5":
        suffix = suffix if suffix in _HDF5_SUFFIXES else ".h5"
        files[folder / f"{name}{suffix}"] = partial(_write_hdf5, container, structure, images)
    else:
        files[folder / f"{name}.edf"] = partial(_write_edf, container)
    for attachment in attachments:
        if attachment not in images.values():
            files[_free(folder, attachment, files)] = partial(_write_attachment, attachment)
    for path in files:
        if path.exists():
            raise ContainerError(f"{path}: is there already; extract into another folder")
    for path, write in files.items():
        with writing(path) as temporary:
            write(temporary)
    return list(files)


def _structure(container: Container) -> dict[str, Json]:
    with container.opened() as file:
        metadata = file[_METADATA]
        return dict(read_json(metadata, "structure")) if "structure" in metadata else {}


def _write_hdf5(
    container: Container, structure: Mapping[str, Json], images: Mapping[str, Attachment], path: Path
) -> None:
    place = structure.get("frames", _FRAMES)
    parent, _, name = place.rpartition("/")
    with container.opened() as old:
        frames = Hdf5Frames(container.path, layout.FRAMES, container.shape, old[layout.FRAMES].dtype)
    with hdf5_file(path) as new:
        copy_frames(frames, new.require_group(parent or "/"), name)
        with container.opened() as old:
            _write_metadata(old[_METADATA], new)
        for inner, image in images.items():
            new[inner] = image.content
        if container.origin.reader == "id02":
            _write_header(new, parent, container.origin.header)
        _write_structure(structure, new)


def _write_structure(structure: Mapping[str, Json], new: h5py.File) -> None:
    import h5py

    for path, target in structure.get("links", {}).items():
        new[path] = h5py.SoftLink(target)
    for path, attributes in structure.get("attributes", {}).items():
        if path.endswith("/"):
            new.require_group(path)
        if path in new:  # an image that the container does not hold is not made again
            new[path].attrs.update({key: value for key, value in attributes.items() if value is not None})


def _write_metadata(metadata: h5py.Group, new: h5py.File) -> None:
    for item in metadata.values():
        path = item.attrs.get("source_path")
        if path is not None:
            metadata.copy(item, new, path)
            del new[path].attrs["source_path"]


def _write_header(new: h5py.File, parent: str, header: Mapping[str, Json]) -> None:
    """Write the header where a reader finds it; a BLISS master has it in another file, which is not made again."""
    inside: list[str] = []
    new.visit(inside.append)
    if not any("/header/" in path for path in inside):
        for key, value in header.items():
            if value is not None:
                new[f"{parent}/header/{key}"] = value


def _write_edf(container: Container, path: Path) -> None:
    header = container.origin.header
    write_edf(path, container.raw, {_line(key): _line(value) for key, value in header.items()})


def _line(value: Json) -> str:
    """Return a text that an EDF header can hold; that of an EDF file is returned as it is."""
    return str(value).replace(";", ",")


def _free(folder: Path, attachment: Attachment, taken: Mapping[Path, object]) -> Path:
    """Return the path of a file that came along; an image that was no EDF file becomes one, and says so."""
    name = safe_name(Path(attachment.name).name)
    ending = "" if isinstance(attachment.content, str) or name.lower().endswith(".edf") else ".edf"
    path, number = folder / f"{name}{ending}", 1
    while path in taken:
        number += 1
        path = folder / f"{number}_{name}{ending}"
    return path


def _write_attachment(attachment: Attachment, path: Path) -> None:
    if isinstance(attachment.content, str):
        path.write_text(attachment.content, "utf-8")
        return
    stack = attachment.content.reshape(-1, *attachment.content.shape[-2:])
    write_edf(path, stack.astype(np.uint8) if stack.dtype.kind == "b" else stack, {})

"""Guarded reading of HDF5 files.

What a file points to outside itself (external links, external storage, virtual sources) is followed only below
the input's own folder. Sizes are checked before anything is allocated, and nothing is unpickled or evaluated.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from nxscatter.errors import ReadError
from nxscatter.model import Array, Hdf5Frames
from nxscatter.plain import Json, header_value
from nxscatter.readers.base import is_hdf5
from nxscatter.readers.files.hdf5_values import SMALL, attribute, declared_bytes, read_small
from nxscatter.readers.files.images import MAX_PIXELS

if TYPE_CHECKING:
    import h5py

    Node: TypeAlias = h5py.Group | h5py.Dataset

_log = logging.getLogger("nxscatter")

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # what a drive without locks says
_MAX_DEPTH = 32  # of links upon links


class Hdf5Source:
    """An HDF5 input, opened for guarded reading; use it in a ``with`` statement.

    Attributes
    ----------
    path : Path
        The input.
    folder : Path
        The only folder below which other files may be read.
    notes : list of str
        Links that point to nothing, and other defects met so far.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.folder = path.resolve().parent
        self.notes: list[str] = []
        self._stack = ExitStack()
        self._files: dict[Path, h5py.File] = {}
        self._nodes: list[tuple[str, Node | str]] | None = None
        self._members: dict[Any, list[tuple[str, Node]]] = {}  # of groups, by their identifiers
        self._values: dict[Any, Any] = {}  # of small datasets, by theirs

    def __enter__(self) -> Hdf5Source:
        """Open the file; ReadError when it is no HDF5 file or is damaged."""
        self.root = self._open(self.path.resolve())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all files; turn what HDF5 says of a damaged file into a ReadError."""
        self._stack.close()
        if isinstance(error, OSError | RuntimeError | KeyError | ValueError | TypeError) and _raised_by_h5py(trace):
            reason = " ".join(str(error).split())
            raise ReadError(f"{self.path.name}: is damaged ({reason}); copy it again") from error

    def get(self, path: str, start: h5py.Group | None = None) -> Node | None:
        """Return the object at a path, None when there is none."""
        return self._resolve(self.root if start is None else start, path, 0)

    def group(self, path: str, start: h5py.Group | None = None) -> h5py.Group | None:
        """Return the group at a path, None when there is none."""
        import h5py

        found = self.get(path, start)
        return found if isinstance(found, h5py.Group) else None

    def dataset(self, path: str, start: h5py.Group | None = None) -> h5py.Dataset | None:
        """Return the dataset at a path, None when there is none."""
        import h5py

        found = self.get(path, start)
        return found if isinstance(found, h5py.Dataset) else None

    def children(self, group: h5py.Group) -> Iterator[tuple[str, Node]]:
        """Yield name and object of each member of a group."""
        if group.id not in self._members:
            found = ((name, self._child(group, name, 0)) for name in group)
            self._members[group.id] = [(name, member) for name, member in found if member is not None]
        return iter(self._members[group.id])

    def groups(self, group: h5py.Group, nx_class: str | None = None) -> Iterator[tuple[str, h5py.Group]]:
        """Yield name and group of each subgroup, or of those of one NX_class."""
        import h5py

        for name, found in self.children(group):
            if isinstance(found, h5py.Group) and nx_class in (None, attribute(found, "NX_class")):
                yield name, found

    def value(self, path: str, start: h5py.Group | None = None) -> Json:
        """Return a small dataset as a JSON value, None when it is missing or not small."""
        found = self.dataset(path, start)
        return None if found is None else header_value(self.small(found))

    def text(self, path: str, start: h5py.Group | None = None) -> str:
        """Return a dataset as text, "" when it is missing."""
        value = self.value(path, start)
        return "" if value is None else str(value)

    def header(self, group: h5py.Group) -> dict[str, Json]:
        """Return the small datasets of a group as JSON values."""
        import h5py

        return {
            os.fsencode(name).decode("utf-8", "replace"): header_value(self.small(child))
            for name, child in self.children(group)
            if isinstance(child, h5py.Dataset)
        }

    def datasets(self) -> Iterator[tuple[str, h5py.Dataset]]:
        """Yield path and dataset of every dataset in the file, each once."""
        import h5py

        return ((path, found) for path, found in self.nodes() if isinstance(found, h5py.Dataset))

    def nodes(self) -> Iterator[tuple[str, Node | str]]:
        """Yield path and object of every group and dataset below the root, each once, a group before its members.

        For any further name of an object, and for a soft link, the path that it stands for is given.
        """
        if self._nodes is None:
            self._nodes = list(self._walk(self.root, "", {self.root.id: "/"}))
        return iter(self._nodes)

    def small(self, dataset: h5py.Dataset) -> Any:
        """Return the value of a dataset as `read_small` does, None for one that takes more than 1 MB."""
        if dataset.id not in self._values:
            self._values[dataset.id] = read_small(dataset) if declared_bytes(dataset) <= SMALL else None
        return self._values[dataset.id]

    def origins(self, dataset: h5py.Dataset) -> list[h5py.File]:
        """Return the files, other than the input, that the pixels of a dataset lie in."""
        names = sorted({part.file_name for part in dataset.virtual_sources()} - {"."}) if dataset.is_virtual else []
        label = f"{self._label(dataset)}: virtual source"
        files = [dataset.file, *(self._open_beside(dataset, name, f"{label} {name}") for name in names)]
        return [file for file in files if file is not None and file != self.root.file]

    def frames(self, dataset: h5py.Dataset) -> Hdf5Frames:
        """Return a dataset as frames that stay where they are, with a note when parts were never written.

        Raises
        ------
        ReadError
            When it is no image or stack, nothing was ever written to it, or it is stored outside the folder.
        """
        shape = self._check_image(dataset)
        if len(shape) > 3:
            raise ReadError(f"{self._label(dataset)} has {len(shape)} dimensions; frames have 2 or 3")
        unwritten = self._unwritten(dataset)
        full = (1, *shape) if len(shape) == 2 else shape
        file, counted = Path(dataset.file.filename), (full[0], full[1], full[2])
        return Hdf5Frames(file, dataset.name, counted, dataset.dtype, unwritten)

    def image(self, dataset: h5py.Dataset) -> Array:
        """Read an image or a stack into memory."""
        shape = self._check_image(dataset)
        if int(np.prod(shape)) > MAX_PIXELS:
            raise ReadError(f"{self._label(dataset)} has shape {shape}, too large to be read at once; split the file")
        import hdf5plugin  # noqa: F401  (registers the filters)

        array: Array = dataset[()]
        return array

    def _walk(self, group: h5py.Group, path: str, seen: dict[Any, str]) -> Iterator[tuple[str, Node | str]]:
        import h5py

        for name in group:
            place = f"{path}/{name}"
            if _link_type(group, name) == h5py.h5l.TYPE_SOFT:
                yield place, os.fsdecode(group.id.links.get_val(_encoded(name)))
                continue
            found = self._child(group, name, 0)
            if found is None:
                continue
            if found.id in seen:
                yield place, seen[found.id]
                continue
            seen[found.id] = place
            yield place, found
            if isinstance(found, h5py.Group) and path.count("/") < _MAX_DEPTH:
                yield from self._walk(found, place, seen)

    def _check_image(self, dataset: h5py.Dataset) -> tuple[int, ...]:
        shape: tuple[int, ...] = dataset.shape or ()
        if len(shape) < 2 or 0 in shape or dataset.dtype.kind not in "iufb":
            raise ReadError(
                f"{self._label(dataset)} is no image (shape {shape}, type {dataset.dtype}); give a raw file"
            )
        if shape[-1] * shape[-2] > MAX_PIXELS:
            raise ReadError(
                f"{self._label(dataset)} declares frames of {shape[-2]} x {shape[-1]} pixels; it is damaged"
            )
        self._check_storage(dataset, 0)
        if not dataset.is_virtual and not dataset.external and dataset.id.get_storage_size() == 0:
            raise ReadError(f"{self._label(dataset)} was never written; give a file with images")
        return tuple(int(size) for size in shape)

    def _unwritten(self, dataset: h5py.Dataset) -> tuple[int, ...]:
        """Return the frames of which chunks were never written, with a note."""
        if dataset.chunks is None:
            return ()
        counts = [-(-size // chunk) for size, chunk in zip(dataset.shape, dataset.chunks, strict=True)]
        expected, written = int(np.prod(counts)), dataset.id.get_num_chunks()
        if written >= expected:
            return ()
        self.notes.append(
            f"{self._label(dataset)}: {expected - written} of {expected} chunks were never written, their pixels "
            f"read as {dataset.fillvalue}"
        )

        if dataset.ndim == 2:
            return (0,)
        deep = dataset.chunks[0]  # frames in a chunk
        there = np.zeros(counts[0], int)

        def count(chunk: h5py.h5d.StoreInfo) -> None:
            there[chunk.chunk_offset[0] // deep] += 1

        dataset.id.chunk_iter(count)
        lost = np.repeat(there < expected // counts[0], deep)[: dataset.shape[0]]
        return tuple(np.flatnonzero(lost).tolist())

    def _check_storage(self, dataset: h5py.Dataset, depth: int) -> None:
        """Make sure that all values come from the file itself or from below the folder."""
        label = self._label(dataset)
        left = declared_bytes(dataset)
        for name, offset, size in dataset.external or ():
            # HDF5 takes a relative name from the working directory
            stored = self._allowed(Path(name), f"{label}: external storage {name}")
            taken = min(size, left)
            left -= taken
            if not stored.is_file() or stored.stat().st_size < offset + taken:
                raise ReadError(f"{label}: external storage {name} is missing or too short; copy it there")
        if not dataset.is_virtual:
            return
        import h5py

        for name, inner in {(part.file_name, part.dset_name) for part in dataset.virtual_sources()}:
            origin = f"{label}: virtual source {name}"
            target = dataset.file if name == "." else self._open_beside(dataset, name, origin)
            if target is None:
                raise ReadError(f"{origin} does not exist, its pixels would read as 0; copy it there")
            found = self._resolve(target, inner, depth + 1)
            if not isinstance(found, h5py.Dataset):
                raise ReadError(f"{origin} has no dataset {inner}; copy it again")
            self._check_storage(found, depth + 1)

    def _resolve(self, start: h5py.Group, path: str, depth: int) -> Node | None:
        import h5py

        node: Node = start.file if path.startswith("/") else start
        for name in path.split("/"):
            if name in ("", "."):
                continue
            found = self._child(node, name, depth) if isinstance(node, h5py.Group) else None
            if found is None:
                return None
            node = found
        return node

    def _child(self, group: h5py.Group, name: str, depth: int) -> Node | None:
        """Return a member of a group without letting HDF5 follow a link by itself."""
        import h5py

        label = f"{self.path.name}: link {os.fsdecode(group.name).rstrip('/')}/{os.fsdecode(name)}"
        if depth > _MAX_DEPTH:
            raise ReadError(f"{label} is one of a ring of links; mend the file")
        kind = _link_type(group, name)
        if kind is None:
            return None
        if kind == h5py.h5l.TYPE_HARD:
            identifier = h5py.h5o.open(group.id, _encoded(name))
            if isinstance(identifier, h5py.h5d.DatasetID):
                return h5py.Dataset(identifier)
            return h5py.Group(identifier) if isinstance(identifier, h5py.h5g.GroupID) else None
        target = group.id.links.get_val(_encoded(name))
        if kind == h5py.h5l.TYPE_SOFT:
            found = self._resolve(group, os.fsdecode(target), depth + 1)
            where = os.fsdecode(target)
        else:
            where = f"{os.fsdecode(target[0])}::{os.fsdecode(target[1])}"
            file = self._open_beside(group, os.fsdecode(target[0]), f"{label} -> {where}")
            found = None if file is None else self._resolve(file, os.fsdecode(target[1]), depth + 1)
        if found is None:
            self.notes.append(f"{label} -> {where} points to nothing")
        return found

    def _open_beside(self, node: Node, name: str, label: str) -> h5py.File | None:
        """Open another file named from within a file; None when it does not exist."""
        target = self._allowed(Path(node.file.filename).resolve().parent / name, label)
        return self._open(target) if target.is_file() else None

    def _allowed(self, target: Path, label: str) -> Path:
        target = target.resolve()
        if not target.is_relative_to(self.folder):
            raise ReadError(f"{label} points outside the folder of the file; copy what it points to beside the file")
        return target

    def _open(self, path: Path) -> h5py.File:
        import h5py

        if path not in self._files:
            if not is_hdf5(path):
                raise ReadError(f"{path.name}: is not an HDF5 file; give a raw file")
            try:
                file = h5py.File(path, "r")
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise ReadError(f"{path.name}: {_why_closed(error)}") from error
                file = h5py.File(path, "r", locking=False)
                self.notes.append(f"{path.name}: is on a drive without locks, and was read without")
            self._files[path] = self._stack.enter_context(file)
        return self._files[path]

    def _label(self, dataset: h5py.Dataset) -> str:
        return f"{Path(dataset.file.filename).name}: dataset {dataset.name}"


def _why_closed(error: OSError) -> str:
    """Say why HDF5 does not open a file, and what to do."""
    reason = " ".join(str(error).split())
    if "already open for write" in reason or "SWMR" in reason:
        return (
            "is being written (SWMR), or its writer ended without closing it: wait for the end of the measurement, or "
            "clear it with h5clear -s FILE"
        )
    if error.errno in (errno.EAGAIN, errno.EACCES) and "lock" in reason:
        return "is open for writing in another program: wait until that has closed it"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "cannot be read (permission denied): check its rights"
    return f"{'is truncated' if 'truncated' in reason else f'cannot be opened ({reason})'}; copy it again"


def recognised(path: Path, layout: Callable[[Hdf5Source], bool]) -> bool:
    """Tell whether a file is an HDF5 one of a layout; never raises, and never claims a nxscatter container."""
    try:
        if not is_hdf5(path):
            return False
        with Hdf5Source(path) as source:
            return attribute(source.root, "creator") != "nxscatter" and layout(source)
    except (ReadError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        _log.debug("%s: %s", path, error)
        return False


def _raised_by_h5py(trace: TracebackType | None) -> bool:
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and str(trace.tb_frame.f_globals.get("__name__")).startswith("h5py")


def _link_type(group: h5py.Group, name: str) -> int | None:
    encoded = _encoded(name)
    return group.id.links.get_info(encoded).type if group.id.links.exists(encoded) else None


def _encoded(name: str | bytes) -> bytes:
    # names that are no UTF-8 come from h5py with surrogates, or as bytes
    return name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")

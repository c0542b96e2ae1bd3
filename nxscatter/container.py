"""Containers and their records: reading anywhere, writing only inside a transaction.

A container is append-only. A record is never changed or deleted; each one's checksum covers everything in its group
and the checksum of the record before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nxscatter import h5tree, layout
from nxscatter.codec import read_attachment, read_values
from nxscatter.errors import ContainerError, NxscatterError
from nxscatter.h5tree import read_text
from nxscatter.hashing import DAMAGE, first_line
from nxscatter.ledger import Source, added, read_record, write_record
from nxscatter.model import (
    Array,
    Attachment,
    Beam,
    Detector,
    Exposure,
    Hdf5Frames,
    Origin,
    Sample,
    Scan,
)
from nxscatter.rawcopy import Hdf5Reader
from nxscatter.record import Record
from nxscatter.step import Step
from nxscatter.transaction import LIBVER, Lock, Output, clone, disk_error, replacing
from nxscatter.tree import Group

if TYPE_CHECKING:
    import h5py

    from nxscatter.results import Result

D = TypeVar("D", Beam, Detector, Exposure)


class Container:
    """A nxscatter file (.nxs). Opening reads only what is asked for; nothing here writes.

    Raises
    ------
    ContainerError
        When the file is missing, is not HDF5, or is not one of ours.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser().resolve()
        self._check()

    def _check(self) -> None:
        if not self.path.is_file():
            raise ContainerError(f"{self.path}: no such file; convert a raw file first")
        with self.opened() as file:
            layout.check_ours(file, self.path)

    @contextmanager
    def opened(self) -> Iterator[h5py.File]:
        """Open the file for reading, for as long as the block lasts."""
        with _reading(self.path), _open(self.path) as file:
            yield file

    def forget(self) -> None:
        """Read anew what was read before, when it is asked for next."""
        for name in [name for name, kind in vars(Container).items() if isinstance(kind, cached_property)]:
            self.__dict__.pop(name, None)

    @contextmanager
    def transaction(self) -> Iterator[Draft]:
        """Append records: all of the block, or nothing.

        Raises
        ------
        LockedError
            When another process is writing.
        ContainerError
            When the disk is full or the folder cannot be written; the old file is intact.
        """
        with Lock(self.path), replacing(self.path) as temporary:
            self._check()
            draft = Draft(self.path, temporary)
            try:
                yield draft
            except BaseException:
                draft.close(keep=False)
                raise
            draft.close(keep=True)
        self.take_over(draft)

    def take_over(self, draft: Draft) -> None:
        """Know the records that a finished transaction has written, without reading them again."""
        self.forget()
        if "records" in draft.__dict__:
            self.__dict__["records"] = tuple(record.within(self) for record in draft.records)

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """All records in the order in which they were made."""
        with self.opened() as file:
            names = record_names(file)
            return tuple(Record(self, read_record(file, name)) for name in names)

    def latest(self, name: str) -> Record:
        """Return the newest record called ``name``, or made by the step of that name.

        Raises
        ------
        ContainerError
            When there is none; the message lists what there is.
        """
        for record in reversed(self.records):
            if record.base == name:
                return record
        for record in reversed(self.records):
            if record.step == name:
                return record
        known = ", ".join(sorted({record.base for record in self.records})) or "none"
        raise ContainerError(f"{self.path}: has no record '{name}' (it has: {known}); run that step first")

    def record(self, name: str) -> Record:
        """Return the record of exactly this name (``caving_v2``), or the newest of this base name."""
        for record in self.records:
            if record.name == name:
                return record
        return self.latest(name)

    @cached_property
    def title(self) -> str:
        """Title of the measurement."""
        with self.opened() as file:
            return read_text(file, "entry/title")

    @cached_property
    def instrument(self) -> str:
        """Name of the instrument."""
        with self.opened() as file:
            return read_text(file, "entry/instrument/name")

    @cached_property
    def start_time(self) -> datetime | None:
        """Start of the measurement, None when unknown."""
        with self.opened() as file:
            return layout.read_time(file, "start_time")

    @cached_property
    def end_time(self) -> datetime | None:
        """End of the measurement, None when unknown."""
        with self.opened() as file:
            return layout.read_time(file, "end_time")

    @cached_property
    def sample(self) -> Sample:
        """The sample; its field is NaN when unknown."""
        return layout.read_sample(self.part("sample"))

    @cached_property
    def beam(self) -> Beam:
        """The incident beam."""
        return self._described(Beam)

    @cached_property
    def detector(self) -> Detector:
        """The detector as the source described it."""
        return self._described(Detector)

    @cached_property
    def exposure(self) -> Exposure:
        """Times and monitors of the frames."""
        return self._described(Exposure)

    def _described(self, kind: type[D]) -> D:
        return read_values(self.part(f"{layout.DESCRIPTION}/{kind.__name__.lower()}"), kind)

    @cached_property
    def origin(self) -> Origin:
        """Where the scan came from."""
        return layout.read_origin(self.part("source"))

    @property
    def masks(self) -> tuple[Attachment, ...]:
        """Masks that came with the scan."""
        return tuple(read_attachment(self.part(path)) for path in self.attachment_paths("mask"))

    @property
    def auxiliary(self) -> tuple[Attachment, ...]:
        """Further files that came with the scan (dark, flat field, window)."""
        return tuple(read_attachment(self.part(path)) for path in self.attachment_paths("auxiliary"))

    def attachment_paths(self, role: str) -> list[str]:
        """Return where in the entry the files of one role are that came with the scan: ``mask`` or ``auxiliary``."""
        with self.opened() as file:
            return layout.attachment_paths(file, role)

    def part(self, path: str) -> Any:
        """Return a part of the converted content, a `Group` or `Field`; ``path`` counts from the entry."""
        with self.opened() as file:
            return h5tree.read(file, f"/entry/{path}")

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """Number of frames, rows and columns."""
        with self.opened() as file:
            frames, rows, columns = file[layout.FRAMES].shape
        return int(frames), int(rows), int(columns)

    @property
    def raw(self) -> Hdf5Reader:
        """The raw frames, read one at a time."""
        return Hdf5Reader(self.opened, layout.FRAMES, self.shape)

    def nxroot(self) -> Any:
        """Return the file as a nexusformat tree, for NeXpy and its users."""
        from nexusformat.nexus import nxload

        return nxload(str(self.path))

    def __repr__(self) -> str:
        """File, sample, frames and records in one line."""
        frames, rows, columns = self.shape
        field = self.sample.magnetic_field
        at_field = "" if field != field else f", {field:g} mT"
        size = f"{frames} x {rows} x {columns}"
        return f"<Container {self.path.name}: {self.sample.name}{at_field}, {size}, {len(self.records)} records>"

    def _repr_html_(self) -> str:
        from nxscatter.notebook import container_html

        return container_html(self)


class Draft(Container):
    """A container inside a transaction: everything that was appended so far can be read.

    The copy that is written to is made when the first record arrives. The ledger is written at the end.
    """

    def __init__(self, path: Path, temporary: Path) -> None:
        self.path = path
        self._temporary = temporary
        self._output: Output | None = None
        self._file: h5py.File | None = None  # the copy
        self._old: h5py.File | None = None
        self._ledger: dict[str, Any] | None = None
        self._entry: Group | None = None  # the converted content, where it was made in this transaction
        self._first: Array | None = None  # and the first frame

    @contextmanager
    def opened(self) -> Iterator[h5py.File]:
        """Give the file of this transaction."""
        if self._file is None and self._old is None:
            with _reading(self.path):
                self._old = _open(self.path)
        with _reading(self.path):
            yield self._file or self._old

    def create(self, scan: Scan, compression: str = "bitshuffle") -> None:
        """Begin a new container with a scan, in place of whatever was there."""
        self._entry, self._first = layout.write_scan(self._open("w"), scan, compression)

    def part(self, path: str) -> Any:
        """Return a part of the converted content."""
        return super().part(path) if self._entry is None else self._entry[path]

    @property
    def raw(self) -> Hdf5Reader:
        """The raw frames, of which the first is known where they were copied in this transaction."""
        return Hdf5Reader(self.opened, layout.FRAMES, self.shape, self._first)

    def copy(self, source: Path) -> None:
        """Begin with everything that another container holds."""
        clone(source, self._temporary)
        self._open("r+")

    def _open(self, mode: str) -> h5py.File:
        import h5py

        self.forget()
        self._output = Output(self._temporary, f"{mode.rstrip('+')}+b")
        self._file = h5py.File(self._output, mode, libver=LIBVER)
        return self._file

    def append(self, step: Step, name: str, inputs: Mapping[str, Sequence[Source]], result: Result) -> Record:
        """Append the record of a step that was run, and make it what viewers show."""
        before = self.records
        if self._file is None:
            self.copy(self.path)
        assert self._file is not None
        ledger = self._ledger or layout.read_ledger(self._file)
        written = write_record(self._file, ledger, step, name, inputs, result)
        self._ledger = added(ledger, written)
        record = Record(self, written, result)
        self.__dict__["records"] = (*before, record)
        return record

    def close(self, *, keep: bool) -> None:
        """Close the copy, to ``keep`` it or to throw it away.

        Raises
        ------
        ContainerError
            When it could not be written: this is then the cause of every other error, too.
        """
        file, output, old = self._file, self._output, self._old
        self._file = self._output = self._old = self._entry = self._first = None
        if old is not None:
            old.close()
        if output is None:
            return
        try:
            if file is not None:
                if keep and self._ledger is not None:
                    layout.write_ledger(file, self._ledger)
                    file["entry"].attrs["default"] = self._ledger["names"][-1]
                file.close()
        except (OSError, RuntimeError) as error:
            if keep:
                raise disk_error(self.path, OSError(str(error))) from error
        finally:
            output.close()
        if output.lost is not None:
            raise disk_error(self.path, output.lost)


def create(path: str | Path, scan: Scan, compression: str = "bitshuffle", overwrite: bool = False) -> Container:
    """Write a scan as a new container.

    Raises
    ------
    ContainerError
        When ``path`` exists and ``overwrite`` is not set.
    """
    with creating(path, scan, compression, overwrite):
        pass
    return Container(path)


@contextmanager
def creating(
    path: str | Path, content: Scan | Container, compression: str = "bitshuffle", overwrite: bool = False
) -> Iterator[Draft]:
    """Write a scan, or a copy of a container, as a new one, and the records of the block with it: all or nothing."""
    target = Path(path).expanduser().resolve()
    if isinstance(content, Scan) and isinstance(content.frames, Hdf5Frames) and content.frames.path.resolve() == target:
        raise ContainerError(f"{target}: is the raw file itself; choose another name with -o")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(target, error) from error
    with Lock(target), replacing(target) as temporary:
        if target.exists() and not overwrite:
            raise ContainerError(f"{target}: exists already; use --overwrite to replace it")
        draft = Draft(target, temporary)
        try:
            if isinstance(content, Container):
                draft.copy(content.path)
            else:
                draft.create(content, compression)
            yield draft
        except BaseException:
            draft.close(keep=False)
            raise
        draft.close(keep=True)


def record_names(file: h5py.File) -> list[str]:
    """Return the names of all records, in order of their sequence index."""
    entry = file["entry"]
    return sorted(layout.record_groups(file), key=lambda name: (int(entry[name]["sequence_index"][()]), name))


def _open(path: Path) -> h5py.File:
    """Open a file without locks: it is never written in place."""
    import h5py

    try:
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        if "locking flag" not in str(error):
            raise
        return h5py.File(path, "r")  # this process has it open with locks, and HDF5 wants one way for all


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn the errors that a damaged file causes while it is read into one line that names it."""
    try:
        yield
    except NxscatterError:
        raise
    except DAMAGE as error:
        raise ContainerError(
            f"{path}: cannot be read ({first_line(error)}); it may be damaged or of another kind"
        ) from error

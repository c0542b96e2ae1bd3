"""Writing containers by copy and atomic rename: of one transaction everything is kept, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nxscatter.errors import ContainerError
from nxscatter.model import Array, Hdf5Frames, Scan
from nxscatter.step import Step
from nxscatter.store import layout
from nxscatter.store.access import StoredFile, naming_damage, open_unlocked
from nxscatter.store.container import Container
from nxscatter.store.conversion import write_scan
from nxscatter.store.ledger import Source, added, write_record
from nxscatter.store.nexus.frames import Hdf5Reader
from nxscatter.store.nexus.transaction import (
    LIBVER,
    Lock,
    Output,
    clone,
    disk_error,
    refuse_protected,
    replacing,
)
from nxscatter.store.nexus.tree import Group
from nxscatter.store.record import Record

if TYPE_CHECKING:
    import h5py

    from nxscatter.results import Result


class Writer:
    """Appends records to a container inside a transaction; ``container`` reads what there is of it so far."""

    def __init__(self, file: _FileInTransaction) -> None:
        self._file = file

    @property
    def path(self) -> Path:
        """Path of the container."""
        return self._file.path

    @cached_property
    def container(self) -> Container:
        """The container with all that was appended so far; after the transaction, the one that it has made.

        Raises
        ------
        ContainerError
            When the file is missing or is not one of ours.
        """
        return Container(self._file)

    def append(self, step: Step, name: str, inputs: Mapping[str, Sequence[Source]], result: Result) -> Record:
        """Append the record of a step that was run, and make it what viewers show."""
        ledger = self._file.ledger()
        written = write_record(self._file.writable(), ledger, step, name, inputs, result)
        record = self.container.remember(written, result)
        self._file.list_in(added(ledger, written))
        return record

    def close(self, *, keep: bool) -> None:
        """End the transaction, to ``keep`` what was written or to throw it away.

        Raises
        ------
        ContainerError
            When it could not be written: this is then the cause of every other error, too.
        """
        self._file.close(keep=keep)


class _FileInTransaction(StoredFile):
    """The file of a transaction: the old one until something is written, then the copy beside it that will replace it.

    When the transaction is over it is a file as any other.
    """

    def __init__(self, path: Path, temporary: Path) -> None:
        super().__init__(path)
        self._temporary = temporary
        self._over = False
        self._output: Output | None = None
        self._copy: h5py.File | None = None
        self._old: h5py.File | None = None
        self._ledger: dict[str, Any] | None = None  # what it will be; None while no record was appended
        self._entry: Group | None = None  # the converted content, where it was made in this transaction
        self._first: Array | None = None  # and the first frame

    @contextmanager
    def opened(self) -> Iterator[h5py.File]:
        if self._over:
            with super().opened() as file:
                yield file
            return
        with naming_damage(self.path):
            if self._copy is None and self._old is None:
                self._old = open_unlocked(self.path)
            yield self._copy or self._old

    def part(self, path: str) -> Any:
        return super().part(path) if self._entry is None else self._entry[path]

    def ledger(self) -> dict[str, Any]:
        return self._ledger or super().ledger()

    def frames(self, shape: tuple[int, int, int]) -> Hdf5Reader:
        return Hdf5Reader(self.opened, layout.FRAMES, shape, self._first)

    def begin_with(self, scan: Scan, compression: str) -> None:
        """Make the copy a new container of a scan."""
        self._entry, self._first = write_scan(self._open_copy("w"), scan, compression)

    def begin_from(self, path: Path) -> None:
        """Make the copy hold everything that the container at ``path`` does."""
        clone(path, self._temporary)
        self._open_copy("r+")

    def writable(self) -> h5py.File:
        """Return the copy, made now where nothing was written so far."""
        if self._copy is None:
            self.begin_from(self.path)
        return self._copy

    def list_in(self, ledger: dict[str, Any]) -> None:
        """Let the records that were appended be those of a ledger, which is written at the end."""
        self._ledger = ledger

    def _open_copy(self, mode: str) -> h5py.File:
        import h5py

        refuse_protected(self.path)
        self._output = Output(self._temporary, f"{mode.rstrip('+')}+b")
        self._copy = h5py.File(self._output, mode, libver=LIBVER)
        return self._copy

    def close(self, *, keep: bool) -> None:
        """Close the copy, with the ledger of its records when it is to be kept."""
        copy, output, old, ledger = self._copy, self._output, self._old, self._ledger
        self._copy = self._output = self._old = self._ledger = self._entry = self._first = None
        self._over = True
        if old is not None:
            old.close()
        if output is None:
            return
        try:
            if copy is not None:
                if keep and ledger is not None:
                    layout.write_ledger(copy, ledger)
                    copy["entry"].attrs["default"] = ledger["names"][-1]
                copy.close()
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
) -> Iterator[Writer]:
    """Write a scan, or a copy of a container, as a new one, and the records of the block with it: all or nothing.

    Raises
    ------
    LockedError
        When another process is writing.
    ContainerError
        When ``path`` exists and ``overwrite`` is not set, or is the raw file itself; when the disk is full or the
        folder cannot be written, whereupon nothing has changed.
    """
    target = Path(path).expanduser().resolve()
    if isinstance(content, Scan) and isinstance(content.frames, Hdf5Frames) and content.frames.path.resolve() == target:
        raise ContainerError(f"{target}: is the raw file itself; choose another name with -o")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(target, error) from error

    def begin(file: _FileInTransaction) -> None:
        if target.exists() and not overwrite:
            raise ContainerError(f"{target}: exists already; use --overwrite to replace it")
        if isinstance(content, Container):
            file.begin_from(content.path)
        else:
            file.begin_with(content, compression)

    with _transaction(target, begin) as writer:
        yield writer


@contextmanager
def appending(container: Container) -> Iterator[Writer]:
    """Append records to a container, which knows them after the block: all of them, or none.

    Raises
    ------
    LockedError
        When another process is writing.
    ContainerError
        When the file is missing, is not one of ours, or cannot be written; the old file is then intact.
    """
    with _transaction(container.path) as writer:
        writer.container.share(container)
        yield writer
    container.forget()
    container.share(writer.container)


@contextmanager
def _transaction(path: Path, begin: Callable[[_FileInTransaction], None] = lambda file: None) -> Iterator[Writer]:
    """Give a writer of a file that takes its place when the block ends well; ``begin`` is called first."""
    with Lock(path), replacing(path) as temporary:
        file = _FileInTransaction(path, temporary)
        writer = Writer(file)
        try:
            begin(file)
            yield writer
        except BaseException:
            writer.close(keep=False)
            raise
        writer.close(keep=True)

"""Containers while they are written: one transaction, of which everything is kept or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nxscatter.errors import ContainerError
from nxscatter.model import Array, Hdf5Frames, Scan
from nxscatter.step import Step
from nxscatter.store import layout
from nxscatter.store.container import Container, open_file, reading
from nxscatter.store.ledger import Source, added, write_record
from nxscatter.store.nexus.frames import Hdf5Reader
from nxscatter.store.nexus.transaction import LIBVER, Lock, Output, clone, disk_error, replacing
from nxscatter.store.nexus.tree import Group
from nxscatter.store.record import Record

if TYPE_CHECKING:
    import h5py

    from nxscatter.results import Result


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
            with reading(self.path):
                self._old = open_file(self.path)
        with reading(self.path):
            yield self._file or self._old

    def create(self, scan: Scan, compression: str = "bitshuffle") -> None:
        """Begin a new container with a scan, in place of whatever was there."""
        self._entry, self._first = layout.write_scan(self._begin("w"), scan, compression)

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
        self._begin("r+")

    def _begin(self, mode: str) -> h5py.File:
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

    def begin(draft: Draft) -> None:
        if target.exists() and not overwrite:
            raise ContainerError(f"{target}: exists already; use --overwrite to replace it")
        if isinstance(content, Container):
            draft.copy(content.path)
        else:
            draft.create(content, compression)

    with writing(target, begin) as draft:
        yield draft


@contextmanager
def writing(path: Path, begin: Callable[[Draft], None]) -> Iterator[Draft]:
    """Give a draft of a container, which takes its place when the block ends well; ``begin`` is called first."""
    with Lock(path), replacing(path) as temporary:
        draft = Draft(path, temporary)
        try:
            begin(draft)
            yield draft
        except BaseException:
            draft.close(keep=False)
            raise
        draft.close(keep=True)

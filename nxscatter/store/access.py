"""Read access to files of this program: what a file says that it is; opened for each reading anew, without locks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nxscatter.errors import ContainerError, NxscatterError
from nxscatter.readers.base import is_hdf5
from nxscatter.store import layout
from nxscatter.store.nexus import hdf5
from nxscatter.store.nexus.frames import Hdf5Reader
from nxscatter.store.nexus.hashing import DAMAGE, first_line

if TYPE_CHECKING:
    import h5py


class StoredFile:
    """The file of a container, for reading."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def opened(self) -> Iterator[h5py.File]:
        """Open the file, for as long as the block lasts."""
        with naming_damage(self.path), open_unlocked(self.path) as file:
            yield file

    def part(self, path: str) -> Any:
        """Return a part of the converted content, a `Group` or `Field`; ``path`` counts from the entry."""
        with self.opened() as file:
            return hdf5.read(file, f"/entry/{path}")

    def ledger(self) -> dict[str, Any]:
        """Return the ledger, see `nxscatter.store.layout.read_ledger`."""
        with self.opened() as file:
            return layout.read_ledger(file)

    def frames(self, shape: tuple[int, int, int]) -> Hdf5Reader:
        """Return a reader of the raw frames, whose ``shape`` is (frames, rows, columns)."""
        return Hdf5Reader(self.opened, layout.FRAMES, shape)


def open_unlocked(path: Path) -> h5py.File:
    """Open a container without locks: it is never written in place.

    Raises
    ------
    ContainerError
        When there is no such file.
    OSError
        When it cannot be read.
    """
    import h5py

    if not path.is_file():
        raise ContainerError(f"{path}: no such file; convert a raw file first")
    try:
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        if "locking flag" not in str(error):
            raise
        return h5py.File(path, "r")  # this process has it open with locks, and HDF5 wants one way for all


@contextmanager
def naming_damage(path: Path) -> Iterator[None]:
    """Turn the errors that a damaged file causes while it is read into one line that names it."""
    try:
        yield
    except NxscatterError:
        raise
    except DAMAGE as error:
        raise ContainerError(
            f"{path}: cannot be read ({first_line(error)}); it may be damaged or of another kind"
        ) from error


def is_container(path: Path) -> bool:
    """Tell whether a file says that it is a container of this program; never raises."""
    return _creator(path) == layout.CREATOR


def is_series(path: Path) -> bool:
    """Tell whether a file says that it is a series of this program; never raises."""
    return _creator(path) == layout.SERIES_CREATOR


def _creator(path: Path) -> str:
    """Return what a file says that it was made by, "" where it does not."""
    import h5py

    try:
        if not path.is_file() or not is_hdf5(path):
            return ""
        with h5py.File(path, "r", locking=False) as file:
            return layout.read_creator(file)
    except OSError:
        return ""  # whoever reads it says what is wrong with it

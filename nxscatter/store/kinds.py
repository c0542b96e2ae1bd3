"""What a file says that it is: a container or a series of this program."""

from __future__ import annotations

from pathlib import Path

from nxscatter.readers.base import is_hdf5
from nxscatter.store.layout import SERIES_CREATOR


def is_container(path: Path) -> bool:
    """Tell whether a file says that it is a container of this program; never raises."""
    return _creator(path) == "nxscatter"


def is_series(path: Path) -> bool:
    """Tell whether a file says that it is a series of this program; never raises."""
    return _creator(path) == SERIES_CREATOR


def _creator(path: Path) -> str:
    """Return what a file says that it was made by, "" where it does not."""
    import h5py

    try:
        if not path.is_file() or not is_hdf5(path):
            return ""
        with h5py.File(path, "r", locking=False) as file:
            creator = file.attrs.get("creator", "")
            return creator.decode() if isinstance(creator, bytes) else str(creator)
    except OSError:
        return ""  # whoever reads it says what is wrong with it

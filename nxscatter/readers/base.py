"""What a reader of one format is, and what a user can add to the contents of a file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nxscatter.model import Scan


HDF5_SUFFIXES = (".h5", ".hdf5", ".hdf", ".nxs")
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True)
class ReadOptions:
    """What a user can add to, or put in place of, the contents of a file.

    Parameters
    ----------
    poni : Path, optional
        A pyFAI calibration that replaces the file's own geometry.
    units : str, optional
        Units of quantities that the file leaves without: ``"mm"`` for all lengths of the set-up,
        ``"distance=mm,wavelength=nm"`` for single ones.
    orient : int or str, optional
        RasterOrientation 1..8 in place of the header's or the PONI file's; or ``"flip-x"``, ``"flip-y"``,
        ``"flip-xy"`` where the image is stored the other way round than its geometry tells: the centre is then
        counted from the other end.
    swap_center : bool
        Exchange x and y of the centre (and of the writer's tilts x and y).
    rebin_poni : bool
        Scale the PONI file to frames that were binned by another whole factor.
    sample : str, optional
        Sample name in place of the one found.
    field_mT : float, optional
        Magnetic field (mT) in place of the one found.
    aux_dir : Path, optional
        Folder that is searched for the files which a header names.
    skip_calibration : bool
        Accept a missing geometry: NaN with a note, in place of an error.
    """

    poni: Path | None = None
    units: str | None = None
    orient: int | str | None = None
    sample: str | None = None
    field_mT: float | None = None  # noqa: N815 (mT is the unit)
    aux_dir: Path | None = None
    skip_calibration: bool = False
    swap_center: bool = False
    rebin_poni: bool = False


class Reader(Protocol):
    """One input format.

    Attributes
    ----------
    name : str
        Its name, for ``--reader``; the one in the entry-point group ``nxscatter.readers``.
    suffixes : tuple of str
        How names of such files end, with the dot. In a folder other files are passed over; a file that is named is
        recognised whatever it is called.
    """

    name: str
    suffixes: tuple[str, ...]

    def recognises(self, path: Path) -> bool:
        """Tell from a few kB whether this is the reader for a file; never raises."""

    def read(self, path: Path, options: ReadOptions) -> Scan:
        """Read a file; raise ReadError with file, key and remedy when that cannot be done."""


def file_sha256(path: Path) -> str:
    """Hash the bytes of a file, block by block."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def first_bytes(path: Path, count: int = 4096) -> bytes:
    """Return the first bytes of a file."""
    with path.open("rb") as file:
        return file.read(count)


def is_hdf5(path: Path) -> bool:
    """Tell whether a file begins as an HDF5 file does."""
    return first_bytes(path, len(_HDF5_SIGNATURE)) == _HDF5_SIGNATURE

"""What every reader returns, and how quantities and parameters declare units and limits.

Coordinates follow the SaxsKeyword (SPD) convention: the middle of pixel ``index`` stands at
``index + offset + 0.5`` pixels. ``y`` is the slow image axis (rows), ``x`` the fast one (columns).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nxscatter.fields import quantity
from nxscatter.plain import Json, readable

Array: TypeAlias = NDArray[Any]
Floats: TypeAlias = NDArray[np.floating[Any]]
Ints: TypeAlias = NDArray[np.integer[Any]]

# Laboratory direction in which the columns and the rows of the stored image run, by RasterOrientation:
# 1 horizontal (t2), 2 vertical (t1), negative for the opposite direction (Boesecke 2007, SaxsKeyword raster
# configurations of two dimensions).
RASTER_AXES = {1: (1, 2), 2: (-1, 2), 3: (1, -2), 4: (-1, -2), 5: (2, 1), 6: (2, -1), 7: (-2, 1), 8: (-2, -1)}


SYNCHROTRON = "Synchrotron X-ray Source"  # as NXsource spells it; NeXus has no word for a source that is not known


def rotation_matrix(rot1: float, rot2: float, rot3: float) -> Floats:
    """Return the matrix from the detector's frame to the laboratory's, axes 1 vertical, 2 horizontal, 3 beam.

    Rotations (degrees) about axes 1, 2 and 3 in turn, the first two left-handed, as pyFAI defines them (Kieffer &
    Karkoulis 2013).
    """
    (c1, s1), (c2, s2), (c3, s3) = ((np.cos(angle), np.sin(angle)) for angle in np.radians([rot1, rot2, rot3]))
    about1 = np.array([[1, 0, 0], [0, c1, s1], [0, -s1, c1]])
    about2 = np.array([[c2, 0, -s2], [0, 1, 0], [s2, 0, c2]])
    about3 = np.array([[c3, -s3, 0], [s3, c3, 0], [0, 0, 1]])
    return np.asarray(about3 @ about2 @ about1)


def image_frame(matrix: Floats, orientation: int) -> Floats:
    """Return a rotation of the detector in axes of which 1 runs along the rows of its image and 2 along the columns.

    ``matrix`` is that of `rotation_matrix`, for an image of a raster orientation.
    """
    columns, rows = RASTER_AXES[orientation]
    axes = np.zeros((3, 3))
    for number, axis in enumerate((rows, columns)):
        axes[number, 2 - abs(axis)] = np.sign(axis)
    axes[2, 2] = 1
    return np.asarray(axes @ matrix @ axes.T)


def rotation_angles(matrix: Floats) -> tuple[float, float, float]:
    """Return the rotations (degrees) that `rotation_matrix` makes a matrix of."""
    rot1 = np.arctan2(-matrix[2, 1], matrix[2, 2])
    rot2 = np.arctan2(matrix[2, 0], np.hypot(matrix[2, 1], matrix[2, 2]))
    rot3 = np.arctan2(matrix[1, 0], matrix[0, 0])
    return float(np.degrees(rot1)), float(np.degrees(rot2)), float(np.degrees(rot3))


@dataclass(frozen=True, eq=False)
class Attachment:
    """A file from outside (mask, CIF, PONI, dark, flat), carried by value.

    Parameters
    ----------
    name : str
        File name without folder.
    content : ndarray or str
        An image (2-D, or 3-D for a stack) or a text.
    role : str
        What it is for: ``"mask"``, ``"beamstop"``, ``"gaps"``, ``"pixel_mask"``, ``"cif"``, ``"poni"``,
        ``"dark"``, ``"flat"``, ``"window"``, ``"background"``, ``"variance"``.
    """

    in_words: ClassVar[str] = "a file"

    name: str
    content: Array | str
    role: str = ""

    def __post_init__(self) -> None:
        """Make the name of a file one that can be stored."""
        object.__setattr__(self, "name", readable(self.name))

    @cached_property
    def sha256(self) -> str:
        """Hash of the content: little-endian values with dtype and shape, or the UTF-8 text."""
        digest = hashlib.sha256()
        if isinstance(self.content, str):
            digest.update(b"text\0" + self.content.encode())
        else:
            values = np.ascontiguousarray(self.content)
            values = values.astype(values.dtype.newbyteorder("<"), copy=False)
            digest.update(f"{values.dtype.str}{values.shape}\0".encode())
            digest.update(values.reshape(-1).view(np.uint8).data if values.size else b"")
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        """Attachments are equal when name, role and content are."""
        if not isinstance(other, Attachment):
            return NotImplemented
        return (self.name, self.role, self.sha256) == (other.name, other.role, other.sha256)

    def __hash__(self) -> int:
        """Hash by name, role and content."""
        return hash((self.name, self.role, self.sha256))


@dataclass(frozen=True)
class Hdf5Frames:
    """Frames left where they are: a dataset of an HDF5 file, 2-D or 3-D, counted as (frame, y, x).

    ``unwritten`` are the numbers of those of which the file lacks a part.
    """

    path: Path
    dataset: str
    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    unwritten: tuple[int, ...] = ()


@dataclass(frozen=True)
class Beam:
    """The incident beam. Wavelength NaN: unknown."""

    wavelength: float = quantity("angstrom", "X-ray wavelength")
    polarization: float = quantity("", "horizontal polarization factor, NaN unknown", default=float("nan"))


@dataclass(frozen=True)
class Detector:
    """The detector as the file describes it; nothing is refined here. NaN: unknown.

    The centre is the point of normal incidence (PONI), in pixels of the SaxsKeyword convention:
    the direct beam is there only when the rotations are 0.
    """

    name: str = quantity("", "detector name")
    rows: int = quantity("", "number of pixels along y (slow)")
    columns: int = quantity("", "number of pixels along x (fast)")
    distance: float = quantity("m", "sample to detector, along the detector's normal")
    pixel_size_y: float = quantity("m", "pixel size along y, of the stored image")
    pixel_size_x: float = quantity("m", "pixel size along x, of the stored image")
    center_y: float = quantity("pixel", "Center_2: row coordinate, offset included")
    center_x: float = quantity("pixel", "Center_1: column coordinate, offset included")
    offset_y: float = quantity("pixel", "Offset_2: coordinate of the edge of row 0", default=0.0)
    offset_x: float = quantity("pixel", "Offset_1: coordinate of the edge of column 0", default=0.0)
    rot1: float = quantity("degree", "rotation 1 as pyFAI defines it", default=0.0)
    rot2: float = quantity("degree", "rotation 2 as pyFAI defines it", default=0.0)
    rot3: float = quantity("degree", "rotation 3 as pyFAI defines it", default=0.0)
    orientation: int = quantity("", "RasterOrientation 1..8 of the stored image", default=1)
    dummy: float = quantity("counts", "value of a pixel without data, NaN: none", default=float("nan"))
    ddummy: float = quantity("counts", "half-width around the dummy value", default=0.0)
    binning_y: int = quantity("", "hardware binning along y, for the record only", default=1)
    binning_x: int = quantity("", "hardware binning along x, for the record only", default=1)


@dataclass(frozen=True)
class Sample:
    """The sample and its magnetic field."""

    name: str = quantity("", "sample name")
    magnetic_field: float = quantity("mT", "applied magnetic field, NaN: unknown", default=float("nan"))


@dataclass(frozen=True)
class Exposure:
    """Times and monitors, one value a frame, or empty where the file has none."""

    time: Floats = quantity("s", "exposure time of each frame", dims=("frame",), default=None)
    elapsed: Floats = quantity("s", "start of each frame after the first one's", dims=("frame",), default=None)
    intensity0: Floats = quantity("", "monitor before the sample", dims=("frame",), default=None)
    intensity1: Floats = quantity("", "monitor behind the sample", dims=("frame",), default=None)
    normalization: float = quantity("", "NormalizationFactor to absolute intensity, NaN unknown", default=float("nan"))
    unwritten: Ints | None = quantity(
        "",
        "numbers (from 0) of frames that lack a part, None: none",
        dims=("lost",),
        default=None,
    )

    def lacking(self, frames: Array | Hdf5Frames) -> Exposure:
        """Return the exposure with the numbers of the frames of which the file lacks a part."""
        lost = frames.unwritten if isinstance(frames, Hdf5Frames) else ()
        return replace(self, unwritten=np.array(lost)) if lost else self

    def __post_init__(self) -> None:
        """Turn what is missing into empty arrays."""
        for name in ("time", "elapsed", "intensity0", "intensity1"):
            value = getattr(self, name)
            array = np.zeros(0) if value is None else np.atleast_1d(np.asarray(value, dtype=float))
            object.__setattr__(self, name, array)


# What a number can stand on that cannot be trusted, the gravest first, and the argument of steps by which it enters.
DOUBTS = {
    "off_geometry": "beam",
    "off_centre": "beam",
    "lost_frames": "raw",
    "mask_missing": "masks",
    "suspect_pixels": "raw",
}


@dataclass(frozen=True)
class Doubt:
    """A reason not to trust the numbers that stand on something: they are kept, their status says it.

    Parameters
    ----------
    status : str
        One of `DOUBTS`.
    reason : str
        A sentence for the user: the cause, and what would mend it.
    q : float, optional
        The ring (1/angstrom) that it concerns, None for all.
    """

    status: str
    reason: str
    q: float | None = None

    def __post_init__(self) -> None:
        """Refuse a status that no table knows."""
        if self.status not in DOUBTS:
            raise ValueError(f"a doubt is one of {', '.join(DOUBTS)}, not {self.status}")

    def concerns(self, q: float) -> bool:
        """Tell whether it concerns a ring."""
        return self.q is None or math.isclose(q, self.q, rel_tol=1e-9)


@dataclass(frozen=True)
class Origin:
    """Where a scan came from.

    ``notes`` are the assumptions that a reader made and the named files that it did not find; ``doubts`` those for
    which no number of this file can be trusted without a look.
    """

    file_name: str = quantity("", "name of the input file, without folder")
    reader: str = quantity("", "name of the reader")
    type: str = quantity("", "media type: application/x-hdf5, application/x-edf, ...")
    sha256: str = quantity("", "hash of the input file's bytes")
    header: Mapping[str, Json] = quantity("", "every header key", default={})
    notes: tuple[str, ...] = quantity("", "assumptions and missing named files", default=())
    doubts: tuple[Doubt, ...] = quantity("", "what cannot be trusted without a look", default=())

    def __post_init__(self) -> None:
        """Make the name of a file, also where a note has it, one that can be stored."""
        object.__setattr__(self, "file_name", readable(self.file_name))
        object.__setattr__(self, "notes", tuple(map(readable, self.notes)))


@dataclass(frozen=True)
class Scan:
    """One measurement: all that a reader found, and the frames.

    Attributes
    ----------
    frames : ndarray (frame, y, x) or Hdf5Frames
        Raw counts, never changed.
    masks : tuple of Attachment
        Masks that belong to the file: its own ``pixel_mask`` and files named by its header.
        Non-zero means ignore.
    auxiliary : tuple of Attachment
        Other files named by the header (dark, flat field, window) that were found.
    metadata : mapping of path to array or str
        Every non-image dataset of an HDF5 input.
    structure : mapping of str to JSON
        How an HDF5 input is laid out, as `nxscatter.readers.files.hdf5_metadata.read_structure` returns it.
    """

    title: str
    beam: Beam
    detector: Detector
    sample: Sample
    origin: Origin
    frames: Array | Hdf5Frames
    exposure: Exposure = field(default_factory=Exposure)
    start_time: datetime | None = None
    end_time: datetime | None = None
    instrument: str = "unknown"
    source_name: str = "unknown"
    source_type: str = SYNCHROTRON
    masks: tuple[Attachment, ...] = ()
    auxiliary: tuple[Attachment, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    structure: Mapping[str, Json] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of frames, rows and columns."""
        frames, rows, columns = self.frames.shape
        return int(frames), int(rows), int(columns)

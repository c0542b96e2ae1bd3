"""Readers: one format a file, found by content through the entry-point group ``nxscatter.readers``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nxscatter.errors import ParameterError, ReadError
from nxscatter.plugins import load_plugins
from nxscatter.readers.base import Reader, ReadOptions
from nxscatter.readers.headers.missing import split_note
from nxscatter.readers.unknown import seems

if TYPE_CHECKING:
    from nxscatter.model import Doubt, Scan

_GROUP = "nxscatter.readers"


@dataclass(frozen=True)
class Identification:
    """What a file is, what is in it and what it lacks.

    Attributes
    ----------
    file : str
        Name of the file.
    reader : str
        Name of the reader that claims it.
    found : mapping
        What the reader found, in words and numbers; unknown values are left out.
    missing : tuple of (str, str)
        What is missing, and the option that supplies it.
    doubts : tuple of Doubt
        What cannot be trusted without a look.
    """

    file: str
    reader: str
    found: Mapping[str, Any]
    missing: tuple[tuple[str, str], ...]
    doubts: tuple[Doubt, ...] = ()


def readers() -> dict[str, Reader]:
    """Return all installed readers by name."""
    return dict(_installed())


@cache
def _installed() -> dict[str, Reader]:
    return load_plugins(_GROUP, _made)


def _made(kind: Callable[[], Reader]) -> Reader:
    reader = kind()
    for attribute in ("name", "suffixes", "recognises", "read"):
        getattr(reader, attribute)  # what a reader lacks is told when it is loaded, not in the middle of a batch
    return reader


def known_suffixes() -> tuple[str, ...]:
    """Return the endings of the names of files that installed readers read, in lower case."""
    return tuple(sorted({suffix.lower() for reader in readers().values() for suffix in reader.suffixes}))


def find_reader(path: Path | str, name: str | None = None) -> Reader:
    """Return the reader for a file: the one called ``name``, or the only one that recognises it.

    Raises
    ------
    ParameterError
        When there is no reader of that name.
    ReadError
        When no reader, or more than one, recognises the file.
    """
    path, known = Path(path), readers()
    if not path.is_file():
        raise ReadError(f"{path}: {'is a folder, not a file' if path.is_dir() else 'no such file'}; check the name")
    if name is not None:
        if name not in known:
            raise ParameterError(f"unknown reader '{name}': use one of {', '.join(known)}")
        return known[name]
    claims = [reader for reader in known.values() if reader.recognises(path)]
    if len(claims) > 1:
        names = " and ".join(reader.name for reader in claims)
        raise ReadError(f"{path.name}: readers {names} both claim it; choose one with --reader")
    if not claims:
        raise ReadError(_unrecognised(path, known))
    return claims[0]


def read_scan(path: Path | str, reader: str | None = None, options: ReadOptions | None = None) -> Scan:
    """Read a file with the reader called ``reader``, or with the one that recognises it."""
    path = Path(path)
    return find_reader(path, reader).read(path, options or ReadOptions())


def identify(path: Path | str, reader: str | None = None, options: ReadOptions | None = None) -> Identification:
    """Tell what a file is, what is in it, and which option supplies what is missing."""
    path = Path(path)
    chosen = find_reader(path, reader)
    scan = chosen.read(path, replace(options or ReadOptions(), skip_calibration=True))
    frames, rows, columns = scan.shape
    detector = scan.detector
    turned = (detector.rot1, detector.rot2, detector.rot3)
    found: dict[str, Any] = {
        "frames": frames,
        "rows": rows,
        "columns": columns,
        "dtype": str(scan.frames.dtype),
        "detector": detector.name,
        "wavelength_angstrom": scan.beam.wavelength,
        "distance_m": detector.distance,
        "pixel_size_x_m": detector.pixel_size_x,
        "pixel_size_y_m": detector.pixel_size_y,
        "center_x_pixel": detector.center_x,
        "center_y_pixel": detector.center_y,
        "rotations_degree": ", ".join(f"{angle:.6g}" for angle in turned) if any(turned) else "",
        "orientation": "" if detector.orientation == 1 else detector.orientation,
        "sample": scan.sample.name,
        "field_mT": scan.sample.magnetic_field,
        "start_time": "" if scan.start_time is None else scan.start_time.isoformat(),
        "files": ", ".join(f"{file.name} ({file.role})" for file in (*scan.masks, *scan.auxiliary)),
    }
    missing = tuple(pair for pair in map(split_note, scan.origin.notes) if pair is not None)
    known = {key: item for key, item in found.items() if _known(item)}
    return Identification(path.name, chosen.name, known, missing, scan.origin.doubts)


def _known(value: Any) -> bool:
    return value != "" and not (isinstance(value, float) and math.isnan(value))


def _unrecognised(path: Path, known: Mapping[str, Reader]) -> str:
    if path.stat().st_size == 0:
        return f"{path.name}: is empty; copy it again"
    if what := seems(path):
        return f"{path.name}: {what}"
    return f"{path.name}: not recognised by any reader ({', '.join(known)}); choose one with --reader"

"""Inputs of a batch: files, folders and globs, and where the container of each belongs."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from nxscatter.errors import ParameterError
from nxscatter.readers.registry import known_suffixes
from nxscatter.store.access import is_container, is_series
from nxscatter.store.container import Container

PathLike: TypeAlias = str | Path

_MASK = re.compile(r"(?<![a-z])masks?(?![a-z])", re.IGNORECASE)


def expand(inputs: Sequence[PathLike], masks: Sequence[PathLike] = ()) -> list[Path]:
    """Return the files that files, folders and globs stand for, each once.

    A folder means its files that end as those of an installed reader do, not those of its folders, and no series. Mask
    files are left out: those in ``masks``, and names with the word ``mask`` in them. A raw file and its own container
    are one input, the raw file. A path that does not exist is kept, so that whoever reads it says so.

    Raises
    ------
    ParameterError
        When a glob matches nothing, or a folder has no such file.
    """
    excluded = {Path(mask).expanduser().resolve() for mask in masks}
    found: dict[Path, Path] = {}
    for item in inputs:
        path = Path(item).expanduser()
        files = [path]
        if path.is_dir():
            files = [file for file in _files_of(path) if file.resolve() not in excluded]
            if not files:
                raise ParameterError(
                    f"{path}: holds no data file ({', '.join(_suffixes())}); name another folder or the files"
                )
        elif not path.exists() and glob.has_magic(str(path)):
            files = [Path(file) for file in sorted(glob.glob(str(path)))]  # noqa: PTH207, absolute globs too
            if not files:
                raise ParameterError(f"{path}: no file matches")
        found.update((file.resolve(), file) for file in files)
    files = list(found.values())
    raw = {(file.parent.resolve(), file.name) for file in files}
    return [file for file in files if not _stands_beside(file, raw)]


def paths_of(value: PathLike | Sequence[PathLike]) -> tuple[PathLike, ...]:
    """Return one path or several as several."""
    return (value,) if isinstance(value, str | Path) else tuple(value)


def _suffixes() -> tuple[str, ...]:
    return tuple(sorted({*known_suffixes(), ".nxs"}))  # containers need no reader


def _files_of(folder: Path) -> list[Path]:
    suffixes = _suffixes()
    return [
        file
        for file in sorted(folder.iterdir())
        if file.is_file()
        and not file.name.startswith(".")
        and file.name.lower().endswith(suffixes)
        and not _MASK.search(file.name)
        and not (file.suffix == ".nxs" and is_series(file))
    ]


def _stands_beside(path: Path, raw: set[tuple[Path, str]]) -> bool:
    """Tell whether a file is the container of a raw file that is an input itself."""
    if path.suffix != ".nxs" or not is_container(path):
        return False
    origin = Container(path).origin.file_name
    return origin != path.name and (path.parent.resolve(), origin) in raw


def container_path(path: Path, output: PathLike | None = None) -> Path:
    """Return where the container of an input belongs: ``output`` when it ends in .nxs, else named after the input.

    Raises
    ------
    ParameterError
        When that is the input itself, or ``output`` is no folder.
    """
    if output is not None and Path(output).suffix == ".nxs":
        target = Path(output).expanduser()
    else:
        folder = path.parent if output is None else Path(output).expanduser()
        if folder.exists() and not folder.is_dir():
            raise ParameterError(f"{folder}: is no folder; name a folder, or a file ending in .nxs")
        name = path.name.removesuffix(".gz").removesuffix(".bz2")
        target = folder / Path(name).with_suffix(".nxs").name
    if target.resolve() == path.resolve() and not is_container(path):
        raise ParameterError(f"{path.name}: its container would take its own name; name a folder with -o")
    return target

"""Files that a header names: masks, dark, flat field, window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PureWindowsPath

import numpy as np

from nxscatter.errors import ReadError
from nxscatter.model import Attachment, Doubt
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.files.masks import read_image, read_mask
from nxscatter.readers.headers.keywords import Keywords
from nxscatter.readers.headers.missing import missing_note

_MASKS = {"Mask": "beamstop", "DetectorMask": "gaps"}
_IMAGES = {"Dark": "dark", "Flatfield": "flat", "Window": "window"}


@dataclass(frozen=True)
class HeaderFiles:
    """The files that a header names, as far as they are found.

    Attributes
    ----------
    masks, auxiliary : tuple of Attachment
        Masks (beamstop, gaps), and dark, flat field and window.
    doubts : tuple of Doubt
        Masks that are not found, or do not fit.
    """

    masks: tuple[Attachment, ...] = ()
    auxiliary: tuple[Attachment, ...] = ()
    doubts: tuple[Doubt, ...] = ()


def named_files(keys: Keywords, beside: Sequence[Path], image: tuple[int, int], options: ReadOptions) -> HeaderFiles:
    """Read the files that ``<Kind>FilePath`` and ``<Kind>FileName`` name.

    A file is looked for where it is named, beside the data, beside what that is a symbolic link to, and in
    ``options.aux_dir``, in this order. One that is not found, or whose image has another shape than the frames, is
    reported in the notes of ``keys``; for a mask it is a doubt.

    Parameters
    ----------
    keys : Keywords
        The header.
    beside : sequence of Path
        The data files: the one that was given, then those that hold its frames.
    image : tuple of int
        Rows and columns of a frame.
    options : ReadOptions
        ``aux_dir`` is used.

    Raises
    ------
    ReadError
        When a named file is there but cannot be read.
    """
    folders = [
        *(folder for file in beside for folder in _folders(file)),
        *([options.aux_dir] if options.aux_dir else []),
    ]
    found: dict[str, list[Attachment]] = {}
    doubts = []
    for kind, role in (_MASKS | _IMAGES).items():
        if f"{kind}FileName" not in keys:
            continue
        made = _read(keys, kind, role, beside[0].name, folders, image)
        if isinstance(made, Attachment):
            keys.notes.append(f"{kind}FileName {keys.text(f'{kind}FileName').partition('::')[0]} is used as {role}")
            found.setdefault("masks" if kind in _MASKS else "auxiliary", []).append(made)
            continue
        option = "--aux-dir" if made.endswith("not found") else "--mask"
        keys.notes.append(missing_note(made, option) if kind in _MASKS or option == "--aux-dir" else made)
        if kind in _MASKS:
            remedy = "give its folder with --aux-dir, or a mask with --mask"
            doubts.append(Doubt("mask_missing", f"{made}: {remedy}"))
    return HeaderFiles(doubts=tuple(doubts), **{key: tuple(files) for key, files in found.items()})


def _folders(file: Path) -> Iterator[Path]:
    """Yield the folder of a file, and the folders of all that it is a symbolic link to."""
    yield file.parent
    while file.is_symlink():
        file = file.parent / file.readlink()
        yield file.parent
    yield file.resolve().parent


def _read(
    keys: Keywords, kind: str, role: str, file: str, folders: Sequence[Path], image: tuple[int, int]
) -> Attachment | str:
    """Return a named file, or what is wrong with it."""
    key = f"{kind}FileName"
    # a path of another system is searched for by its last part
    named, _, inner = keys.text(key).partition("::")
    place = Path(keys.text(f"{kind}FilePath")) / PureWindowsPath(named).name
    places = [Path(keys.text(f"{kind}FilePath")) / named, place, *(folder / place.name for folder in folders)]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        return f"{key} {named} is not found"
    source = f"{found}::{inner}" if inner else str(found)
    try:
        state = found.stat()
        made = _known(source, role, kind in _MASKS, (state.st_ino, state.st_size, state.st_mtime_ns))
    except ReadError as error:
        raise ReadError(f"{file}: header key {key}: {error}") from error
    shape = np.shape(made.content)
    if shape[-2:] != image:
        return f"{key} {named} has {shape[-2]} x {shape[-1]} pixels, the frames have {image[0]} x {image[1]}: not used"
    return made


@lru_cache(maxsize=4)
def _known(source: str, role: str, is_mask: bool, state: tuple[int, ...]) -> Attachment:
    """Read a named file; all files of a series name the same ones, which are read once while they do not change."""
    made = read_mask(source, role) if is_mask else Attachment(_name(source), read_image(source), role)
    np.asarray(made.content).flags.writeable = False
    return made


def _name(source: str) -> str:
    return Path(source.partition("::")[0]).name

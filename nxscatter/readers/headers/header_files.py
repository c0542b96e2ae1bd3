"""Files that a header names: masks, dark, flat field, window."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from nxscatter.errors import ReadError
from nxscatter.model import Attachment
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.files.masks import read_image, read_mask
from nxscatter.readers.headers.keywords import Keywords
from nxscatter.readers.headers.missing import missing_note

_MASKS = {"Mask": "beamstop", "DetectorMask": "gaps"}
_IMAGES = {"Dark": "dark", "Flatfield": "flat", "Window": "window"}


def named_files(
    keys: Keywords, beside: Path, image: tuple[int, int], options: ReadOptions
) -> tuple[tuple[Attachment, ...], tuple[Attachment, ...]]:
    """Read the files that ``<Kind>FilePath`` and ``<Kind>FileName`` name.

    A file is looked for where it is named, beside the data, and in ``options.aux_dir``, in this order. One that
    is not found, or whose image has another shape than the frames, is reported in the notes of ``keys``.

    Parameters
    ----------
    keys : Keywords
        The header.
    beside : Path
        The data file.
    image : tuple of int
        Rows and columns of a frame.
    options : ReadOptions
        ``aux_dir`` is used.

    Returns
    -------
    masks, auxiliary : tuple of Attachment
        Masks (beamstop, gaps), and dark, flat field and window.

    Raises
    ------
    ReadError
        When a named file is there but cannot be read.
    """
    masks = [_read(keys, kind, role, beside, image, options) for kind, role in _MASKS.items()]
    images = [_read(keys, kind, role, beside, image, options) for kind, role in _IMAGES.items()]
    return tuple(one for one in masks if one is not None), tuple(one for one in images if one is not None)


def _read(
    keys: Keywords, kind: str, role: str, beside: Path, image: tuple[int, int], options: ReadOptions
) -> Attachment | None:
    key = f"{kind}FileName"
    if key not in keys:
        return None
    named, _, inner = keys.text(key).partition("::")
    place = Path(keys.text(f"{kind}FilePath")) / named
    folders = [place.parent, beside.parent, *([options.aux_dir] if options.aux_dir else [])]
    found = next((folder / place.name for folder in folders if (folder / place.name).is_file()), None)
    if found is None:
        keys.notes.append(missing_note(f"{key} {named} is not found", "--aux-dir"))
        return None
    source = f"{found}::{inner}" if inner else str(found)
    try:
        state = found.stat()
        made = _known(source, role, kind in _MASKS, (state.st_ino, state.st_size, state.st_mtime_ns))
    except ReadError as error:
        raise ReadError(f"{beside.name}: header key {key}: {error}") from error
    shape = np.shape(made.content)
    if shape[-2:] != image:
        what = f"{key} {named} has {shape[-2]} x {shape[-1]} pixels, the frames have {image[0]} x {image[1]}: not used"
        keys.notes.append(missing_note(what, "--mask") if kind in _MASKS else what)
        return None
    keys.notes.append(f"{key} {named} is used as {role}")
    return made


@lru_cache(maxsize=4)
def _known(source: str, role: str, is_mask: bool, state: tuple[int, ...]) -> Attachment:
    """Read a named file; all files of a series name the same ones, which are read once while they do not change."""
    made = read_mask(source, role) if is_mask else Attachment(_name(source), read_image(source), role)
    np.asarray(made.content).flags.writeable = False
    return made


def _name(source: str) -> str:
    return Path(source.partition("::")[0]).name

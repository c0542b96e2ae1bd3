"""Images in files that fabio reads (EDF, TIFF, CBF), with sizes checked before anything is allocated."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from nxscatter.errors import ReadError
from nxscatter.model import Array
from nxscatter.readers.base import first_bytes
from nxscatter.readers.files.edf import is_edf, read_blocks
from nxscatter.readers.files.tiff import check_tiff

MAX_PIXELS = 2**28  # of one image, or of all images that are read into memory at once
_CBF_HEADER = 2**13  # bytes in which fabio looks for the binary section
_CBF_SECTION = b"--CIF-BINARY-FORMAT-SECTION--"
_CBF_START = b"\x0c\x1a\x04\xd5"  # of the binary values
_TYPES = {"edf": "application/x-edf", "tiff": "image/tiff", "cbf": "application/x-cbf"}


def image_format(path: Path) -> str | None:
    """Return "edf", "tiff" or "cbf" from the first bytes of a file, None for anything else."""
    first = first_bytes(path)
    if first[:4] in (b"II*\0", b"MM\0*"):
        return "tiff"
    if first.startswith(b"###CBF"):
        return "cbf"
    return "edf" if is_edf(first) else None


def media_type(path: Path) -> str:
    """Return the media type of an image file."""
    return _TYPES[image_format(path) or "edf"]


def read_frames(path: Path) -> tuple[Array, dict[str, Any]]:
    """Read all images of a file.

    Returns
    -------
    frames : ndarray (frame, y, x)
        The stored values.
    header : dict
        The header of the first image.

    Raises
    ------
    ReadError
        When the file is no such image, is truncated, or declares a size beyond reason.
    """
    kind = image_format(path)
    if kind is None:
        raise ReadError(f"{path.name}: is no EDF, TIFF or CBF image; choose another file")
    blocks = read_blocks(path) if kind == "edf" else []
    if kind != "edf":
        _check_pixels(path, check_tiff(path) if kind == "tiff" else _check_cbf(path))
    import fabio

    try:
        with fabio.open(str(path)) as image:
            shape = (image.nframes, *image.shape)
            if len(shape) != 3 or 0 in shape:
                raise ReadError(
                    f"{path.name}: holds an array of shape {image.shape}, not an image; choose another file"
                )
            _check_pixels(path, int(np.prod(shape)))
            header = dict(image.header)
            # get_frame stays in this file; getframe goes on to the next file of a numbered series
            frames = (
                image.data[np.newaxis]
                if shape[0] == 1
                else np.stack([image.get_frame(at).data for at in range(shape[0])])
            )
    except (OSError, ValueError, KeyError, IndexError, TypeError, RuntimeError, AssertionError) as error:
        reason = " ".join(str(error).split())
        raise ReadError(f"{path.name}: fabio cannot read the image ({reason}); copy it again") from error
    if frames.shape != shape or frames.dtype.kind not in "iuf":
        raise ReadError(f"{path.name}: fabio cannot read the image; copy it again")
    return frames, dict(blocks[0].header) if blocks else header


def _check_pixels(path: Path, count: int) -> None:
    if count > MAX_PIXELS:
        raise ReadError(f"{path.name}: declares {count} pixels, more than {MAX_PIXELS}; the header must be wrong")


def _check_cbf(path: Path) -> int:
    """Return the number of pixels, after a check that the file holds all bytes of its binary section.

    fabio looks for the start of this section for ever when there is none.
    """
    first = first_bytes(path, 2**16)
    section = first.find(_CBF_SECTION, 0, _CBF_HEADER)
    start = first.find(_CBF_START, max(section, 0))
    keys = ("Size", "Size-Fastest-Dimension", "Size-Second-Dimension")
    found = [re.search(rf"X-Binary-{key}:\s*(\d+)".encode(), first[section:start]) for key in keys]
    numbers = [int(match[1]) for match in found if match is not None]
    if section < 0 or start < 0 or len(numbers) < len(keys):
        raise ReadError(f"{path.name}: has no binary section with X-Binary-Size and its dimensions; copy it again")
    end, size = start + len(_CBF_START) + numbers[0], path.stat().st_size
    if end > size:
        raise ReadError(f"{path.name}: is truncated, its header declares {end} bytes and it has {size}; copy it again")
    return numbers[1] * numbers[2]

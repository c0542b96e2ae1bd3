"""Images in files that fabio reads (EDF, TIFF, CBF), with sizes checked before anything is allocated."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nxscatter.errors import ReadError
from nxscatter.model import Array, Attachment
from nxscatter.readers.base import first_bytes
from nxscatter.readers.files.edf import EdfBlock, is_edf, read_blocks
from nxscatter.readers.files.tiff import check_tiff, tiff_texts

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


@dataclass(frozen=True)
class StoredImages:
    """What an image file holds.

    Attributes
    ----------
    frames : ndarray (frame, y, x)
        The stored values.
    header : dict
        The header of the first image.
    files : tuple of Attachment
        What goes with the images: a ``"variance"`` (frame, y, x), with NaN for an image without one, and masks.
    notes : tuple of str
        What became of blocks that are no images.
    """

    frames: Array
    header: dict[str, Any]
    files: tuple[Attachment, ...] = ()
    notes: tuple[str, ...] = ()


def read_frames(path: Path) -> tuple[Array, dict[str, Any]]:
    """Read all images of a file, and the header of the first; what `read_images` raises."""
    found = read_images(path)
    return found.frames, found.header


def read_images(path: Path) -> StoredImages:
    """Read all images of a file, and what goes with them.

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
    elif all(block.kind in ("general", "error", "variance", "mask") for block in blocks):
        raise ReadError(f"{path.name}: holds no image, only {', '.join(block.kind for block in blocks)} blocks")
    import fabio

    logging.getLogger("fabio").setLevel(logging.CRITICAL)  # what it says is told by the errors here
    try:
        with fabio.open(str(path)) as image:
            count = image.nframes
            if kind == "edf" and count != sum(block.kind != "general" for block in blocks):
                raise ReadError(f"{path.name}: fabio finds {count} images, its headers declare others; copy it again")
            if len(image.shape) != 2 or 0 in (count, *image.shape):
                raise ReadError(
                    f"{path.name}: holds an array of shape {image.shape}, not an image; choose another file"
                )
            _check_pixels(path, count * int(np.prod(image.shape)))
            header = dict(image.header)
            # get_frame stays in this file; getframe goes on to the next file of a numbered series
            stored = [image.data] if count == 1 else [image.get_frame(number).data for number in range(count)]
    except ReadError:
        raise
    except Exception as error:  # fabio raises anything on damaged files
        reason = " ".join(str(error).split())
        raise ReadError(f"{path.name}: fabio cannot read the image ({reason}); copy it again") from error
    if any(data is None or data.dtype.kind not in "iuf" for data in stored):
        raise ReadError(f"{path.name}: fabio cannot read the image; copy it again")
    if blocks:
        return _sorted_out(path, blocks, stored)
    texts = tiff_texts(path) if kind == "tiff" else {}
    spelled = {key.lower() for key in texts}
    header = {key: value for key, value in header.items() if key.lower() not in spelled} | texts
    return StoredImages(_stacked(path, stored), header)


def _stacked(path: Path, images: list[Array]) -> Array:
    if len({image.shape for image in images}) != 1:
        shapes = " and ".join(sorted({f"{image.shape[0]} x {image.shape[1]}" for image in images}))
        raise ReadError(f"{path.name}: holds images of {shapes} pixels; give a file with images of one shape")
    return images[0][np.newaxis] if len(images) == 1 else np.stack(images)


def _sorted_out(path: Path, blocks: list[EdfBlock], stored: list[Array]) -> StoredImages:
    """Tell images from blocks of errors, variances and masks of them, and from others."""
    general = {key: value for block in blocks if block.kind == "general" for key, value in block.header.items()}
    pairs = list(zip([block for block in blocks if block.kind != "general"], stored, strict=True))
    images = [(block, data) for block, data in pairs if block.kind == "image"]
    notes = []
    if not images:  # blocks of another name alone are the images
        images = [(block, data) for block, data in pairs if block.kind not in ("error", "variance", "mask")]
    frames = _stacked(path, [data for _, data in images])
    variance = np.full(frames.shape, np.nan)
    masks: list[Attachment] = []
    for place, (block, data) in enumerate(pairs):
        if any(block is known for known, _ in images):
            continue
        numbers = [known.number for known, _ in images]
        before = sum(known is other for other, _ in pairs[:place] for known, _ in images)
        frame = numbers.index(block.number) if numbers.count(block.number) == 1 else max(before - 1, 0)
        if data.shape != frames.shape[1:] or block.kind not in ("error", "variance", "mask"):
            notes.append(f"block {block.kind} of image {frame + 1} ({data.shape[0]} x {data.shape[1]}) is not used")
        elif block.kind == "mask":
            masks.append(Attachment(f"{path.name}, mask of image {frame + 1}", (data != 0).astype(np.uint8), "mask"))
        else:
            variance[frame] = data.astype(float) ** (2 if block.kind == "error" else 1)
            variance[frame][data < 0] = np.nan
            notes.append(f"block {block.kind} of image {frame + 1} is its {block.kind}, no frame")
    files = [Attachment(f"{path.name}, variance", variance, "variance")] if np.isfinite(variance).any() else []
    return StoredImages(frames, general | images[0][0].header, (*files, *masks), tuple(notes))


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

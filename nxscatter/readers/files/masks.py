"""Masks and other images that go with a measurement, from a file of their own."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nxscatter.errors import ReadError
from nxscatter.model import Array, Attachment
from nxscatter.readers.base import is_hdf5
from nxscatter.readers.files.images import MAX_PIXELS, image_format, read_frames
from nxscatter.readers.files.mask_formats import is_packed, read_drawn, unpacked
from nxscatter.readers.files.texts import read_cif

if TYPE_CHECKING:
    import h5py

    from nxscatter.readers.files.hdf5 import Hdf5Source


def read_mask(path: Path | str, role: str = "mask") -> Attachment:
    """Read a mask: non-zero (NaN too) means that the pixel is ignored.

    Parameters
    ----------
    path : Path or str
        An EDF, TIFF, CBF, PNG, NumPy, Fit2D or text file, also packed by gzip, bzip2 or xz, or an HDF5 or NPZ one:
        ``file.h5::/path/of/dataset``, or ``file.h5`` alone when there is one image in it.
    role : str
        Role of the attachment.

    Returns
    -------
    Attachment
        The mask (rows, columns) as uint8, 1 where pixels are ignored.

    Raises
    ------
    ReadError
        When the file cannot be read or does not hold one image.
    """
    image = read_image(path)
    if image.ndim == 3 and image.shape[0] == 1:
        image = image[0]
    if image.ndim != 2:
        raise ReadError(f"{path}: a mask is one image, this has shape {image.shape}; choose a dataset with ::/path")
    return Attachment(_file_part(path)[0].name, (image != 0).astype(np.uint8), role)


def read_attachment(path: Path | str, role: str) -> Attachment:
    """Read what a step takes as ``role``: a CIF as text, a mask as one, any other image (dark, flat) as it is."""
    if role == "cif":
        return read_cif(path)
    if role == "mask":
        return read_mask(path, role)
    return Attachment(_file_part(path)[0].name, read_image(path), role)


def read_image(path: Path | str) -> Array:
    """Read an image (rows, columns) or a stack (frame, rows, columns) from any of the files of `read_mask`."""
    file, inner = _file_part(path)
    if not file.is_file():
        raise ReadError(f"{file}: no such file; check the name")
    if is_hdf5(file):
        return _read_hdf5(file, inner)
    if is_packed(file):
        with unpacked(file) as plain:
            return read_image(f"{plain}::{inner}" if inner else plain)
    if image_format(file) is None and (drawn := read_drawn(file, inner)) is not None:
        return drawn
    if inner:
        raise ReadError(f"{file.name}: is no HDF5 file and has no dataset {inner}; leave ::{inner} away")
    if file.suffix.lower() == ".npy":
        return _read_npy(file)
    try:
        frames, _ = read_frames(file)
    except ReadError:
        # fabio knows neither one bit a pixel nor every compression
        drawn = read_drawn(file) if image_format(file) == "tiff" else None
        if drawn is None:
            raise
        return drawn
    return frames[0] if len(frames) == 1 else frames


def _file_part(path: Path | str) -> tuple[Path, str]:
    file, _, inner = str(path).partition("::")
    return Path(file), inner


def _read_npy(file: Path) -> Array:
    try:
        # mapped, so that the size in its header is compared with the file before memory is taken
        mapped = np.load(file, mmap_mode="r", allow_pickle=False)
        _check_array(file, mapped.shape, mapped.dtype)
        return np.array(mapped)
    except (ValueError, OSError, EOFError) as error:
        reason = " ".join(str(error).split())
        raise ReadError(
            f"{file.name}: is no NumPy array of numbers ({reason}); save it again with numpy.save"
        ) from error


def _check_array(file: Path, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> None:
    if len(shape) not in (2, 3) or dtype.kind not in "biuf" or not 0 < math.prod(shape) <= MAX_PIXELS:
        raise ReadError(f"{file.name}: holds {dtype} of shape {shape}, not an image; choose another file")


def _read_hdf5(file: Path, inner: str) -> Array:
    from nxscatter.readers.files.hdf5 import Hdf5Source

    with Hdf5Source(file) as source:
        if inner:
            dataset = source.dataset(inner)
            if dataset is None:
                raise ReadError(f"{file.name}: has no dataset {inner}; check the path behind ::")
        else:
            dataset = _only_image(source)
        return source.image(dataset)


def _only_image(source: Hdf5Source) -> h5py.Dataset:
    found = [dataset for _, dataset in source.datasets() if len(dataset.shape or ()) in (2, 3)]
    if len(found) != 1:
        names = ", ".join(dataset.name for dataset in found) or "none"
        raise ReadError(f"{source.path.name}: one image is wanted, there are {names}; name it as FILE::/path")
    return found[0]

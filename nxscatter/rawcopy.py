"""Copying raw frames without touching a count, and without decompression where the source allows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscatter.errors import ContainerError
from nxscatter.hashing import chunk_offsets
from nxscatter.model import Array, Hdf5Frames

if TYPE_CHECKING:
    import h5py

_BITSHUFFLE, _LZ4, _GZIP, _SHUFFLE = 32008, 32004, 1, 2


def copy_frames(
    frames: Array | Hdf5Frames, parent: h5py.Group, name: str, compression: str = "bitshuffle"
) -> h5py.Dataset:
    """Write frames as a dataset (frame, y, x), and compare the first and last with the source.

    Compressed chunks of an HDF5 source that hold whole frames or parts of one are copied as they are; anything
    else is encoded again, frame by frame, with bitshuffle-LZ4 or gzip.

    Raises
    ------
    ContainerError
        When a frame does not read back as it was.
    """
    import h5py

    if not isinstance(frames, Hdf5Frames):
        target = _encode(iter(frames), frames.shape, frames.dtype, parent, name, compression)
        _compare(frames, target)
        return target
    import hdf5plugin  # noqa: F401  (registers the filters)

    with h5py.File(frames.path, "r") as file:
        source = file[frames.dataset]
        filters = _same_filters(source) if compression == "bitshuffle" else None
        if filters is None or not _whole_chunks(source):
            target = _encode(_each(source), frames.shape, source.dtype, parent, name, compression)
        else:
            target = _copy_chunks(source, frames.shape, filters, parent, name)
        _compare(_Stack(source), target)
    return target


class Hdf5Reader:
    """The raw frames of a dataset in an HDF5 file, one at a time.

    Opening is left to the owner: ``opened`` is a context manager that gives the file.
    """

    def __init__(self, opened: Any, dataset: str, shape: tuple[int, int, int]) -> None:
        self._opened = opened
        self._dataset = dataset
        self._shape = shape

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of frames, rows and columns."""
        return self._shape

    def __iter__(self) -> Iterator[Array]:
        """Yield each raw frame (rows, columns) in the detector's own dtype."""
        import hdf5plugin  # noqa: F401

        with self._opened() as file:
            dataset = file[self._dataset]
            for number in range(self._shape[0]):
                yield dataset[number]

    def read(self, frame: int) -> Array:
        """Return one raw frame (rows, columns) in the detector's own dtype."""
        import hdf5plugin  # noqa: F401

        with self._opened() as file:
            array: Array = file[self._dataset][frame]
        return array


class _Stack:
    """A 2-D or 3-D dataset as a stack."""

    def __init__(self, dataset: h5py.Dataset) -> None:
        self._dataset = dataset

    def __len__(self) -> int:
        return int(self._dataset.shape[0]) if self._dataset.ndim == 3 else 1

    def __getitem__(self, number: int) -> Array:
        array: Array = self._dataset[number] if self._dataset.ndim == 3 else self._dataset[()]
        return array


def _each(dataset: h5py.Dataset) -> Iterator[Array]:
    stack = _Stack(dataset)
    for number in range(len(stack)):
        yield stack[number]


def _compare(source: Any, target: h5py.Dataset) -> None:
    for number in sorted({0, len(target) - 1}) if len(target) else ():
        if not np.array_equal(source[number], target[number], equal_nan=target.dtype.kind == "f"):
            name = Path(target.file.filename).name
            raise ContainerError(f"{name}: frame {number} does not read back as it was; the source may be damaged")


def _encode(
    frames: Iterator[Array],
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    parent: h5py.Group,
    name: str,
    compression: str,
) -> h5py.Dataset:
    import hdf5plugin

    kind = dtype.newbyteorder("<")
    storage = (
        {"compression": "gzip", "compression_opts": 4, "shuffle": True}
        if compression == "gzip"
        else hdf5plugin.Bitshuffle()
    )
    target = parent.create_dataset(name, shape, kind, chunks=(1, *shape[1:]), **storage)
    for number, frame in enumerate(frames):
        target[number] = frame
    return target


def _same_filters(source: h5py.Dataset) -> dict[str, Any] | None:
    """Return what makes the source's own filters for a new dataset, None when it has to be encoded again.

    The stored creation properties cannot be reused: they hold the bitshuffle parameters already filled in, which
    the filter would fill in once more.
    """
    import hdf5plugin

    properties = source.id.get_create_plist()
    found = [properties.get_filter(number)[:3] for number in range(properties.get_nfilters())]
    codes = [code for code, _, _ in found]
    values = {code: parts for code, _, parts in found}
    if codes == [_BITSHUFFLE]:
        stored = values[_BITSHUFFLE]
        block, kind = (stored[3], stored[4]) if len(stored) > 4 else (0, 0)
        if kind == 2:
            return dict(hdf5plugin.Bitshuffle(nelems=block, cname="lz4"))
        return dict(hdf5plugin.Bitshuffle(nelems=block, cname="none")) if kind == 0 else None
    if codes == [_LZ4]:
        return dict(hdf5plugin.LZ4(nbytes=values[_LZ4][0] if values[_LZ4] else 0))
    if codes in ([_GZIP], [_SHUFFLE, _GZIP]):
        return {"compression": "gzip", "compression_opts": values[_GZIP][0], "shuffle": len(codes) == 2}
    return None


def _whole_chunks(source: h5py.Dataset) -> bool:
    """Tell whether every chunk is stored, lies within one frame or fits the stack, and can be copied."""
    if source.chunks is None or source.dtype.byteorder == ">":
        return False
    counts = [-(-size // chunk) for size, chunk in zip(source.shape, source.chunks, strict=True)]
    return bool(source.id.get_num_chunks() == int(np.prod(counts)))


def _copy_chunks(
    source: h5py.Dataset, shape: tuple[int, int, int], filters: dict[str, Any], parent: h5py.Group, name: str
) -> h5py.Dataset:
    flat = source.ndim == 2
    chunks = (1, *source.chunks) if flat else source.chunks
    target = parent.create_dataset(name, shape, source.dtype, chunks=chunks, **filters)
    for offset in chunk_offsets(source):
        mask, encoded = source.id.read_direct_chunk(offset)
        target.id.write_direct_chunk((0, *offset) if flat else offset, encoded, mask)
    return target

"""Copying raw frames without touching a count, and without decompression where the source allows it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscatter.errors import ContainerError, ReadError
from nxscatter.model import Array, Hdf5Frames
from nxscatter.store.nexus.hashing import chunk_hash, chunk_offsets, first_line

if TYPE_CHECKING:
    import h5py

_BITSHUFFLE, _LZ4, _GZIP, _SHUFFLE = 32008, 32004, 1, 2


@dataclass(frozen=True)
class Copied:
    """Frames that were copied.

    Attributes
    ----------
    dataset : h5py.Dataset
        The copy.
    first : ndarray (rows, columns)
        The first frame as it was read back.
    hashes : mapping of offset to bytes, or None
        What `nxscatter.store.nexus.hashing.chunk_hash` says of each chunk that was copied as it is.
    """

    dataset: h5py.Dataset
    first: Array
    hashes: dict[tuple[int, ...], bytes] | None = None


def copy_frames(frames: Array | Hdf5Frames, parent: h5py.Group, name: str, compression: str = "bitshuffle") -> Copied:
    """Write frames as a dataset (frame, y, x), and compare the first and last with the source.

    Compressed chunks of an HDF5 source are copied as they are when all of them are stored and HDF5 or hdf5plugin can
    make their filter; anything else is encoded again, frame by frame, with bitshuffle-LZ4 or gzip.

    Raises
    ------
    ReadError
        When the source cannot be read.
    ContainerError
        When a frame does not read back as it was.
    """
    import h5py

    if not isinstance(frames, Hdf5Frames):
        target = _encode(iter(frames), frames.shape, frames.dtype, parent, name, compression)
        return Copied(target, _compared(frames, target))
    import hdf5plugin  # noqa: F401  (registers the filters)

    with _reading(frames):
        file = h5py.File(frames.path, "r", locking=False)
    with file:
        with _reading(frames):
            source = _Source(frames, file[frames.dataset])
            filters = _same_filters(source.dataset) if compression == "bitshuffle" else None
            copied = filters is not None and _all_chunks(source.dataset)
        hashes = None
        if copied and filters is not None:
            target, hashes = _copy_chunks(source, filters, parent, name)
        else:
            target = _encode(iter(source), frames.shape, source.dataset.dtype, parent, name, compression)
        return Copied(target, _compared(source, target), hashes)


class Hdf5Reader:
    """The raw frames of a dataset in an HDF5 file, one at a time.

    Opening is left to the owner: ``opened`` is a context manager that gives the file. ``first`` is the first frame
    where it is known already.
    """

    def __init__(self, opened: Any, dataset: str, shape: tuple[int, int, int], first: Array | None = None) -> None:
        self._opened = opened
        self._dataset = dataset
        self._shape = shape
        self._first = first

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of frames, rows and columns."""
        return self._shape

    def __iter__(self) -> Iterator[Array]:
        """Yield each raw frame (rows, columns) in the detector's own dtype, and read the next one meanwhile.

        Two frames take turns in the same memory: copy what is to be kept.
        """
        import hdf5plugin  # noqa: F401

        with self._opened() as file, ThreadPoolExecutor(1, "read-ahead") as ahead:
            dataset = file[self._dataset]
            memory = [np.empty(self._shape[1:], dataset.dtype) for _ in range(2)]
            coming = ahead.submit(dataset.read_direct, memory[0], np.s_[0])
            for number in range(self._shape[0]):
                coming.result()
                if number + 1 < self._shape[0]:
                    coming = ahead.submit(dataset.read_direct, memory[(number + 1) % 2], np.s_[number + 1])
                yield memory[number % 2]

    def read(self, frame: int) -> Array:
        """Return one raw frame (rows, columns) in the detector's own dtype."""
        if frame == 0 and self._first is not None:
            return self._first
        import hdf5plugin  # noqa: F401

        with self._opened() as file:
            array: Array = file[self._dataset][frame]
        return array


class _Source:
    """A 2-D or 3-D dataset as a stack; an error in reading it names it, and is not taken for one in writing."""

    def __init__(self, frames: Hdf5Frames, dataset: h5py.Dataset) -> None:
        self._frames = frames
        self.dataset = dataset
        self.flat = dataset.ndim == 2
        self.shape = frames.shape

    def __getitem__(self, number: int) -> Array:
        with _reading(self._frames):
            array: Array = self.dataset[()] if self.flat else self.dataset[number]
        return array

    def __iter__(self) -> Iterator[Array]:
        for number in range(self.shape[0]):
            yield self[number]

    def chunks(self) -> Iterator[tuple[tuple[int, ...], int, bytes]]:
        """Yield offset, filter mask and encoded bytes of each chunk."""
        with _reading(self._frames):
            offsets = chunk_offsets(self.dataset)
        for offset in offsets:
            with _reading(self._frames):
                mask, encoded = self.dataset.id.read_direct_chunk(offset)
            yield offset, mask, encoded


@contextmanager
def _reading(frames: Hdf5Frames) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise ReadError(
            f"{frames.path}: {frames.dataset} cannot be read ({first_line(error)}); the file may be damaged"
        ) from error


def _compared(source: Any, target: h5py.Dataset) -> Array:
    """Compare the first and the last frame, and return the first as it was read back."""
    read: dict[int, Array] = {}
    for number in (0, len(target) - 1):
        if number in read:
            continue
        given = source[number]
        read[number] = target[number]
        if not np.array_equal(given, read[number], equal_nan=target.dtype.kind == "f"):
            raise ContainerError(
                f"{target.file.filename}: frame {number} does not read back as it was; the source may be damaged"
            )
    read[0].flags.writeable = False
    return read[0]


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


def _all_chunks(source: h5py.Dataset) -> bool:
    """Tell whether every chunk is stored, and in little-endian order."""
    if source.chunks is None or source.dtype.byteorder == ">":
        return False
    counts = [-(-size // chunk) for size, chunk in zip(source.shape, source.chunks, strict=True)]
    return bool(source.id.get_num_chunks() == int(np.prod(counts)))


def _copy_chunks(
    source: _Source, filters: dict[str, Any], parent: h5py.Group, name: str
) -> tuple[h5py.Dataset, dict[tuple[int, ...], bytes]]:
    """Copy the encoded chunks, and hash each in another thread while it is written."""
    chunks = (1, *source.dataset.chunks) if source.flat else source.dataset.chunks
    target = parent.create_dataset(name, source.shape, source.dataset.dtype, chunks=chunks, **filters)
    hashes: dict[tuple[int, ...], bytes] = {}
    with ThreadPoolExecutor(1, "hashing") as other:
        for offset, mask, encoded in source.chunks():
            place = (0, *offset) if source.flat else offset
            hashed = other.submit(chunk_hash, place, mask, encoded)
            target.id.write_direct_chunk(place, encoded, mask)
            hashes[place] = hashed.result()
    return target, hashes

"""Raw frames come into a container without a count changed, and compressed ones without decompression."""

from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest

from nxscatter.errors import ContainerError, ReadError
from nxscatter.model import Hdf5Frames
from nxscatter.store.nexus.frames import Hdf5Reader, copy_frames
from nxscatter.store.nexus.hashing import chunk_offsets

RNG = np.random.default_rng(3)
COUNTS = RNG.poisson(2, (3, 40, 50)).astype(np.uint32)
COUNTS[:, 7] = 2**32 - 1

FILTERS: dict[str, dict[str, Any]] = {
    "bitshuffle-lz4": hdf5plugin.Bitshuffle(),
    "bitshuffle": hdf5plugin.Bitshuffle(cname="none"),
    "bitshuffle-lz4 of 1024 elements": hdf5plugin.Bitshuffle(nelems=1024),
    "lz4": hdf5plugin.LZ4(),
    "gzip": {"compression": "gzip", "compression_opts": 6},
    "shuffle and gzip": {"compression": "gzip", "shuffle": True},
}


def source(path, values, **storage):
    with h5py.File(path, "w") as file:
        file.create_dataset("entry/data", data=values, **storage)
    return frames_of(path)


def frames_of(path):
    with h5py.File(path) as file:
        dataset = file["entry/data"]
        shape = dataset.shape if dataset.ndim == 3 else (1, *dataset.shape)
        return Hdf5Frames(path, "entry/data", shape, dataset.dtype)


def copied(tmp_path, frames, compression="bitshuffle"):
    target = tmp_path / "target.h5"
    with h5py.File(target, "w") as file:
        copy_frames(frames, file, "data", compression)
    return target


def chunks(path, name):
    with h5py.File(path) as file:
        dataset = file[name]
        return {offset[-2:]: dataset.id.read_direct_chunk(offset) for offset in chunk_offsets(dataset)}


def filters(path):
    with h5py.File(path) as file:
        properties = file["data"].id.get_create_plist()
        return [properties.get_filter(number)[0] for number in range(properties.get_nfilters())]


def values(path):
    with h5py.File(path) as file:
        return file["data"][()]


@pytest.mark.parametrize("storage", FILTERS.values(), ids=list(FILTERS))
@pytest.mark.parametrize("chunk", [(1, 40, 50), (1, 16, 50), (1, 16, 16), (2, 40, 50)], ids=str)
def test_chunks_are_copied_as_they_are(tmp_path, storage, chunk):
    frames = source(tmp_path / "s.h5", COUNTS, chunks=chunk, **storage)
    target = copied(tmp_path, frames)
    with h5py.File(frames.path) as one, h5py.File(target) as other:
        old, new = one["entry/data"], other["data"]
        assert chunk_offsets(old) == chunk_offsets(new)
        for offset in chunk_offsets(old):
            assert old.id.read_direct_chunk(offset) == new.id.read_direct_chunk(offset)
    np.testing.assert_array_equal(values(target), COUNTS)


@pytest.mark.parametrize("storage", FILTERS.values(), ids=list(FILTERS))
def test_one_image_becomes_a_stack_of_one(tmp_path, storage):
    frames = source(tmp_path / "s.h5", COUNTS[0], chunks=(16, 50), **storage)
    target = copied(tmp_path, frames)
    assert chunks(target, "data") == chunks(frames.path, "entry/data")
    np.testing.assert_array_equal(values(target), COUNTS[:1])


def test_a_chunk_that_skipped_its_filter_is_copied_with_its_mask(tmp_path):
    frames = source(tmp_path / "s.h5", COUNTS, chunks=(1, 40, 50), compression="gzip")
    with h5py.File(frames.path, "r+") as file:
        file["entry/data"].id.write_direct_chunk((1, 0, 0), COUNTS[1].tobytes(), 1)
    np.testing.assert_array_equal(values(copied(tmp_path, frames)), COUNTS)


@pytest.mark.parametrize(
    ("array", "storage"),
    [
        (COUNTS, {}),
        (COUNTS.astype(">u4"), {"chunks": (1, 40, 50), "compression": "gzip"}),
        (COUNTS.astype(np.float32), {"chunks": (1, 40, 50), **hdf5plugin.Zstd()}),
        (COUNTS.astype(np.int16), {"chunks": (1, 40, 50), "compression": "lzf"}),
    ],
    ids=["contiguous", "big-endian", "another filter", "lzf"],
)
def test_everything_else_is_encoded_again(tmp_path, array, storage):
    target = copied(tmp_path, source(tmp_path / "s.h5", array, **storage))
    assert filters(target) == [32008]
    with h5py.File(target) as file:
        assert file["data"].dtype == array.dtype.newbyteorder("<")
        assert file["data"].chunks == (1, 40, 50)
    np.testing.assert_array_equal(values(target), array)


def test_chunks_that_were_never_written_are_filled(tmp_path):
    path = tmp_path / "s.h5"
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset(
            "entry/data", (3, 40, 50), "u4", chunks=(1, 40, 50), fillvalue=9, **FILTERS["lz4"]
        )
        dataset[1] = COUNTS[1]
    got = values(copied(tmp_path, frames_of(path)))
    np.testing.assert_array_equal(got[1], COUNTS[1])
    assert np.all(got[[0, 2]] == 9)


def test_gzip_is_used_when_asked_for(tmp_path):
    for frames in (COUNTS, source(tmp_path / "s.h5", COUNTS, chunks=(1, 40, 50), **FILTERS["bitshuffle-lz4"])):
        target = copied(tmp_path, frames, "gzip")
        assert filters(target) == [2, 1]
        np.testing.assert_array_equal(values(target), COUNTS)


@pytest.mark.parametrize("dtype", ["u1", "<i2", ">u2", "<u4", "<i4", ">i4", "<f4", "<f8"])
def test_arrays_in_memory_keep_every_value(tmp_path, dtype):
    array = COUNTS.astype(dtype)
    if array.dtype.kind == "f":
        array[0, 0, :3] = np.nan, np.inf, -0.0
    got = values(copied(tmp_path, array))
    np.testing.assert_array_equal(got, array)
    assert got.dtype == array.dtype.newbyteorder("<")


def test_a_damaged_source_is_named(tmp_path):
    frames = source(tmp_path / "s.h5", COUNTS, chunks=(1, 40, 50), compression="gzip")
    with h5py.File(frames.path) as file:
        chunk = file["entry/data"].id.get_chunk_info_by_coord((2, 0, 0))
    with frames.path.open("r+b") as raw:
        raw.seek(chunk.byte_offset + 8)
        raw.write(b"\xff" * 40)
    with pytest.raises(ReadError, match=r"s\.h5: entry/data cannot be read .*may be damaged"):
        copied(tmp_path, frames)


def test_a_missing_source_is_named(tmp_path):
    frames = Hdf5Frames(tmp_path / "gone.h5", "entry/data", (1, 2, 2), np.dtype("u4"))
    with pytest.raises(ReadError, match=r"gone\.h5: entry/data cannot be read"):
        copied(tmp_path, frames)


def test_frames_that_read_back_otherwise_are_refused(tmp_path, monkeypatch):
    frames = source(tmp_path / "s.h5", COUNTS, chunks=(1, 40, 50), **FILTERS["lz4"])
    other = source(tmp_path / "o.h5", COUNTS + 1, chunks=(1, 40, 50), **FILTERS["lz4"])
    wrong = chunks(other.path, "entry/data")
    monkeypatch.setattr("nxscatter.store.nexus.frames._Source.chunks", lambda self: iter([((2, 0, 0), *wrong[0, 0])]))
    with pytest.raises(ContainerError, match="frame 0 does not read back as it was"):
        copied(tmp_path, frames)


def test_the_reader_gives_frames_one_by_one(tmp_path):
    path = Path(source(tmp_path / "s.h5", COUNTS, chunks=(1, 40, 50), **FILTERS["lz4"]).path)
    reader = Hdf5Reader(lambda: h5py.File(path), "entry/data", COUNTS.shape)
    assert reader.shape == (3, 40, 50)
    np.testing.assert_array_equal(np.stack([frame.copy() for frame in reader]), COUNTS)
    np.testing.assert_array_equal(reader.read(1), COUNTS[1])
    assert reader.read(1).dtype == np.uint32

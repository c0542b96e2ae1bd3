"""Content hashes: what a file says, not how it is stored."""

import hashlib
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest

from nxscatter.errors import ContainerError
from nxscatter.store.nexus import hdf5
from nxscatter.store.nexus.hashing import combined, field_hash, frames_hash, hashed_meanwhile, tree_hashes
from nxscatter.store.nexus.tree import Group

VALUES = np.arange(600, dtype=np.int32).reshape(20, 30)


@pytest.fixture
def file(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as opened:
        yield opened


STORAGES: dict[str, dict[str, Any]] = {
    "contiguous": {},
    "chunks": {"chunks": (7, 11)},
    "gzip": {"compression": "gzip", "shuffle": True},
    "bitshuffle": {"chunks": (5, 30), **hdf5plugin.Bitshuffle()},
}


@pytest.mark.parametrize("storage", STORAGES.values(), ids=list(STORAGES))
def test_a_hash_does_not_depend_on_storage(file, storage):
    file["plain"] = VALUES
    file.create_dataset("other", data=VALUES, **storage)
    assert field_hash(hdf5.read(file, "plain")) == field_hash(hdf5.read(file, "other"))


def test_a_hash_does_not_depend_on_byte_order(file):
    file["little"] = VALUES.astype("<i4")
    file["big"] = VALUES.astype(">i4")
    assert field_hash(hdf5.read(file, "little")) == field_hash(hdf5.read(file, "big"))


def test_the_hash_of_numbers_is_what_the_docstring_says(file):
    file["x"] = np.array([1.5, -2.0])
    content = b'["<f8",[2],{}]' + np.array([1.5, -2.0], "<f8").tobytes()
    assert field_hash(hdf5.read(file, "x")) == hashlib.sha256(content).hexdigest()


def change_value(group):
    group["x"][3, 4] += 1


def change_last_bit(group):
    group["f"][0] = np.nextafter(group["f"][0], 2)


def change_sign_of_zero(group):
    group["f"][1] = -0.0


def change_attribute(group):
    group["x"].attrs["units"] = "counts2"


def change_group_attribute(group):
    group["inside"].attrs["NX_class"] = "NXnote"


def change_own_attribute(group):
    group.attrs["a"] = 2


def change_dtype(group):
    values = group["x"][()].astype(np.int64)
    attributes = dict(group["x"].attrs)
    del group["x"]
    group["x"] = values
    group["x"].attrs.update(attributes)


def change_shape(group):
    values = group["f"][()]
    del group["f"]
    group["f"] = values.reshape(1, -1)


def change_text(group):
    group["text"][()] = "b"


def change_one_of_texts(group):
    group["texts"][1] = "three"


def split_texts_elsewhere(group):
    group["texts"][...] = ["on", "etwo"]


def change_link(group):
    del group["link"]
    group["link"] = h5py.SoftLink("/g/f")


def turn_link_into_copy(group):
    del group["link"]
    group["link"] = VALUES


def remove(group):
    del group["inside/deep"]


def add(group):
    group["inside/new"] = 1


def rename(group):
    group.move("f", "g")


CHANGES = [
    change_value,
    change_last_bit,
    change_sign_of_zero,
    change_attribute,
    change_group_attribute,
    change_own_attribute,
    change_dtype,
    change_shape,
    change_text,
    change_one_of_texts,
    split_texts_elsewhere,
    change_link,
    turn_link_into_copy,
    remove,
    add,
    rename,
]


def make(file):
    group = file.create_group("g")
    group.attrs["a"] = 1
    group["x"] = VALUES
    group["x"].attrs["units"] = "counts"
    group["f"] = np.array([1.0, 0.0, np.nan])
    group["text"] = "a"
    group["texts"] = ["one", "two"]
    group["link"] = h5py.SoftLink("/g/x")
    group["inside/deep"] = 5
    group["inside"].attrs["NX_class"] = "NXcollection"
    return group


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_every_change_shows(file, change):
    group = make(file)
    before = tree_hashes(hdf5.read(group, "."))
    change(group)
    after = tree_hashes(hdf5.read(group, "."))
    assert before != after
    assert combined(before) != combined(after)


def test_only_the_changed_path_changes(file):
    group = make(file)
    before = tree_hashes(hdf5.read(group, "."))
    change_value(group)
    after = tree_hashes(hdf5.read(group, "."))
    assert {path for path in before if before[path] != after[path]} == {"x"}
    assert set(before) == {".", "x", "f", "text", "texts", "link", "inside", "inside/deep"}


def test_skipped_paths_and_attributes_do_not_count(file):
    group = make(file)
    before = tree_hashes(hdf5.read(group, "."), skip=("inside", "x"), skip_attributes=("a",))
    change_value(group)
    remove(group)
    change_own_attribute(group)
    assert tree_hashes(hdf5.read(group, "."), skip=("inside", "x"), skip_attributes=("a",)) == before


def test_frames_are_hashed_as_stored(file):
    frames = np.random.default_rng(1).integers(0, 9, (2, 20, 30), dtype=np.int32)
    for name, storage in (("one", STORAGES["bitshuffle"]), ("same", STORAGES["bitshuffle"]), ("other", {})):
        file.create_dataset(name, data=frames, **{**storage, **({"chunks": (1, 20, 30)} if storage else {})})
    assert frames_hash(file["one"]) == frames_hash(file["same"])
    assert frames_hash(file["one"]) != frames_hash(file["other"])
    file["same"][1, 19, 29] += 1
    assert frames_hash(file["one"]) != frames_hash(file["same"])


def test_contiguous_frames_are_hashed_by_value(file):
    frames = np.arange(12, dtype=np.uint16).reshape(1, 3, 4)
    file["one"], file["other"] = frames, frames
    assert frames_hash(file["one"]) == frames_hash(file["other"])
    file["other"][0, 0, 0] = 7
    assert frames_hash(file["one"]) != frames_hash(file["other"])


def test_what_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "broken.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("g/x", data=VALUES, compression="gzip", chunks=VALUES.shape)
        chunk = data.id.get_chunk_info(0)
    with path.open("r+b") as raw:
        raw.seek(chunk.byte_offset)
        raw.write(b"\xff" * chunk.size)
    with h5py.File(path) as file, pytest.raises(ContainerError, match=r"broken\.h5: /g/x cannot be read"):
        hdf5.read(file, "g")


@pytest.mark.parametrize("size", [10, 1 << 20])
def test_hashing_meanwhile_gives_the_same(size):
    group = Group("/g")
    group.group("inner", "NXdata").field("x", np.arange(size))
    done = []
    with hashed_meanwhile(group, tree_hashes) as hashed:
        done.append("written")
        assert hashed() == tree_hashes(group)
    assert done == ["written"]


def test_an_error_meanwhile_is_not_lost():
    group = Group("/g")
    group.field("x", np.zeros(1 << 18))
    with pytest.raises(OSError, match="disk"), hashed_meanwhile(group, tree_hashes):
        raise OSError("disk")

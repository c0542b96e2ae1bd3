"""Trees go into a file and come back, and say the same to h5py and to the hashes."""

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nxscatter.errors import ContainerError
from nxscatter.store.nexus import hdf5
from nxscatter.store.nexus.hashing import tree_hashes
from nxscatter.store.nexus.tree import Group, Link

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
KINDS = st.sampled_from(["u1", "u2", "i4", "i8", "f4", "f8", ">f4", "?"])
NUMBERS = hnp.arrays(KINDS, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0))
LISTS = st.lists(TEXTS, max_size=3).map(tuple)
VALUES = TEXTS | TEXTS.map(str.encode) | LISTS | NUMBERS | st.floats() | st.integers(0, 9)
FIELDS = st.lists(st.tuples(VALUES, TEXTS.map(lambda text: text.replace("\0", ""))), max_size=4)


@pytest.fixture
def file(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as opened:
        yield opened


def tree_of(fields, inner):
    top = Group("/top", NX_class="NXentry", axes=["y", "x"], y_indices=0)
    for number, (value, units) in enumerate(fields):
        top.field(f"f{number}", value, units)
    group = top.group("inner", "NXcollection")
    for number, (value, units) in enumerate(inner):
        group.field(f"f{number}", value, units)
    top.link("link", "/top/inner")
    return top


@settings(max_examples=60, deadline=None)
@given(FIELDS, FIELDS)
def test_what_is_hashed_in_memory_is_what_the_file_says(fields, inner):
    top = tree_of(fields, inner)
    with h5py.File("memory", "w", driver="core", backing_store=False) as file:
        hdf5.write(file, "top", top)
        back = hdf5.read(file, "/top")
    assert tree_hashes(back) == tree_hashes(top)
    assert back["inner"].path == top["inner"].path
    assert back["link"] == Link("/top/inner")


def test_h5py_reads_what_was_written(file):
    top = Group("/top", NX_class="NXdata", axes=["y", "x"], y_indices=1)
    top.field("text", "Å", "m", long_name="a text")
    top.field("texts", ("one", ""))
    top.field("bytes", "{Å}".encode())
    top.field("number", 2.5)
    top.field("image", np.arange(6, dtype=np.uint16).reshape(2, 3).T)
    top.field("nothing", np.zeros(0))
    hdf5.write(file, "top", top)
    found = file["top"]
    assert found["text"].asstr()[()] == "Å"
    assert dict(found["text"].attrs) == {"units": "m", "long_name": "a text"}
    assert found["texts"].asstr()[()].tolist() == ["one", ""]
    assert found["bytes"][()] == "{Å}".encode()
    assert found["number"][()] == 2.5
    np.testing.assert_array_equal(found["image"], [[0, 3], [1, 4], [2, 5]])
    assert found["nothing"].shape == (0,)
    assert list(found.attrs["axes"]) == ["y", "x"]
    assert found.attrs["y_indices"] == 1


def test_what_h5py_has_written_is_read(file):
    group = file.create_group("g", track_order=True)
    group["big"] = np.array([1, 2], dtype=">i4")
    group["ascii"] = np.array([b"ab", b"c"], dtype="S4")
    group["grid"] = np.array([["a", "b"]], dtype=h5py.string_dtype())
    group.attrs["list"] = [1, 2]
    group.attrs["bytes"] = np.bytes_(b"x")
    group["external"] = h5py.ExternalLink("other.h5", "/data")
    back = hdf5.read(file, "g")
    assert back["big"].value.tolist() == [1, 2]
    assert back["ascii"].texts == ("ab", "c")
    assert (back["grid"].texts, back["grid"].shape) == (("a", "b"), (1, 2))
    assert back.attrs["list"].tolist() == [1, 2]
    assert back["external"] == Link("other.h5::/data")


def test_large_arrays_are_compressed_and_small_ones_are_not(file):
    top = Group("/top")
    top.field("image", np.zeros((300, 300)), compression="bitshuffle")
    top.field("archived", np.zeros((300, 300)), compression="gzip")
    top.field("column", np.zeros(9000))
    top.field("short", np.zeros(900))
    hdf5.write(file, "top", top)
    stored = {name: file["top"][name].id.get_create_plist() for name in top.members}
    filters = {name: [one.get_filter(at)[0] for at in range(one.get_nfilters())] for name, one in stored.items()}
    assert filters == {"image": [32008, 3], "archived": [2, 1], "column": [2, 1], "short": []}


def test_a_nul_within_a_text_does_not_cut_it(file):
    top = Group("/top")
    top.field("one", "before\0after")
    top.field("many", ("a\0b", ""))
    hdf5.write(file, "top", top)
    assert file["top/one"].asstr()[()] == "before\N{SYMBOL FOR NULL}after"
    assert file["top/many"].asstr()[()].tolist() == ["a\N{SYMBOL FOR NULL}b", ""]


def test_bytes_that_are_no_utf8_are_shown(file):
    file["x"] = np.bytes_(b"a\xffb")
    assert hdf5.read_text(file, "x") == "a\\xffb"


def test_what_is_neither_text_nor_numbers_is_named(file):
    file["g/x"] = h5py.Empty("f8")
    with pytest.raises(ContainerError, match=r"x\.h5: /g/x cannot be read"):
        hdf5.read(file, "g")


def test_skipped_paths_are_not_read(file):
    top = tree_of([(1.0, "")], [(2.0, ""), ("text", "")])
    hdf5.write(file, "top", top)
    back = hdf5.read(file, "top", skip=("f0", "inner/f1"))
    assert sorted(back.members) == ["inner", "link"]
    assert list(back["inner"].members) == ["f0"]


def test_what_is_not_there_is_a_key_error(file):
    with pytest.raises(KeyError):
        hdf5.read(file, "nothing")
    with pytest.raises(KeyError):
        Group("/top")["nothing"]


def test_a_note_without_json_is_named(file):
    file["note/data"] = np.bytes_(b"{no json")
    with pytest.raises(ContainerError, match=r"x\.h5: /note/data cannot be read"):
        hdf5.read_json(file, "note")

"""Every change that was not made by nxscatter is found and named, and nothing else is reported."""

import random
import shutil

import h5py
import hdf5plugin  # noqa: F401  (the frames are read here)
import numpy as np
import pytest

from nxscatter.errors import ContainerError
from nxscatter.model import Attachment
from nxscatter.plain import canonical_json
from nxscatter.store import layout
from nxscatter.store.container import Container
from nxscatter.store.nexus import hdf5
from nxscatter.store.nexus.hashing import text_hash
from nxscatter.store.verify import verify
from nxscatter.workflow import runner
from nxscatter.workflow.replay import replay
from support import toy

FRAMES = "/entry/instrument/detector/data"


def test_an_untouched_container_has_no_problem(box):
    found = verify(box.path)
    assert (found.problems, found.ok) == ([], True)


def test_neither_has_one_without_records(tmp_path):
    assert verify(toy.make(tmp_path / "x.nxs", records=False).path).problems == []


def test_neither_has_one_that_was_appended_to_many_times(box):
    for fill in (1.0, 2.0, 1.0):
        runner.run(box, toy.ToyCaving(fill=fill))
        runner.run(box, toy.ToyProfiles(), name="inner")
    runner.run(box, toy.ToyOrder())
    assert verify(box.path).problems == []


def test_neither_has_one_with_odd_texts(tmp_path):
    box = toy.make(tmp_path / "x.nxs", records=False)
    odd = (Attachment("empty.msk", np.zeros((toy.ROWS, toy.COLUMNS), dtype=bool), "Å\0b"),)
    runner.run(box, toy.ToyMasking(mask=odd))
    assert verify(box.path).problems == []


def test_neither_has_a_copy_written_by_other_tools(box, tmp_path):
    """Content does not depend on where in the file it stands."""
    with h5py.File(box.path) as old, h5py.File(tmp_path / "copy.nxs", "w") as new:
        new.attrs.update(old.attrs)
        old.copy("entry", new)
    assert verify(tmp_path / "copy.nxs").problems == []


def test_neither_has_one_made_by_the_real_steps(processed_file):
    assert verify(processed_file).problems == []


def value(path, change):
    def tamper(file):
        dataset = file[path]
        dataset[...] = change(dataset[()])

    return tamper


def attribute(path, name, new):
    def tamper(file):
        file[path].attrs[name] = new

    return tamper


def remove(path):
    def tamper(file):
        del file[path]

    return tamper


def swap(path, other):
    def tamper(file):
        file.move(path, "/aside")
        file.move(other, path)
        file.move("/aside", other)

    return tamper


def swap_values(path, other):
    def tamper(file):
        one, two = file[path][()], file[other][()]
        file[path][()], file[other][()] = two, one

    return tamper


def remove_last_record(file):
    del file["entry/toy_order_v1"]
    file["entry"].attrs["default"] = "toy_fit_v1"


def remove_last_record_and_say_so(file):
    """As somebody would who knows about the ledger, but not how it is hashed."""
    remove_last_record(file)
    ledger = layout.read_ledger(file)
    ledger.update(records=5, names=ledger["names"][:-1])
    layout.write_ledger(file, ledger)


def duplicate_record(file):
    file.copy("entry/toy_fit_v1", "entry/toy_fit_v2")


def configuration(path, change):
    def tamper(file):
        note = file[path]
        data = note["data"][()].decode()
        new = change(data)
        del note["data"]
        note["data"] = np.bytes_(new.encode())
        note["checksum"][()] = text_hash(new)

    return tamper


def double(number):
    return number * 2 + 1


def reverse(text):
    return text[::-1]


TAMPERS = {
    "raw count": (value(FRAMES, lambda x: x + (np.arange(x.size).reshape(x.shape) == 77)), FRAMES),
    "raw units": (attribute(FRAMES, "units", "photons"), FRAMES),
    "distance": (value("/entry/instrument/detector/distance", double), "/entry/instrument/detector/distance"),
    "wavelength of the description": (
        value("/entry/instrument/description/beam/wavelength", double),
        "/entry/instrument/description/beam/wavelength",
    ),
    "sample name": (value("/entry/sample/name", reverse), "/entry/sample/name"),
    "sample field gone": (remove("/entry/sample/magnetic_field"), "/entry/sample/magnetic_field: removed"),
    "title": (value("/entry/title", reverse), "/entry/title"),
    "header": (value("/entry/source/data", lambda x: x.replace(b"1", b"2")), "/entry/source/data"),
    "metadata": (value("/entry/source_metadata/item_2", double), "/entry/source_metadata/item_2"),
    "all metadata gone": (remove("/entry/source_metadata"), "/entry/source_metadata: removed"),
    "own mask": (value("/entry/attachments/mask_1/image/data", double), "/entry/attachments/mask_1/image/data"),
    "axis link": (
        lambda file: (
            file.__delitem__("/entry/data/data"),
            file.__setitem__("/entry/data/data", h5py.SoftLink("/entry/x")),
        ),
        "/entry/data/data",
    ),
    "creator version": (attribute("/", "creator_version", "9"), "/: altered"),
    "entry attribute": (attribute("/entry", "note", "x"), "/entry: altered"),
    "root default": (attribute("/", "default", "data"), "/: its default is 'data'"),
    "entry default": (attribute("/entry", "default", "data"), "/entry: its default is 'data', not 'toy_order_v1'"),
    "extra group in the root": (lambda file: file.create_group("other"), "/other: added"),
    "extra group in the entry": (lambda file: file.create_group("entry/mine"), "/entry/mine: added"),
    "extra field in the entry": (lambda file: file.create_dataset("entry/mine", data=1), "/entry/mine: added"),
    "parameter": (value("/entry/toy_caving_v1/parameters/fill", double), "/entry/toy_caving_v1/parameters/fill"),
    "units of a parameter": (
        attribute("/entry/toy_profiles_v1/parameters/q", "units", "1/nm"),
        "/entry/toy_profiles_v1/parameters/q",
    ),
    "date": (value("/entry/toy_fit_v1/date", reverse), "/entry/toy_fit_v1/date"),
    "program version": (value("/entry/toy_fit_v1/version", lambda x: x + b"1"), "/entry/toy_fit_v1/version"),
    "result": (value("/entry/toy_fit_v1/table/x0", double), "/entry/toy_fit_v1/table/x0"),
    "detail of a result": (
        value("/entry/toy_fit_v1/details/covariance", lambda x: x + 1),
        "/entry/toy_fit_v1/details/covariance",
    ),
    "status of a result": (
        value("/entry/toy_fit_v1/table/status", lambda x: x[::-1]),
        "/entry/toy_fit_v1/table/status",
    ),
    "signal of a plot": (attribute("/entry/toy_fit_v1/table", "signal", "I"), "/entry/toy_fit_v1/table: altered"),
    "long name": (
        attribute("/entry/toy_profiles_v1/curves/ring_1", "long_name", "q = 9"),
        "/entry/toy_profiles_v1/curves/ring_1",
    ),
    "default of a record": (attribute("/entry/toy_fit_v1", "default", "fit_2"), "/entry/toy_fit_v1: altered"),
    "target of a result": (
        attribute("/entry/toy_fit_v1/table", "target", "/entry/x"),
        "/entry/toy_fit_v1/table: its target attribute says /entry/x",
    ),
    "configuration": (
        configuration("/entry/toy_caving_v1/configuration", lambda text: text.replace("7.0", "8.0")),
        "/entry/toy_caving_v1/configuration/data",
    ),
    "embedded mask": (
        value("/entry/toy_masking_v1/input_3/image/data", double),
        "/entry/toy_masking_v1/input_3/image/data",
    ),
    "checksum of an input": (
        swap_values("/entry/toy_profiles_v1/input_1/checksum", "/entry/toy_profiles_v1/input_2/checksum"),
        "/entry/toy_profiles_v1/input_1/checksum",
    ),
    "link of an input": (
        lambda file: (
            file.__delitem__("/entry/toy_fit_v1/input_1/source"),
            file.__setitem__("/entry/toy_fit_v1/input_1/source", h5py.SoftLink("/entry/data")),
        ),
        "/entry/toy_fit_v1/input_1/source",
    ),
    "result hashes": (
        value("/entry/toy_fit_v1/result/data", lambda x: x.replace(b"a", b"b")),
        "/entry/toy_fit_v1/result/data",
    ),
    "checksum of a record": (value("/entry/toy_fit_v1/result/checksum", reverse), "/entry/toy_fit_v1/result/checksum"),
    "table of contents of a record": (
        value("/entry/toy_fit_v1/contents/data", lambda x: x.replace(b"a", b"b")),
        "/entry/toy_fit_v1/contents: altered",
    ),
    "table of contents": (
        value("/entry/contents/data", lambda x: x.replace(b"a", b"b")),
        "/entry/contents: altered",
    ),
    "description of the ledger": (value("/entry/ledger/description", reverse), "/entry/ledger: altered"),
    "checksum in the ledger": (
        lambda file: layout.write_ledger(file, {**layout.read_ledger(file), "checksum": "0" * 64}),
        "/entry/ledger: its checksum is not that of toy_order_v1",
    ),
    "number in the ledger": (
        lambda file: layout.write_ledger(file, {**layout.read_ledger(file), "records": 7}),
        "/entry/ledger: altered",
    ),
    "last record removed": (remove_last_record, "/entry/toy_order_v1: removed"),
    "last record removed from the ledger too": (remove_last_record_and_say_so, "/entry/ledger: its checksum"),
    "middle record removed": (remove("/entry/toy_profiles_v1"), "/entry/toy_profiles_v1: removed"),
    "record duplicated": (duplicate_record, "/entry/toy_fit_v2: added"),
    "sequence swapped": (
        swap_values("/entry/toy_caving_v1/sequence_index", "/entry/toy_masking_v1/sequence_index"),
        "/entry/toy_caving_v1: its sequence_index is 2, in the ledger it is number 3",
    ),
    "records swapped": (swap("/entry/toy_caving_v1", "/entry/toy_masking_v1"), "/entry/toy_caving_v1: its target"),
    "result groups swapped": (
        swap("/entry/toy_fit_v1/fit_1", "/entry/toy_fit_v1/fit_2"),
        "/entry/toy_fit_v1/fit_1/intensity: altered",
    ),
    "record that is none": (attribute("/entry/toy_fit_v1", "NX_class", "NXcollection"), "/entry/toy_fit_v1: removed"),
    "broken link in the entry": (
        lambda file: file.__setitem__("/entry/broken", h5py.SoftLink("/nowhere")),
        "/entry/broken: added",
    ),
    "external link in a result": (
        lambda file: file.__setitem__("/entry/toy_fit_v1/table/more", h5py.ExternalLink("x.h5", "/x")),
        "/entry/toy_fit_v1/table/more: added",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("tamper", "named"), TAMPERS.values(), ids=list(TAMPERS))
def test_a_change_is_found_and_named(box, tamper, named):
    with h5py.File(box.path, "r+") as file:
        tamper(file)
    found = verify(box.path)
    assert not found.ok
    assert any(named in problem for problem in found.problems), found.problems
    assert all("\n" not in problem for problem in found.problems)


def test_one_change_is_named_alone(box):
    for path in ("/entry/toy_masking_v1/parameters/threshold", "/entry/toy_fit_v1/table/x0", "/entry/title"):
        copy = Container(shutil.copy(box.path, box.path.with_name("copy.nxs")))
        with h5py.File(copy.path, "r+") as file:
            file[path][...] = "x" if path.endswith("title") else 3.0
        assert verify(copy.path).problems == [f"{path}: altered"]


def test_a_record_forged_with_all_its_hashes_is_found_by_its_successor(box):
    """Who makes a record's own hashes again still breaks the chain, and the inputs of what follows."""
    from nxscatter.store.ledger import other_hashes, record_checksum, result_hashes

    with h5py.File(box.path, "r+") as file:
        group = file["entry/toy_fit_v1"]
        group["table/x0"][...] = 1.0
        del group["result/data"], group["contents"]
        group["result/data"] = np.bytes_(canonical_json(result_hashes(hdf5.read(file, group.name))).encode())
        record = hdf5.read(file, group.name)
        hdf5.write(group, "contents", layout.contents_note(group.name, other_hashes(record)))
        before = file["entry/toy_profiles_v1/result/checksum"].asstr()[()]
        group["result/checksum"][()] = record_checksum(result_hashes(record), other_hashes(record), before)
    assert verify(box.path).problems == [
        "/entry/toy_order_v1/result/checksum: does not fit this record and the one before it",
        "/entry/toy_order_v1: its input /entry/toy_fit_v1 is not the one that it was made from",
    ]
    assert replay(box.path).replayed == "different"


def test_damage_never_reaches_a_decoder_that_would_crash(processed_file, tmp_path):
    path = "/entry/masking_v1/image/intensity"
    original, copy = processed_file.read_bytes(), tmp_path / "x.nxs"
    with h5py.File(processed_file) as file:
        chunk = file[path].id.get_chunk_info(0)
    dice = random.Random(3)
    for _ in range(6):
        damaged = bytearray(original)
        damaged[chunk.byte_offset + dice.randrange(chunk.size)] ^= 1 << dice.randrange(8)
        copy.write_bytes(damaged)
        assert any(f"{path} cannot be read" in problem for problem in verify(copy).problems)


@pytest.mark.parametrize("keep", [0, 10, 600, 40_000, 200_000])
def test_a_truncated_file_has_failed(box, keep):
    box.path.write_bytes(box.path.read_bytes()[:keep])
    found = verify(box.path)
    assert not found.ok
    assert str(box.path) in found.problems[0]


def test_a_foreign_file_has_failed(tmp_path):
    with h5py.File(tmp_path / "x.nxs", "w") as file:
        file["data"] = 1
    assert "is not a nxscatter container" in verify(tmp_path / "x.nxs").problems[0]


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(ContainerError, match="no such file"):
        verify(tmp_path / "x.nxs")

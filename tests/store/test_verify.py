"""Every change that was not made by nxscatter is found and named, and nothing else is reported."""

import random
import shutil

import h5py
import hdf5plugin  # noqa: F401  (the frames are read here)
import numpy as np
import pytest

from nxscatter.errors import ContainerError, UnknownStepError
from nxscatter.model import Attachment
from nxscatter.plain import canonical_json
from nxscatter.store import layout
from nxscatter.store.container import Container
from nxscatter.store.nexus import hdf5
from nxscatter.store.nexus.hashing import text_hash
from nxscatter.store.verify import verify
from nxscatter.workflow import runner
from support import toy

FRAMES = "/entry/instrument/detector/data"


def test_an_untouched_container_has_no_problem(box):
    found = verify(box.path)
    assert (found.problems, found.ok, found.replayed) == ([], True, None)


def test_neither_has_one_without_records(tmp_path):
    assert verify(toy.make(tmp_path / "x.nxs", records=False).path).problems == []


def test_neither_has_one_that_was_appended_to_many_times(box):
    for fill in (1.0, 2.0, 1.0):
        runner.run(box, toy.ToyCaving(fill=fill))
        runner.run(box, toy.ToyProfiles(), name="inner")
    runner.run(box, toy.ToyOrder())
    assert verify(box.path).problems == []


def test_neither_has_one_with_odd_texts(tmp_path, toys):
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
    found = verify(processed_file, replay=True)
    assert (found.problems, found.replayed, found.notes) == ([], "exact", [])


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
    assert verify(box.path, replay=True).replayed == "different"


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


def test_altered_frames_are_not_replayed(box):
    with h5py.File(box.path, "r+") as file:
        file[FRAMES][0, 0, 0] += 1
    found = verify(box.path, replay=True)
    assert (found.ok, found.replayed) == (False, None)


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


def test_replay_is_exact_here(box):
    found = verify(box.path, replay=True)
    assert (found.ok, found.replayed, found.notes) == (True, "exact", [])


def test_a_container_alone_is_enough_to_replay(box, tmp_path, monkeypatch):
    folder = tmp_path / "alone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    moved = shutil.move(box.path, folder / "x.nxs")
    assert verify(moved, replay=True).replayed == "exact"


def shifted(kind, by):
    """A caving whose numbers differ from those that were stored."""
    original = kind.__call__

    def call(self, image: toy.Image) -> toy.Image:
        result = original(self, image)
        return toy.Image(intensity=result.intensity * np.float32(1 + by), flags=result.flags, frames=result.frames)

    return call


def test_replay_within_the_tolerance_says_how_far_and_which_environment(box, monkeypatch):
    from nxscatter.workflow import replay

    monkeypatch.setattr(toy.ToyCaving, "__call__", shifted(toy.ToyCaving, 3e-7))
    monkeypatch.setattr(replay, "environment", lambda: {**box.records[0].environment, "numpy": "9.9"})
    found = verify(box.path, replay=True)
    assert (found.ok, found.replayed) == (True, "tolerance")
    assert "/entry/toy_caving_v1: agrees within 1e-06, not bit by bit; farthest image/intensity" in found.notes[0]
    assert f"numpy {np.__version__} then, 9.9 now" in found.notes[0]


def test_replay_beyond_the_tolerance_names_dataset_and_distance(box, monkeypatch):
    monkeypatch.setattr(toy.ToyCaving, "__call__", shifted(toy.ToyCaving, 0.25))
    found = verify(box.path, replay=True)
    assert (found.ok, found.replayed) == (False, "different")
    assert found.problems == [
        "/entry/toy_caving_v1/image/intensity: differs from its recomputation by 0.25 of its largest value; "
        "the environment is the same"
    ]


def test_replay_finds_another_pattern_of_missing_values(box, monkeypatch):
    def call(self, image: toy.Image) -> toy.Image:
        return toy.Image(intensity=image.intensity, flags=image.flags, frames=image.frames)

    monkeypatch.setattr(toy.ToyCaving, "__call__", call)
    found = verify(box.path, replay=True)
    assert found.replayed == "different"
    assert "in text, type, shape or attributes" in found.problems[0]


def test_replay_with_newer_code_is_refused(box, monkeypatch):
    monkeypatch.setattr(toy.ToyFit, "version", 2)
    found = verify(box.path, replay=True)
    assert (found.ok, found.replayed) == (False, "not_replayable")
    assert found.problems == [
        "/entry/toy_fit_v1: cannot be replayed: step toy_fit is version 2 here, version 1 is not kept"
    ]


def test_what_stands_on_a_lost_version_is_not_replayable_either(box, monkeypatch):
    """Frame by frame, a profile is made through the steps of its image."""

    def call(self, image: toy.Image, geometry: toy.Geometry, rings: toy.Rings | None = None) -> toy.Profiles:
        return image.stage.shape

    monkeypatch.setattr(toy.ToyCaving, "version", 2)
    monkeypatch.setattr(toy.ToyProfiles, "__call__", call)
    problems = verify(box.path, replay=True).problems
    assert any(one.startswith("/entry/toy_profiles_v1: cannot be replayed: step toy_caving") for one in problems)


def test_an_older_version_that_is_kept_replays_what_it_made(box, monkeypatch):
    from nxscatter import step

    monkeypatch.setattr(step, "_REGISTRY", dict(step._REGISTRY))
    monkeypatch.setattr(step, "_OLDER", {})

    class Newer(toy.ToyFit):
        name = "toy_fit"
        version = 2

        def __call__(self, profiles: toy.Profiles) -> toy.Fits:
            raise AssertionError("the record was made by version 1")

    assert step.get_step("toy_fit") is Newer
    assert step.get_step("toy_fit", 1) is toy.ToyFit
    assert verify(box.path, replay=True).replayed == "exact"


def test_the_order_in_which_versions_are_defined_does_not_matter(monkeypatch, toys):
    from nxscatter import step

    monkeypatch.setattr(step, "_REGISTRY", dict(step._REGISTRY))
    monkeypatch.setattr(step, "_OLDER", {})

    class Older(toy.ToyFit):
        name = "toy_fit"
        version = 0

    assert step.get_step("toy_fit") is toy.ToyFit
    assert step.get_step("toy_fit", 0) is Older
    with pytest.raises(UnknownStepError, match="step toy_fit is version 1 here, version 5 is not kept"):
        step.get_step("toy_fit", 5)


def test_replay_without_the_step_is_refused(box, monkeypatch):
    from nxscatter import step

    monkeypatch.delitem(step._REGISTRY, "toy_order")
    found = verify(box.path, replay=True)
    assert found.replayed == "not_replayable"
    assert found.problems[0].startswith("/entry/toy_order_v1: cannot be replayed: unknown step 'toy_order'")


def test_replay_reports_a_step_that_fails(box, monkeypatch):
    from nxscatter.errors import StepError

    def call(self, profiles: toy.Profiles) -> toy.Fits:
        raise StepError("no")

    monkeypatch.setattr(toy.ToyFit, "__call__", call)
    found = verify(box.path, replay=True)
    assert found.replayed == "different"
    assert found.problems == ["/entry/toy_fit_v1: cannot be computed again: no"]

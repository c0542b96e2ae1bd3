"""Containers: what is written comes back, records are only ever added, and nothing else is taken for a container."""

import dataclasses
import shutil
import threading

import h5py
import numpy as np
import pytest
from silx.io.nxdata import get_default

from nxscatter.errors import ContainerError
from nxscatter.model import Attachment, Hdf5Frames
from nxscatter.results import Fits, Image
from nxscatter.store.container import Container
from nxscatter.store.layout import read_ledger
from nxscatter.store.ledger import read_record, result_hashes
from nxscatter.store.nexus import hdf5
from nxscatter.store.writer import appending, create, creating
from nxscatter.workflow import runner
from nxscatter.workflow.tasks import Use
from support import toy


def same(one, other):
    for item in dataclasses.fields(one):
        first, second = getattr(one, item.name), getattr(other, item.name)
        if isinstance(first, float) and np.isnan(first):
            assert np.isnan(second)
        elif isinstance(first, dict):
            assert first.keys() == second.keys()
            for key, value in first.items():
                np.testing.assert_array_equal(value, second[key])
        elif item.name != "stage":
            np.testing.assert_array_equal(first, second)


def test_everything_that_a_reader_found_comes_back(box):
    scan = toy.scan()
    for name in ("beam", "detector", "exposure", "sample"):
        same(getattr(box, name), getattr(scan, name))
    assert (box.title, box.instrument, box.start_time, box.end_time) == ("Co_100mT", "unknown", scan.start_time, None)
    assert box.masks == scan.masks
    assert box.auxiliary == scan.auxiliary
    assert box.shape == scan.shape
    np.testing.assert_array_equal(np.stack([frame.copy() for frame in box.raw]), scan.frames)
    assert box.origin == dataclasses.replace(scan.origin, header={"a": 1, "b": None})


def test_metadata_of_the_source_is_kept_by_path(box):
    with box.opened() as file:
        items = {item.attrs["source_path"]: item[()] for item in file["entry/source_metadata"].values()}
    assert items.pop("/c").tolist() == [0, 1, 2, 3]
    assert items.pop("/e").tolist() == [b"p", b"q"]
    assert items == {"/a/b": "x\N{SYMBOL FOR NULL}y".encode(), "/d": b"", "/f g": np.float32(2)}


def test_nexus_lengths_are_the_detectors(box):
    with box.opened() as file:
        detector = file["entry/instrument/detector"]
        assert detector["beam_center_x"][()] == pytest.approx(15.0 * 1e-4)
        assert detector["beam_center_y"][()] == pytest.approx(12.0 * 1e-4)
        assert detector["distance"].attrs["units"] == "m"
        assert file["entry/data"].get("data", getlink=True).path == "/entry/instrument/detector/data"


def test_records_come_back(box):
    assert [record.name for record in box.records] == [f"{name}_v1" for name in toy.TOYS]
    masking = box.latest("toy_masking")
    assert masking.parameters["threshold"] == 1e9
    assert masking.notes == ("careful",)
    assert masking.load().notes == ("careful",)
    assert masking.auto == {"threshold": float(np.mean(np.asarray(toy.scan().frames), axis=0).max())}
    assert masking.attachments() == {"mask": (toy.MASK,)}
    assert masking.make_step() == toy.ToyMasking(mask=(toy.MASK,))
    assert {"numpy", "h5py", "python", "HDF5", "platform", "nxscatter"} <= set(masking.environment)
    assert [source.path for source in box.latest("toy_order").inputs["fits"]] == ["/entry/toy_fit_v1"]
    assert box.latest("toy_order").lineage == set(toy.TOYS)
    assert {parent.name for parent in box.latest("toy_profiles").parents} == {"toy_caving_v1", "toy_geometry_v1"}


def test_a_result_kept_in_memory_is_what_the_file_says(box):
    for known, read in zip(box.records, Container(box.path).records, strict=True):
        same(known.load(), read.load())
        assert (known.configuration, known.hashes) == (read.configuration, read.hashes)


def test_a_result_is_read_as_what_it_is_and_as_nothing_else(box):
    assert box.latest("toy_fit").load_as(Fits).model == "pseudo_voigt"
    with pytest.raises(ContainerError, match=r"toy.nxs: toy_fit_v1 holds fits, not image; choose a record of another"):
        box.latest("toy_fit").load_as(Image)


@pytest.mark.parametrize(("name", "part"), [("toy_fit", "chi2_red"), ("toy_masking", "intensity")])
def test_who_changes_a_result_changes_no_record(box, name, part):
    record = box.latest(name)
    before = getattr(record.load(), part).copy()
    getattr(record.load(), part)[...] = 7
    np.testing.assert_array_equal(getattr(record.load(), part), before)


def test_a_container_in_writing_tells_the_same_as_the_file_that_it_becomes(tmp_path):
    names = ("beam", "detector", "exposure", "sample")
    with creating(tmp_path / "x.nxs", toy.scan()) as writer:
        told = {name: getattr(writer.container, name) for name in (*names, "origin", "title", "masks", "auxiliary")}
    box = Container(tmp_path / "x.nxs")
    for name in names:
        same(told[name], getattr(box, name))
    for name in ("origin", "title", "masks", "auxiliary"):
        assert told[name] == getattr(box, name)


def test_the_container_of_a_writer_reads_the_file_when_the_transaction_is_over(tmp_path):
    with creating(tmp_path / "x.nxs", toy.scan()) as writer:
        made = runner.run(writer, toy.ToyGeometry())
        assert not (tmp_path / "x.nxs").exists()
    assert writer.container.records == (made,)
    assert [record.name for record in Container(tmp_path / "x.nxs").records] == ["toy_geometry_v1"]
    np.testing.assert_array_equal(writer.container.raw.read(0), np.asarray(toy.scan().frames)[0])
    writer.container.forget()
    same(writer.container.latest("toy_geometry").load(), made.load())


@pytest.fixture
def read_names(monkeypatch):
    """Names of the records that are read from files."""
    names = []

    def noted(file, name):
        names.append(name)
        return read_record(file, name)

    monkeypatch.setattr("nxscatter.store.container.read_record", noted)
    return names


@pytest.fixture
def long_container(tmp_path):
    """A container of 66 records, the last two of which are read by themselves."""
    with creating(tmp_path / "x.nxs", toy.scan()) as writer:
        runner.run_steps(writer, [(toy.ToyGeometry(), f"geometry_{number}", {}) for number in range(66)])
    return tmp_path / "x.nxs"


def test_a_recipe_reads_the_records_that_it_needs_however_many_there_are(long_container, read_names):
    box = Container(long_container)
    uses: list[Use] = [(toy.ToyGeometry(), "geometry_65", {}), (toy.ToyMasking(), "masking", {})]
    assert [record.name for record in runner.run_steps(box, uses)] == ["geometry_65_v1", "masking_v1"]
    assert set(read_names) == {f"geometry_{number}_v1" for number in (64, 65)}
    assert len(box.records) == 67


def test_a_record_is_read_once_however_often_its_container_is_appended_to(long_container, read_names):
    box = Container(long_container)
    for number in range(3):
        runner.run(box, toy.ToyMasking(threshold=1.0 + number))
        assert [record.sequence for record in box.records] == list(range(1, 68 + number))
    assert len(read_names) == 66


def test_what_another_process_has_appended_is_read(box):
    names = [record.name for record in box.records]
    runner.run(Container(box.path), toy.ToyCaving(fill=2.0))
    runner.run(box, toy.ToyCaving(fill=3.0))
    assert [record.name for record in box.records] == [*names, "toy_caving_v2", "toy_caving_v3"]
    assert box.record("toy_caving_v2").parameters["fill"] == 2.0


def test_a_damaged_record_hides_no_other(box):
    with h5py.File(box.path, "r+") as file:
        del file["entry/toy_masking_v1/date"]
    read = Container(box.path)
    assert read.record("toy_fit_v1").date
    with pytest.raises(ContainerError, match=r"toy\.nxs: cannot be read"):
        _ = read.record("toy_masking_v1").date


def test_a_transaction_that_fails_leaves_the_container_as_it_was(box):
    before, content = box.records, box.path.read_bytes()

    def fail():
        with appending(box) as writer:
            runner.run(writer, toy.ToyCaving(fill=2.0))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert box.records == before
    assert box.path.read_bytes() == content


def test_parameters_are_readable_with_units(box):
    with box.opened() as file:
        q = file["entry/toy_profiles_v1/parameters/q"]
        assert q[()].tolist() == [0.05, 0.07]
        assert q.attrs["units"] == "1/angstrom"
        assert file["entry/toy_masking_v1/parameters/mask"].asstr()[()].tolist() == ["mask.edf"]


def test_every_record_has_a_sensible_plot(box):
    kinds = {"toy_geometry": "is_curve", "toy_masking": "is_image", "toy_caving": "is_image"}
    with box.opened() as file:
        for record in box.records:
            plot = get_default(file[record.path])
            assert plot is not None
            assert plot.is_valid
            assert getattr(plot, kinds.get(record.step, "is_curve"))
        assert get_default(file).group.name == "/entry/toy_order_v1/order"
        assert get_default(file["entry/data"]).signal.shape == toy.scan().shape


def test_a_new_container_shows_its_frames(tmp_path):
    box = create(tmp_path / "x.nxs", toy.scan())
    with box.opened() as file:
        assert get_default(file).group.name == "/entry/data"


def test_appending_changes_only_ledger_and_default(box):
    with h5py.File(box.path) as file:
        before = result_hashes(hdf5.read(file, "entry/toy_caving_v1"))
        entry = set(file["entry"])
        checksums = {name: file[f"entry/{name}_v1/result/checksum"][()] for name in toy.TOYS}
    runner.run(box, toy.ToyCaving(fill=2.0))
    with h5py.File(box.path) as file:
        assert result_hashes(hdf5.read(file, "entry/toy_caving_v1")) == before
        assert set(file["entry"]) - entry == {"toy_caving_v2"}
        assert {name: file[f"entry/{name}_v1/result/checksum"][()] for name in toy.TOYS} == checksums
        assert file["entry"].attrs["default"] == "toy_caving_v2"
        ledger = read_ledger(file)
        assert (ledger["records"], ledger["names"][-1]) == (7, "toy_caving_v2")
        assert ledger["checksum"] == file["entry/toy_caving_v2/result/checksum"].asstr()[()]


def test_two_containers_of_one_scan_agree_in_their_results(box, tmp_path):
    other = toy.make(tmp_path / "other.nxs")
    for one, two in zip(box.records, other.records, strict=True):
        assert one.result_hash == two.result_hash
        assert one.checksum != two.checksum or one.date == two.date


def test_gzip_containers_open_without_a_plugin(tmp_path):
    with creating(tmp_path / "x.nxs", toy.scan(), compression="gzip"):
        pass
    box = Container(tmp_path / "x.nxs")
    image = np.zeros((300, 300), dtype=np.float32)

    @dataclasses.dataclass(frozen=True)
    class Big(toy.ToyMasking):
        def __call__(self, raw: toy.FrameReader, masks: tuple[Attachment, ...]) -> toy.Image:
            return toy.Image(intensity=image, flags=image.astype(np.uint16))

    runner.run(box, Big())
    found = []
    with h5py.File(box.path) as file:
        file.visititems(lambda _, item: found.append(getattr(item, "_filters", {})))
    assert "gzip" in {key for one in found for key in one}
    assert not [one for one in found if "32008" in one]


def test_a_container_is_made_once(box):
    with pytest.raises(ContainerError, match="exists already; use --overwrite"):
        create(box.path, toy.scan())
    assert len(Container(box.path).records) == 6
    assert create(box.path, toy.scan(), overwrite=True).records == ()


@pytest.mark.parametrize("content", [b"", b"not HDF5", b"\x89HDF\r\n\x1a\n" + bytes(3000)])
def test_overwriting_does_not_ask_what_the_old_file_was(tmp_path, content):
    path = tmp_path / "x.nxs"
    path.write_bytes(content)
    assert create(path, toy.scan(), overwrite=True).records == ()


def test_the_raw_file_itself_is_never_replaced(tmp_path):
    path = tmp_path / "raw.nxs"
    with h5py.File(path, "w") as file:
        file["data"] = toy.scan().frames
    frames = Hdf5Frames(path, "data", toy.scan().shape, np.dtype("u4"))
    scan = dataclasses.replace(toy.scan(), frames=frames)
    before = path.read_bytes()
    with pytest.raises(ContainerError, match="is the raw file itself"):
        create(path, scan, overwrite=True)
    assert path.read_bytes() == before
    assert create(tmp_path / "x.nxs", scan).shape == scan.shape


def test_a_copy_of_a_container_goes_on_by_itself(box, tmp_path):
    before = box.path.read_bytes()
    with creating(tmp_path / "copy.nxs", box) as writer:
        runner.run(writer, toy.ToyCaving(fill=2.0))
    assert len(Container(tmp_path / "copy.nxs").records) == 7
    assert box.path.read_bytes() == before


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "no such file; convert a raw file first"),
        (lambda path: path.mkdir(), "no such file"),
        (lambda path: path.write_bytes(b""), "cannot be read"),
        (lambda path: path.write_text("text"), "cannot be read"),
        (lambda path: h5py.File(path, "w").close(), "is not a nxscatter container"),
        (lambda path: path.write_bytes(path.with_name("toy.nxs").read_bytes()[:50_000]), "cannot be read"),
    ],
    ids=["missing", "folder", "empty", "text", "foreign", "truncated"],
)
def test_anything_else_is_refused_in_one_line(box, tmp_path, make, message):
    path = tmp_path / "x.nxs"
    make(path)
    with pytest.raises(ContainerError, match=message) as caught:
        Container(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_newer_container_asks_for_an_update(box):
    from nxscatter.store import layout

    with h5py.File(box.path, "r+") as file:
        layout.write_ledger(file, {**read_ledger(file), "container_version": 99})
    with pytest.raises(ContainerError, match="has container version 99, this nxscatter knows 1; update nxscatter"):
        Container(box.path)


def test_an_unknown_record_is_an_error_that_lists_the_known(box):
    with pytest.raises(ContainerError, match=r"has no record 'qmap' \(it has: toy_caving, toy_fit"):
        box.latest("qmap")


def test_a_failing_block_leaves_no_container(tmp_path):
    def fail():
        with creating(tmp_path / "x.nxs", toy.scan()) as writer:
            runner.run(writer, toy.ToyGeometry())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_readers_keep_what_they_opened(box):
    with h5py.File(box.path) as reader:
        runner.run(box, toy.ToyCaving(fill=2.0))
        assert "toy_caving_v2" not in reader["entry"]
        assert reader["entry/toy_order_v1/table/S"].shape == (2,)
    assert "toy_caving_v2" in [record.name for record in box.records]


def test_of_two_writers_at_once_none_loses_a_record(box):
    from nxscatter.errors import LockedError

    def write(fill):
        for _ in range(100):
            try:
                runner.run(Container(box.path), toy.ToyCaving(fill=fill))
                return
            except LockedError:
                threading.Event().wait(0.02)

    writers = [threading.Thread(target=write, args=(fill,)) for fill in (1.0, 2.0, 3.0)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    fills = {record.parameters["fill"] for record in Container(box.path).records if record.base == "toy_caving"}
    assert fills == {7.0, 1.0, 2.0, 3.0}


def test_a_container_is_found_through_a_relative_path(box, monkeypatch):
    monkeypatch.chdir(box.path.parent)
    assert Container("toy.nxs").path == box.path.resolve()


def test_a_container_has_a_readable_text(box):
    assert repr(box) == "<Container toy.nxs: Co, 100 mT, 3 x 24 x 30, 6 records>"
    assert repr(box.latest("toy_fit")).startswith("<Record toy_fit_v1: toy_fit version 1, 20")


def test_nexusformat_opens_it(box):
    tree = box.nxroot()
    assert tree.entry.toy_profiles_v1.profiles.nxsignal.shape == (2, toy.COLUMNS)


def test_mode_bits_stay(box):
    box.path.chmod(0o600)
    runner.run(box, toy.ToyCaving(fill=2.0))
    assert box.path.stat().st_mode & 0o777 == 0o600


def test_a_container_can_be_moved(box, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    moved = Container(shutil.move(box.path, folder))
    assert pytest.approx([0.1, 0.2]) == moved.latest("toy_order").load().S
    assert list(folder.iterdir()) == [moved.path]

"""Guarded reading of HDF5 files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from nxscatter.errors import ReadError
from nxscatter.readers.files.hdf5 import Hdf5Source, recognised
from nxscatter.readers.files.hdf5_metadata import read_metadata

DATA = np.arange(24, dtype="uint32").reshape(2, 3, 4)


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """A folder with a file of frames in a folder below it."""
    folder = tmp_path / "inside"
    (folder / "below").mkdir(parents=True)
    with h5py.File(folder / "below" / "frames.h5", "w") as file:
        file["data"] = DATA
    return folder


@pytest.fixture
def outside(tmp_path: Path, inside: Path) -> Path:
    """The same file of frames, outside the folder."""
    return Path(shutil.copy(inside / "below" / "frames.h5", tmp_path / "secret.h5"))


def virtual(file: h5py.File, source: str) -> None:
    layout = h5py.VirtualLayout(shape=DATA.shape, dtype=DATA.dtype)
    layout[:] = h5py.VirtualSource(source, "data", shape=DATA.shape)
    file.create_virtual_dataset("data", layout)


def linked(file: h5py.File, source: str) -> None:
    file["data"] = h5py.ExternalLink(source, "/data")


def soft_over_external(file: h5py.File, source: str) -> None:
    file["other"] = h5py.ExternalLink(source, "/")
    file["data"] = h5py.SoftLink("/other/data")


def stored_outside(file: h5py.File, source: str) -> None:
    file.create_dataset("data", DATA.shape, DATA.dtype, external=[(source, 0, h5py.h5f.UNLIMITED)])


def read(path: Path) -> Any:
    with Hdf5Source(path) as source:
        dataset = source.dataset("data")
        assert dataset is not None
        frames = source.frames(dataset)
        return frames, source.image(dataset)


@pytest.mark.parametrize("make", [virtual, linked, soft_over_external])
def test_what_lies_below_the_folder_is_followed(inside: Path, make: Any) -> None:
    with h5py.File(inside / "a.h5", "w") as file:
        make(file, "below/frames.h5")
    frames, image = read(inside / "a.h5")
    np.testing.assert_array_equal(image, DATA)
    with h5py.File(frames.path) as file:
        np.testing.assert_array_equal(file[frames.dataset][()], DATA)
    assert (frames.shape, frames.dtype, frames.path.is_absolute()) == (DATA.shape, DATA.dtype, True)


def test_external_storage_below_the_folder_is_followed(inside: Path) -> None:
    (inside / "below" / "raw.bin").write_bytes(DATA.tobytes())
    with h5py.File(inside / "a.h5", "w") as file:
        stored_outside(file, str(inside / "below" / "raw.bin"))
    np.testing.assert_array_equal(read(inside / "a.h5")[1], DATA)


@pytest.mark.parametrize("make", [virtual, linked, soft_over_external, stored_outside])
@pytest.mark.parametrize("form", ["absolute", "relative", "symbolic link"])
def test_what_lies_outside_is_an_error_that_names_the_link(inside: Path, outside: Path, make: Any, form: str) -> None:
    (inside / "innocent.h5").symlink_to(outside)
    name = {"absolute": str(outside), "relative": "../secret.h5", "symbolic link": "innocent.h5"}[form]
    with h5py.File(inside / "a.h5", "w") as file:
        make(file, name)
    with pytest.raises(ReadError, match=rf"^a\.h5: .*{name.rsplit('/', 1)[-1]}.* points outside the folder"):
        read(inside / "a.h5")


def test_a_link_inside_a_file_that_is_linked_to_is_guarded_too(inside: Path, outside: Path) -> None:
    with h5py.File(inside / "below" / "middle.h5", "w") as file:
        linked(file, str(outside))
    for make in (virtual, linked):
        with h5py.File(inside / "a.h5", "w") as file:
            make(file, "below/middle.h5")
        with pytest.raises(ReadError, match="points outside the folder"):
            read(inside / "a.h5")


def test_a_missing_virtual_source_is_an_error_and_never_reads_as_zero(inside: Path) -> None:
    with h5py.File(inside / "a.h5", "w") as file:
        virtual(file, "below/absent.h5")
    with pytest.raises(ReadError, match=r"virtual source below/absent.h5 does not exist"):
        read(inside / "a.h5")


def test_a_dangling_link_is_nothing_with_a_note(inside: Path) -> None:
    with h5py.File(inside / "a.h5", "w") as file:
        linked(file, "below/absent.h5")
        file["soft"] = h5py.SoftLink("/nowhere")
    with Hdf5Source(inside / "a.h5") as source:
        assert source.get("data") is None
        assert source.get("soft") is None
        assert source.notes == [
            "a.h5: link /data -> below/absent.h5::/data points to nothing",
            "a.h5: link /soft -> /nowhere points to nothing",
        ]


def test_a_ring_of_links_is_an_error(inside: Path) -> None:
    with h5py.File(inside / "a.h5", "w") as file:
        file["data"], file["back"] = h5py.SoftLink("/back"), h5py.SoftLink("/data")
    with pytest.raises(ReadError, match="ring of links"):
        read(inside / "a.h5")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"data": np.zeros(5)}, "is no image"),
        ({"data": np.zeros((0, 3, 4))}, "is no image"),
        ({"data": np.zeros((2, 3, 4), "complex64")}, "is no image"),
        ({"data": np.zeros((2, 2, 3, 4), "int32")}, "has 4 dimensions"),
        ({"data": np.array([["a", "b"]], dtype=object)}, "is no image"),
    ],
)
def test_what_is_no_stack_of_images_is_an_error(tmp_path: Path, content: dict[str, Any], message: str) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.update(content)
    with pytest.raises(ReadError, match=rf"^a\.h5: dataset /data .*{message}|^a\.h5: dataset /data {message}"):
        read(tmp_path / "a.h5")


def test_sizes_are_checked_before_anything_is_allocated(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("data", (2**20, 2**20), "u4", chunks=(8, 8))[0, 0] = 1
        file.create_dataset("stack", (2**20, 64, 64), "u4", chunks=(1, 64, 64))[0, 0, 0] = 1
    with pytest.raises(ReadError, match="declares frames of 1048576 x 1048576 pixels"):
        read(tmp_path / "a.h5")
    with Hdf5Source(tmp_path / "a.h5") as source:
        stack = source.dataset("stack")
        assert stack is not None
        with pytest.raises(ReadError, match="too large to be read at once"):
            source.image(stack)


def test_frames_that_were_never_written_are_an_error_and_partly_written_ones_a_note(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("none", (3, 4, 5), "u2", chunks=(1, 4, 5))
        file.create_dataset("some", (3, 4, 5), "u2", chunks=(1, 4, 5))[1] = 7
    with Hdf5Source(tmp_path / "a.h5") as source:
        none, some = source.dataset("none"), source.dataset("some")
        assert none is not None
        assert some is not None
        with pytest.raises(ReadError, match="/none was never written"):
            source.frames(none)
        assert source.frames(some).shape == (3, 4, 5)
        assert source.notes == ["a.h5: dataset /some: 2 of 3 chunks were never written, their pixels read as 0"]


def test_damaged_files_say_so(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["data"] = np.zeros((10, 100, 100))
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(ReadError, match=r"^a\.h5: is truncated; copy it again$"), Hdf5Source(path):
        pass
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(ReadError, match=r"^a\.h5: .*copy it again$"), Hdf5Source(path):
        pass
    path.write_text("no HDF5 at all")
    with pytest.raises(ReadError, match="is not an HDF5 file"), Hdf5Source(path):
        pass


def test_recognition_never_raises_and_leaves_containers_alone(tmp_path: Path) -> None:
    def broken(source: Hdf5Source) -> bool:
        raise KeyError("layout")

    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["data"] = 1
    assert recognised(path, lambda source: True) is True
    assert recognised(path, broken) is False
    assert recognised(tmp_path / "absent.h5", lambda source: True) is False
    with h5py.File(path, "a") as file:
        file.attrs["creator"] = "nxscatter"
    assert recognised(path, lambda source: True) is False


def test_metadata_is_every_small_dataset_that_is_no_image(tmp_path: Path) -> None:
    kinds = np.dtype([("a", "i4"), ("b", "f8")])
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["entry/data"] = DATA
        file["entry/alias"] = h5py.SoftLink("/entry/number")
        file["entry/number"] = 1.5
        file["entry/again"] = file["entry/number"]
        file["entry/self"] = file["entry"]
        file["entry/text"] = "µm"
        file["entry/bytes"] = np.bytes_(b"abc")
        file["entry/latin"] = np.bytes_("é".encode("latin-1"))
        file["entry/texts"] = ["a", "b"]
        file["entry/flag"] = True
        file["entry/empty"] = h5py.Empty("f8")
        file["entry/table"] = np.zeros(2, kinds)
        file["entry/reference"] = file["entry"].ref
        file["entry/large"] = np.zeros(2**17 + 1)
        file["entry/ragged"] = np.array([np.arange(2), np.arange(3)], dtype=object).astype(h5py.vlen_dtype("i4"))
    notes: list[str] = []
    with Hdf5Source(tmp_path / "a.h5") as source:
        found = read_metadata(source, (3, 4), notes)
    names = {path.rpartition("/")[2] for path in found}
    assert len(names & {"number", "again"}) == 1
    assert names - {"number", "again"} == {
        "text", "bytes", "latin", "texts", "flag", "empty", "table", "reference", "ragged"
    }  # fmt: skip
    assert (found["/entry/text"], found["/entry/bytes"], found["/entry/empty"]) == ("µm", "abc", "")
    assert found["/entry/texts"].tolist() == ["a", "b"]
    assert found["/entry/table"] == "[(0, 0.0), (0, 0.0)]"
    assert "object" not in {str(np.asarray(value).dtype) for value in found.values()}
    assert notes == ["too large for the metadata: /entry/large"]

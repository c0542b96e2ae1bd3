"""Masks and other images from files of their own."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from fabio.cbfimage import CbfImage
from fabio.edfimage import EdfImage
from fabio.tifimage import TifImage

from nxscatter.errors import ReadError
from nxscatter.readers.files.masks import read_image, read_mask

DATA = np.array([[0, 1, -7], [2, 0, 0]], dtype="int32")
IGNORED = [[0, 1, 1], [1, 0, 0]]


@pytest.mark.parametrize(("name", "writer"), [("m.edf", EdfImage), ("m.tif", TifImage), ("m.cbf", CbfImage)])
def test_non_zero_means_ignore_in_every_format(tmp_path: Path, name: str, writer: type) -> None:
    writer(DATA).write(str(tmp_path / name))
    mask = read_mask(tmp_path / name)
    assert (mask.name, mask.role) == (name, "mask")
    np.testing.assert_array_equal(np.asarray(mask.content), IGNORED)
    assert np.asarray(mask.content).dtype == np.uint8


@pytest.mark.parametrize("values", [DATA, DATA != 0, DATA[None], np.where(DATA == 0, 0.0, np.nan)])
def test_numpy_files(tmp_path: Path, values: np.ndarray) -> None:
    np.save(tmp_path / "m.npy", values)
    np.testing.assert_array_equal(np.asarray(read_mask(tmp_path / "m.npy").content), IGNORED)


def test_hdf5_files_with_one_image_or_with_a_path(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file["a/mask"] = DATA
        file["a/pixel"] = 3.0
    for name in (path, f"{path}::/a/mask"):
        mask = read_mask(name, "gaps")
        np.testing.assert_array_equal(np.asarray(mask.content), IGNORED)
        assert (mask.name, mask.role) == ("m.h5", "gaps")
    with h5py.File(path, "a") as file:
        file["b"] = DATA
    with pytest.raises(ReadError, match=r"m\.h5: one image is wanted, there are /a/mask, /b; name it as FILE::/path"):
        read_mask(path)
    with pytest.raises(ReadError, match="has no dataset /c"):
        read_mask(f"{path}::/c")


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.array([[print]], dtype=object), allow_pickle=True)
    with pytest.raises(ReadError, match="no NumPy array of numbers"):
        read_mask(tmp_path / "m.npy")


def test_a_truncated_numpy_file_is_an_error(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", DATA)
    (tmp_path / "m.npy").write_bytes((tmp_path / "m.npy").read_bytes()[:-4])
    with pytest.raises(ReadError, match=r"^m\.npy: "):
        read_mask(tmp_path / "m.npy")


def test_a_stack_is_no_mask_but_an_image(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.stack([DATA, DATA]))
    assert read_image(tmp_path / "m.npy").shape == (2, 2, 3)
    with pytest.raises(ReadError, match=r"a mask is one image, this has shape \(2, 2, 3\)"):
        read_mask(tmp_path / "m.npy")


@pytest.mark.parametrize("values", [np.zeros(3), np.zeros((2, 2), "complex64"), np.zeros((0, 2))])
def test_other_arrays_are_no_images(tmp_path: Path, values: np.ndarray) -> None:
    np.save(tmp_path / "m.npy", values)
    with pytest.raises(ReadError, match="not an image"):
        read_mask(tmp_path / "m.npy")


def test_missing_files_and_misplaced_paths_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no such file"):
        read_mask(tmp_path / "absent.edf")
    EdfImage(DATA).write(str(tmp_path / "m.edf"))
    with pytest.raises(ReadError, match="is no HDF5 file"):
        read_mask(f"{tmp_path / 'm.edf'}::/a")

"""Files that no reader knows are told what they seem to be."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from nxscatter.errors import ReadError
from nxscatter.readers.registry import find_reader


def hdf5(**texts: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file.create_group("entry").attrs["NX_class"] = "NXentry"
            for name, text in texts.items():
                file[f"entry/{name}"] = text

    return write


def eiger_master(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_group("entry/data")
        file["entry/data/data_000001"] = h5py.ExternalLink("x_data_000001.h5", "/entry/data/data")


def eiger_data(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["entry/data/data"] = np.zeros((2, 3, 4), "uint32")


def cansas(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_group("sasentry01").attrs["canSAS_class"] = "SASentry"


@pytest.mark.parametrize(
    ("name", "write", "said"),
    [
        ("a.edf.gz", gzip.compress(b"{ Dim_1 = 1 ; }", mtime=0), "gzip: unpack it"),
        ("a.bz2", b"BZh91AY", "bzip2"),
        ("a.json", b'{"poni_version": 2.1}', "JSON"),
        ("a.txt", b"some words", ": give a raw detector file"),
        ("a.dat", b"0.1 2.0 0.1\n0.2 3.0 0.1\n", "a table of numbers"),
        ("utf16.txt", "words".encode("utf-16"), ": give a raw detector file"),
        ("lfs.h5", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "--mask"),
        ("a.npy", b"\x93NUMPY\x01\x00", "--mask"),
        ("a.npz", b"PK\x03\x04", "--mask"),
        ("a.msk", b"M\0\0\0A\0\0\0S\0\0\0K\0\0\0", "Fit2D mask"),
        ("a.poni", b"Detector: Pilatus1M\nPoni1: 0.1\n", "--poni"),
        ("a.cif", b"data_x\n_cell_length_a 5.4\n", "--cif"),
        ("a.html", b"<!DOCTYPE html>", "HTML"),
        ("definition.h5", hdf5(definition="NXtofraw"), "NXtofraw, which no reader knows"),
        ("cansas.h5", hdf5(definition="NXcanSAS"), "NXcanSAS"),
        ("old_cansas.h5", cansas, "NXcanSAS"),
        ("x_master.h5", eiger_master, "Eiger master"),
        ("x_data_000001.h5", eiger_data, "Eiger data file"),
        ("entry.h5", hdf5(title="x"), "without a definition"),
    ],
)
def test_what_a_file_seems_to_be(tmp_path: Path, name: str, write: bytes | Callable[[Path], None], said: str) -> None:
    path = tmp_path / name
    if isinstance(write, bytes):
        path.write_bytes(write)
    else:
        write(path)
    with pytest.raises(ReadError, match=rf"^{name}: is .*{said}") as told:
        find_reader(path)
    assert "choose one with --reader" not in str(told.value)

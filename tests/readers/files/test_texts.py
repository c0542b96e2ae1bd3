from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from nxscatter.errors import ReadError
from nxscatter.readers.files.texts import read_cif, read_text

TEXT = "data_x\n_author 'Gräfe'\n_cell_length_a 5.43\n"


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        TEXT.encode("latin-1"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode("utf-16"),
        gzip.compress(TEXT.encode(), mtime=0),
    ],
    ids=lambda content: content[:3].hex(),
)
def test_encodings_and_line_ends(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.cif"
    path.write_bytes(content)
    assert read_text(path, 1000, "a CIF") == TEXT


def test_what_is_no_text_of_that_size(tmp_path: Path) -> None:
    pipe, binary, large, bomb, broken = (tmp_path / name for name in ("pipe", "binary", "large", "bomb", "broken"))
    os.mkfifo(pipe)
    binary.write_bytes(b"data_x\0\1\2")
    large.write_bytes(b"x" * (2**20 + 1))
    bomb.write_bytes(gzip.compress(bytes(2**24)))
    broken.write_bytes(gzip.compress(TEXT.encode())[:-9])
    for path, says in (
        (tmp_path / "none", "no such file; give a CIF"),
        (tmp_path, "is no regular file; give a CIF"),
        (pipe, "is no regular file"),
        (Path("/dev/zero"), "is no regular file"),
        (binary, "is no text; give a CIF"),
        (large, "is larger than 1 MB; give a CIF"),
        (bomb, "is larger than 1 MB; give a CIF"),
        (broken, r"cannot be read \(Compressed file ended"),
        (tmp_path / ("x" * 300), r"cannot be read \(File name too long\)"),
        (tmp_path / "x\0y", "no such file"),
    ):
        with pytest.raises(ReadError, match=says):
            read_text(path, 2**20, "a CIF")


def test_a_block_stands_behind_the_files_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("two.cif", "odd:name.cif"):
        (tmp_path / name).write_text(TEXT)
    for path, name in (
        ("two.cif", "two.cif"),
        (tmp_path / "two.cif:B", "two.cif:B"),
        ("two.cif:a:b/c", "two.cif:a:b/c"),
        ("odd:name.cif", "odd_name.cif"),
        ("odd:name.cif:B", "odd_name.cif:B"),
    ):
        attachment = read_cif(path)
        assert (attachment.name, attachment.content, attachment.role) == (name, TEXT, "cif")
    with pytest.raises(ReadError, match=r"none\.cif:B: no such file; give a CIF"):
        read_cif("none.cif:B")


def test_a_name_that_is_no_utf_8_can_be_stored(tmp_path: Path) -> None:
    path = os.path.join(os.fsencode(tmp_path), "Gräfe.cif".encode("latin-1"))  # noqa: PTH118
    with open(path, "w") as file:  # noqa: PTH123
        file.write(TEXT)
    assert read_cif(os.fsdecode(path)).name == "Gr\ufffdfe.cif"

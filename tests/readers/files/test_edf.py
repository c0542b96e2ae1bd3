"""EDF headers and sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fabio.edfimage import EdfImage

from nxscatter.errors import ReadError
from nxscatter.readers.files.edf import is_edf, read_blocks


def write(path: Path, header: str, data: bytes = b"") -> Path:
    path.write_bytes(f"{{\n{header}\n}}\n".encode() + data)
    return path


def test_a_header_is_read_as_it_stands(tmp_path: Path) -> None:
    EdfImage(np.arange(12, dtype="int32").reshape(3, 4), {"Center_1": "1.5", "title": "a b"}).write(
        str(tmp_path / "a.edf")
    )
    (block,) = read_blocks(tmp_path / "a.edf")
    assert (block.header["Center_1"], block.header["title"], block.size) == ("1.5", "a b", 48)
    assert (tmp_path / "a.edf").stat().st_size == block.start + block.size


def test_several_blocks(tmp_path: Path) -> None:
    image = EdfImage(np.zeros((2, 2), "uint16"), {"n": "1"})
    image.append_frame(data=np.ones((2, 2), "uint16"), header={"n": "2"})
    image.write(str(tmp_path / "a.edf"))
    assert [block.header["n"] for block in read_blocks(tmp_path / "a.edf")] == ["1", "2"]


@pytest.mark.parametrize("missing", [1, 47, 48])
def test_a_truncated_file_is_an_error_that_says_so(tmp_path: Path, missing: int) -> None:
    path = tmp_path / "a.edf"
    EdfImage(np.arange(12, dtype="int32").reshape(3, 4)).write(str(path))
    path.write_bytes(path.read_bytes()[:-missing])
    with pytest.raises(ReadError, match=r"^a.edf: is truncated, its header declares \d+ bytes.*copy it again$"):
        read_blocks(path)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Dim_1 = 100000 ;\nDim_2 = 100000 ;\nDataType = SignedInteger ;", "declares an image of 40000000000 bytes"),
        ("Dim_1 = 2 ;\nDim_2 = 2 ;\nDataType = SignedInteger ;\nSize = 99999999999 ;", "declares an image"),
        ("Dim_1 = 4 ;\nDim_2 = 4 ;\nDataType = SignedInteger ;\nSize = 8 ;", "Size = 8 is less than the 64 bytes"),
        ("Dim_1 = x ;\nDim_2 = 4 ;\nDataType = SignedInteger ;", "Dim_1 = 'x' is not a whole number"),
        ("Dim_1 = -4 ;\nDim_2 = 4 ;\nDataType = SignedInteger ;", "Dim_1 = '-4' is not a whole number"),
        ("Dim_1 = 4 ;\nDim_2 = 4 ;\nDataType = Pickle ;", "DataType is missing or unknown"),
        ("DataType = SignedInteger ;", "Dim_1 is missing"),
    ],
)
def test_impossible_sizes_are_errors(tmp_path: Path, header: str, message: str) -> None:
    with pytest.raises(ReadError, match=r"^a.edf: ") as raised:
        read_blocks(write(tmp_path / "a.edf", header, b"\0" * 64))
    assert message in str(raised.value)


def test_a_header_without_an_end_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.edf").write_bytes(b"{\nDim_1 = 4 ;\n")
    with pytest.raises(ReadError, match="does not end"):
        read_blocks(tmp_path / "a.edf")


@pytest.mark.parametrize(
    ("first", "known"),
    [(b"{\nHeaderID = x", True), (b"\n{ Dim_1=4 ;", True), (b'{"json": 1}', False), (b"II*\0", False), (b"", False)],
)
def test_edf_is_known_by_its_first_bytes(first: bytes, known: bool) -> None:
    assert is_edf(first) is known

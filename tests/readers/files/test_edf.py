"""EDF headers and sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fabio.edfimage import EdfImage

from nxscatter.errors import ReadError
from nxscatter.model import Array
from nxscatter.readers.files.edf import is_edf, read_blocks
from nxscatter.readers.files.images import read_images


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


IMAGE = np.arange(12, dtype="float32").reshape(3, 4)
GENERAL = "EDF_DataFormatVersion = 2.40 ;\nEDF_BinarySize = 0 ;\nSampleDistance = 3.0 ;\nEDF_BlockBoundary = 512 ;"


def block(name: str, data: Array = IMAGE, more: str = "") -> bytes:
    kind = {"float32": "FloatValue", "uint8": "UnsignedByte"}[data.dtype.name]
    text = (
        f"{{\n{name} ;\nByteOrder = LowByteFirst ;\nDataType = {kind} ;\nDim_1 = {data.shape[1]} ;\n"
        f"Dim_2 = {data.shape[0]} ;\nSize = {data.nbytes} ;\n{more}"
    )
    return f"{text:<510}}}\n".encode() + data.tobytes()


def numbered(kind: str, number: int = 1) -> str:
    return f"EDF_DataBlockID = {number}.Image.{kind}"


SIGMA = np.full((3, 4), 7, "float32")


@pytest.mark.parametrize(
    "blocks",
    [
        [block(numbered("Psd")), block(numbered("Error"), SIGMA)],
        [block(numbered("Error"), SIGMA), block(numbered("Psd"))],
        [block(numbered("psd")), block(numbered("variance"), SIGMA**2)],
        [block("Image = 1"), block("Image = -1", SIGMA)],
        [block(numbered("Psd", 0)), block(numbered("Error", -1), SIGMA)],
        [f"{{\n{GENERAL:<508}}}\n".encode(), block(numbered("Psd")), block(numbered("Error"), SIGMA)],
    ],
)
def test_errors_of_an_image_are_its_variance_and_no_frame(tmp_path: Path, blocks: list[bytes]) -> None:
    path = tmp_path / "a.edf"
    path.write_bytes(b"".join(blocks))
    found = read_images(path)
    np.testing.assert_array_equal(found.frames, [IMAGE])
    (variance,) = found.files
    assert variance.role == "variance"
    np.testing.assert_array_equal(variance.content, [SIGMA**2])
    assert any("no frame" in note for note in found.notes)


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [0, 2, 1, 3], [1, 0, 3, 2]])
def test_every_image_gets_its_own_errors(tmp_path: Path, order: list[int]) -> None:
    blocks = [
        block(numbered("Psd", 1)),
        block(numbered("Error", 1), SIGMA),
        block(numbered("Psd", 2), IMAGE + 1),
        block(numbered("Error", 2), SIGMA + 1),
    ]
    path = tmp_path / "a.edf"
    path.write_bytes(b"".join(blocks[number] for number in order))
    found = read_images(path)
    np.testing.assert_array_equal(found.frames, [IMAGE, IMAGE + 1])
    np.testing.assert_array_equal(found.files[0].content, [SIGMA**2, (SIGMA + 1) ** 2])


def test_a_mask_block_is_a_mask_and_other_blocks_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    mask = (IMAGE > 5).astype("uint8")
    path.write_bytes(block(numbered("Psd")) + block(numbered("Mask"), mask) + block(numbered("Weight"), SIGMA))
    found = read_images(path)
    (given,) = found.files
    np.testing.assert_array_equal(given.content, mask)
    assert given.role == "mask"
    assert any("weight" in note and "not used" in note for note in found.notes)


def test_keys_of_a_general_block_hold_for_the_images(tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    path.write_bytes(f"{{\n{GENERAL:<20508}}}\n".encode() + block(numbered("Psd"), more="Center_1 = 2 ;\n"))
    header = read_images(path).header
    assert (header["SampleDistance"], header["Center_1"]) == ("3.0", "2")


def test_a_file_of_errors_alone_is_no_image(tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    path.write_bytes(block(numbered("Error")))
    with pytest.raises(ReadError, match="holds no image, only error blocks"):
        read_images(path)


@pytest.mark.parametrize("size", ["Dim_1 =", "Dim_1 = 4 ;\nDim_2 ="])
def test_an_empty_size_is_an_error_that_names_it(tmp_path: Path, size: str) -> None:
    header = f"ByteOrder = LowByteFirst ;\nDataType = FloatValue ;\n{size} ;"
    with pytest.raises(ReadError, match="header key Dim_"):
        read_images(write(tmp_path / "a.edf", header, IMAGE.tobytes()))

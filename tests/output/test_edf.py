"""EDF files with any header, read back by fabio and by our own readers."""

from __future__ import annotations

from pathlib import Path

import fabio
import numpy as np
import pytest

from nxscatter.output.edf import write_edf
from nxscatter.readers.files.edf import read_blocks
from nxscatter.readers.files.images import read_frames

KINDS = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8")


def frames(kind: str, count: int = 1) -> np.ndarray:
    dtype = np.dtype(kind)
    stack = np.random.default_rng(3).integers(0, 100, (count, 5, 7)).astype(dtype)
    stack[:, 1, 2] = np.iinfo(dtype).max if dtype.kind in "iu" else -1 / 3
    return np.asarray(stack)


@pytest.mark.parametrize("order", ["LowByteFirst", "HighByteFirst"])
@pytest.mark.parametrize("kind", KINDS)
def test_counts_come_back_bit_for_bit(tmp_path: Path, kind: str, order: str) -> None:
    path = tmp_path / "a.edf"
    write_edf(path, frames(kind), {"ByteOrder": order})
    found, header = read_frames(path)
    assert found.dtype == np.dtype(kind)
    np.testing.assert_array_equal(found, frames(kind))
    assert header["ByteOrder"] == order


def test_a_header_comes_back_whole_and_what_is_wrong_in_it_is_put_right(tmp_path: Path) -> None:
    header = {
        "HeaderID": "EH:000007:000000:000000",
        "byteorder": "HighByteFirst",
        "DIM_1": "100",
        "DataType": "SignedLong",  # another name of the same type
        "EDF_BinarySize": "1",
        "COMPRESSION": "GzipCompression",
        "Comment": "25Ti_x_100mT, Å = 1",
        "Empty": "",
    }
    path = tmp_path / "a.edf"
    write_edf(path, frames("i4"), header)
    (block,) = read_blocks(path)
    right = {"DIM_1": "7", "EDF_BinarySize": "140", "COMPRESSION": "None"}
    added = {"Image": "1", "Dim_2": "5", "Size": "140"}
    assert block.header == {**header, **right, **added}
    assert list(block.header)[: len(header)] == list(header)
    assert block.start % 512 == 0


def test_a_stack_is_one_block_a_frame(tmp_path: Path) -> None:
    path = tmp_path / "a.edf"
    write_edf(path, frames("u2", 3), {"Comment": "rods"})
    found, header = read_frames(path)
    np.testing.assert_array_equal(found, frames("u2", 3))
    assert header["Comment"] == "rods"
    with fabio.open(str(path)) as image:
        assert image.nframes == 3

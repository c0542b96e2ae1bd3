"""Images that fabio reads."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from fabio.cbfimage import CbfImage
from fabio.edfimage import EdfImage
from fabio.tifimage import TifImage

from nxscatter.errors import ReadError
from nxscatter.readers.files.images import image_format, media_type, read_frames

DATA = np.arange(12, dtype="int32").reshape(3, 4)
WRITERS = {"a.edf": EdfImage, "a.tif": TifImage, "a.cbf": CbfImage}


@pytest.mark.parametrize("name", WRITERS)
def test_values_come_back_from_every_format(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](DATA).write(str(path))
    frames, _ = read_frames(path)
    np.testing.assert_array_equal(frames, DATA[None])
    assert frames.dtype == DATA.dtype


def test_a_stack_comes_from_its_own_file_alone(tmp_path: Path) -> None:
    image = EdfImage(DATA)
    image.append_frame(data=DATA + 100)
    image.write(str(tmp_path / "a_0001.edf"))
    EdfImage(DATA + 7).write(str(tmp_path / "a_0000.edf"))
    EdfImage(DATA + 9).write(str(tmp_path / "a_0002.edf"))
    np.testing.assert_array_equal(read_frames(tmp_path / "a_0001.edf")[0], [DATA, DATA + 100])
    np.testing.assert_array_equal(read_frames(tmp_path / "a_0002.edf")[0], [DATA + 9])


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("kept", [0.3, 0.95])
def test_a_truncated_image_is_an_error(tmp_path: Path, name: str, kept: float) -> None:
    path = tmp_path / name
    WRITERS[name](np.random.default_rng(0).integers(0, 9999, (40, 50), "int32")).write(str(path))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(ReadError, match=f"^{name}: .*") as raised:
        read_frames(path)
    assert "\n" not in str(raised.value)


def test_a_tiff_that_declares_too_much_is_refused_unread(tmp_path: Path) -> None:
    entries = [(256, 4, 1, 2**20), (257, 4, 1, 2**20), (273, 4, 1, 8), (279, 3, 1, 8)]
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    (tmp_path / "a.tif").write_bytes(b"II*\0" + struct.pack("<I", 8) + body + b"\0" * 4)
    with pytest.raises(ReadError, match="declares 1099511627776 pixels"):
        read_frames(tmp_path / "a.tif")


def write_cbf(path: Path, size: int, fast: int, slow: int) -> Path:
    keys = f"X-Binary-Size: {size}\nX-Binary-Size-Fastest-Dimension: {fast}\nX-Binary-Size-Second-Dimension: {slow}\n"
    section = f"###CBF: VERSION 1.5\n--CIF-BINARY-FORMAT-SECTION--\n{keys}\n".encode()
    path.write_bytes(section + b"\x0c\x1a\x04\xd5" + b"\0" * 8)
    return path


def test_a_cbf_that_declares_too_much_is_refused_unread(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="declares 10000000000 pixels"):
        read_frames(write_cbf(tmp_path / "a.cbf", 8, 100000, 100000))
    with pytest.raises(ReadError, match="is truncated, its header declares"):
        read_frames(write_cbf(tmp_path / "a.cbf", 9, 2, 4))


def test_a_cbf_without_a_binary_section_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.cbf").write_bytes(b"###CBF: VERSION 1.5\n")
    with pytest.raises(ReadError, match="has no binary section"):
        read_frames(tmp_path / "a.cbf")


def test_a_tiff_whose_pages_form_a_ring_is_damaged(tmp_path: Path) -> None:
    entries = struct.pack("<H", 2) + struct.pack("<HHII", 256, 3, 1, 1) + struct.pack("<HHII", 257, 3, 1, 1)
    (tmp_path / "a.tif").write_bytes(b"II*\0" + struct.pack("<I", 8) + entries + struct.pack("<I", 8))
    with pytest.raises(ReadError, match="TIFF header is damaged"):
        read_frames(tmp_path / "a.tif")


def test_formats_are_known_by_content(tmp_path: Path) -> None:
    (tmp_path / "a.edf").write_bytes(b"MM\0*")
    assert image_format(tmp_path / "a.edf") == "tiff"
    assert media_type(tmp_path / "a.edf") == "image/tiff"
    (tmp_path / "b.tif").write_text("no image")
    assert image_format(tmp_path / "b.tif") is None
    with pytest.raises(ReadError, match="no EDF, TIFF or CBF"):
        read_frames(tmp_path / "b.tif")

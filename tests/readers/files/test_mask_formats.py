"""Masks of drawing programs: all mean the same, whatever the file."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fabio.edfimage import EdfImage
from fabio.fit2dmaskimage import Fit2dMaskImage
from PIL import Image

from nxscatter.errors import ReadError
from nxscatter.readers.files.masks import read_mask

MASK = np.zeros((7, 40), "uint8")
MASK[1:3, 4:37] = MASK[6, 0] = 1


def edf(path: Path) -> bytes:
    EdfImage(MASK).write(str(path))
    return path.read_bytes()


def picture(path: Path, values: Any, kind: str, **options: Any) -> None:
    Image.fromarray(values).save(path, format=kind, **options)


WRITERS: dict[str, Callable[[Path], Any]] = {
    "f2d.msk": lambda path: Fit2dMaskImage(data=MASK).write(str(path)),
    "grey.png": lambda path: picture(path, MASK * 255, "PNG"),
    "bits.png": lambda path: picture(path, MASK > 0, "PNG"),
    "deep.png": lambda path: picture(path, MASK.astype("uint16") * 1000, "PNG"),
    "rgb.png": lambda path: picture(path, np.repeat(MASK[..., None] * 9, 3, axis=2), "PNG"),
    "alpha.png": lambda path: picture(path, np.dstack([MASK, MASK, MASK, np.full_like(MASK, 255)]), "PNG"),
    "palette.png": lambda path: Image.fromarray(MASK * 255).convert("P").save(path),
    "bits.tif": lambda path: picture(path, MASK > 0, "TIFF"),
    "rgb.tif": lambda path: picture(path, np.repeat(MASK[..., None] * 9, 3, axis=2), "TIFF"),
    "dioptas.mask": lambda path: picture(path, MASK > 0, "TIFF", compression="tiff_deflate"),
    "deflated.tif": lambda path: picture(path, MASK, "TIFF", compression="tiff_adobe_deflate"),
    "m.npz": lambda path: np.savez(path, mask=MASK),
    "packed.npz": lambda path: np.savez_compressed(path, mask=MASK),
    "m.txt": lambda path: np.savetxt(path, MASK, fmt="%d"),
    "m.csv": lambda path: np.savetxt(path, MASK, fmt="%d", delimiter=","),
    "m.edf.gz": lambda path: path.write_bytes(gzip.compress(edf(path))),
    "m.edf.bz2": lambda path: path.write_bytes(bz2.compress(edf(path))),
    "m.edf.xz": lambda path: path.write_bytes(lzma.compress(edf(path))),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_gives_the_same_mask(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)
    mask = read_mask(tmp_path / name)
    np.testing.assert_array_equal(np.asarray(mask.content), MASK)
    assert mask.name == name


def test_an_array_of_several_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", a=MASK, b=1 - MASK)
    with pytest.raises(ReadError, match=r"m\.npz: one image is wanted, there are a, b; name it as FILE::NAME"):
        read_mask(tmp_path / "m.npz")
    np.testing.assert_array_equal(np.asarray(read_mask(f"{tmp_path / 'm.npz'}::b").content), 1 - MASK)
    with pytest.raises(ReadError, match="has no array c"):
        read_mask(f"{tmp_path / 'm.npz'}::c")


def test_what_is_no_mask_is_an_error_of_one_line(tmp_path: Path) -> None:
    np.savez(tmp_path / "pickle.npz", mask=MASK.astype(object))
    picture(tmp_path / "colour.png", np.dstack([MASK, 0 * MASK, 0 * MASK]), "PNG")
    (tmp_path / "words.txt").write_text("no mask at all")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    (tmp_path / "broken.edf.gz").write_bytes(gzip.compress(edf(tmp_path / "m.edf"))[:-20])
    (tmp_path / "huge.msk").write_bytes(b"M\0\0\0A\0\0\0S\0\0\0K\0\0\0" + np.array([2**30, 2**30], "<i4").tobytes())
    for name in ("pickle.npz", "colour.png", "words.txt", "broken.png", "broken.edf.gz", "huge.msk"):
        with pytest.raises(ReadError, match=rf"^{name}: ") as told:
            read_mask(tmp_path / name)
        assert "\n" not in str(told.value)

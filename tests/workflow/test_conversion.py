"""From a raw file to its container: what was asked of a conversion is never ignored."""

from __future__ import annotations

import shutil
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fabio.tifimage
import numpy as np
import pytest

from nxscatter.errors import ContainerError, ParameterError
from nxscatter.model import Attachment, Scan
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.registry import read_scan
from nxscatter.workflow.conversion import Conversion, convert, existing
from nxscatter.workflow.process import process, run_recipe
from nxscatter.workflow.recipe_file import parse_recipe

if TYPE_CHECKING:
    from nxscatter.simulate import Simulated

SHORT = parse_recipe('[[step]]\nuse = "masking"')


@pytest.fixture
def raw(id02_file: Simulated, tmp_path: Path) -> Path:
    """A raw file, with its masks, in a folder of its own."""
    for file in (id02_file.path, *id02_file.masks.values()):
        shutil.copy(file, tmp_path)
    return tmp_path / id02_file.path.name


def test_output_is_a_folder_or_a_file_ending_in_nxs(raw: Path, tmp_path: Path) -> None:
    assert convert(raw, tmp_path / "new" / "folder").path == tmp_path / "new" / "folder" / raw.with_suffix(".nxs").name
    assert convert(raw, tmp_path / "mine.nxs").path == tmp_path / "mine.nxs"
    with pytest.raises(ParameterError, match="no folder"):
        convert(raw, raw)


def test_options_that_the_container_does_not_hold_are_not_ignored(raw: Path) -> None:
    options = ReadOptions(sample="cobalt", field_mT=5.0)
    box = convert(raw, options=options)
    assert (box.sample.name, box.sample.magnetic_field) == ("cobalt", 5.0)
    assert convert(raw).path == box.path  # nothing asked: what is there is right
    convert(raw, options=options)
    with pytest.raises(ContainerError, match=r"another sample.*--overwrite"):
        convert(raw, options=ReadOptions(sample="nickel"))
    with pytest.raises(ParameterError, match="converted already"):
        run_recipe(box.path, SHORT, conversion=Conversion(options=options))
    with pytest.raises(ParameterError, match="converted already"):
        process(box, SHORT, options=options)


def test_every_part_of_a_scan_that_an_option_may_change_is_compared(raw: Path) -> None:
    """An option that is yet to come is noticed, whatever it changes."""
    box = convert(raw)
    scan, asked = read_scan(raw), Conversion(options=ReadOptions(orient=1))
    others = {
        "title": "another",
        "beam": replace(scan.beam, polarization=0.5),
        "detector": replace(scan.detector, dummy=7.0),
        "sample": replace(scan.sample, magnetic_field=np.nan),
        "exposure": replace(scan.exposure, elapsed=np.array([9.0])),
        "frames": np.zeros((2, 3, 4), dtype=np.int32),
        "start_time": None,
        "end_time": datetime(2026, 1, 1, tzinfo=UTC),
        "instrument": "another",
        "source_name": "another",
        "source_type": "another",
        "masks": scan.masks[1:],
        "auxiliary": (Attachment("a.txt", "text", "window"),),
    }
    assert {*others, "origin", "metadata", "structure"} == {item.name for item in fields(Scan)}
    assert existing(box.path, scan, asked) is not None
    changed: Any
    for name, changed in others.items():
        word = {"frames": "shape"}.get(name, name)
        with pytest.raises(ContainerError, match=rf"converted with another {word}; use --overwrite"):
            existing(box.path, replace(scan, **{name: changed}), asked)
        assert existing(box.path, replace(scan, **{name: changed}), Conversion()) is not None  # nothing was asked


def test_a_file_without_a_name_for_its_sample_may_be_converted_again(tmp_path: Path) -> None:
    raw = tmp_path / "a.tif"
    fabio.tifimage.TifImage(np.ones((4, 5), dtype=np.uint16)).write(str(raw))
    poni = tmp_path / "a.poni"
    values = {"Distance": 1, "Poni1": 0.1, "Poni2": 0.1, "Rot1": 0, "Rot2": 0, "Rot3": 0, "Wavelength": 1e-10}
    sizes = {"PixelSize1": 1e-4, "PixelSize2": 1e-4}
    poni.write_text("".join(f"{key}: {value}\n" for key, value in (values | sizes).items()))
    options = ReadOptions(poni=poni, sample="")
    assert convert(raw, options=options).sample.name == "unknown"
    assert convert(raw, options=options).sample.name == "unknown"


def test_another_reader_or_compression_is_noticed_when_it_is_asked_for(raw: Path) -> None:
    box = convert(raw, compression="gzip")
    assert convert(raw).compression == "gzip"  # not asked
    assert convert(raw, compression="gzip", reader="id02").path == box.path
    convert(raw, overwrite=True)
    with pytest.raises(ContainerError, match=r"another compression; use --overwrite"):
        convert(raw, compression="gzip")

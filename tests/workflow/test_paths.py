"""Files, folders and globs as inputs of a batch."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nxscatter.errors import ParameterError
from nxscatter.store.access import is_container
from nxscatter.workflow.conversion import convert
from nxscatter.workflow.paths import container_path, expand

if TYPE_CHECKING:
    from nxscatter.simulate import Simulated


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b_raw.h5", "a.EDF", "beamstop_mask.edf", "Mask1.h5", "notes.txt", ".hidden.h5", "unmasked.edf"):
        (tmp_path / name).write_text("x")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "c.h5").write_text("x")
    return tmp_path


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_a_folder_means_its_data_files_not_recursive_and_without_masks(folder: Path) -> None:
    assert names(expand([folder])) == ["a.EDF", "b_raw.h5", "unmasked.edf"]
    assert names(expand([folder], masks=[folder / "a.EDF"])) == ["b_raw.h5", "unmasked.edf"]


def test_files_and_globs_are_taken_as_they_are_each_once(folder: Path) -> None:
    assert names(expand([folder / "beamstop_mask.edf"])) == ["beamstop_mask.edf"]
    assert names(expand([str(folder / "*.h5"), folder / "b_raw.h5", folder])) == [
        "Mask1.h5",
        "b_raw.h5",
        "a.EDF",
        "unmasked.edf",
    ]
    assert names(expand([folder / "gone.h5"])) == ["gone.h5"]


def test_nothing_found_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"\*\.cbf: no file matches"):
        expand([str(folder / "*.cbf")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ParameterError, match=r"empty: holds no data file"):
        expand([tmp_path / "empty"])


def test_a_raw_file_and_its_own_container_are_one_input(id02_file: Simulated, tmp_path: Path) -> None:
    raw = Path(shutil.copy(id02_file.path, tmp_path))
    box = convert(raw).path
    assert expand([tmp_path]) == [raw]
    assert expand([box]) == [box]
    other = box.rename(tmp_path / "other.nxs")
    raw.rename(tmp_path / "renamed.h5")
    assert names(expand([tmp_path])) == ["other.nxs", "renamed.h5"]
    assert is_container(other)
    assert not is_container(tmp_path / "renamed.h5")


def test_containers_are_named_after_their_inputs() -> None:
    assert container_path(Path("in/x_raw.h5")) == Path("in/x_raw.nxs")
    assert container_path(Path("in/a.b.edf.gz"), "out") == Path("out/a.b.nxs")
    with pytest.raises(ParameterError, match="-o"):
        container_path(Path("swing.nxs"))

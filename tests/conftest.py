"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from nxscatter.simulate import Simulated
    from nxscatter.store.container import Container


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real detector files; tests that need them skip where it is absent."""
    folder = Path(os.environ.get("NXSCATTER_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real files here: {folder} does not exist (set NXSCATTER_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def id02_file(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """One small ID02 frame with beamstop, gaps and dead pixels: an oriented ring and an isotropic one."""
    from nxscatter.simulate import Pattern, Ring, Run, id02_name, write_id02

    rings = (
        Ring(0.05, 100.0, 0.005, "maier_saupe", director=25.0, kappa=5.0),
        Ring(0.068, 60.0, 0.0068, "isotropic"),
    )
    path = tmp_path_factory.mktemp("id02") / id02_name("LPCNO", 376)
    return write_id02(path, Pattern(rings, flat=2.0, scale=6e-4), run=Run("rods", 1000.0))


@pytest.fixture(scope="session")
def lgc_file(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """One LGC frame: two rings of a sample aligned at 60 degrees."""
    from nxscatter.simulate import Run, lgc_name, oriented, write_lgc

    path = tmp_path_factory.mktemp("lgc") / lgc_name("agbh", 12)
    return write_lgc(path, oriented((0.1, 0.13), kappa=4.0, director=60.0), run=Run("agbh", 500.0))


@pytest.fixture(scope="session")
def field_series(tmp_path_factory: pytest.TempPathFactory) -> list[Simulated]:
    """Six small ID02 files in a growing magnetic field, with ``truth.json`` beside them."""
    from nxscatter import simulate

    return simulate.field_series(tmp_path_factory.mktemp("series"))


@pytest.fixture(scope="session")
def processed_file(id02_file: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The container of the ID02 frame with the records of the recipe ``saxs``; not to be changed."""
    from nxscatter.cli import run

    folder = tmp_path_factory.mktemp("processed")
    assert run(["process", str(id02_file.path), "-o", str(folder), "--q", "0.05,0.068"]) == 0
    return folder / f"{id02_file.path.stem}.nxs"


@pytest.fixture(scope="session")
def toy_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small container with one record of each toy step; not to be changed."""
    from support import toy

    path = tmp_path_factory.mktemp("toy") / "toy.nxs"
    toy.make(path)
    return path


@pytest.fixture
def box(toy_file: Path, tmp_path: Path) -> Container:
    """A copy of the toy container, for one test."""
    from nxscatter.store.container import Container

    return Container(shutil.copy(toy_file, tmp_path / "toy.nxs"))


@pytest.fixture(scope="session")
def exportable_file(id02_file: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A container of one frame with gaps filled, radial profile, sectors and a map; not to be changed."""
    from nxscatter.readers.registry import read_scan
    from nxscatter.step import make_step
    from nxscatter.store.writer import creating
    from nxscatter.workflow import runner

    path = tmp_path_factory.mktemp("exportable") / "rods.nxs"
    names = ("geometry", "masking", "caving", "rings", "radial_sectors", "qmap")
    with creating(path, read_scan(id02_file.path)) as writer:
        runner.run_steps(writer, [(make_step(name, {}), name, {}) for name in names])
    return path

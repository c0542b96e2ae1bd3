"""The example plug-in: a reader, a step, a fit model and an exporter of a third party, installed and used."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import nxscatter as nxs
from nxscatter import testing
from nxscatter.results import Image
from nxscatter.science.pixels.stage_links import MaskedStage, RawStage
from support.oriented import GEOMETRY, expose

PLUGIN = Path(__file__).parents[1] / "examples" / "plugin"
FRAMES = 3
RECIPE = """
[[step]]
use = "geometry"
[[step]]
use = "masking"
[[step]]
use = "rods_totals"
scale = 0.5
[[step]]
use = "azimuthal_profiles"
q = [0.05]
frames = "each"
[[step]]
use = "fit_gaussian"
[[step]]
use = "order_parameter"
method = ["gaussian"]
"""


def write_rods(path: Path, field: float) -> np.ndarray:
    """Write a file of the plug-in's format and return its counts."""
    counts = np.stack([np.nan_to_num(expose(5.0, seed=seed), nan=-1) for seed in range(FRAMES)]).astype("<i4")
    header = {
        "rods": 1,
        "frames": FRAMES,
        "rows": GEOMETRY.rows,
        "columns": GEOMETRY.columns,
        "wavelength": GEOMETRY.wavelength,
        "distance": GEOMETRY.distance,
        "pixel": GEOMETRY.pixel_size_x,
        "center": [GEOMETRY.center_y, GEOMETRY.center_x],
        "seconds": 1.5,
        "sample": "rods",
        "field": field,
    }
    path.write_bytes(json.dumps(header).encode() + b"\n" + counts.tobytes())
    return counts


class Stack:
    """Frames in memory."""

    def __init__(self, counts: np.ndarray) -> None:
        self.counts = counts
        self.shape: tuple[int, int, int] = counts.shape

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(self.counts)

    def read(self, frame: int) -> np.ndarray:
        found: np.ndarray = self.counts[frame]
        return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files of the plug-in's format, and a recipe."""
    folder = tmp_path_factory.mktemp("rods")
    for number, field in enumerate((100.0, 200.0), 1):
        write_rods(folder / f"run{number}.rods", field)
    (folder / "mine.toml").write_text(RECIPE)
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the plug-in is installed by pip."""
    target = tmp_path_factory.mktemp("site")
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--target", str(target))
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(PLUGIN)], check=True, timeout=120)
    return target


def nxscatter(site: Path, folder: Path, *arguments: str) -> str:
    """Run the command line where the plug-in is installed, and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-m", "nxscatter", *arguments]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.slow
def test_all_of_it_on_a_folder_of_its_files(site: Path, folder: Path) -> None:
    nxscatter(site, folder, "process", ".", "--recipe", "mine.toml")
    containers = sorted(path.name for path in folder.glob("*.nxs"))
    assert containers == ["run1.nxs", "run2.nxs"]
    rows = json.loads(nxscatter(site, folder, "table", *containers, "--json"))
    assert len(rows) == 2 * FRAMES
    assert {(row["model"], row["S_method"], row["status"]) for row in rows} == {("gaussian", "gaussian", "ok")}
    assert all(row["sigma"] == pytest.approx(20, abs=6) for row in rows)
    nxscatter(site, folder, "export", *containers, "-o", "out", "--format", "text,csv")
    assert (folder / "out" / "run1.txt").read_text().count("S(gaussian)") == FRAMES
    found = json.loads(nxscatter(site, folder, "verify", *containers, "--replay", "--json"))
    assert [(one["ok"], one["replayed"]) for one in found] == [(True, "exact")] * 2
    assert all(one["errors"] == 0 for one in json.loads(nxscatter(site, folder, "validate", *containers, "--json")))
    assert "rods_totals" in nxscatter(site, folder, "recipe", "schema")


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(site)


def test_the_reader_keeps_to_the_contract(installed: None, folder: Path) -> None:
    from nxscatter_rods.reader import RodsReader

    scan = testing.check_reader(RodsReader(), folder / "run1.rods", folder / "mine.toml")
    assert scan.shape == (FRAMES, GEOMETRY.rows, GEOMETRY.columns)


def test_the_step_keeps_to_the_contract(installed: None, folder: Path) -> None:
    from nxscatter_rods.totals import FrameTotals

    counts = write_rods(folder / "more.bin", 0.0)
    flags = (counts[0] < 0).astype(np.uint16)
    mean = np.where(flags, np.nan, counts.mean(axis=0))
    image = Image(intensity=mean, flags=flags, frames=FRAMES, stage=MaskedStage(RawStage(Stack(counts)), flags != 0))
    found = testing.check_step(FrameTotals(scale=0.5), image=image)
    np.testing.assert_allclose(vars(found)["total"], [0.5 * frame[flags == 0].sum() for frame in counts])


def test_the_model_keeps_to_the_contract(installed: None) -> None:
    from nxscatter_rods.gaussian import Gaussian

    testing.check_model(Gaussian(), sigma=14.0)


def test_the_exporter_keeps_to_the_contract(installed: None, processed_file: Path, tmp_path: Path) -> None:
    from nxscatter_rods.exporter import export

    (path,) = testing.check_exporter(export, nxs.Container(processed_file), tmp_path)
    assert "S(maier_saupe)" in path.read_text()


def test_what_breaks_the_contract_is_told(installed: None, folder: Path) -> None:
    from nxscatter_rods.reader import RodsReader

    class Nameless(RodsReader):  # type: ignore[misc]
        suffixes = ()

    with pytest.raises(AssertionError, match="suffixes is empty"):
        testing.check_reader(Nameless(), folder / "run1.rods", folder / "mine.toml")

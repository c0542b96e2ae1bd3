"""The examples run as a new user starts them: without data, in an empty folder."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import nxscatter as nxs
from nxscatter.output import table
from nxscatter.simulate import kinetic_stack
from nxscatter.store.container import Container

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., str]]:
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    monkeypatch.chdir(tmp_path)

    def run(name: str, *arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    yield run
    plt.close("all")


def test_all_are_run_here() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == {
        "quickstart.py",
        "field_series.py",
        "kinetics.py",
        "waxs_cif.py",
    }


def test_quickstart(start: Callable[..., str]) -> None:
    lines = start("quickstart.py").splitlines()
    assert lines[0] == "rods: 1400 mT, 5.012 m, 1 angstrom"
    assert [line.split(":")[0] for line in lines[1:3]] == ["q = 0.05", "q = 0.068"]
    assert Path(lines[3].removeprefix("map: ")).is_file()
    assert len(lines) == 5 + 4


def test_field_series(start: Callable[..., str]) -> None:
    header, *rows, first, second = start("field_series.py").splitlines()
    assert header.split()[-2:] == ["true", "S"]
    assert len(rows) == 8
    for row in rows:
        *_, S, error, status, true = row.split()
        assert status == "ok"
        assert abs(float(S) - float(true)) < 5 * float(error)
    assert all(Path(line.removeprefix("figure: ")).is_file() for line in (first, second))


def test_an_example_takes_the_folder_of_your_data(start: Callable[..., str], tmp_path: Path) -> None:
    kinetic_stack(tmp_path / "mine_eiger2_00005_raw.h5", frames=2)
    assert len(start("kinetics.py", str(tmp_path)).splitlines()) == 3
    assert not Path("nxscatter-examples").exists()


def test_kinetics(start: Callable[..., str]) -> None:
    _, *rows = start("kinetics.py").splitlines()
    assert [row.split()[:2] for row in rows] == [[str(frame), f"{1.5 * frame:.1f}"] for frame in range(6)]
    folder = Path("nxscatter-examples/kinetics")
    assert (folder / "SAXS_kinetic_Fitting_results.png").is_file()
    assert (folder / "png_images/rods_0s_Img00001.png").is_file()


def test_waxs_cif(start: Callable[..., str]) -> None:
    cell, first, second = start("waxs_cif.py").splitlines()
    assert cell.endswith("120.    ]")
    assert first.startswith("[1 0 0]: d = 2.171 angstrom, q = 2.8939 1/angstrom, x0 = ")
    assert second.startswith("[0 0 2]: d = 2.034 angstrom, q = 3.0886 1/angstrom, x0 = ")
    for line in (first, second):
        assert abs(float(line.split("kappa = ")[1].split(",")[0]) - 4.0) < 0.3


@pytest.mark.parametrize("recipe", sorted((EXAMPLES / "recipes").glob("*.toml")), ids=lambda path: path.stem)
def test_recipes(recipe: Path, tmp_path: Path) -> None:
    stack = kinetic_stack(tmp_path / "kin_eiger2_00001_raw.h5", frames=3)
    records = nxs.process(stack.path, recipe, q=[0.05])
    rows = [row for row in table.rows(Container(records[0].container.path)) if row["S_method"] == "maier_saupe"]
    assert [row["status"] for row in rows] == ["ok"] * len(rows)
    assert len(rows) == (3 if recipe.stem == "kinetics" else 1)

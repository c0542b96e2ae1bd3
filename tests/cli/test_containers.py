"""The commands that take whole containers: diff, repack, extract, and verify where reading breaks down."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nxscatter import cli
from nxscatter.errors import NxscatterError
from nxscatter.step import make_step
from nxscatter.store.container import Container
from nxscatter.store.verify import verify
from nxscatter.workflow import runner


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.run([str(one) for one in arguments])
        streams = capsys.readouterr()
        return code, streams.out, streams.err

    return call


@pytest.fixture
def box(exportable_file: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(exportable_file, tmp_path / "rods.nxs"))


def test_diff_tells_parameters_and_results(box: Path, exportable_file: Path, run: Any) -> None:
    runner.run(Container(box), make_step("radial_sectors", {"width": 20.0}))
    code, out, err = run("diff", exportable_file, box, "--json")
    assert (code, err) == (0, "")
    found = {(one["where"], one["what"], one["name"]): one for one in json.loads(out)}
    width = found["radial_sectors", "parameter", "width"]
    assert (width["first"], width["second"]) == (10.0, 20.0)
    intensity = found["radial_sectors", "result", "intensity"]
    assert 0 < intensity["differing"] <= intensity["size"]
    assert {where for where, _, _ in found} == {"radial_sectors"}

    code, out, _ = run("diff", exportable_file, box)
    head, *rows = out.splitlines()
    assert code == 0
    assert head.split() == ["where", "what", "name", "rods.nxs", "rods.nxs", "differ", "largest", "relative"]
    assert ["radial_sectors", "parameter", "width", "10", "20", "-", "-", "-"] in [row.split() for row in rows]


def test_diff_of_the_same(exportable_file: Path, run: Any) -> None:
    assert run("diff", exportable_file, exportable_file) == (0, "no difference\n", "")
    code, out, _ = run("diff", exportable_file, exportable_file, "--json")
    assert (code, json.loads(out)) == (0, [])


def test_repack_keeps_everything(box: Path, run: Any) -> None:
    for width in (12.0, 14.0, 16.0):
        runner.run(Container(box), make_step("radial_sectors", {"width": width}))
    before = box.stat().st_size
    code, out, err = run("repack", box)
    assert (code, out) == (0, f"{box}\n")
    assert err == f"{before} bytes became {box.stat().st_size}\n"
    assert box.stat().st_size < before
    assert verify(box).ok


def test_extract_writes_the_raw_file_and_its_masks(box: Path, tmp_path: Path, run: Any) -> None:
    code, out, _ = run("extract", box, "-o", tmp_path / "raw")
    names = [Path(line).name for line in out.splitlines()]
    assert (code, names[0]) == (0, "LPCNOsaxs_eiger2_00376_raw.h5")
    assert sorted(names) == sorted(path.name for path in (tmp_path / "raw").iterdir())
    assert len(names) == 3
    code, out, err = run("extract", box, "-o", tmp_path / "raw")
    assert (code, out) == (2, "")
    assert "is there already; extract into another folder" in err
    assert err.count("\n") == 1


def test_a_file_that_breaks_the_library_down_has_failed(
    box: Path, exportable_file: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nxscatter.workflow import executors

    call = executors.LocalProcesses._call

    def broken(self: Any, function: Any, file: Path, *more: Any) -> Any:
        if file == box:
            raise NxscatterError("the process that worked on it died, twice")
        return call(self, function, file, *more)

    monkeypatch.setattr(executors.LocalProcesses, "_call", broken)
    code, out, err = run("verify", box, exportable_file, "--json")
    failed, sound = json.loads(out)
    assert (code, err) == (1, "")
    assert (failed["ok"], sound["ok"]) == (False, True)
    assert failed["problems"] == [f"{box}: cannot be read, the process that tried died; the file may be damaged"]

"""The demonstration gives the truth that it put in."""

from __future__ import annotations

from pathlib import Path

import pytest

from nxscatter import cli
from nxscatter.simulate import demo


@pytest.mark.slow
def test_the_demo_finds_the_order_parameters_it_put_in(tmp_path: Path) -> None:
    series = demo.make_series(tmp_path)
    rows = [row for one in series for row in demo.compare(one, demo.process(one, tmp_path))]
    assert [row["q"] for row in rows] == list(demo.RINGS) * 6
    aligned = [row for row in rows if row["field_mT"] > 0]
    assert all(row["status"] == "ok" and abs(row["sigmas"]) < 4 for row in aligned)
    assert all(row["S_error"] < 0.05 for row in aligned)
    at_rest = [row for row in rows if row["field_mT"] == 0]
    assert all(row["status"] == "isotropic" and abs(row["S"]) < 0.02 for row in at_rest)


@pytest.mark.slow
def test_the_command_prints_the_table_and_leaves_the_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "FIELDS", (0.0, 1000.0))
    assert cli.run(["demo", str(tmp_path / "here")]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["field_mT", "q", "S_true", "S", "S_error", "sigmas", "status"]
    assert len(out) == 5
    assert len(list((tmp_path / "here").glob("*.nxs"))) == 2
    assert list((tmp_path / "here" / "export").rglob("*.png"))

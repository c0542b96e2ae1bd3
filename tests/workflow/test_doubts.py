"""What a number stands on that cannot be trusted is told by the status of its row, wherever the row is shown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import nxscatter as nxs
from nxscatter.cli import run
from nxscatter.model import DOUBTS, Doubt, Scan
from nxscatter.output.table import rows
from nxscatter.readers.registry import read_scan
from nxscatter.results import Fits
from nxscatter.results.base import STATUSES
from nxscatter.simulate import Simulated
from nxscatter.workflow.doubts import inherited

TURNED = Doubt("off_geometry", "rotation_angle = 5 is not used: give --poni")
MASK = Doubt("mask_missing", "the mask gaps.edf that the header names is not there: give --mask")
DEAD = Doubt("suspect_pixels", "12 pixels hold 65534 and stand out", q=0.05)


def test_a_doubt_has_a_status_that_the_tables_know() -> None:
    with pytest.raises(ValueError, match="off_centre"):
        Doubt("odd", "it is odd")


def test_a_doubt_of_the_source_enters_with_the_part_that_it_concerns() -> None:
    origin = (TURNED, MASK, DEAD)
    assert inherited({"beam": 1, "detector": 2}, origin) == (TURNED,)
    assert inherited({"raw": 1, "masks": ()}, origin) == (MASK, DEAD)


def fits(doubtful: tuple[Doubt, ...] = ()) -> Fits:
    """Three rows on two rings, of which the last has a verdict of its own."""
    count, nothing = 3, np.zeros(3)
    made = Fits(
        model="maier_saupe",
        angle="chi",
        frame=np.full(count, -1),
        ring=np.array([1, 2, 2]),
        peak=np.ones(count, dtype=int),
        q=np.array([0.05, 0.068, 0.068]),
        hkl=("",) * count,
        values={"x0": nothing},
        errors={"x0": nothing},
        covariance=np.zeros((count, 1, 1)),
        R2=nothing,
        chi2_red=nothing,
        S_harmonic=nothing,
        S_harmonic_error=nothing,
        isotropy_p=nothing,
        status=("ok", "ok", "coverage"),
        reason=("", "", "half of the ring is masked"),
        theta_bragg=nothing,
        bins=np.zeros(1),
        profile=np.zeros((2, 1)),
        profile_errors=np.zeros((2, 1)),
        fitted=np.zeros((2, 1)),
    )
    return replace(made, doubts=doubtful)


def test_the_gravest_doubt_takes_the_place_of_ok_and_nothing_else() -> None:
    doubted = fits().doubted((DEAD, MASK))
    assert doubted.status == ("mask_missing", "mask_missing", "coverage")
    assert doubted.reason[0] == MASK.reason
    assert doubted.reasons(0) == (MASK.reason, DEAD.reason)
    assert doubted.reasons(2) == ("half of the ring is masked", MASK.reason)
    assert fits().doubted((DEAD,)).status == ("suspect_pixels", "ok", "coverage")


def test_a_result_that_settles_a_doubt_does_not_carry_it_on() -> None:
    assert replace(fits(), settles=("mask_missing",)).doubted((MASK, DEAD)).doubts == (DEAD,)


@pytest.fixture(scope="module")
def doubtful(id02_file: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A container of a file whose reader has two doubts, processed with the recipe saxs."""
    from nxscatter.store import writer

    scan: Scan = read_scan(id02_file.path)
    scan = replace(scan, origin=replace(scan.origin, doubts=(TURNED, replace(DEAD, q=None))))
    path = tmp_path_factory.mktemp("doubtful") / "doubtful.nxs"
    nxs.process(writer.create(path, scan), q=[0.05, 0.068])
    return path


def test_rows_say_what_they_stand_on_and_keep_their_numbers(doubtful: Path, processed_file: Path) -> None:
    found, clean = rows(nxs.Container(doubtful)), rows(nxs.Container(processed_file))
    assert {row["status"] for row in clean} == {"ok", "isotropic"}
    for row, same in zip(found, clean, strict=True):
        assert row["S"] == same["S"]
        assert row["status"] == "off_geometry"
        assert row["reasons"][-2:] == [TURNED.reason, DEAD.reason]
        assert row["reason"] == TURNED.reason


@pytest.mark.slow
def test_every_way_out_carries_it(doubtful: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["table", str(doubtful), "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert {row["status"] for row in table} == {"off_geometry"}
    assert run(["-q", "table", str(doubtful)]) == 0
    shown = capsys.readouterr()
    assert "off_geometry" in shown.out
    assert shown.err.count(TURNED.reason) == 1, "-q silences no warning"
    assert run(["export", str(doubtful), "-o", str(tmp_path), "--format", "csv,report"]) == 0
    tables = [path.read_text("utf-8") for path in tmp_path.rglob("*refinements.csv")]
    assert tables
    assert all(TURNED.reason in text for text in tables)
    assert any(TURNED.reason in path.read_text("utf-8") for path in tmp_path.rglob("*.html"))


@pytest.mark.slow
def test_the_container_stays_valid_and_replays(doubtful: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert nxs.Container(doubtful).origin.doubts == (TURNED, replace(DEAD, q=None))
    assert run(["verify", str(doubtful), "--replay", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["replayed"] == "exact"
    assert run(["validate", str(doubtful), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)[0]
    assert (found["errors"], found["warnings"]) == (0, 0), found["messages"]


def test_every_doubt_is_a_status() -> None:
    assert set(DOUBTS) < set(STATUSES)

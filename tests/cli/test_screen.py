"""A container on one screen: what `nxscatter show` prints for people."""

from __future__ import annotations

from pathlib import Path

import pytest

from nxscatter import cli
from nxscatter.cli.screen import echo_screen
from nxscatter.output import table
from nxscatter.output.figures.curves import with_error
from nxscatter.store.container import Container
from nxscatter.store.writer import create
from nxscatter.workflow import runner
from support import toy


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]):
    def call(box: Container) -> list[str]:
        assert cli.run(["show", str(box.path)]) == 0
        return capsys.readouterr().out.splitlines()

    return call


def fields(lines: list[str]) -> dict[str, str]:
    return {line[2:].split("  ")[0]: line[2:].split("  ")[-1].strip() for line in lines if line.startswith("  ")}


def test_it_names_sample_geometry_frames_and_records(box: Container, show) -> None:
    lines = show(box)
    said = fields(lines)
    assert lines[0] == str(box.path)
    assert (said["sample"], said["magnetic field"]) == ("Co", "100 mT")
    assert said["frames"] == "3 of 24 x 30 pixels, 1 s each"
    assert said["wavelength"] == "1 Å (12.398 keV)"
    assert said["records"].split(", ") == [record.name for record in box.records]
    assert "  note: assumed" in lines
    assert "  warning: careful" in lines
    assert len(lines) < 30


def test_order_parameters_have_their_errors(box: Container, show) -> None:
    head, *rows = show(box)[-3:]
    assert head.split() == ["q", "x0", "S", "status"]
    for line, row in zip(rows, table.rows(box), strict=True):
        assert with_error(row["S"], row["S_error"]) in line
        assert line.endswith(row["status"])


def test_only_the_newest_of_each_is_shown_and_what_is_stale_is_said(box: Container, show) -> None:
    assert not any("stale" in line for line in show(box))
    runner.run(box, toy.ToyCaving(fill=1.0))
    lines = show(box)
    assert "toy_caving_v2" in fields(lines)["records"]
    assert "toy_caving_v1" not in fields(lines)["records"]
    newer = "toy_profiles_v1, toy_fit_v1, toy_order_v1"
    assert f"  warning: stale, made from what has a newer version: {newer}" in lines


def test_without_records_it_says_none(tmp_path: Path, show) -> None:
    lines = show(create(tmp_path / "x.nxs", toy.scan()))
    assert fields(lines)["records"] == "none"


def test_of_a_long_stack_the_first_and_the_last_frame_are_shown(
    box: Container, capsys: pytest.CaptureFixture[str]
) -> None:
    row = table.rows(box)[0]
    echo_screen(box, [], [{**row, "frame": frame} for frame in range(30)])
    *_, head, first, last, more = capsys.readouterr().out.splitlines()
    assert head.split()[0] == "frame"
    assert (first.split()[0], last.split()[0]) == ("0", "29")
    assert more == "28 more rows: nxscatter table toy.nxs"


def test_a_short_stack_is_shown_whole(box: Container, capsys: pytest.CaptureFixture[str]) -> None:
    row = table.rows(box)[0]
    echo_screen(box, [], [{**row, "frame": frame} for frame in range(5)])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[-5:]] == ["0", "1", "2", "3", "4"]

"""Two containers compared: what differs, and by how much."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from nxscatter.output.compare import Difference, compare
from nxscatter.store import ledger
from nxscatter.store.container import Container
from nxscatter.store.writer import create, creating
from nxscatter.workflow import runner
from support import toy


def named(found: list[Difference]) -> set[tuple[str, str, str]]:
    return {(one.where, one.what, one.name) for one in found}


def test_the_same_content_is_no_difference(box: Container, tmp_path: Path) -> None:
    """Neither the time at which records were made is one, nor how the frames are compressed."""
    assert compare(box, box) == []
    with creating(tmp_path / "again.nxs", toy.scan(), "gzip") as writer:
        runner.run_steps(writer, toy.chain())
    assert compare(box, Container(tmp_path / "again.nxs")) == []


def test_a_parameter_and_what_follows_from_it(box: Container, tmp_path: Path) -> None:
    other = toy.make(tmp_path / "other.nxs", records=False)
    steps = toy.chain()
    steps[2] = (toy.ToyCaving(fill=9.5), "toy_caving", {})
    runner.run_steps(other, steps)
    found = compare(box, other)
    assert Difference("toy_caving", "parameter", "fill", 7.0, 9.5) in found
    (image,) = (one for one in found if (one.where, one.name) == ("toy_caving", "intensity"))
    filled = int(np.count_nonzero(box.latest("toy_caving").load().flags == 1 << 15))
    assert (image.differing, image.size) == (filled, toy.ROWS * toy.COLUMNS)
    assert image.largest == 2.5
    largest = np.nanmax(box.latest("toy_caving").load().intensity)
    assert image.relative == pytest.approx(2.5 / largest)
    assert (image.first, image.second) == ("24 x 30", "24 x 30")
    assert ("toy_masking", "result", "intensity") not in named(found)
    assert ("toy_fit", "result", "I") in named(found)


def test_records_that_only_one_has(box: Container, tmp_path: Path) -> None:
    other = toy.make(tmp_path / "other.nxs", records=False)
    runner.run_steps(other, [*toy.chain()[:4], (toy.ToyProfiles(), "outer", {})])
    found = [one for one in compare(box, other) if one.what == "record"]
    assert found == [
        Difference("toy_fit", "record", "toy_fit", "toy_fit_v1", None),
        Difference("toy_order", "record", "toy_order", "toy_order_v1", None),
        Difference("outer", "record", "outer", None, "outer_v1"),
    ]


def test_the_newest_version_of_a_record_counts(box: Container, tmp_path: Path) -> None:
    other = toy.make(tmp_path / "other.nxs")
    runner.run(other, toy.ToyCaving(fill=1.0))
    runner.run(other, toy.ToyCaving(fill=7.0))
    assert compare(box, other) == []


def test_the_measurement_is_compared_too(box: Container, tmp_path: Path) -> None:
    scan = toy.scan()
    frames = scan.frames.copy()
    frames[1, 2, 3] += 5
    scan = replace(
        scan,
        frames=frames,
        sample=replace(scan.sample, magnetic_field=float("nan")),
        detector=replace(scan.detector, distance=3.5),
        masks=(),
    )
    found = compare(box, create(tmp_path / "other.nxs", scan))
    measured = [one for one in found if one.what == "measurement"]
    assert named(measured) == {
        ("sample", "measurement", "magnetic_field"),
        ("detector", "measurement", "distance"),
        ("frames", "measurement", "counts"),
        ("files", "measurement", "gaps gaps.edf"),
    }
    by_name = {one.name: one for one in measured}
    assert (by_name["distance"].first, by_name["distance"].second, by_name["distance"].largest) == (3.0, 3.5, 0.5)
    assert (by_name["counts"].differing, by_name["counts"].size, by_name["counts"].largest) == (1, 2160, 5.0)
    assert by_name["magnetic_field"].largest is None  # one of them is unknown
    json.dumps([asdict(one) for one in found if one.name != "magnetic_field"], allow_nan=False)


def test_frames_of_another_shape(box: Container, tmp_path: Path) -> None:
    scan = toy.scan()
    other = create(tmp_path / "other.nxs", replace(scan, frames=np.asarray(scan.frames)[:2]))
    assert Difference("frames", "measurement", "shape", [3, 24, 30], [2, 24, 30]) in compare(box, other)


def test_another_environment_is_named_where_results_differ(
    box: Container, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "environment", lambda: {**box.records[0].environment, "numpy": "9.9"})
    assert compare(box, toy.make(tmp_path / "same.nxs")) == []
    found = compare(box, toy.make(tmp_path / "other.nxs", seed=1))
    assert Difference("toy_caving", "environment", "numpy", np.__version__, "9.9") in found

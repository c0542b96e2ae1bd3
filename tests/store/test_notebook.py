"""What a notebook shows of a container and of a record, and the words in which a measurement is described."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from nxscatter.model import Beam, Sample, Scan
from nxscatter.store.container import Container
from nxscatter.store.summary import described
from nxscatter.store.writer import create
from nxscatter.workflow import runner
from support import toy
from support.page import Node, parse

NAN = float("nan")
HOSTILE = "<script>alert('x')</script>"


def told(table: Node) -> dict[str, str]:
    return dict(table.cells())


def made(path: Path, scan: Scan) -> Container:
    return create(path, scan)


def test_a_container_shows_its_sample_and_its_records(box: Container) -> None:
    page = parse(box._repr_html_())
    known, records = page.all("table")
    facts = told(known)
    assert page.one("strong").text == "toy.nxs"
    assert (facts["sample"], facts["magnetic field"]) == ("Co", "100 mT")
    assert facts["frames"] == "3 of 24 x 30 pixels, 1 s each"
    head, *rows = records.cells()
    assert head == ["record", "step", "date", "parameters", "warnings"]
    assert [row[0] for row in rows] == [record.name for record in box.records]
    assert rows[1][3:] == ["mask = mask.edf", "careful"]


def test_what_is_stale_is_told(box: Container) -> None:
    runner.run(box, toy.ToyMasking(threshold=5.0))
    rows = {row[0]: row[4] for row in parse(box._repr_html_()).all("table")[1].cells()}
    assert rows["toy_fit_v1"] == "stale: toy_masking_v2 is newer"
    assert told(parse(box.record("toy_fit_v1")._repr_html_()).one("table"))["stale"] == "toy_masking_v2 is newer"


def test_a_container_without_records_says_so(tmp_path: Path) -> None:
    assert "no records yet" in parse(toy.make(tmp_path / "x.nxs", records=False)._repr_html_()).text


def test_a_record_shows_what_decided_its_result(box: Container) -> None:
    record = box.record("toy_masking_v1")
    page = parse(record._repr_html_())
    facts = told(page.one("table"))
    assert page.one("strong").text == "toy_masking_v1"
    assert facts["step"] == "toy_masking version 1"
    assert facts["made from"] == "files of the source, raw frames"
    assert facts["parameter threshold"] == "1e+09 counts"
    assert facts["parameter mask"] == "mask.edf"
    assert float(facts["chosen by itself: threshold"]) == pytest.approx(record.auto["threshold"], rel=1e-5)
    assert facts["warning"] == "careful"
    assert facts["checksum"] == record.checksum
    assert "stale" not in facts


def test_names_from_a_file_are_text(tmp_path: Path) -> None:
    scan = toy.scan()
    scan = replace(scan, sample=Sample(HOSTILE, 1.0), origin=replace(scan.origin, file_name=f"{HOSTILE}.h5"))
    page = parse(made(tmp_path / "x.nxs", scan)._repr_html_())
    assert not page.all("script")
    assert told(page.one("table"))["sample"] == HOSTILE


def test_a_measurement_in_words(tmp_path: Path) -> None:
    scan = toy.scan()
    start, end = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2026, 1, 2, 3, 5, 0, 600_000, tzinfo=UTC)
    detector = replace(scan.detector, offset_x=3.0, rot2=1.5, orientation=2)
    words = described(made(tmp_path / "x.nxs", replace(scan, detector=detector, start_time=start, end_time=end)))
    assert words["wavelength"] == "1 Å (12.398 keV)"
    assert words["pixel size"] == "x 100 µm, y 100 µm"
    assert words["beam centre"] == (
        "x 15 px, y 12 px, offset x 3 px, y 0 px, rotations 0, 1.5, 0 degrees, raster orientation 2"
    )
    assert words["measured"] == "2026-01-02 03:04:05+00:00 to 2026-01-02 03:05:00+00:00"
    assert words["source"] == "a_raw.h5, reader id02"


def test_what_is_not_known_is_called_unknown(tmp_path: Path) -> None:
    scan = toy.scan()
    scan = replace(
        scan,
        sample=Sample("", NAN),
        beam=Beam(NAN),
        start_time=None,
        exposure=replace(scan.exposure, time=None),
        detector=replace(scan.detector, name="", distance=NAN, center_x=NAN),
    )
    words = described(made(tmp_path / "x.nxs", scan))
    for name in ("magnetic field", "measured", "detector", "wavelength", "distance", "sample"):
        assert words[name] == "unknown"
    assert words["beam centre"] == "x unknown, y 12 px"
    assert words["frames"] == "3 of 24 x 30 pixels"
    assert "nan" not in " ".join(words.values())


def test_a_scan_is_told_in_the_words_of_its_container(box: Container) -> None:
    assert described(toy.scan()) == described(box)


def test_exposure_times_that_differ_are_a_range(tmp_path: Path) -> None:
    scan = toy.scan()
    scan = replace(scan, exposure=replace(scan.exposure, time=np.array([0.5, 2.0, 1.0])))
    assert described(made(tmp_path / "x.nxs", scan))["frames"].endswith(", 0.5 to 2 s each")

"""A series in catalogues is one entry that names its members, and every number in it stands in the file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from support.catalogue_case import CRATE, HOST, ICAT, SCICAT, USER, validate, write_profile

pytest.importorskip("rocrate", reason="needs the extra 'catalogue'")

from nxscatter.catalogue.plan import catalogue
from nxscatter.errors import ContainerError, ParameterError
from nxscatter.output import table
from nxscatter.series.file import write
from nxscatter.series.members import Member
from nxscatter.series.series import make_series

__all__ = ["validate"]
HASHES = {"up.nxs": "aa" * 32, "top.nxs": "bb" * 32}


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """A series of two files with one ring each."""
    row = dict.fromkeys(table.columns()) | {
        "record": "fit_maier_saupe_v1",
        "model": "maier_saupe",
        "S_method": "maier_saupe",
        "angle": "chi",
        "q": 0.05,
        "peak": 1,
        "S": 0.25,
        "S_error": 0.01,
        "kappa": 1.5,
        "sample": "rods",
        "status": "ok",
    }
    start = datetime(2024, 3, 1, tzinfo=UTC)
    members = [
        Member(Path(f"/home/{USER}", name), HASHES[name], f"{name}_raw.h5", "cc" * 32, "rods", field, start, 1, (row,))
        for name, field in (("up.nxs", 100.0), ("top.nxs", 200.0))
    ]
    later = replace(members[1], start=start + timedelta(minutes=1), rows=({**row, "S": 0.5, "field_mT": 200.0},))
    return write(make_series([later, members[0]]), tmp_path / "field.nxs")[0]


def test_scicat_gets_one_derived_dataset_of_all_raw_files(series: Path, tmp_path: Path) -> None:
    profile = write_profile(tmp_path, SCICAT)
    (path,) = catalogue([series], tmp_path / "out", ["scicat"], profile)
    assert path.name == "field_scicat.json"
    record = json.loads(path.read_text("utf-8"))
    assert record["type"] == "derived"
    assert record["inputDatasets"] == [f"sha256:{'cc' * 32}"] * 2
    facts = record["scientificMetadata"]
    assert facts["member_checksum"]["value"] == list(HASHES.values())
    assert facts["S"] == {"value": [0.25, 0.5], "unit": "", "path": "/entry/table/S"}
    with h5py.File(series) as file:
        for fact in facts.values():
            stored = np.atleast_1d(file[fact["path"]][()]).tolist()
            assert listed(fact["value"]) == [one.decode() if isinstance(one, bytes) else one for one in stored]
    files = record["origdatablocks"][0]["dataFileList"]
    assert [one["path"] for one in files] == ["field.nxs", "field.csv", "field.png"]
    assert len(record["attachments"]) == 1
    text = path.read_text("utf-8")
    assert USER not in text
    assert HOST not in text


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_inputs_have_the_identifiers_of_the_profile(series: Path, tmp_path: Path) -> None:
    pids = '\n[scicat.input_pid]\n"up.nxs_raw.h5" = "1/a"\n"top.nxs_raw.h5" = "1/b"\n'
    (path,) = catalogue([series], tmp_path, ["scicat"], write_profile(tmp_path, SCICAT, pids))
    assert json.loads(path.read_text("utf-8"))["inputDatasets"] == ["1/a", "1/b"]
    one = write_profile(tmp_path, SCICAT, 'input_pid = "1/a"\n')
    with pytest.raises(ParameterError, match="input_pid is one for 2 members; write a table"):
        catalogue([series], tmp_path, ["scicat"], one)


@pytest.mark.slow
def test_a_crate_names_the_members_and_holds_the_series(
    series: Path, tmp_path: Path, validate: Callable[[Path, str, str], list[str]]
) -> None:
    (crate,) = catalogue([series], tmp_path / "out", ["ro-crate"], write_profile(tmp_path, CRATE))
    assert {path.name for path in crate.iterdir()} == {"field.nxs", "field.csv", "field.png", "ro-crate-metadata.json"}
    graph = {one["@id"]: one for one in json.loads((crate / "ro-crate-metadata.json").read_text("utf-8"))["@graph"]}
    members = [graph[one["@id"]] for one in graph["#series"]["object"] if "member" in one["@id"]]
    assert {one["name"]: one["identifier"] for one in members} == {name: f"sha256:{HASHES[name]}" for name in HASHES}
    assert graph["#series"]["result"] == {"@id": "field.nxs"}
    for profile in ("ro-crate-1.1", "process-run-crate-0.5"):
        assert validate(crate, profile, "REQUIRED") == []


def test_icat_gets_one_message_that_names_the_members(series: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyicat_plus", reason="needs the extra 'icat'")
    (path,) = catalogue([series], tmp_path, ["icat"], write_profile(tmp_path, ICAT))
    text = path.read_text("utf-8")
    assert all(f"{name} (sha256:{checksum})" in text for name, checksum in HASHES.items())
    assert "2024-03-01" in text


def test_a_damaged_series_is_an_error(series: Path, tmp_path: Path) -> None:
    with h5py.File(series, "r+") as file:
        del file["entry"]
    with pytest.raises(ContainerError, match=r"field\.nxs: has no /entry/title; make the series again"):
        catalogue([series], tmp_path, ["scicat"], write_profile(tmp_path, SCICAT))

"""Many containers as one table: points keyed by file, in order of time, whatever order they are named in."""

from __future__ import annotations

import csv
import random
import shutil
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from nexusformat.nexus.validate import validate_file
from silx.io.nxdata import get_default

from nxscatter import cli, simulate
from nxscatter.errors import ContainerError, LockedError, ParameterError
from nxscatter.series.curves import plots
from nxscatter.series.file import write
from nxscatter.series.follow import follow
from nxscatter.series.members import Member, directions, in_order, names_of, read_member, sweeps
from nxscatter.series.series import Series, collect, columns, make_series
from nxscatter.store.access import is_container, is_series
from nxscatter.store.container import Container
from nxscatter.store.nexus.transaction import Lock
from nxscatter.store.validate import Validation, validate
from nxscatter.workflow.paths import expand
from nxscatter.workflow.prepare import prepare
from nxscatter.workflow.process import run_recipe
from support import tiny

FIELDS = (0.0, 300.0, 800.0)
KAPPA = {("up", 0.0): 0.0, ("up", 300.0): 2.0, ("up", 800.0): 6.0, ("down", 300.0): 4.0, ("down", 0.0): 3.0}
START = simulate.Run().start
COARSE = {"azimuthal_profiles.tolerance": 0.1, "azimuthal_profiles.bins": 72}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Containers of a sample whose order depends on where its field comes from, numbered against their time."""
    folder = tmp_path_factory.mktemp("series")
    for minute, ((_, field), kappa) in enumerate(KAPPA.items()):
        run = simulate.Run("rods", field, START + timedelta(minutes=minute), exposure_time=5.0, seed=minute)
        raw = folder / "raw" / simulate.id02_name("rods", 9 - minute)
        raw.parent.mkdir(exist_ok=True)
        simulate.write_id02(raw, simulate.oriented(tiny.RINGS, kappa, 20.0), tiny.CAMERA, run, mask_prefix="rods")
        run_recipe(raw, prepare(q=tiny.RINGS, settings=COARSE), output=folder)
    return folder


@pytest.fixture(scope="module")
def paths(folder: Path) -> list[Path]:
    return sorted(folder.glob("rods*.nxs"))


@pytest.fixture(scope="module")
def series(paths: list[Path]) -> Series:
    return collect(paths)


def member(name: str, minute: float | None, field: float = np.nan, sample: str = "rods") -> Member:
    start = None if minute is None else START + timedelta(minutes=minute)
    return Member(Path("/data", name), name, "raw", "0", sample, field, start, 1, ())


def test_up_and_down_sweeps_are_different_points_of_the_same_field(series: Series) -> None:
    rows = [row for row in series.rows if row["model"] == "maier_saupe" and row["q"] == tiny.RINGS[0]]
    assert [(row["direction"], row["field_mT"]) for row in rows] == list(KAPPA)
    assert [row["sweep"] for row in rows] == [1, 1, 1, 2, 2]
    assert [row["time_s"] for row in rows] == [0.0, 60.0, 120.0, 180.0, 240.0]
    for row, kappa in zip(rows, KAPPA.values(), strict=True):
        if kappa:
            assert row["kappa"] == pytest.approx(kappa, abs=5 * row["kappa_error"])
    assert rows[0]["status"] == "isotropic"


def test_any_order_of_the_files_gives_the_same_bytes(paths: list[Path], series: Series, tmp_path: Path) -> None:
    written = write(series, tmp_path / "a.nxs")
    shuffled = [*paths, paths[2]]
    random.Random(1).shuffle(shuffled)
    again = write(collect(shuffled), tmp_path / "b.nxs")
    assert [path.suffix for path in written] == [".nxs", ".csv", ".png"]
    assert [path.read_bytes() for path in written] == [path.read_bytes() for path in again]


@pytest.mark.slow
def test_the_file_is_valid_nexus_and_opens_at_a_plot(series: Series, paths: list[Path], tmp_path: Path) -> None:
    from pynxtools.dataconverter.helpers import collector
    from pynxtools.dataconverter.validation import validate_hdf_group_against

    for axis, label in (("field", "magnetic_field (mT)"), ("time", "time (s)")):
        path = write(replace(series, axis=axis), tmp_path / f"{axis}.nxs")[0]
        assert validate_file(str(path)) == (0, 0)
        with h5py.File(path) as file:
            assert validate_hdf_group_against("NXroot", file, str(path))
            assert collector.data["warning_and_error"] == set()
            shown = get_default(file)
            assert shown.is_valid
            assert (shown.title, shown.axes_names) == ("order parameter S", [label])
            assert shown.errors is not None
            for group in file["entry"].values():
                if group.attrs.get("NX_class") == "NXdata":
                    assert get_default(group).is_valid, group.name


def test_a_series_is_validated_and_is_no_container(series: Series, tmp_path: Path) -> None:
    path = write(series, tmp_path / "s.nxs")[0]
    assert validate(path) == Validation()
    with pytest.raises(ContainerError, match="is a series; nxscatter view shows it"):
        Container(path)
    with h5py.File(path, "r+") as file:
        del file["entry/table/S"]
    assert validate(path).errors + validate(path).warnings > 0


def test_curves_tell_rings_and_directions_apart(series: Series) -> None:
    made = {plot.name: plot for plot in plots(series)}
    assert next(iter(made)) == "S_maier_saupe"
    assert {"x0_maier_saupe", "gamma_pseudo_voigt", "kappa_maier_saupe", "S_pseudo_voigt", "S_harmonic"} <= set(made)
    plot = made["kappa_maier_saupe"]
    curves = {plot.values[name][2]: plot.values[name][0] for name in (plot.signal, *plot.auxiliary)}
    assert list(curves) == [f"q ≈ {q:g} Å⁻¹, {direction}" for direction in ("up", "down") for q in tiny.RINGS]
    np.testing.assert_array_equal(plot.values["magnetic_field"][0], [field for _, field in KAPPA])
    up = curves[f"q ≈ {tiny.RINGS[0]:g} Å⁻¹, up"]
    assert np.isfinite(up).tolist() == [False, True, True, False, False]  # isotropic at first, then another sweep
    in_time = {plot.name: plot for plot in plots(replace(series, axis="time"))}["kappa_maier_saupe"]
    assert len(in_time.auxiliary) == 1
    np.testing.assert_array_equal(in_time.values["time"][0], [0, 60, 120, 180, 240])


def test_members_are_named_by_file_and_content(series: Series, paths: list[Path], tmp_path: Path) -> None:
    with h5py.File(write(series, tmp_path / "s.nxs")[0]) as file:
        members = file["entry/members"]
        text = {name: [one.decode() for one in members[name]] for name in ("file", "checksum", "source_checksum")}
    assert text["file"] == [path.name for path in reversed(paths)]
    boxes = [Container(path) for path in reversed(paths)]
    assert text["checksum"] == [box.records[-1].checksum for box in boxes]
    assert text["source_checksum"] == [box.origin.sha256 for box in boxes]


def test_the_csv_is_the_table(series: Series, tmp_path: Path) -> None:
    with write(series, tmp_path / "s.nxs")[1].open(newline="") as file:
        head, *lines = csv.reader(file)
    shown = [name for name in columns() if name != "reason"]  # there is nothing to doubt
    assert [name.split(" ")[0] for name in head] == shown
    assert len(lines) == len(series.rows)
    at = head.index("kappa")
    assert [line[at] for line in lines] == ["" if row["kappa"] is None else repr(row["kappa"]) for row in series.rows]


def test_frames_of_a_stack_are_points_at_their_own_times(tmp_path: Path) -> None:
    run = simulate.Run("rods", 100.0, START, exposure_time=2.0, dead_time=1.0)
    stack = simulate.kinetic_stack(tmp_path / "rods_00001_raw.h5", 4, camera=tiny.CAMERA, run=run)
    single = replace(run, start=START - timedelta(seconds=30))
    first = simulate.write_id02(tmp_path / "rods_00000_raw.h5", stack.patterns[0], tiny.CAMERA, single)
    settings = {**COARSE, "azimuthal_profiles.frames": "each"}
    boxes = [run_recipe(one.path, prepare(q=(0.05,), settings=settings)).container for one in (stack, first)]
    found = collect(box.path for box in boxes)
    assert found.axis == "time"  # one field only
    rows = [row for row in found.rows if row["model"] == "maier_saupe"]
    assert [(row["file"][:10], row["frame"], row["time_s"]) for row in rows] == [
        ("rods_00000", 0, 0.0),
        *(("rods_00001", frame, 30.0 + 3 * frame) for frame in range(4)),
    ]


def test_times_of_lgc_files_are_those_of_their_headers(tmp_path: Path) -> None:
    for number, minute in ((1, 7.5), (2, 0.0)):
        run = simulate.Run("agbh", start=START + timedelta(minutes=minute))
        raw = simulate.write_lgc(tmp_path / simulate.lgc_name("agbh", number), simulate.oriented((0.1,), 4.0), run=run)
        run_recipe(raw.path, prepare(q=(0.1,)))
    found = collect(tmp_path.glob("*.nxs"))
    assert found.axis == "time"
    assert found.names == ["agbh_0_00002.nxs", "agbh_0_00001.nxs"]
    assert found.times == [0.0, 450.0]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ((0, 1, 2), "up up up"),
        ((0, 2, 1, 3), "up up down up"),
        ((0, 1, 1, 0), "up up down down"),
        ((2, 2, 1, 1), "down down down down"),
        ((3, 3), "- -"),
        ((5,), "-"),
        ((0, np.nan, 2), "up - up"),
    ],
)
def test_the_direction_of_a_sweep_follows_the_field_in_time(fields: tuple[float, ...], expected: str) -> None:
    members = [member(f"{number}", number, field) for number, field in enumerate(fields)]
    assert [one or "-" for one in directions(members)] == expected.split()


def test_each_sample_has_its_own_sweeps() -> None:
    mixed = [member("a", 0, 1.0, "A"), member("b", 1, 5.0, "B"), member("c", 2, 2.0, "A"), member("d", 3, 0.0, "B")]
    assert directions(mixed) == ["up", "down", "up", "down"]
    assert sweeps(mixed) == [1, 1, 1, 1]
    again = [*mixed, member("e", 4, 0.5, "A"), member("f", None, 9.0, "A")]
    assert sweeps(again) == [1, 1, 1, 1, 2, 0]


def test_files_without_a_time_come_last_and_have_none() -> None:
    ordered = in_order([member("z", None), member("b", 2), member("a", 3), member("c", None)])
    assert [one.path.name for one in ordered] == ["b", "a", "c", "z"]
    np.testing.assert_array_equal(Series(ordered, "time").times, [0, 60, np.nan, np.nan])


def test_files_of_the_same_name_are_told_apart_by_their_folders() -> None:
    same = [replace(member("x.nxs", n), path=Path("/data", day, "x.nxs")) for n, day in enumerate(("mon", "tue"))]
    assert names_of(same) == ["mon/x.nxs", "tue/x.nxs"]
    assert names_of([*same, replace(same[0], path=Path("/other/mon/x.nxs"))])[0] == "data/mon/x.nxs"


def test_an_axis_that_no_file_knows_is_an_error() -> None:
    with pytest.raises(ParameterError, match="--axis field: no file says its field"):
        make_series([member("a", 0)], "field")
    with pytest.raises(ParameterError, match="use one of field, time"):
        make_series([member("a", 0)], "temperature")
    with pytest.raises(ParameterError, match="no file says its field or its time: give --field-mT"):
        make_series([member("a", None)])
    assert make_series([member("a", None, 1.0)]).axis == "field"
    assert make_series([member("a", 0, 1.0), member("b", 1, 1.0)]).axis == "time"


def test_a_series_replaces_a_series_and_nothing_else(series: Series, paths: list[Path], tmp_path: Path) -> None:
    other = Path(shutil.copy(paths[0], tmp_path / "box.nxs"))
    with pytest.raises(ContainerError, match="is no series; choose another name"):
        write(series, other)
    with pytest.raises(ContainerError, match="none of 1 files has a fit; run nxscatter process"):
        write(make_series([member("a", 0)]), tmp_path / "empty.nxs")
    path = write(series, tmp_path / "s.nxs")[0]
    before = path.stat().st_ino
    write(series, path)
    assert path.stat().st_ino == before
    write(replace(series, axis="time"), path)
    assert path.stat().st_ino != before
    with Lock(path), pytest.raises(LockedError):
        write(series, path)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["box.nxs", "s.csv", "s.nxs", "s.png"]


def test_a_series_is_no_input_of_a_batch(series: Series, paths: list[Path], tmp_path: Path) -> None:
    shutil.copy(paths[0], tmp_path)
    path = write(series, tmp_path / "s.nxs")[0]
    assert is_series(path)
    assert not is_container(path)
    assert expand([tmp_path]) == [tmp_path / paths[0].name]


def test_the_command_takes_containers_and_goes_past_a_bad_one(
    paths: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.nxs"
    bad.write_bytes(b"nothing")
    output = tmp_path / "s.nxs"
    for _ in range(2):  # the second time the series itself is among the files
        names = [str(path) for path in (*paths, bad, *tmp_path.glob("s.nxs"))]
        assert cli.run(["series", *names, "-o", str(output)]) == 1
        printed = capsys.readouterr()
        assert printed.out.split() == [str(output.with_suffix(end)) for end in (".nxs", ".csv", ".png")]
        assert "bad.nxs" in printed.err
        assert f"{len(paths)} files, " in printed.err
    assert cli.run(["series", str(bad), "-o", str(output)]) == 2
    assert cli.run(["series", "-o", str(output)]) == 2
    assert cli.run(["series", str(paths[0]), "-o", str(tmp_path / "s.csv")]) == 2


def test_a_folder_is_followed_while_files_arrive(paths: list[Path], tmp_path: Path, monkeypatch: Any) -> None:
    read: list[str] = []

    def reading(path: Path) -> Member:
        read.append(path.name)
        return read_member(path)

    monkeypatch.setattr("nxscatter.series.follow.read_member", reading)
    watched = follow(tmp_path / "arriving", pause=0.01)
    found: list[Series] = []
    waiting = threading.Thread(target=lambda: found.append(next(watched)), daemon=True)
    waiting.start()
    (tmp_path / "arriving").mkdir()
    (tmp_path / "arriving" / "half.nxs").write_bytes(b"\x89HDF\r\n\x1a\n")
    arrive(paths[0], tmp_path)
    waiting.join(20)
    assert [len(one.members) for one in found] == [1]
    arrive(paths[1], tmp_path)
    assert len(next(watched).members) == 2
    (tmp_path / "arriving" / paths[0].name).unlink()
    assert [one.path.name for one in next(watched).members] == [paths[1].name]
    assert sorted(read) == [path.name for path in paths[:2]]  # each of them once


def arrive(path: Path, folder: Path) -> None:
    """Let a container come into being at once, as the program does."""
    Path(shutil.copy(path, folder / path.name)).replace(folder / "arriving" / path.name)


def test_following_ends_well_with_ctrl_c(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(pause: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nxscatter.series.follow.time.sleep", interrupt)
    shutil.copy(paths[0], tmp_path)
    assert cli.run(["series", "--follow", str(tmp_path), "-o", str(tmp_path / "s.nxs")]) == 0
    assert capsys.readouterr().err.splitlines()[-1] == "stopped"
    assert is_series(tmp_path / "s.nxs")

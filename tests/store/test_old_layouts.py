"""Containers of earlier layouts open, verify, replay, export and grow as on the day they were made.

How they were made is told in ``make.py`` beside them; what they said then is in ``expected.json``.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import lzma
import platform
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nxscatter as nxs
from nxscatter.cli import run

FOLDER = Path(__file__).parents[1] / "fixtures" / "layout1"
EXPECTED: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text("utf-8"))
CONTAINERS: dict[str, dict[str, Any]] = EXPECTED["containers"]
SERIES = ("mapping", "steps", "saxs")  # the members of the series
SINCE = ("reason", "reasons")  # columns that tables have got since
FORMATS = "csv,npz,sasview,nxcansas"
DRAWN = {"mapping": "png", "saxs": "png,report", "stack": "png"}  # whose names differ in more than their number
SETTINGS = ("--set=azimuthal_profiles.tolerance=0.05", "--set=azimuthal_profiles.bins=72")
AT_Q = ("--q", "0.045,0.06", *SETTINGS)
# what is done to each container once more, with another tolerance
AGAIN: dict[str, tuple[str, ...]] = {
    "lgc": ("--recipe", "refined", *SETTINGS, "--set=rings.min_fwhm=2.0"),
    "mapping": AT_Q,
    "saxs": AT_Q,
    "stack": (*AT_Q, "--set=azimuthal_profiles.frames=each"),
    "steps": AT_Q,
    "waxs": ("--cif", str(FOLDER / "cobalt.cif"), "--hkl", "1 0 0", *SETTINGS),
}


def unpack(name: str, folder: Path) -> Path:
    """Write a file of the fixtures into a folder."""
    path = folder / f"{name}.nxs"
    path.write_bytes(lzma.decompress((FOLDER / f"{name}.nxs.xz").read_bytes()))
    return path


def unpack_all(folder: Path) -> list[Path]:
    return [unpack(name, folder) for name in CONTAINERS]


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a command that must end well and return what it prints."""
    capsys.readouterr()
    code = run(["-q", *map(str, arguments)])
    said = capsys.readouterr()
    assert code == 0, said.out + said.err
    return said.out


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files(folder: Path) -> dict[str, str]:
    """Return the hashes of all files below a folder, by name."""
    return {path.relative_to(folder).as_posix(): digest(path) for path in folder.rglob("*") if path.is_file()}


@cache
def same_environment() -> bool:
    """Tell whether last digits must come out as they did: all that computes is what it was, the processor too.

    The version of nxscatter does not count, nor does the kernel.
    """
    then = EXPECTED["environment"]
    now = {name: importlib.metadata.version(name) for name in ("numpy", "scipy", "pyFAI", "h5py")}
    now |= {"python": platform.python_version(), "HDF5": h5py.version.hdf5_version}
    libraries = {text.rpartition("-with-")[2] for text in (then["platform"], platform.platform())}
    built: Any = np.show_config(mode="dicts")
    processor = [platform.machine(), *built.get("SIMD Extensions", {}).get("found", [])]
    same = all(then[name] == version for name, version in now.items())
    return same and len(libraries) == 1 and processor == EXPECTED["processor"]


def contents(path: Path) -> dict[tuple[str, str], Any]:
    """Return all attributes and datasets of an HDF5 file, but for the version of the program that wrote it."""

    def told(value: Any) -> Any:
        array = np.asarray(value)
        return array.tolist() if array.dtype.kind in "OSU" else (array.dtype.str, array.shape, array.tobytes())

    with h5py.File(path) as file:
        nodes: dict[str, Any] = {"/": file}
        file.visititems(lambda name, node: nodes.update({name: node}))
        found = {(name, key): told(value) for name, node in nodes.items() for key, value in node.attrs.items()}
        found |= {(name, ""): told(node[()]) for name, node in nodes.items() if isinstance(node, h5py.Dataset)}
    del found["/", "creator_version"], found["entry/series/version", ""]
    return found


def check_files(folder: Path, then: dict[str, str]) -> None:
    """Compare names, and where last digits must come out alike the bytes."""
    found = files(folder)
    assert sorted(found) == sorted(then)
    if same_environment():
        assert found == then


def check_verified(found: list[dict[str, Any]]) -> None:
    """Let every container be verified, and none have a problem."""
    assert {Path(one["file"]).stem: one["problems"] for one in found} == {name: [] for name in CONTAINERS}
    assert all(one["ok"] for one in found)


@pytest.fixture
def unpainted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let figures be made but not painted, which takes most of the time."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    monkeypatch.setattr(FigureCanvasAgg, "print_png", lambda self, file, **options: file.write(b"PNG"))
    monkeypatch.setattr(FigureCanvasAgg, "draw", lambda self: setattr(self, "renderer", self.get_renderer()))


def test_each_container_of_the_folder_is_tested() -> None:
    packed = {path.name.removesuffix(".nxs.xz") for path in FOLDER.glob("*.nxs.xz")}
    assert packed == {*CONTAINERS, "series"} == {*AGAIN, "series"}


@pytest.mark.parametrize("name", CONTAINERS)
def test_it_opens_with_the_records_and_hashes_it_had(name: str, tmp_path: Path) -> None:
    path, then = unpack(name, tmp_path), CONTAINERS[name]
    assert digest(path) == then["sha256"]
    with h5py.File(path) as file:
        ledger = json.loads(file["entry/ledger/data"].asstr()[()])
    assert (ledger["container_version"], ledger["content"]) == (then["layout"], then["content"])
    found = [
        {"name": one.name, "step": one.step, "version": one.step_version, "date": one.date}
        | {"result": one.result_hash, "checksum": one.checksum}
        for one in nxs.Container(path).records
    ]
    assert found == then["records"]
    assert digest(path) == then["sha256"]


@pytest.mark.slow
def test_all_verify_and_replay_as_they_were(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Bit by bit where the environment is the one they were made in, within the tolerance elsewhere."""
    found = json.loads(printed(capsys, "verify", "--replay", "--json", *unpack_all(tmp_path)))
    check_verified(found)
    allowed = ("exact",) if same_environment() else ("exact", "tolerance")
    assert [one for one in found if one["replayed"] not in allowed] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CONTAINERS, "series"])
def test_it_is_valid(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = json.loads(printed(capsys, "validate", "--json", unpack(name, tmp_path)))
    assert (found["errors"], found["warnings"], found["messages"]) == (0, 0, [])


@pytest.mark.parametrize("name", CONTAINERS)
def test_its_table_is_the_one_it_had(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(printed(capsys, "table", "--json", "--all", unpack(name, tmp_path)))
    columns, then = CONTAINERS[name]["table"]["columns"], CONTAINERS[name]["table"]["rows"]
    rows = [{key: value for key, value in row.items() if key not in SINCE} for row in rows]
    assert [list(row) for row in rows] == [columns] * len(then)
    for row, before in zip(rows, then, strict=True):
        numbers = {key: value for key, value in zip(columns, before, strict=True) if isinstance(value, float)}
        assert {key: row[key] for key in numbers} == pytest.approx(numbers, rel=1e-9, abs=0)
        assert {**row, **numbers} == dict(zip(columns, before, strict=True))


@pytest.mark.parametrize("name", CONTAINERS)
def test_its_exports_have_the_bytes_they_had(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed(capsys, "export", unpack(name, tmp_path), "-o", tmp_path / "out", "--format", FORMATS)
    check_files(tmp_path / "out", CONTAINERS[name]["exports"])


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWN)
def test_its_figures_and_report_have_the_names_they_had(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], unpainted: None
) -> None:
    printed(capsys, "export", unpack(name, tmp_path), "-o", tmp_path / "out", "--format", DRAWN[name])
    then = [one for one in CONTAINERS[name]["drawn"] if one.endswith(".png") or "report" in DRAWN[name]]
    assert sorted(files(tmp_path / "out")) == sorted(then)


def test_the_series_is_made_again_as_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], unpainted: None
) -> None:
    members = [unpack(name, tmp_path) for name in SERIES]
    before, out = unpack("series", tmp_path), tmp_path / "out"
    assert digest(before) == EXPECTED["series"]["written"]["series.nxs"]
    printed(capsys, "series", *members, "-o", out / "series.nxs", "--axis", "field")
    assert sorted(files(out)) == sorted(EXPECTED["series"]["written"])
    assert (out / "series.csv").read_text("utf-8") == (FOLDER / "series.csv").read_text("utf-8")
    assert contents(out / "series.nxs") == contents(before)
    if same_environment() and nxs.__version__ == EXPECTED["environment"]["nxscatter"]:
        assert (out / "series.nxs").read_bytes() == before.read_bytes()


def test_members_of_a_series_export_the_same_files_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    members = [unpack(name, tmp_path) for name in SERIES]
    printed(capsys, "export", *members, "-o", tmp_path / "out", "--format", FORMATS)
    check_files(tmp_path / "out", EXPECTED["series"]["exports"])


@pytest.mark.slow
def test_records_are_added_and_the_old_ones_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = unpack_all(tmp_path)
    for path in paths:
        printed(capsys, "process", path, *AGAIN[path.stem])
        then = [one["checksum"] for one in CONTAINERS[path.stem]["records"]]
        now = [one.checksum for one in nxs.Container(path).records]
        assert now[: len(then)] == then
        assert len(now) > len(then), path.name
    check_verified(json.loads(printed(capsys, "verify", "--json", *paths)))

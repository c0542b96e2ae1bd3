"""The command line as a contract: shapes of JSON, exit codes, one-line errors, nothing half-written."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest

from nxscatter import cli, simulate
from nxscatter.output.table import columns

if TYPE_CHECKING:
    from nxscatter.simulate import Simulated

SHORT = '[[step]]\nuse = "masking"\n[[step]]\nuse = "azimuthal_profiles"\nq = [0.05]\nbins = 72\n'


@dataclass
class Ran:
    """Exit code and both streams of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        def refuse(text: str) -> None:
            raise AssertionError(f"{text} is no strict JSON")

        return json.loads(self.out, parse_constant=refuse)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    def call(*arguments: object) -> Ran:
        capsys.readouterr()
        code = cli.run([str(one) for one in arguments])
        streams = capsys.readouterr()
        return Ran(code, streams.out, streams.err)

    return call


@pytest.fixture
def raw(id02_file: Simulated, tmp_path: Path) -> Path:
    """A raw file, with its masks, in a folder of its own."""
    for file in (id02_file.path, *id02_file.masks.values()):
        shutil.copy(file, tmp_path)
    return tmp_path / id02_file.path.name


@pytest.fixture(scope="module")
def box(id02_file: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A container with the records of the recipe saxs; tests only read it."""
    folder = tmp_path_factory.mktemp("box")
    assert cli.run(["-q", "process", str(id02_file.path), "--q", "0.05,0.068", "-o", str(folder)]) == 0
    return folder / id02_file.path.with_suffix(".nxs").name


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """A recipe that is soon done."""
    file = tmp_path / "short.toml"
    file.write_text(SHORT)
    return file


def files(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*")}


def test_help_answers_without_the_heavy_imports() -> None:
    heavy = ("numpy", "h5py", "pyFAI", "pandas", "matplotlib", "scipy", "rich", "fabio", "silx", "nexusformat")
    code = (
        f"import sys; from nxscatter import cli; cli.run(['--help']); print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for name in ("convert", "identify", "process", "history", "show", "table", "export", "validate", "verify", "demo"):
        assert f"\n  {name} " in done.stdout


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys; import nxscatter; print([m for m in sys.modules if m.startswith(('nxscatter', 'numpy'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['nxscatter']"


def test_process_prints_the_container_and_tells_the_rest_on_stderr(
    run: Callable[..., Ran], raw: Path, short: Path
) -> None:
    first = run("process", raw, "--recipe", short)
    assert (first.code, first.out) == (0, f"{raw.with_suffix('.nxs')}\n")
    assert "converted, 3 records" in first.err
    again = run("process", raw, "--recipe", short)
    assert (again.code, again.out) == (0, first.out)
    assert "up to date" in again.err
    assert run("process", raw, "--recipe", short, "-q").err == ""
    assert run("-q", "process", raw, "--recipe", short).err == ""
    assert "added masking_v2" in run("process", raw, "--recipe", short, "--set", "masking.saturation=1e6", "-v").err


def test_warnings_of_records_go_to_stderr_with_the_file(run: Callable[..., Ran], raw: Path, short: Path) -> None:
    done = run(
        "process",
        raw,
        "--recipe",
        short,
        "--set",
        "azimuthal_profiles.tolerance=0.002",
        "--set",
        "azimuthal_profiles.bins=720",
        "-q",
    )
    assert done.code == 0
    assert done.err.startswith(f"warning: {raw.name}: the ring at q = 0.05")


def test_several_inputs_go_on_past_a_bad_one(run: Callable[..., Ran], raw: Path, short: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.h5"
    bad.write_bytes(b"nothing")
    done = run("process", tmp_path, "--recipe", short, "-o", tmp_path / "out")
    assert done.code == 1
    assert done.out == f"{tmp_path / 'out' / raw.with_suffix('.nxs').name}\n"
    assert done.err.splitlines()[-1].startswith("error: bad.h5: ")
    assert "1 done, 0 up to date, 1 failed" in done.err
    assert run("process", bad, tmp_path / "gone.h5", "--recipe", short).code == 1
    assert run("process", bad, "--recipe", short).code == 2
    stopped = run("process", bad, raw, "--recipe", short, "--fail-fast")
    assert (stopped.code, stopped.out) == (1, "")


def test_jobs_share_the_files(
    run: Callable[..., Ran], field_series: list[Simulated], short: Path, tmp_path: Path
) -> None:
    inputs = [one.path for one in field_series[:2]]
    done = run("process", *inputs, "--recipe", short, "-o", tmp_path / "out", "--jobs", 2)
    assert done.code == 0
    assert sorted(done.out.split()) == [str(tmp_path / "out" / one.with_suffix(".nxs").name) for one in inputs]


def test_process_exports_when_asked(run: Callable[..., Ran], raw: Path, short: Path, tmp_path: Path) -> None:
    assert run("process", raw, "--recipe", short, "--export", tmp_path / "export").code == 0
    assert any(name.endswith("_0.05.csv") for name in files(tmp_path / "export"))


def test_convert_takes_masks_and_what_the_file_lacks(run: Callable[..., Ran], raw: Path, tmp_path: Path) -> None:
    done = run(
        "convert",
        raw,
        "-o",
        tmp_path / "mine.nxs",
        "--sample",
        "cobalt",
        "--field-mT",
        "7",
        "--mask",
        raw.parent / "LPCNOsaxs_eiger2_00376_gaps_mask.edf",
    )
    assert (done.code, done.out) == (0, f"{tmp_path / 'mine.nxs'}\n")
    shown = run("show", tmp_path / "mine.nxs", "--json").json[0]
    assert (shown["sample"], shown["field_mT"], shown["records"]) == ("cobalt", 7.0, [])


def test_identify_tells_reader_and_contents(run: Callable[..., Ran], raw: Path, lgc_file: Simulated) -> None:
    done = run("identify", raw, lgc_file.path)
    assert done.code == 0
    assert "reader id02" in done.out
    assert "reader lgc" in done.out
    assert run("identify", raw.parent / "gone.h5").code == 2
    mixed = run("identify", raw, raw.parent / "gone.h5")
    assert mixed.code == 1
    assert "reader id02" in mixed.out


def test_identify_names_what_is_missing_and_the_option(run: Callable[..., Ran], tmp_path: Path) -> None:
    path = simulate.write_id02(tmp_path / "x_raw.h5", simulate.oriented([0.05], 2.0), header={"Title": "rods"}).path
    assert "--field-mT" in run("identify", path).out


def test_history_lists_the_records(run: Callable[..., Ran], box: Path) -> None:
    rows = run("history", box, "--json").json
    keys = "sequence, name, step, step_version, program_version, date, parameters, inputs, checksum, stale"
    assert all(", ".join(row) == keys for row in rows)
    assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
    assert rows[1]["name"] == "masking_v1"
    assert rows[3]["parameters"]["q"] == [0.05, 0.068]
    assert all(set(source) == {"path", "checksum"} for row in rows for one in row["inputs"].values() for source in one)
    assert not any(row["stale"] for row in rows)
    assert "azimuthal_profiles_v1" in run("history", box).out


def test_history_marks_what_is_stale(run: Callable[..., Ran], raw: Path, short: Path) -> None:
    run("process", raw, "--recipe", short)
    run("process", raw, "--recipe", short, "--set", "masking.saturation=1e6")
    stale = {row["name"]: row["stale"] for row in run("history", raw.with_suffix(".nxs"), "--json").json}
    assert stale == {
        "geometry_v1": False,
        "masking_v1": False,
        "azimuthal_profiles_v1": True,
        "masking_v2": False,
        "azimuthal_profiles_v2": False,
    }


def test_show_is_a_list_of_one_object(run: Callable[..., Ran], box: Path) -> None:
    (shown,) = run("show", box, "--json").json
    expected = {"sample": "rods", "field_mT": 1000.0, "frames": 1, "reader": "id02", "wavelength_angstrom": 1.0}
    assert expected.items() <= shown.items()
    assert shown["records"][:2] == ["geometry_v1", "masking_v1"]
    assert shown["results"] == run("table", box, "--json").json
    text = run("show", box).out
    assert "rods" in text
    assert "maier_saupe" in text


def test_table_rows_are_those_of_the_contract(run: Callable[..., Ran], box: Path) -> None:
    rows = run("table", box, "--json").json
    names = (
        "file, record, sample, field_mT, elapsed_s, frame, q, hkl, angle, peak, reflection, model, y0, I, x0, x0_S, "
        "gamma, eta, slope, kappa, a, b, S, S_error, S_method, S_harmonic, P4, R2, chi2_red, status"
    )
    assert set(names.split(", ")) <= set(columns())
    assert all(list(row) == [*columns(), "reasons"] for row in rows)
    oriented = next(row for row in rows if row["S_method"] == "maier_saupe" and row["q"] == 0.05)
    assert oriented["file"] == box.name
    assert abs(oriented["x0"] - 25) < 0.3
    assert oriented["gamma"] is None
    assert abs(oriented["S"] - 0.6464) < 4 * oriented["S_error"] < 0.05
    table = list(csv.DictReader(io.StringIO(run("table", box, "--csv").out)))
    assert [row["S_method"] for row in table] == [row["S_method"] for row in rows]
    assert [float(row["q"]) for row in table] == [row["q"] for row in rows]
    assert len(run("table", box, box, "--json", "--all").json) >= 2 * len(rows)


def test_export_writes_from_the_container_alone(run: Callable[..., Ran], box: Path, tmp_path: Path) -> None:
    done = run("export", box, "-o", tmp_path, "--format", "csv")
    assert done.code == 0
    written = [Path(line) for line in done.out.splitlines()]
    assert written
    assert all(path.suffix == ".csv" and path.is_file() for path in written)
    wrong = run("export", box, "-o", tmp_path, "--format", "svg")
    assert wrong.code == 2
    assert "csv" in wrong.err


def test_validate_counts_errors_and_warnings(run: Callable[..., Ran], box: Path) -> None:
    done = run("validate", box, "--json")
    assert done.json == [{"file": str(box), "errors": 0, "warnings": 0, "messages": []}]
    assert done.code == 0


def test_verify_tells_what_was_altered(run: Callable[..., Ran], box: Path, tmp_path: Path) -> None:
    done = run("verify", box, "--json")
    assert (done.code, done.json) == (0, [{"file": str(box), "ok": True, "replayed": None, "problems": []}])
    altered = Path(shutil.copy(box, tmp_path))
    with h5py.File(altered, "r+") as file:
        file["entry/azimuthal_profiles_v1/profiles/intensity"][0, 0] += 1
    found = run("verify", altered, "--json")
    assert found.code == 1
    assert not found.json[0]["ok"]
    assert any("azimuthal_profiles_v1" in problem for problem in found.json[0]["problems"])
    assert run("verify", box, altered).code == 1


@pytest.mark.slow
@pytest.mark.parametrize("command", ["identify", "table", "export", "validate", "verify"])
def test_one_of_several_that_cannot_be_read_does_not_stop_the_others(
    run: Callable[..., Ran], box: Path, raw: Path, tmp_path: Path, command: str
) -> None:
    gone = tmp_path / "gone.nxs"
    options = ["-o", tmp_path / "export", "--format", "csv"] if command == "export" else []
    done = run(command, gone, raw if command == "identify" else box, *options)
    assert done.code == 1
    assert done.out
    assert "gone.nxs" in done.err
    assert (run(command, gone, *options).code, done.err.count("\n")) == (2, 1)


def test_recipes_can_be_listed_shown_and_described(run: Callable[..., Ran], tmp_path: Path) -> None:
    assert [line.split()[0] for line in run("recipe", "list").out.splitlines()[1:]] == [
        "auto",
        "refined",
        "saxs",
        "waxs",
    ]
    shown = run("recipe", "show", "saxs")
    (tmp_path / "mine.toml").write_text(shown.out)
    assert run("recipe", "show", tmp_path / "mine.toml").out == shown.out
    assert run("recipe", "show", "sacks").code == 2
    schema = run("recipe", "schema").json
    assert schema["$schema"].startswith("https://json-schema.org/")


def test_view_without_silx_names_the_extra(
    run: Callable[..., Ran], box: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    done = run("view", box)
    assert done.code == 2
    assert 'pip install "nxscatter[view]"' in done.err


def test_view_starts_silx_of_the_same_environment(
    run: Callable[..., Ran], box: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    silx = tmp_path / "silx"
    silx.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\n')
    silx.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert run("view", box).code == 0
    assert (tmp_path / "called").read_text() == f"view {box}\n"


def not_hdf5(raw: Path) -> list[object]:
    raw.write_bytes(b"this is a text and no data file at all")
    return [raw]


def truncated_hdf5(raw: Path) -> list[object]:
    raw.write_bytes(raw.read_bytes()[:5000])
    return [raw]


def truncated_edf(raw: Path) -> list[object]:
    path = raw.parent / "short.edf"
    simulate.write_lgc(path, simulate.oriented((0.1,), kappa=4.0))
    path.write_bytes(path.read_bytes()[:-5000])
    return [path]


def no_geometry(raw: Path) -> list[object]:
    simulate.write_id02(raw, simulate.oriented([0.05], 2.0), header={"SampleDistance": None})
    return [raw]


def zero_wavelength(raw: Path) -> list[object]:
    simulate.write_id02(raw, simulate.oriented([0.05], 2.0), header={"WaveLength": 0})
    return [raw]


def mask_of_another_shape(raw: Path) -> list[object]:
    np.save(raw.parent / "small.npy", np.zeros((5, 6), dtype=np.uint8))
    return [raw, "--mask", raw.parent / "small.npy"]


def ring_outside(raw: Path) -> list[object]:
    return [raw, "--q", "5.0"]


def unknown_key(raw: Path) -> list[object]:
    (raw.parent / "mine.toml").write_text('[[step]]\nuse = "masking"\nsatuation = 3\n')
    return [raw, "--recipe", raw.parent / "mine.toml"]


def unknown_setting(raw: Path) -> list[object]:
    return [raw, "--set", "masking.satuation=3"]


def folder_is_a_file(raw: Path) -> list[object]:
    (raw.parent / "place").write_text("a file")
    return [raw, "-o", raw.parent / "place" / "below"]


def another_program(raw: Path) -> list[object]:
    path = raw.parent / "other.nxs"
    with h5py.File(path, "w") as file:
        file.attrs["creator"] = "another program"
    return [path]


def no_numbers(raw: Path) -> list[object]:
    return [raw, "--q", "wide"]


def no_such_file(raw: Path) -> list[object]:
    return [raw.parent / "gone.h5"]


def no_such_option(raw: Path) -> list[object]:
    return [raw, "--recipes", "auto"]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (not_hdf5, ("LPCNOsaxs_eiger2_00376_raw.h5", "is text")),
        (truncated_hdf5, ("LPCNOsaxs_eiger2_00376_raw.h5", "truncated")),
        (truncated_edf, ("short.edf", "truncated")),
        (no_geometry, ("LPCNOsaxs_eiger2_00376_raw.h5", "SampleDistance", "--poni")),
        (zero_wavelength, ("LPCNOsaxs_eiger2_00376_raw.h5", "WaveLength", "--poni")),
        (mask_of_another_shape, ("LPCNOsaxs_eiger2_00376_raw.h5", "small.npy", "(5, 6)")),
        (ring_outside, ("LPCNOsaxs_eiger2_00376_raw.h5", "azimuthal_profiles.q = 5", "1/angstrom")),
        (unknown_key, ("mine.toml", "satuation", "saturation")),
        (unknown_setting, ("satuation", "saturation")),
        (folder_is_a_file, ("place",)),
        (another_program, ("other.nxs", "--reader")),
        (no_numbers, ("wide", "0.05,0.068")),
        (no_such_file, ("gone.h5", "no such file")),
        (no_such_option, ("--recipes", "--help")),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_bad_input_gets_one_line_and_leaves_nothing_behind(
    run: Callable[..., Ran], raw: Path, spoil: Callable[[Path], list[object]], words: tuple[str, ...]
) -> None:
    arguments = spoil(raw)
    before = files(raw.parent)
    done = run("process", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("nxscatter: ")
    assert done.err.count("\n") == 1, done.err
    assert all(word in done.err for word in words), done.err
    assert files(raw.parent) == before


def test_an_unforeseen_error_is_one_line_and_a_traceback_only_with_debug(
    run: Callable[..., Ran], raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise TypeError("not foreseen")

    monkeypatch.setattr("nxscatter.workflow.process.run_recipe", broken)
    done = run("process", raw)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "internal error, TypeError: not foreseen" in done.err
    assert "--debug" in done.err
    assert "Traceback" in run("process", raw, "--debug").err


def test_an_interrupt_is_said_in_one_line(run: Callable[..., Ran], raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nxscatter.workflow.process.run_recipe", interrupted)
    done = run("process", raw)
    assert (done.code, done.err.count("\n")) == (130, 1)


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_is_no_error(box: Path) -> None:
    command = f"{sys.executable} -m nxscatter table --json {' '.join([str(box)] * 60)} | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[\n", "")


def test_the_version_is_printed(run: Callable[..., Ran]) -> None:
    from nxscatter.version import __version__

    assert run("--version").out == f"{__version__}\n"


@pytest.mark.slow
def test_silver_behenate_needs_no_argument_and_no_table_of_it_is_without_the_warning(
    run: Callable[..., Ran], shared_data: Path, tmp_path: Path
) -> None:
    made = run("process", shared_data / "xeuss_AgBh_2018-01-31-OT_0_13459.edf", "-o", tmp_path)
    assert made.code == 0
    table = run("table", made.out.strip(), "--json")
    first, *others = np.unique([row["q"] for row in table.json])
    assert first == pytest.approx(0.050, rel=0.05)
    assert others == pytest.approx([0.104, 0.156, 0.209], rel=0.01)
    assert {row["status"] for row in table.json if row["q"] == others[-1]} == {"coverage"}
    for told in (made, table):
        assert "the rings' own centre (357.4, 904.0) is not the header's (348.0, 903.0)" in told.err

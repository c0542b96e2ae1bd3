"""Many inputs: a bad one does not stop the others, and what was finished stays whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import pytest

from nxscatter import cli
from nxscatter.errors import ReadError
from nxscatter.store.verify import verify
from nxscatter.workflow.batch import run_all
from nxscatter.workflow.conversion import Processed
from support import tiny

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD = 35
BROKEN = {
    "rodssaxs_eiger2_00101_raw.h5": "is empty",
    "rodssaxs_eiger2_00102_raw.h5": "truncated",
    "rodssaxs_eiger2_00103_raw.h5": "cannot be read",
    "rodssaxs_eiger2_00104_raw.h5": "WaveLength",
    "notes.edf": "is text",
}


def failing(path: Path) -> Processed:
    if path.name == "bug":
        raise TypeError("not foreseen")
    raise ReadError(f"{path.name}: cannot be read; copy it again")


def test_a_batch_goes_on_past_a_bad_file(tmp_path: Path) -> None:
    first, second = tiny.write_files(tmp_path, 2)
    bad = tmp_path / "bad.h5"
    bad.write_bytes(b"no HDF5")
    work = partial(tiny.work, output=tmp_path / "out")
    done, failed, other = run_all(work, [first, bad, second])
    assert (done.error, other.error) == ("", "")
    assert done.container == tmp_path / "out" / first.with_suffix(".nxs").name
    assert done.added == ("geometry_v1", "masking_v1", "azimuthal_profiles_v1")
    assert done.converted
    assert "bad.h5" in failed.error
    assert failed.container is None
    (again,) = run_all(work, [first])
    assert not again.changed


def test_an_error_nobody_foresaw_is_one_line_too() -> None:
    outcomes = list(run_all(failing, [Path("bug"), Path("file")]))
    assert outcomes[0].error == "bug: TypeError: not foreseen; run this file alone with --debug"
    assert outcomes[1].error == "file: cannot be read; copy it again"


def test_fail_fast_begins_nothing_after_the_first_failure() -> None:
    assert len(list(run_all(failing, [Path("a"), Path("b")], fail_fast=True))) == 1
    with ThreadPoolExecutor(1) as executor:
        slowly = [Path("a"), *(Path(f"b{number}") for number in range(20))]
        outcomes = list(run_all(slow, slowly, executor, fail_fast=True))
    assert outcomes[0].error.startswith("a: ")
    assert len(outcomes) <= 3  # one may have begun meanwhile


def slow(path: Path) -> Processed:
    time.sleep(0.05)
    return failing(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good files, and one of each way to be broken."""
    raw = tmp_path_factory.mktemp("batch") / "raw"
    good = tiny.write_files(raw, GOOD)
    empty, cut, torn, blind, notes = (raw / name for name in BROKEN)
    empty.touch()
    cut.write_bytes(good[0].read_bytes()[:-4000])
    for path in (torn, blind):
        shutil.copy(good[0], path)
    with h5py.File(torn) as file:
        place = file["entry_0000/measurement/data"].id.get_chunk_info(0).byte_offset
    content = bytearray(torn.read_bytes())
    content[place : place + 2000] = b"\xff" * 2000
    torn.write_bytes(content)
    with h5py.File(blind, "r+") as file:
        del file["entry_0000/instrument/id02-eiger2-saxs/header/WaveLength"]
    notes.write_text("beam lost at 3 am\n")
    (raw.parent / "short.toml").write_text('[[step]]\nuse = "masking"\n')
    return raw


@pytest.fixture(scope="module")
def undisturbed(folder: Path) -> dict[str, list[str]]:
    """What comes out when nothing happens."""
    output = folder.parent / "undisturbed"
    assert cli.run(["-q", *arguments(folder, output)]) == 1
    return tiny.hashes(output)


def arguments(folder: Path, output: Path, *more: str) -> list[str]:
    return ["process", str(folder), "-o", str(output), "--recipe", str(folder.parent / "short.toml"), *more]


@pytest.mark.slow
def test_broken_files_are_named_with_reasons_and_the_others_done(
    folder: Path, undisturbed: dict[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(undisturbed) == GOOD
    assert cli.run(arguments(folder, folder.parent / "undisturbed")) == 1
    lines = capsys.readouterr().err.splitlines()
    assert any(line.startswith(f"0 done, {GOOD} up to date, {len(BROKEN)} failed, in ") for line in lines)
    errors = [line for line in lines if line.startswith("error: ")]
    assert len(errors) == len(BROKEN)
    for name, reason in BROKEN.items():
        assert any(name in line and reason in line for line in errors), name
    assert f"[{GOOD + len(BROKEN)}/{GOOD + len(BROKEN)}]" in "".join(lines)


@pytest.mark.slow
def test_killed_interrupted_and_resumed_gives_the_same(
    folder: Path, undisturbed: dict[str, list[str]], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    command = [sys.executable, "-m", "nxscatter", *arguments(folder, output, "--jobs", "2")]

    def disturbed(by: Callable[[subprocess.Popen[str]], None], after: int) -> tuple[int, str]:
        """Run the batch, and do something to it when so many containers are there."""
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # a shell that starts these tests in the background has them ignore Ctrl-C
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )
        while process.poll() is None and len(list(output.glob("*.nxs"))) < after:
            time.sleep(0.01)
        by(process)
        error = process.communicate(timeout=60)[1]
        return process.returncode, error

    assert disturbed(lambda process: process.kill(), 4)[0] == -signal.SIGKILL
    kept = states(output)
    assert 4 <= len(kept) < GOOD
    code, error = disturbed(lambda process: os.killpg(process.pid, signal.SIGINT), len(kept) + 4)
    assert code == 130, error
    assert "not begun or not finished" in error
    assert error.splitlines()[-1] == "nxscatter: stopped; what was finished is kept, nothing is half-written"
    assert len(kept) < len(states(output)) < GOOD
    assert all(path.name.endswith(".nxs") for path in output.iterdir())

    code, error = disturbed(lambda process: None, GOOD + 1)
    assert code == 1
    assert f", {len(BROKEN)} failed, in " in error
    assert {name: state for name, state in states(output).items() if name in kept} == kept
    assert {path.name for path in output.iterdir()} == set(undisturbed)
    assert tiny.hashes(output) == undisturbed
    assert verify(output / sorted(undisturbed)[0]).ok


def states(folder: Path) -> dict[str, tuple[int, int]]:
    found = {path.name: path.stat() for path in folder.glob("*.nxs")}
    return {name: (one.st_ino, one.st_mtime_ns) for name, one in found.items()}

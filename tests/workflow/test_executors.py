"""Who does the work: processes that die with their parent, and take nothing with them when they die alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from nxscatter.errors import NxscatterError, ParameterError
from nxscatter.workflow.batch import run_all
from nxscatter.workflow.executors import LocalProcesses, dask_cluster, local_processes
from support import tiny


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return tiny.write_files(tmp_path_factory.mktemp("raw"), 4)


@pytest.mark.slow
def test_processes_give_the_same_results(raw: list[Path], tmp_path: Path) -> None:
    with local_processes(2) as executor:
        apart = list(run_all(partial(tiny.work, output=tmp_path / "apart"), raw, executor))
    assert {one.error for one in apart} == {""}
    here = list(run_all(partial(tiny.work, output=tmp_path / "here"), raw))
    assert len(here) == len(apart) == 4
    assert tiny.hashes(tmp_path / "apart") == tiny.hashes(tmp_path / "here")


@pytest.mark.slow
def test_a_worker_that_dies_costs_a_retry_and_one_that_dies_again_its_own_file(raw: list[Path], tmp_path: Path) -> None:
    with local_processes(2) as executor:
        once = partial(tiny.work_or_die, output=tmp_path / "once", victim=raw[1].name, deaths=1)
        twice = partial(tiny.work_or_die, output=tmp_path / "twice", victim=raw[1].name, deaths=2)
        assert [one.error for one in run_all(once, raw, executor)] == [""] * 4
        failed = {one.path.name: one.error for one in run_all(twice, raw, executor) if one.error}
    assert list(failed) == [raw[1].name]
    assert failed[raw[1].name].startswith(f"{raw[1].name}: the process that worked on it died, twice;")
    names = {path.with_suffix(".nxs").name for path in raw}
    assert {path.name for path in (tmp_path / "once").iterdir()} == {*names, f"{raw[1].name}.died"}
    assert set(tiny.hashes(tmp_path / "twice")) == names - {raw[1].with_suffix(".nxs").name}


def test_calls_that_have_not_begun_can_be_cancelled() -> None:
    executor = LocalProcesses(1)
    running, waiting = executor.submit(time.sleep, 0.5), executor.submit(time.sleep, 60)
    while not running.running():
        time.sleep(0.01)
    executor.shutdown(cancel_futures=True)
    assert running.done()
    assert waiting.cancelled()


def test_workers_leave_ctrl_c_to_their_parent() -> None:
    with local_processes(1) as executor:
        blocked = executor.submit(signal.pthread_sigmask, signal.SIG_BLOCK, []).result()
    assert signal.SIGINT in blocked


PARENT = """
import os, time
from nxscatter.workflow.executors import local_processes
if __name__ == "__main__":
    with local_processes(1) as executor:
        print(executor.submit(os.getpid).result(), flush=True)
        executor.submit(time.sleep, 60).result()
"""


def test_workers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    arguments = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen([sys.executable, script], **arguments) as parent:  # type: ignore[call-overload]
        worker = int(parent.stdout.readline())
        assert is_alive(worker)
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + 10
        while is_alive(worker) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not is_alive(worker)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_a_scheduler_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nxscatter.workflow.executors._ANSWER", 0.2)
    silent = r"--scheduler tcp://127.0.0.1:9: does not answer .*; start it or check"
    with pytest.raises(NxscatterError, match=silent), dask_cluster("tcp://127.0.0.1:9"):
        pass
    with pytest.raises(ParameterError, match="no such file"), dask_cluster("scheduler.json"):
        pass


def test_without_dask_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    remedy = r'pip install "nxscatter\[cluster\]"'
    with pytest.raises(ParameterError, match=remedy), dask_cluster("tcp://127.0.0.1:8786"):
        pass

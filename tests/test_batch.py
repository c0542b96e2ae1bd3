"""Many inputs: a bad one does not stop the others, in this process or in several."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nxscatter.batch import Outcome, run_all
from nxscatter.container import Container
from nxscatter.errors import ReadError
from nxscatter.executors import local_processes
from nxscatter.recipe_file import parse_recipe
from nxscatter.workflow import Processed, run_recipe

if TYPE_CHECKING:
    from nxscatter.simulate import Simulated

RECIPE = parse_recipe('[[step]]\nuse = "masking"')


def failing(path: Path) -> Processed:
    if path.name == "bug":
        raise TypeError("not foreseen")
    raise ReadError(f"{path.name}: cannot be read; copy it again")


def test_a_batch_goes_on_past_a_bad_file(field_series: list[Simulated], tmp_path: Path) -> None:
    bad = tmp_path / "bad.h5"
    bad.write_bytes(b"no HDF5")
    paths = [field_series[0].path, bad, field_series[1].path]
    first, second, third = run_all(partial(run_recipe, recipe=RECIPE, output=tmp_path), paths)
    assert (first.error, third.error) == ("", "")
    assert first.container == tmp_path / paths[0].with_suffix(".nxs").name
    assert first.added == ("geometry_v1", "masking_v1")
    assert first.converted
    assert "bad.h5" in second.error
    assert second.container is None
    again = list(run_all(partial(run_recipe, recipe=RECIPE, output=tmp_path), paths[:1]))
    assert not again[0].changed


def test_an_error_nobody_foresaw_is_one_line_too() -> None:
    outcomes = list(run_all(failing, [Path("bug"), Path("file")]))
    assert outcomes[0].error == "bug: TypeError: not foreseen; run this file alone with --debug"
    assert outcomes[1].error == "file: cannot be read; copy it again"


def test_fail_fast_stops_at_the_first_failure() -> None:
    assert len(list(run_all(failing, [Path("a"), Path("b")], fail_fast=True))) == 1


def test_processes_give_the_same_results(field_series: list[Simulated], tmp_path: Path) -> None:
    paths = [one.path for one in field_series[:2]]
    work = partial(run_recipe, recipe=RECIPE)
    with local_processes(2) as executor:
        apart = list(run_all(partial(work, output=tmp_path / "apart"), paths, executor))
    here = list(run_all(partial(work, output=tmp_path / "here"), paths))

    def hashes(outcomes: list[Outcome]) -> dict[str, list[str]]:
        return {one.path.name: [record.result_hash for record in Container(one.container).records] for one in outcomes}

    assert hashes(apart) == hashes(here)


PARENT = """
import os, time
from nxscatter.executors import local_processes
if __name__ == "__main__":
    with local_processes(1) as executor:
        print(executor.submit(os.getpid).result(), flush=True)
        executor.submit(time.sleep, 60).result()
"""


def test_workers_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
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

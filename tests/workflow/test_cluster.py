"""A batch on a Dask cluster: the same results, and a worker that dies costs a retry."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from nxscatter import cli
from nxscatter.workflow.batch import run_all
from nxscatter.workflow.executors import dask_cluster
from support import tiny


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return tiny.write_files(tmp_path_factory.mktemp("raw"), 6)


@pytest.fixture(scope="module")
def here(raw: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What this process makes of the files."""
    output = tmp_path_factory.mktemp("here")
    assert not any(one.error for one in run_all(partial(tiny.work, output=output), raw))
    return tiny.hashes(output)


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Two worker processes on loopback."""
    from distributed import LocalCluster

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # it reports that a worker has died
    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=logging.CRITICAL
    ) as cluster:
        yield cluster.scheduler_address


def test_a_cluster_gives_the_same_results(
    raw: list[Path], here: dict[str, list[str]], scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tmp_path / "short.toml"
    recipe.write_text(tiny.SHORT)
    monkeypatch.chdir(raw[0].parent)  # where the workers are not
    names = [path.name for path in raw]
    output = os.path.relpath(tmp_path / "out")
    assert cli.run(["-q", "process", *names, "-o", output, "--recipe", str(recipe), "--scheduler", scheduler]) == 0
    assert tiny.hashes(tmp_path / "out") == here


@pytest.mark.slow
def test_a_worker_that_dies_costs_a_retry_and_no_result(
    raw: list[Path], here: dict[str, list[str]], scheduler: str, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    work = partial(tiny.work_or_die, output=output, victim=raw[2].name, deaths=1)
    with dask_cluster(scheduler) as executor:
        outcomes = list(run_all(work, raw, executor))
    assert [one.error for one in outcomes] == [""] * len(raw)
    assert (output / f"{raw[2].name}.died").exists()
    assert tiny.hashes(output) == here
    assert {path.suffix for path in output.iterdir()} == {".nxs", ".died"}


@pytest.mark.slow
def test_the_program_in_the_documentation_runs(raw: list[Path], tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "clusters.md").read_text("utf-8")
    program = text.rsplit("```python\n", 1)[1].split("```", 1)[0]
    (tmp_path / "raw").mkdir()
    for path in raw[:2]:
        shutil.copy(path, tmp_path / "raw")
    settings = "[0.05, 0.068], settings={'azimuthal_profiles.tolerance': 0.1, 'azimuthal_profiles.bins': 72}"
    (tmp_path / "program.py").write_text(program.replace("[0.05, 0.068]", settings))
    ended = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    results = tmp_path / "results"
    assert sorted(ended.stdout.split()) == [str(results / path.with_suffix(".nxs").name) for path in raw[:2]]
    assert all(len(found) == 7 for found in tiny.hashes(results).values())

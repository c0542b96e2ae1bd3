"""Killed at any moment, a container is the old one or the new one, and the next run leaves nothing behind."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nxscatter.cli import run
from nxscatter.store.container import Container
from nxscatter.store.verify import verify

KILLS = 40


@pytest.mark.slow
def test_killed_at_any_moment_a_container_is_the_old_or_the_new_one(processed_file, tmp_path):
    folder = tmp_path / "box"
    folder.mkdir()
    container = Path(shutil.copy(processed_file, folder / "x.nxs"))
    program, findings = Path(__file__).parents[1] / "support" / "killing.py", tmp_path / "findings.json"
    subprocess.run([sys.executable, program, container, processed_file, str(KILLS), findings], check=True)
    found = json.loads(findings.read_text())
    runs = found["runs"]
    assert [one["problems"] for one in runs] == [[]] * KILLS
    added = len(Container(processed_file).records)
    assert {one["new"] for one in runs} <= {0, added}
    assert all(one["new"] == added for one in runs if one["ended"])
    # the kills came in time, and some of them while the new file was being written
    assert sum(one["new"] == 0 for one in runs) > KILLS // 4
    assert any(len(one["names"]) == 3 for one in runs)
    assert found["last"] == {"status": 0, "names": ["x.nxs"]}
    assert verify(container).ok


def test_a_killed_conversion_leaves_no_container(id02_file, tmp_path):
    raw = Path(shutil.copy(id02_file.path, tmp_path / "a_raw.h5"))
    program = (
        "import os, signal, sys; from nxscatter.store.nexus import transaction;"
        "transaction._flush = lambda path: os.kill(os.getpid(), signal.SIGKILL);"
        "from nxscatter.cli import run; run(['convert', sys.argv[1]])"
    )
    ended = subprocess.run([sys.executable, "-c", program, raw], capture_output=True, check=False)
    assert ended.returncode == -9
    assert not raw.with_suffix(".nxs").exists()
    assert len(list(tmp_path.iterdir())) == 3  # the lock and the half-written file
    assert run(["convert", str(raw)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a_raw.h5", "a_raw.nxs"]
    assert verify(raw.with_suffix(".nxs")).ok

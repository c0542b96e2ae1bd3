"""The README: every command and every example in it runs, and its test command is the one of .ci/run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nxscatter import simulate

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
INSTALL, TEST, *EXAMPLES = BLOCKS

COBALT = """data_cobalt
_cell_length_a 2.507
_cell_length_b 2.507
_cell_length_c 4.069
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files that the README speaks of."""
    simulate.write_id02(tmp_path / "LPCNOsaxs_eiger2_00376_raw.h5", simulate.oriented((0.05, 0.068), kappa=5.0))
    waxs = tmp_path / "LPCNO_waxs_00377_raw.h5"
    simulate.write_id02(waxs, simulate.oriented((2.894,), kappa=5.0), simulate.RAYONIX_WAXS)
    simulate.field_series(tmp_path / "field-series", [0.0, 1000.0])
    shape = simulate.EIGER2_SMALL.geometry.shape
    np.save(tmp_path / "mask.npy", np.eye(*shape, dtype=np.uint8))
    (tmp_path / "cobalt.cif").write_text(COBALT)
    return tmp_path


@pytest.mark.slow
def test_every_example_runs(folder: Path) -> None:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    assert {language for language, _ in EXAMPLES} == {"bash", "python"}
    for language, code in EXAMPLES:
        interpreter = ["bash", "-euo", "pipefail", "-c"] if language == "bash" else [sys.executable, "-c"]
        done = subprocess.run(
            [*interpreter, code], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{code}\n{done.stderr}"
        assert done.stdout, code
    assert (folder / "table.csv").stat().st_size > 1000
    assert list((folder / "export").rglob("*.png"))


def test_the_first_command_installs_and_runs_the_main_job() -> None:
    assert INSTALL == ("bash", "python3 -m venv .venv && . .venv/bin/activate && pip install . && nxscatter demo\n")


def test_continuous_integration_runs_the_test_command() -> None:
    *_, install, test = TEST[1].strip().split(" && ")
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert test in lines
    assert any(line.startswith("pip install ") and line.endswith(install.removeprefix("pip install")) for line in lines)


def test_the_picture_is_there_and_small() -> None:
    (picture,) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert 1000 < (ROOT / picture).stat().st_size < 150_000

"""Freed memory stays with the process, so that it need not be mapped anew for the next frame: where a program asks."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from nxscatter.workflow.executors import local_processes
from support.memory import mapped_again

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has this setting")


def share_after(program: str) -> float:
    """Share of a freed block that a fresh process maps anew after a program."""
    command = [sys.executable, "-c", f"{program}; from support.memory import mapped_again; print(mapped_again())"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return float(done.stdout.split()[-1])


def test_freed_memory_is_used_again() -> None:
    setting = "from nxscatter.store.nexus.allocator import keep_freed_memory"
    assert share_after(setting) > 0.9
    assert share_after(f"{setting}; keep_freed_memory()") < 0.1


def test_the_command_line_asks_for_it_and_the_library_does_not() -> None:
    reader = "from nxscatter.store.nexus.frames import Hdf5Reader; Hdf5Reader(None, '/data', (1, 2, 3))"
    assert share_after(f"import nxscatter; nxscatter.process; {reader}") > 0.9
    assert share_after("from nxscatter import cli; cli.run(['recipe', 'list'])") < 0.1


def test_workers_ask_for_it() -> None:
    with local_processes(1) as executor:
        assert executor.submit(mapped_again).result() < 0.1

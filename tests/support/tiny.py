"""Measurements of a detector so small that hundreds are soon done, and work on them in other processes."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from nxscatter import simulate
from nxscatter.store.container import Container
from nxscatter.store.nexus import transaction
from nxscatter.workflow.conversion import Processed
from nxscatter.workflow.process import run_recipe
from nxscatter.workflow.recipe import Recipe
from nxscatter.workflow.recipe_file import parse_recipe

RINGS = (0.05, 0.068)
CAMERA = replace(
    simulate.EIGER2_SMALL,
    geometry=replace(
        simulate.EIGER2_SMALL.geometry,
        rows=128,
        columns=120,
        center_y=66.2,
        center_x=61.4,
        pixel_size_y=1.2e-3,
        pixel_size_x=1.2e-3,
    ),
    gap_rows=((30, 32),),
    gap_columns=((58, 59),),
    beamstop=6.0,
    arm=2.0,
    dead=5,
)
SHORT = """
[[step]]
use = "masking"
[[step]]
use = "azimuthal_profiles"
q = [0.05, 0.068]
tolerance = 0.1
bins = 72
"""


def write_files(folder: Path, number: int) -> list[Path]:
    """Single frames, one a field."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for shot in range(1, number + 1):
        start = simulate.Run().start + timedelta(seconds=60 * shot)
        run = simulate.Run("rods", 10.0 * shot, start, seed=shot)
        pattern = simulate.oriented(RINGS, 5.0, 20.0)
        path = folder / simulate.id02_name("rods", shot)
        written.append(simulate.write_id02(path, pattern, CAMERA, run, mask_prefix="rods").path)
    return written


def short_recipe() -> Recipe:
    return parse_recipe(SHORT, "short")


def hashes(folder: Path) -> dict[str, list[str]]:
    """Content hashes of all results, by file."""
    return {path.name: [one.result_hash for one in Container(path).records] for path in sorted(folder.glob("*.nxs"))}


def work(path: Path, output: Path) -> Processed:
    return run_recipe(path, short_recipe(), output=output)


def work_or_die(path: Path, output: Path, victim: str, deaths: int) -> Processed:
    """Do the work, but with one file die so many times, when the new file is about to take its place."""
    died = output / f"{victim}.died"
    times = len(died.read_text()) if died.exists() else 0
    if path.name == victim and times < deaths:
        output.mkdir(exist_ok=True)
        died.write_text("x" * (times + 1))
        transaction._flush = lambda path: os.kill(os.getpid(), signal.SIGKILL)
    return work(path, output)

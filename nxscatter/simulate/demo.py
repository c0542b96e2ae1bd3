"""A field series with known truth from raw files to a table, to see what comes out before using one's own files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nxscatter import simulate
from nxscatter.output import table
from nxscatter.store.container import Container
from nxscatter.workflow.prepare import prepare
from nxscatter.workflow.process import run_recipe

RINGS = (0.05, 0.068)  # 1/angstrom
FIELDS = (0.0, 200.0, 400.0, 700.0, 1000.0, 1400.0)  # mT


def make_series(folder: Path) -> list[simulate.Simulated]:
    """Write raw files of a sample in a growing magnetic field below ``folder``."""
    return simulate.field_series(folder / "raw", FIELDS, q=RINGS)


def process(measurement: simulate.Simulated, folder: Path) -> Container:
    """Convert a raw file of the series and process it, with its container in ``folder``."""
    return run_recipe(measurement.path, prepare(q=RINGS), output=folder).container


def compare(measurement: simulate.Simulated, container: Container) -> Iterator[dict[str, Any]]:
    """Yield one row a ring: the Maier-Saupe order parameter of a container beside the truth.

    Where a ring is isotropic there is no fit, and S is the one of the second harmonic, its error None.
    """
    rows = [row for row in table.rows(container) if row["model"] == "maier_saupe"]
    for truth in measurement.truth:
        row = min(rows, key=lambda row: abs(row["q"] - truth.q))
        isotropic = row["status"] == "isotropic"
        S, error = (row["S_harmonic"], None) if isotropic else (row["S"], row["S_error"])
        deviation = None if S is None or not error else (S - truth.S) / error
        yield {
            "field_mT": row["field_mT"],
            "q": truth.q,
            "S_true": truth.S,
            "S": S,
            "S_error": error,
            "sigmas": deviation,
            "status": row["status"],
        }

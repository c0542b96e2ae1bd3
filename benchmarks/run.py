"""What things cost, as ratios to reading and decompressing one Eiger 4M frame, all measured in one run.

``python benchmarks/run.py`` simulates the frame in a temporary folder and prints a table. Times depend on the machine;
the ratios can be compared between versions of the code.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from nxscatter import simulate
from nxscatter.workflow import runner
from nxscatter.workflow.conversion import Conversion, convert
from nxscatter.workflow.prepare import prepare
from nxscatter.workflow.process import run_recipe

RINGS = (0.05, 0.068)
REPEATS = 3


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw = folder / "rodssaxs_eiger2_00001_raw.h5"
        simulate.write_id02(raw, simulate.oriented(RINGS, kappa=5.0), simulate.EIGER2_4M)
        unit = best(lambda: read(raw))
        rows = [("read and decompress the frame", unit)]
        rows += steps(raw, folder)
        rows.append(("convert", best(lambda: convert(raw, folder / "converted.nxs", overwrite=True))))
        rows += commands(raw, folder)
        print(f"{'':42}{'seconds':>9}{'ratio':>9}")
        for what, seconds in rows:
            print(f"{what:42}{seconds:9.4f}{seconds / unit:9.1f}")


def read(raw: Path) -> Any:
    import h5py

    with h5py.File(raw) as file:
        return file["entry_0000/measurement/data"][0]


def steps(raw: Path, folder: Path) -> list[tuple[str, float]]:
    """Time each step of the recipe auto: the first time in this process, and again with its caches warm."""
    taken: dict[str, list[float]] = {}
    call = runner._call

    def timed(step: Any, arguments: Any) -> Any:
        start = perf_counter()
        result = call(step, arguments)
        taken.setdefault(step.name, []).append(perf_counter() - start)
        return result

    runner._call = timed
    try:
        for _ in range(1 + REPEATS):
            run_recipe(raw, prepare(), output=folder / "steps", conversion=Conversion(overwrite=True))
    finally:
        runner._call = call
    rows = [(f"{name}, first", times[0]) for name, times in taken.items()]
    rows += [(f"{name}, again", min(times[1:])) for name, times in taken.items()]
    return [*rows, ("all steps, again", sum(min(times[1:]) for times in taken.values()))]


def commands(raw: Path, folder: Path) -> list[tuple[str, float]]:
    """Time whole commands, interpreter and imports included."""
    tool = [sys.executable, "-m", "nxscatter"]
    process = [*tool, "process", str(raw), "-q"]
    kept = str(folder / "kept")
    return [
        ("python alone", best(lambda: run([sys.executable, "-c", "pass"]))),
        ("import nxscatter", best(lambda: run([sys.executable, "-c", "import nxscatter"]))),
        ("nxscatter --help", best(lambda: run([*tool, "--help"]))),
        ("nxscatter process RAW", best(lambda: run([*process, "-o", tempfile.mkdtemp(dir=folder)]))),
        ("nxscatter process RAW --q", best(lambda: run([*process, "-o", tempfile.mkdtemp(dir=folder), "--q", "0.05"]))),
        ("nxscatter process RAW, up to date", again(lambda: run([*process, "-o", kept]))),
    ]


def run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)


def best(action: Callable[[], Any]) -> float:
    """Return the shortest of a few times."""
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        action()
        times.append(perf_counter() - start)
    return min(times)


def again(action: Callable[[], Any]) -> float:
    """Return the time of doing something that was done before."""
    action()
    return best(action)


if __name__ == "__main__":
    main()

"""What exporting an Eiger 4M frame costs, format by format, beside reading the frame and writing the same bytes.

``python benchmarks/export.py`` simulates the frame in a temporary folder, runs the recipe saxs on it, and prints a
table. Each format is timed in a process of its own, its imports included, and again when they are done.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from nxscatter import simulate
from nxscatter.output.export import export
from nxscatter.store.container import Container
from nxscatter.workflow.prepare import prepare
from nxscatter.workflow.process import run_recipe

RINGS = (0.05, 0.068)
REPEATS = 3


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw = folder / "rodssaxs_eiger2_00001_raw.h5"
        simulate.write_id02(raw, simulate.oriented(RINGS, kappa=5.0), simulate.EIGER2_4M)
        box = run_recipe(raw, prepare("saxs", q=RINGS), output=folder).container
        box = run_recipe(box.path, prepare("auto"), output=folder).container
        print(f"{'':12}{'files':>6}{'MB':>9}{'first (s)':>11}{'again (s)':>11}{'writing (s)':>13}")
        for form in export.available():
            report(box.path, form, folder / form)


def report(container: Path, form: str, folder: Path) -> None:
    """Time one format in a new process, and print it beside the time of writing as many bytes at once."""
    command = [sys.executable, __file__, str(container), form, str(folder)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    first, again = map(float, found.stdout.split())
    files = [path for path in folder.rglob("*") if path.is_file()]
    contents = [path.read_bytes() for path in files]
    start = perf_counter()
    for path, content in zip(files, contents, strict=True):
        path.write_bytes(content)
    writing = perf_counter() - start
    size = sum(map(len, contents)) / 1e6
    print(f"{form:12}{len(files):6}{size:9.1f}{first:11.3f}{again:11.3f}{writing:13.3f}")


def time_format(container: Path, form: str, folder: Path) -> None:
    """Print the time of the first export in this process, and the shortest of a few more."""
    times = []
    for _ in range(1 + REPEATS):
        start = perf_counter()
        export(Container(container), folder, [form])
        times.append(perf_counter() - start)
    print(times[0], min(times[1:]))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        time_format(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
    else:
        main()

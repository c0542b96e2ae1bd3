"""What a batch costs beside reading: seconds a file, as a multiple of reading and decompressing the same frames.

Simulated Eiger 4M frames through ``BatchAzimProfileExtraction.fit_azimprofiles`` at binning 1, two rings, conversion
included. Aimed at: at most 3 times the reading plus 0.1 s. Run it with ``python benchmarks/batch.py [FILES [FOLDER]]``.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

from nxscatter.simulate import EIGER2_4M, Run, id02_name, oriented, write_id02

RINGS = (0.05, 0.1)
FACTOR, MARGIN = 3.0, 0.1


def simulate(folder: Path, number: int) -> list[Path]:
    """Write the files that are not there yet."""
    paths = [folder / id02_name("rods", one) for one in range(1, number + 1)]
    for one, path in enumerate(paths, 1):
        if not path.exists():
            run = Run("rods", 50.0 * one, seed=one)
            write_id02(path, oriented(RINGS, 8.0 * one / number), EIGER2_4M, run, mask_prefix="rods")
    return paths


def read(paths: list[Path]) -> dict[str, float]:
    """Read and decompress all frames; return seconds a file, by the clock and of the processor."""
    import h5py
    import hdf5plugin  # noqa: F401  (registers the filters)

    starts = perf_counter(), process_time()
    for path in paths:
        with h5py.File(path) as file:
            file["/entry_0000/measurement/data"][0]
    return {"clock": (perf_counter() - starts[0]) / len(paths), "processor": (process_time() - starts[1]) / len(paths)}


def read_apart(paths: list[Path]) -> dict[str, float]:
    """Read them in a process of its own, which knows nothing of this package."""
    read(paths)  # once, so that the files are in memory
    command = [sys.executable, __file__, "--read", *map(str, paths)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(ended.stdout))


def fit(folder: Path, number: int) -> dict[str, float]:
    """Fit all rings of all files; return seconds a file."""
    from nxscatter import BatchAzimProfileExtraction

    with tempfile.TemporaryDirectory() as boxes:
        batch = BatchAzimProfileExtraction(
            folder, qvalues=RINGS, file_filter="*_raw.h5", threshold=0.02, binning=1, container=boxes
        )
        starts = perf_counter(), process_time()
        df = batch.fit_azimprofiles()
        seconds = {"clock": (perf_counter() - starts[0]) / number, "processor": (process_time() - starts[1]) / number}
    assert len(df) == len(RINGS) * number
    return seconds


def main() -> None:
    """Print seconds a file: of a first batch, imports and all, and of a second one."""
    if sys.argv[1:2] == ["--read"]:
        print(json.dumps(read([Path(name) for name in sys.argv[2:]])))
        return
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        paths = simulate(folder, number)
        print(f"{number} files, {EIGER2_4M.geometry.rows} x {EIGER2_4M.geometry.columns} pixels, {len(RINGS)} rings")
        for turn in ("first", "second"):
            reading, batch = read_apart(paths), fit(folder, number)
            for name, seconds in batch.items():
                ratio = (seconds - MARGIN) / reading[name]
                judged = "within" if ratio <= FACTOR else "ABOVE"
                print(
                    f"{turn:7}{name:10} reading {reading[name]:.4f} s, batch {seconds:.4f} s a file; "
                    f"(batch - {MARGIN} s) / reading = {ratio:.1f}, {judged} {FACTOR:g}"
                )


if __name__ == "__main__":
    main()

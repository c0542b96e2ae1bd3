"""What a batch costs beside reading: seconds a file, as a multiple of reading and decompressing the same frames.

Simulated Eiger 4M frames through ``BatchAzimProfileExtraction.fit_azimprofiles`` at binning 1, two rings, conversion
included. Aimed at: at most 3 times the reading plus 0.1 s. Run it with ``python benchmarks/batch.py [FILES [FOLDER]]``.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

import h5py
import hdf5plugin  # noqa: F401  (registers the filters)

from nxscatter import BatchAzimProfileExtraction
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


def read(paths: list[Path]) -> None:
    """Read and decompress all frames."""
    for path in paths:
        with h5py.File(path) as file:
            file["/entry_0000/measurement/data"][0]


def main() -> None:
    """Print seconds a file, by the clock and of the processor."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        paths = simulate(folder, number)
        read(paths)  # once, so that both find the files in memory
        seconds = {}
        for clock in (perf_counter, process_time):
            start = clock()
            read(paths)
            reading = (clock() - start) / number
            with tempfile.TemporaryDirectory() as boxes:
                batch = BatchAzimProfileExtraction(
                    folder, qvalues=RINGS, file_filter="*_raw.h5", threshold=0.02, binning=1, container=boxes
                )
                start = clock()
                df = batch.fit_azimprofiles()
                seconds[clock.__name__] = reading, (clock() - start) / number
            assert len(df) == len(RINGS) * number
    print(f"{number} files, {EIGER2_4M.geometry.rows} x {EIGER2_4M.geometry.columns} pixels, {len(RINGS)} rings")
    for name, (reading, batch_time) in seconds.items():
        ratio = (batch_time - MARGIN) / reading
        judged = "within" if ratio <= FACTOR else "ABOVE"
        print(
            f"{name:13} reading {reading:.4f} s, batch {batch_time:.4f} s a file; "
            f"(batch - {MARGIN} s) / reading = {ratio:.1f}, {judged} {FACTOR:g}"
        )


if __name__ == "__main__":
    main()

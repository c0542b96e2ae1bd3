"""How the cost grows: with the files of a batch, with the frames of a stack, and with the processes at work.

``python benchmarks/scaling.py [--files 10 100 1000] [--frames 10 100 1000] [--jobs 1 2]`` simulates what it needs in a
temporary folder and prints three tables. Times depend on the machine; the ratios can be compared. What a file and a
frame cost is the processor's time, which other programs disturb least; a stack is read, and processed, by a process of
its own on one core. The throughput of several processes is by the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from time import perf_counter, process_time

from nxscatter import simulate
from nxscatter.workflow.batch import run_all
from nxscatter.workflow.conversion import Conversion
from nxscatter.workflow.executors import local_processes
from nxscatter.workflow.prepare import prepare
from nxscatter.workflow.process import run_recipe

RINGS = (0.05, 0.068, 0.09, 0.11)
DATA = "entry_0000/measurement/data"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, nargs="*", default=[10, 100, 1000])
    parser.add_argument("--frames", type=int, nargs="*", default=[10, 100, 1000])
    parser.add_argument("--jobs", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(child(*given.child)))
        return
    with tempfile.TemporaryDirectory() as name:
        files(Path(name), given.files)
        jobs(Path(name), given.jobs, max(given.files[:2], default=0))
        frames(Path(name), given.frames)


def files(folder: Path, numbers: Sequence[int]) -> None:
    """Print what a file of a batch costs in this process."""
    recipe = prepare(q=RINGS[:2])
    print(f"{'files':>8}{'s/file':>10}{'ratio':>8}")
    unit = 0.0
    for number in numbers:
        raw = small_files(folder, number)
        work = partial(run_recipe, recipe=recipe, output=folder / f"out{number}")
        warm = partial(run_recipe, recipe=recipe, output=folder / "warm", conversion=Conversion(overwrite=True))
        finish(warm, raw[:10])
        start = process_time()
        finish(work, raw)
        seconds = (process_time() - start) / number
        unit = unit or seconds
        print(f"{number:8}{seconds:10.4f}{seconds / unit:8.2f}", flush=True)


def jobs(folder: Path, numbers: Sequence[int], count: int) -> None:
    """Print the throughput of processes that are warm: they have done as many files before."""
    recipe = prepare(q=RINGS[:2])
    print(f"\n{'jobs':>8}{'files/s':>10}{'ratio':>8}")
    unit = 0.0
    for number in numbers:
        raw = small_files(folder, count)
        with local_processes(number) as executor:
            seconds = 0.0
            for turn in ("first", "second"):
                work = partial(run_recipe, recipe=recipe, output=folder / f"jobs{number}{turn}")
                seconds = finish(work, raw, executor)
        unit = unit or seconds
        print(f"{number:8}{count / seconds:10.2f}{unit / seconds:8.2f}", flush=True)


def frames(folder: Path, numbers: Sequence[int]) -> None:
    """Print what processing a 4M stack frame by frame costs, in units of reading and decompressing it."""
    print(f"\n{'frames':>8}{'read s':>10}{'from raw':>10}{'ratio':>8}{'from .nxs':>10}{'ratio':>8}{'peak MB':>10}")
    for number in numbers:
        raw = stack(folder, number)
        read = run_child("read", raw)
        whole = run_child("process", raw)
        shutil.rmtree(folder / "out")
        run_child("convert", raw)
        again = run_child("process", folder / "out" / raw.with_suffix(".nxs").name)
        shutil.rmtree(folder / "out")
        raw.unlink()
        ratios = whole["seconds"] / read["seconds"], again["seconds"] / read["seconds"]
        print(
            f"{number:8}{read['seconds']:10.2f}{whole['seconds']:10.2f}{ratios[0]:8.2f}{again['seconds']:10.2f}"
            f"{ratios[1]:8.2f}{whole['peak'] / 1024:10.0f}",
            flush=True,
        )


def finish(work: partial, raw: Sequence[Path], executor: object = None) -> float:
    """Do a batch and return how long it took, s."""
    start = perf_counter()
    bad = [one.error for one in run_all(work, raw, executor) if one.error]
    assert not bad, bad
    return perf_counter() - start


def small_files(folder: Path, number: int) -> list[Path]:
    """Return so many raw files of one small frame."""
    first = folder / "raw" / "rodssaxs_eiger2_00000_raw.h5"
    if not first.exists():
        first.parent.mkdir()
        simulate.write_id02(first, simulate.oriented(RINGS[:2], 5.0), mask_prefix="rods")
    paths = [first.with_name(f"rodssaxs_eiger2_{shot:05d}_raw.h5") for shot in range(1, number + 1)]
    for path in paths:
        if not path.exists():
            shutil.copy(first, path)
    return paths


def stack(folder: Path, number: int) -> Path:
    """Write an Eiger 4M stack that repeats ten frames."""
    import h5py
    import hdf5plugin

    path = folder / f"stack{number}_raw.h5"
    simulate.write_id02(path, [simulate.oriented(RINGS, 5.0)] * 10, simulate.EIGER2_4M)
    with h5py.File(path, "r+") as file:
        place, name = file[DATA].parent, DATA.rsplit("/", 1)[1]
        place.move(name, "ten")
        ten = place["ten"]
        shape = (number, *ten.shape[1:])
        data = place.create_dataset(name, shape, ten.dtype, chunks=(1, *shape[1:]), **hdf5plugin.Bitshuffle())
        for frame in range(number):
            mask, encoded = ten.id.read_direct_chunk((frame % 10, 0, 0))
            data.id.write_direct_chunk((frame, 0, 0), encoded, mask)
        del place["ten"]
    return path


def run_child(what: str, path: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", what, str(path)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(ended.stdout))


def child(what: str, name: str) -> dict[str, float]:
    """Do one thing with a stack on one core; time in s, and peak memory in kB."""
    import h5py
    import hdf5plugin  # noqa: F401

    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    path = Path(name)
    recipe = prepare(q=RINGS, settings={"azimuthal_profiles.frames": "each"})
    start = process_time()
    if what == "read":
        with h5py.File(path) as file:
            data = file[DATA]
            for number in range(len(data)):
                data[number]
    elif what == "convert":
        from nxscatter.workflow.conversion import convert

        convert(path, path.parent / "out")
    else:
        output = None if path.suffix == ".nxs" else path.parent / "out"
        run_recipe(path, recipe, output=output)
    seconds = process_time() - start
    return {"seconds": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}


if __name__ == "__main__":
    main()

"""Small synthetic experiments (ground truth): an order parameter that grows with the field or in time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from nxscatter.plain import Json
from nxscatter.simulate.camera import EIGER2_SMALL, EIGER2_USAXS, PILATUS_300K, RAYONIX_WAXS, Camera
from nxscatter.simulate.id02 import id02_name, write_id02
from nxscatter.simulate.lgc import lgc_name, write_lgc
from nxscatter.simulate.measurement import Run, Simulated
from nxscatter.simulate.physics import Pattern, Ring

Station: TypeAlias = Literal["saxs", "usaxs", "waxs", "lgc"]

CAMERAS: dict[str, Camera] = {
    "saxs": EIGER2_SMALL,
    "usaxs": EIGER2_USAXS,
    "waxs": RAYONIX_WAXS,
    "lgc": PILATUS_300K,
}
RINGS: dict[str, tuple[float, ...]] = {
    "saxs": (0.05, 0.068),
    "usaxs": (0.008, 0.011),
    "waxs": (2.8939,),  # (100) of hcp cobalt
    "lgc": (0.1, 0.13),
}
FIELDS = (0.0, 200.0, 400.0, 700.0, 1000.0, 1400.0)  # mT
HYSTERESIS = 0.2  # share of the alignment that is kept on the way down: enough to tell the two branches apart


def oriented(q: Iterable[float], kappa: float, director: float = 0.0, height: float = 100.0) -> Pattern:
    """Return an aligned sample: Maier-Saupe rings, each half as strong as the one before, on a decaying background.

    Parameters
    ----------
    q : iterable of float
        Rings in 1/angstrom.
    kappa : float
        Strength of the orientation distribution.
    director : float
        Its direction, chi in degrees.
    height : float
        Counts per second and pixel at the maximum of the first ring.
    """
    q = tuple(q)
    rings = tuple(
        Ring(centre, height / 2**number, 0.1 * centre, "maier_saupe", director, kappa)
        for number, centre in enumerate(q)
    )
    return Pattern(rings, flat=0.02 * height, scale=0.05 * height * q[0] ** 3, power=3.0)


def field_series(
    folder: Path | str,
    fields: Sequence[float] = FIELDS,
    *,
    station: Station = "saxs",
    q: Sequence[float] | None = None,
    sample: str = "rods",
    kappa: float = 10.0,
    director: float = 0.0,
    down: bool = False,
    frames: int = 1,
    exposure_time: float = 1.0,
    seed: int = 0,
) -> list[Simulated]:
    """Write a sample in a growing magnetic field, one file a field, and ``truth.json`` beside them.

    The magnetic energy of a rod goes with the square of the field, and so does kappa.

    Parameters
    ----------
    folder : Path or str
        Where to write; made when absent.
    fields : sequence of float
        Magnetic fields in mT, in the order of measurement.
    station : {"saxs", "usaxs", "waxs", "lgc"}
        Camera, file format and file names.
    q : sequence of float, optional
        Rings in 1/angstrom instead of the station's own.
    sample : str
        Sample name.
    kappa : float
        Strength of the orientation distribution at the highest field.
    director : float
        Direction of the director, chi in degrees.
    down : bool
        Go back through the same fields; the sample then keeps a fifth of the alignment it could lose.
    frames : int
        Frames a file (one at the station ``"lgc"``).
    exposure_time : float
        Exposure time of a frame in seconds.
    seed : int
        Seed of the noise; each file has its own.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, (field, strength) in enumerate(_field_sweep(fields, kappa, down=down), start=1):
        start = Run().start + timedelta(seconds=120 * (number - 1))
        run = Run(sample, field, start, exposure_time, seed=seed + number)
        pattern = oriented(RINGS[station] if q is None else q, strength, director)
        if station == "lgc":
            written.append(write_lgc(folder / lgc_name(sample, number), pattern, run=run, mask_prefix=sample))
        else:
            name = id02_name(sample, number, station)
            written.append(write_id02(folder / name, [pattern] * frames, CAMERAS[station], run, mask_prefix=sample))
    write_truth(folder / "truth.json", written)
    return written


def _field_sweep(fields: Sequence[float], kappa: float, *, down: bool) -> list[tuple[float, float]]:
    """Return each magnetic field with its kappa, in the order of measurement."""
    top = max(fields)
    sweep = [(field, kappa * (field / top) ** 2 if top > 0 else 0.0) for field in fields]
    if down:
        sweep += [(field, strength + HYSTERESIS * (kappa - strength)) for field, strength in reversed(sweep)]
    return sweep


def kinetic_stack(
    path: Path | str,
    frames: int = 20,
    *,
    camera: Camera = EIGER2_SMALL,
    q: Sequence[float] = RINGS["saxs"],
    kappa: float = 8.0,
    director: float = 0.0,
    time_constant: float = 5.0,
    run: Run | None = None,
) -> Simulated:
    """Write one ID02 file whose sample aligns from frame to frame: ``kappa * (1 - exp(-t / time_constant))``.

    Parameters
    ----------
    path : Path or str
        The file to write.
    frames : int
        Number of frames; t is the middle of each exposure.
    camera, q, kappa, director
        As for `field_series` and `oriented`; ``kappa`` is reached after a long time.
    time_constant : float
        Time constant in seconds.
    run : Run, optional
        Sample, field, times and seed.
    """
    run = run or Run(dead_time=0.5)
    times = np.arange(frames) * (run.exposure_time + run.dead_time) + run.exposure_time / 2
    strengths = kappa * -np.expm1(-times / time_constant)
    return write_id02(path, [oriented(q, float(k), director) for k in strengths], camera, run)


def truth_rows(measurements: Iterable[Simulated]) -> list[dict[str, Json]]:
    """Return one row a file, frame and ring, with the columns of the table of results where they are the same."""
    return [
        {
            "file": measurement.path.name,
            "sample": measurement.run.sample,
            "field_mT": None if np.isnan(measurement.run.field) else measurement.run.field,
            "start_time": measurement.run.start.isoformat(),
            **ring.to_json(),
        }
        for measurement in measurements
        for ring in measurement.truth
    ]


def write_truth(path: Path | str, measurements: Iterable[Simulated]) -> None:
    """Write the rows of `truth_rows` as JSON."""
    Path(path).write_text(json.dumps(truth_rows(measurements), indent=1) + "\n", encoding="utf-8")

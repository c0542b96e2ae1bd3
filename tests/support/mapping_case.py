"""Small measurements for the tests of `Mapping`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from nxscatter.simulate import (
    EIGER2_SMALL,
    EIGER2_USAXS,
    PILATUS_300K,
    RAYONIX_WAXS,
    Camera,
    Run,
    Simulated,
    id02_name,
    lgc_name,
    oriented,
    write_id02,
    write_lgc,
)

SAXS, USAXS, WAXS, LGC = EIGER2_SMALL, EIGER2_USAXS, RAYONIX_WAXS, PILATUS_300K
# With smaller pixels, nearer: q up to 0.18 1/angstrom.
NEAR = replace(
    EIGER2_SMALL,
    geometry=replace(
        EIGER2_SMALL.geometry,
        rows=768,
        columns=720,
        pixel_size_y=200e-6,
        pixel_size_x=200e-6,
        center_y=393.46,
        center_x=368.46,
        distance=2.4,
    ),
    gap_rows=((178, 192), (589, 603)),
    gap_columns=((349, 354),),
    beamstop=22.0,
    arm=10.0,
)
RINGS = (0.05, 0.068)
CUBIC = """\
data_cubic
_symmetry_space_group_name_H-M 'I m -3 m'
_cell_length_a 6.0
_cell_length_b 6.0
_cell_length_c 6.0
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Fe1 0 0 0
"""


def one(
    path: Path,
    kappa: float = 5.0,
    run: Run | None = None,
    camera: Camera = SAXS,
    q: Sequence[float] = RINGS,
    frames: int = 1,
    director: float = 0.0,
    **options: Any,
) -> Simulated:
    """Write one ID02 file of an oriented sample; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    patterns = [oriented(q, kappa, director, height=400.0)] * frames
    return write_id02(path, patterns, camera, run or Run("rods", 400.0), **options)


def series(
    folder: Path,
    fields: Sequence[float] = (0.0, 500.0, 1000.0),
    station: str = "saxs",
    camera: Camera = SAXS,
    q: Sequence[float] = RINGS,
) -> list[Simulated]:
    """Write a sample whose kappa goes from 0 to 8 with the square of the field, one file every 90.25 s."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for number, field in enumerate(fields, 1):
        start = Run().start + timedelta(seconds=90.25 * (number - 1))
        run = Run("rods", field, start, seed=number)
        pattern = oriented(q, 8 * (field / 1000) ** 2, height=400.0)
        if station == "lgc":
            written.append(write_lgc(folder / lgc_name("rods", number), pattern, camera, run, mask_prefix="rods"))
        else:
            path = folder / id02_name("rods", number, station)
            written.append(write_id02(path, pattern, camera, run, mask_prefix="rods"))
    return written

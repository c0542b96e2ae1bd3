"""Simulated measurements as a Xenocs instrument writes them: EDF files with SaxsKeyword headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from nxscatter.simulate.camera import PILATUS_300K, Camera
from nxscatter.simulate.measurement import Run, Simulated, saxs_keywords, write_edf, write_masks
from nxscatter.simulate.physics import Pattern, truths


def lgc_name(prefix: str, number: int) -> str:
    """Return a file name as the instrument gives it."""
    return f"{prefix}_0_{number:05d}.edf"


def write_lgc(
    path: Path | str,
    pattern: Pattern,
    camera: Camera = PILATUS_300K,
    run: Run | None = None,
    *,
    header: Mapping[str, Any] | None = None,
    mask_prefix: str | None = None,
) -> Simulated:
    """Write one frame as an EDF file, and its mask files beside it.

    Parameters
    ----------
    path : Path or str
        The file to write; its folder must exist.
    pattern : Pattern
        What is scattered.
    camera : Camera
        The detector.
    run : Run, optional
        Sample, field, time and seed. The date in the header is the wall clock's, without a zone.
    header : mapping, optional
        Header keys to add or replace; None leaves a key out.
    mask_prefix : str, optional
        Beginning of the mask files' names, the file's own by default; the files of a series share their masks.
    """
    path, run = Path(path), run or Run()
    (counts,) = camera.expose((pattern,), run.exposure_time, run.seed)
    # Dummy and DDummy cover -1 (gap) and -2 (defect), as the instrument's own files do.
    keys = saxs_keywords(camera) | {
        "title": path.name,
        "Comment": run.title,
        "Date": run.start.replace(tzinfo=None).isoformat(timespec="seconds"),
        "Dummy": -1.5,
        "DDummy": 0.6,
        "ExposureTime": run.exposure_time,
        "Detector": camera.name,
    }
    keys |= header or {}
    write_edf(path, counts, {key: value for key, value in keys.items() if value is not None})
    masks = write_masks(path.parent, mask_prefix or path.stem, camera)
    return Simulated(path, masks, truths((pattern,)), (pattern,), camera, run)


def write_line_eraser(
    folder: Path | str,
    pattern: Pattern,
    camera: Camera = PILATUS_300K,
    run: Run | None = None,
    *,
    prefix: str = "lgc",
    numbers: tuple[int, int] = (12, 13),
    shift: float = 25.0,
) -> Simulated:
    """Write two frames with the detector moved between them, and the composite in which their gaps are erased.

    The composite ``PREFIX_vd_0_N-M.edf`` has Center_1 of frame N and Center_2 of frame M; its own header
    carries the centre of frame N, whose Center_2 is ``shift`` off, as Center_1 of frame M is.

    Parameters
    ----------
    folder : Path or str
        Where to write the three files.
    pattern, camera, run
        As for `write_lgc`; the camera's geometry is the composite's.
    prefix : str
        Beginning of the file names, without underscore.
    numbers : tuple of int
        N and M.
    shift : float
        Pixels between the composite's centre and that of either frame.

    Returns
    -------
    Simulated
        The composite.
    """
    folder, run = Path(folder), run or Run()
    first = replace(camera, geometry=replace(camera.geometry, center_y=camera.geometry.center_y + shift))
    second = replace(camera, geometry=replace(camera.geometry, center_x=camera.geometry.center_x + shift))
    for number, frame in zip(numbers, (first, second), strict=True):
        write_lgc(folder / lgc_name(prefix, number), pattern, frame, replace(run, seed=run.seed + number))
    name = f"{prefix}_vd_0_{numbers[0]:05d}-{numbers[1]:05d}.edf"
    whole = replace(camera, gap_rows=(), gap_columns=())
    misleading = {"Center_2": first.geometry.center_y}
    return write_lgc(folder / name, pattern, whole, run, header=misleading)

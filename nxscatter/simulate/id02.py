"""Simulated measurements as ID02 writes them: Lima HDF5 files with mask files beside them.

The same input gives the same bytes: nothing in a file tells when or where it was made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nxscatter.errors import ParameterError
from nxscatter.simulate.camera import EIGER2_SMALL, Camera
from nxscatter.simulate.measurement import Run, Simulated, saxs_keywords, stacked, write_masks
from nxscatter.simulate.physics import Pattern, truths

MASK_FOLDER = "/data/id02/masks"  # where the beamline keeps them; ours lie beside the data
MONITOR_0, MONITOR_1 = 2.0e6, 1.6e6  # intensity per second before and behind the sample


def id02_name(collection: str, number: int, station: str = "saxs", layout: Literal["old", "new"] = "old") -> str:
    """Return a file name as ID02 gives it; ``station`` is ``"saxs"``, ``"usaxs"`` or ``"waxs"``."""
    if layout == "new":
        return f"{collection}_{'waxs' if station == 'waxs' else 'eiger2'}_{number:05d}_00.h5"
    middle = {"saxs": "saxs_eiger2", "usaxs": "_eiger2", "waxs": "_waxs"}[station]
    return f"{collection}{middle}_{number:05d}_raw.h5"


def write_id02(
    path: Path | str,
    patterns: Pattern | Sequence[Pattern],
    camera: Camera = EIGER2_SMALL,
    run: Run | None = None,
    *,
    layout: Literal["old", "new"] = "old",
    values: Literal["bytes", "text", "number"] = "bytes",
    image: bool = False,
    creator: str = "",
    header: Mapping[str, Any] | None = None,
    mask_prefix: str | None = None,
) -> Simulated:
    """Write one measurement as a Lima HDF5 file of ID02, and its mask files beside it.

    Parameters
    ----------
    path : Path or str
        The file to write; its folder must exist.
    patterns : Pattern or sequence of Pattern
        What is scattered in each frame; repeat a pattern for a steady sample.
    camera : Camera
        The detector.
    run : Run, optional
        Sample, field, times and seed.
    layout : {"old", "new"}
        The detector's group: ``instrument/id02-eiger2-saxs`` or ``instrument/id02-rayonixhs-waxs``, in newer
        files ``ESRF-ID02/eiger2``, which then holds the data that ``measurement/data`` points to.
    values : {"bytes", "text", "number"}
        How header values are stored: as bytes, as text, or as numbers where they are numbers.
    image : bool
        Store a single frame as a 2-D image instead of a stack of one.
    creator : str
        Root attribute ``creator``; older files have none.
    header : mapping, optional
        Header keys to add or replace; None leaves a key out.
    mask_prefix : str, optional
        Beginning of the mask files' names, the file's own by default; the files of a series share their masks.

    Raises
    ------
    ParameterError
        When ``image`` is asked for a stack.
    """
    import h5py

    path, run, patterns = Path(path), run or Run(), stacked(patterns)
    if image and len(patterns) != 1:
        raise ParameterError(f"{path.name}: image = True stores one frame, but there are {len(patterns)}")
    masks = write_masks(path.parent, mask_prefix or path.stem.removesuffix("_raw"), camera)
    keys = _header(camera, run, masks, header or {})
    with h5py.File(path, "w") as file:
        entry = _entry(file, run, len(patterns), creator)
        instrument, detector = _detector_names(camera, layout)
        place = _group(_group(entry, instrument, "NXinstrument"), detector, "NXdetector")
        measurement = _group(entry, "measurement", "NXcollection")
        _describe(place, run, len(patterns), {key: _stored(value, values) for key, value in keys.items()})
        home, elsewhere = (place, measurement) if layout == "new" else (measurement, place)
        elsewhere["data"] = h5py.SoftLink(_write_frames(home, patterns, camera, run, image=image))
    return Simulated(path, masks, truths(patterns), patterns, camera, run)


def _entry(file: Any, run: Run, frames: int, creator: str) -> Any:
    """Make the entry of a Lima file with its title and times."""
    file.attrs["NX_class"] = "NXroot"
    file.attrs["default"] = "entry_0000"
    if creator:
        file.attrs["creator"] = creator
    entry = _group(file, "entry_0000", "NXentry")
    entry["title"] = np.bytes_("Lima 2D detector acquisition")
    entry["start_time"] = np.bytes_(_utc(run.start))
    entry["end_time"] = np.bytes_(_utc(run.end(frames)))
    return entry


def _write_frames(home: Any, patterns: Sequence[Pattern], camera: Camera, run: Run, *, image: bool) -> str:
    """Write the counts of all frames, compressed as Lima does it, one chunk a frame; return the dataset's path."""
    import hdf5plugin

    frame_shape = camera.geometry.shape
    data = home.create_dataset(
        "data",
        frame_shape if image else (len(patterns), *frame_shape),
        camera.dtype,
        chunks=frame_shape if image else (1, *frame_shape),
        **hdf5plugin.Bitshuffle(cname="lz4"),
    )
    data.attrs["interpretation"] = "image"
    for frame, counts in enumerate(camera.expose(patterns, run.exposure_time, run.seed)):
        data[... if image else frame] = counts
    return str(data.name)


def _describe(place: Any, run: Run, frames: int, header: Mapping[str, Any]) -> None:
    """Fill a detector group with what Lima notes of the acquisition."""
    acquisition = _group(place, "acquisition", "NXcollection")
    acquisition["nb_frames"] = frames
    acquisition["exposure_time"] = run.exposure_time
    acquisition["latency_time"] = run.dead_time
    binning = _group(_group(place, "image_operation", "NXcollection"), "binning", "NXcollection")
    binning["x"] = binning["y"] = 1
    group = _group(place, "header", "NXcollection")
    for key, value in header.items():
        group[key] = value


def _detector_names(camera: Camera, layout: str) -> tuple[str, str]:
    if layout == "new":
        return "ESRF-ID02", camera.name
    return "instrument", {"eiger2": "id02-eiger2-saxs", "rayonixhs": "id02-rayonixhs-waxs"}[camera.name]


def _header(camera: Camera, run: Run, masks: Mapping[str, Path], changed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the header of the beamline; what is changed to None is left out."""
    keys = saxs_keywords(camera) | {
        "Title": run.title,
        "Dummy": 0,
        "DDummy": 0,
        "DetectorName": camera.name,
        "ExposureTime": run.exposure_time,
        "HMStartTime": _utc(run.start),
        "NormalizationFactor": 1.0,
        "polarization_factor": 0.99,
    }
    for role, key in (("beamstop", "Mask"), ("gaps", "DetectorMask")):
        if role in masks:
            keys[f"{key}FilePath"], keys[f"{key}FileName"] = MASK_FOLDER, masks[role].name
    keys |= _scalers(run) | dict(changed)
    return {key: value for key, value in keys.items() if value is not None}


def _scalers(run: Run) -> dict[str, Any]:
    """Return counters of time and both monitors: value = (C - Z * time) * F, pins counted from 1."""
    pins = (
        ("TIME", 1e-6, 0.0, run.exposure_time),
        ("PIN1", 1e3, 200.0, MONITOR_0 * run.exposure_time),
        ("PIN2", 1e3, 150.0, MONITOR_1 * run.exposure_time),
    )
    keys: dict[str, Any] = {"HS32Len": len(pins), "HSTime": 1, "HSI0": 2, "HSI1": 3}
    for pin, (name, factor, zero, value) in enumerate(pins, start=1):
        keys[f"HS32N{pin:02}"], keys[f"HS32F{pin:02}"], keys[f"HS32Z{pin:02}"] = name, factor, zero
        keys[f"HS32C{pin:02}"] = round(value / factor + zero * run.exposure_time)
    return keys


def _stored(value: Any, values: str) -> Any:
    if values == "number" and not isinstance(value, str):
        return value
    return str(value) if values == "text" else np.bytes_(str(value).encode())


def _utc(time: datetime) -> str:
    return time.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _group(parent: Any, name: str, nx_class: str) -> Any:
    group = parent.create_group(name)
    group.attrs["NX_class"] = nx_class
    return group

"""ESRF ID02: raw HDF5 files of Lima, and BLISS masters that point to them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from nxscatter.model import Attachment, Exposure, Floats, Origin, Scan
from nxscatter.readers.base import HDF5_SUFFIXES, ReadOptions, file_sha256
from nxscatter.readers.files.hdf5 import Hdf5Source, recognised
from nxscatter.readers.files.hdf5_metadata import read_metadata, read_structure
from nxscatter.readers.files.lima import Acquisition, holds_acquisition, only_acquisition, scaler_arrays
from nxscatter.readers.headers.header_files import named_files
from nxscatter.readers.headers.keywords import Keywords, find_sample, per_frame
from nxscatter.readers.headers.saxskeywords import normalization_factor, read_geometry
from nxscatter.readers.headers.scalers import monitors
from nxscatter.readers.nxsas import sas_entries

_CLOCKS = ("elapsed_time", "mcs_elapsed_time", "timer_elapsed_time", "delta_time", "epoch", "mcs_epoch", "timer_epoch")


class Id02Reader:
    """Reader of ID02 files, old and new layout; the detector group is found by class and content."""

    name = "id02"
    suffixes = HDF5_SUFFIXES

    def recognises(self, path: Path) -> bool:
        """Tell whether a file is laid out as Lima or BLISS do."""
        return recognised(path, lambda source: not sas_entries(source) and holds_acquisition(source))

    def read(self, path: Path, options: ReadOptions) -> Scan:
        """Read header and description; the frames stay in the file.

        Raises
        ------
        ReadError
            When the file is damaged, has no frames or no geometry, or points outside its folder.
        """
        with Hdf5Source(path) as source:
            found = only_acquisition(source)
            frames = source.frames(found.data)
            image = (frames.shape[1], frames.shape[2])
            group = source.group("header", found.detector)
            keys = Keywords(path.name, {} if group is None else source.header(group))
            beam, placed = read_geometry(keys, image, found.name or "unknown", options)
            binning = _group_keys(source, found, "image_operation/binning", keys)
            detector = replace(
                placed.detector,
                binning_x=binning.integer("x", placed.detector.binning_x),
                binning_y=binning.integer("y", placed.detector.binning_y),
            )
            named = named_files(keys, (path, frames.path, Path(found.detector.file.filename)), image, options)
            masks = named.masks
            own = source.dataset("pixel_mask", found.detector)
            if own is not None:
                masks = (Attachment("pixel_mask", source.image(own), "pixel_mask"), *masks)
            title = _title(source, found, keys)
            sample = find_sample(title, options, keys.notes)
            exposure = _exposure(source, found, keys, frames.shape[0])
            entry = {name: source.text(name, found.entry) for name in ("start_time", "end_time")}
            times = Keywords(path.name, keys.header | entry, keys.notes)
            metadata = read_metadata(source, image, keys.notes)
            structure = read_structure(source, found.data, keys.notes)
        start, end = times.time("start_time", "HMStartTime", "Time"), times.time("end_time")
        return Scan(
            title=title,
            beam=beam,
            detector=detector,
            sample=sample,
            origin=Origin(
                path.name,
                self.name,
                "application/x-hdf5",
                file_sha256(path),
                keys.header,
                tuple(keys.notes),
                (*placed.doubts, *named.doubts, *found.doubts),
            ),
            frames=frames,
            exposure=exposure.lacking(frames),
            start_time=start,
            end_time=end,
            instrument="ID02",
            source_name="ESRF",
            masks=masks,
            auxiliary=(*named.auxiliary, *placed.files),
            metadata=metadata,
            structure=structure,
        )


def _group_keys(source: Hdf5Source, found: Acquisition, path: str, keys: Keywords) -> Keywords:
    group = source.group(path, found.detector)
    return Keywords(keys.file, {} if group is None else source.header(group), keys.notes)


def _title(source: Hdf5Source, found: Acquisition, keys: Keywords) -> str:
    """Return the header's Title with its extension, or the sample's name in a BLISS master.

    An extension with braces is a template for the values of single frames, and tells nothing by itself.
    """
    extension = keys.text("TitleExtension")
    parts = [keys.text("Title"), "" if "{" in extension else extension]
    return " ".join(filter(None, parts)) or source.text("sample/name", found.entry)


def _exposure(source: Hdf5Source, found: Acquisition, keys: Keywords, frames: int) -> Exposure:
    acquired = _group_keys(source, found, "acquisition", keys)
    declared = acquired.integer("nb_frames", frames)
    if declared != frames:
        keys.notes.append(f"acquisition/nb_frames is {declared}, the file has {frames} frames")
    measured = monitors(keys, scaler_arrays(source, found), frames)
    nominal = acquired.number("exposure_time", "time")
    if nominal is None:
        nominal = keys.number("ExposureTime", "time")
    return Exposure(
        time=measured.get("time", np.zeros(0)) if nominal is None else per_frame(nominal, frames),
        elapsed=_elapsed(source, found, acquired, frames),
        intensity0=measured.get("intensity0", np.zeros(0)),
        intensity1=measured.get("intensity1", np.zeros(0)),
        normalization=normalization_factor(keys),
    )


def _elapsed(source: Hdf5Source, found: Acquisition, acquired: Keywords, frames: int) -> Floats:
    """Return the start of each frame after the first, from a clock of the scan or from exposure plus latency.

    Empty when the file has neither.
    """
    if frames == 1:
        return np.zeros(1)
    for group in (source.group("measurement", found.entry), found.detector):
        for name in _CLOCKS:
            clock = None if group is None else source.dataset(name, group)
            if clock is not None and clock.shape == (frames,) and clock.dtype.kind in "iuf":
                values: Floats = np.asarray(clock[()], dtype=float)
                return np.asarray(values - values[0])
    exposure, latency = acquired.number("exposure_time", "time"), acquired.number("latency_time", "time")
    if exposure is None or latency is None:
        return np.zeros(0)
    acquired.notes.append("elapsed time of each frame is computed from exposure_time and latency_time")
    return np.arange(frames) * (exposure + latency)

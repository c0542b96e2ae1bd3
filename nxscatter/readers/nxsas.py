"""Generic NXsas files. Lengths are converted by their ``units``; one without units is never guessed."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nxscatter.errors import ReadError
from nxscatter.model import Attachment, Beam, Detector, Exposure, Floats, Origin, Sample, Scan
from nxscatter.readers.base import HDF5_SUFFIXES, ReadOptions, file_sha256
from nxscatter.readers.files.hdf5 import Hdf5Source, recognised
from nxscatter.readers.files.hdf5_metadata import read_metadata, read_structure
from nxscatter.readers.files.hdf5_values import attribute
from nxscatter.readers.headers.geometry import Placed, place, raster_number, swapped, unplaced_detector
from nxscatter.readers.headers.keywords import Keywords, find_sample
from nxscatter.readers.headers.lengths import Lengths
from nxscatter.readers.headers.sources import source_type
from nxscatter.readers.headers.standing import standing
from nxscatter.readers.headers.titles import parse_title
from nxscatter.readers.headers.units import factor, scaled

if TYPE_CHECKING:
    import h5py

_IMAGES = {"flatfield": "flat", "blank": "background"}


def sas_entries(source: Hdf5Source) -> list[h5py.Group]:
    """Return the entries whose definition is NXsas."""
    return [entry for _, entry in source.groups(source.root) if source.text("definition", entry) == "NXsas"]


class NxsasReader:
    """Reader of NXsas files of any program but nxscatter."""

    name = "nxsas"
    suffixes = HDF5_SUFFIXES

    def recognises(self, path: Path) -> bool:
        """Tell whether an entry's definition is NXsas."""
        return recognised(path, lambda source: bool(sas_entries(source)))

    def read(self, path: Path, options: ReadOptions) -> Scan:
        """Read the description; the frames stay in the file.

        Raises
        ------
        ReadError
            When there is no or more than one entry or detector, or a length is missing or has no unit.
        """
        notes: list[str] = []
        with Hdf5Source(path) as source:
            entries = sas_entries(source)
            if len(entries) != 1:
                raise ReadError(f"{path.name}: {len(entries)} entries have the definition NXsas; give a file with one")
            entry = entries[0]
            name, group, data = _only_detector(source, entry)
            frames = source.frames(data)
            image = (frames.shape[1], frames.shape[2])
            beam, placed = _geometry(Lengths(source, options, notes), entry, group, name, image)
            keys = Keywords(path.name, source.header(entry), notes)
            title = keys.text("title")
            instrument = _first(source, entry, "NXinstrument")
            origin = _first(source, instrument, "NXsource")
            sample = _sample(source, entry, title, options, notes)
            masks = _attachments(source, group, {"pixel_mask": "pixel_mask"})
            auxiliary = _attachments(source, group, _IMAGES)
            exposure = _exposure(source, entry, group, frames.shape[0])
            header = source.header(group)
            scan_text = {
                "instrument": _text(source, "name", instrument, "unknown"),
                "source_name": _text(source, "name", origin, "unknown"),
                "source_type": _text(source, "type", origin, "") or source_type(beam.wavelength, notes),
            }
            metadata = read_metadata(source, image, notes)
            structure = read_structure(source, data, notes)
        start, end = keys.time("start_time"), keys.time("end_time")
        return Scan(
            title=title,
            beam=beam,
            detector=placed.detector,
            sample=sample,
            origin=Origin(
                path.name, self.name, "application/x-hdf5", file_sha256(path), header, tuple(notes), placed.doubts
            ),
            frames=frames,
            exposure=exposure.lacking(frames),
            start_time=start,
            end_time=end,
            masks=masks,
            auxiliary=(*auxiliary, *placed.files),
            metadata=metadata,
            structure=structure,
            **scan_text,
        )


def _geometry(
    lengths: Lengths, entry: h5py.Group, group: h5py.Group, name: str, image: tuple[int, int]
) -> tuple[Beam, Placed]:
    source, options = lengths.source, lengths.options
    monochromator = _first(source, _first(source, entry, "NXinstrument"), "NXmonochromator")
    detector = unplaced_detector(name, image, options)
    if options.poni is None:
        placed = _standing(lengths, group, detector)
    else:
        size_y, size_x = lengths.told(group, "y_pixel_size"), lengths.told(group, "x_pixel_size")
        own = scaled(lengths.told(monochromator, "wavelength"), 1e10)
        placed = place(replace(detector, pixel_size_y=size_y, pixel_size_x=size_x), options, own)
    lengths.notes.extend(placed.notes)
    wavelength = placed.wavelength
    if math.isnan(wavelength):
        wavelength = scaled(lengths.read(monochromator, "wavelength"), 1e10)
    return Beam(wavelength), placed


def _standing(lengths: Lengths, group: h5py.Group, detector: Detector) -> Placed:
    """Return the detector where the file puts it: by a chain of transformations, or by beam centre and distance."""
    source, options = lengths.source, lengths.options
    size_y, size_x = lengths.read(group, "y_pixel_size"), lengths.read(group, "x_pixel_size")
    detector = replace(detector, pixel_size_y=size_y, pixel_size_x=size_x)
    by_fields = partial(_by_fields, group=group, detector=detector)
    by_chain = bool(source.text("depends_on", group))  # which can tell centre and distance too
    told = by_fields(lengths.optional() if by_chain else lengths)
    found = standing(source, group, told, options.swap_center, raster_number(options))
    if by_chain and not np.isfinite([found.detector.distance, found.detector.center_y, found.detector.center_x]).all():
        by_fields(lengths)  # says which one is missing
    placed = place(found.detector, replace(options, swap_center=False), turn=found.turn)
    return replace(placed, notes=(*found.notes, *placed.notes), doubts=(*found.doubts, *placed.doubts))


def _by_fields(lengths: Lengths, group: h5py.Group, detector: Detector) -> Detector:
    told = replace(
        detector,
        distance=lengths.read(group, "distance"),
        center_y=lengths.center(group, "beam_center_y", detector.pixel_size_y),
        center_x=lengths.center(group, "beam_center_x", detector.pixel_size_x),
    )
    return swapped(told) if lengths.options.swap_center else told


def _only_detector(source: Hdf5Source, entry: h5py.Group) -> tuple[str, h5py.Group, h5py.Dataset]:
    """Return name, group and frames of the only NXdetector with an image; frames may stand in the NXdata."""
    plotted = _first(source, entry, "NXdata")
    found = []
    for _, instrument in source.groups(entry, "NXinstrument"):
        for name, group in source.groups(instrument, "NXdetector"):
            data = source.dataset("data", group)
            if data is None and plotted is not None:
                data = source.dataset(attribute(plotted, "signal") or "data", plotted)
            if data is not None and len(data.shape or ()) >= 2:
                found.append((name, group, data))
    if len(found) != 1:
        names = ", ".join(name for name, _, _ in found) or "none"
        raise ReadError(f"{source.path.name}: one NXdetector with images is wanted, there are: {names}; split the file")
    return found[0]


def _first(source: Hdf5Source, group: h5py.Group | None, nx_class: str) -> h5py.Group | None:
    return None if group is None else next((child for _, child in source.groups(group, nx_class)), None)


def _text(source: Hdf5Source, name: str, group: h5py.Group | None, default: str) -> str:
    return default if group is None else source.text(name, group) or default


def _sample(source: Hdf5Source, entry: h5py.Group, title: str, options: ReadOptions, notes: list[str]) -> Sample:
    """Return the NXsample's name and field, else what the title says; some files keep NXsample in NXinstrument."""
    group = _first(source, entry, "NXsample") or _first(source, _first(source, entry, "NXinstrument"), "NXsample")
    field = None if group is None else source.dataset("magnetic_field", group)
    if field is not None and options.field_mT is None:
        value = Keywords(source.path.name, {"magnetic_field": source.value("magnetic_field", group)}, notes)
        scale = factor(attribute(field, "units"), "field")
        number = value.number("magnetic_field")
        if scale is None:
            notes.append("magnetic_field of the sample has no unit of field, it is not used")
        elif number is not None:
            options = replace(options, field_mT=number * scale)
    name = _text(source, "name", group, title)
    if options.field_mT is None and math.isnan(parse_title(name).field_mT):
        options = replace(options, field_mT=parse_title(title).field_mT)
    return find_sample(name, options, notes)


def _attachments(source: Hdf5Source, group: h5py.Group, roles: dict[str, str]) -> tuple[Attachment, ...]:
    found = {name: source.dataset(name, group) for name in roles}
    return tuple(
        Attachment(name, source.image(dataset), roles[name]) for name, dataset in found.items() if dataset is not None
    )


def _exposure(source: Hdf5Source, entry: h5py.Group, group: h5py.Group, frames: int) -> Exposure:
    """Return exposure times, and the start of each frame where the plot's first axis is a time."""
    time = _seconds(source.dataset("count_time", group), frames)
    plotted = _first(source, entry, "NXdata")
    axes = [] if plotted is None else np.ravel(plotted.attrs.get("axes", [])).tolist()
    clock: Floats = np.zeros(1 if frames == 1 else 0)
    if frames > 1 and plotted is not None and axes:
        first = axes[0].decode() if isinstance(axes[0], bytes) else str(axes[0])
        clock = _seconds(source.dataset(first, plotted), frames)
    return Exposure(time=time, elapsed=clock - clock[:1])


def _seconds(dataset: h5py.Dataset | None, frames: int) -> Floats:
    """Return times of all frames in s; empty when they have no unit of time or another number of values."""
    scale = None if dataset is None else factor(attribute(dataset, "units"), "time")
    if dataset is None or scale is None or dataset.size not in (1, frames) or dataset.dtype.kind not in "iuf":
        return np.zeros(0)
    values = np.asarray(dataset[()], dtype=float).ravel() * scale
    return np.broadcast_to(values, (frames,)).copy()

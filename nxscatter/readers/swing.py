"""SOLEIL SWING files: ``ENTRY/SWING/EIGER-4M`` and ``ENTRY/scan_data/eiger_image``."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nxscatter.errors import ReadError
from nxscatter.model import Array, Beam, Exposure, Hdf5Frames, Origin, Scan
from nxscatter.readers.base import HDF5_SUFFIXES, ReadOptions, file_sha256
from nxscatter.readers.files.hdf5 import Hdf5Source, recognised
from nxscatter.readers.files.hdf5_metadata import read_metadata, read_structure
from nxscatter.readers.headers.geometry import Placed, place, unplaced_detector
from nxscatter.readers.headers.keywords import Keywords, find_sample, per_frame
from nxscatter.readers.headers.lengths import Lengths
from nxscatter.readers.headers.units import scaled

if TYPE_CHECKING:
    import h5py

_DETECTOR = "SWING/EIGER-4M"
_MONOCHROMATOR = "SWING/i11-c-c03__op__mono"


class SwingReader:
    """Reader of SWING files; units are fixed by the beamline: mm, micrometre, pixel, angstrom."""

    name = "swing"
    suffixes = HDF5_SUFFIXES

    def recognises(self, path: Path) -> bool:
        """Tell whether an entry has the detector group of SWING."""
        return recognised(path, lambda source: bool(_entries(source)))

    def read(self, path: Path, options: ReadOptions) -> Scan:
        """Read a file; frames with one dimension too many, (n, 1, rows, columns), are read into memory.

        The beam position ``dir_beam_x``, ``dir_beam_z`` is taken as a coordinate with 0.5 in the middle of
        pixel 0.

        Raises
        ------
        ReadError
            When there are no frames, or a length is missing or impossible.
        """
        notes: list[str] = []
        with Hdf5Source(path) as source:
            entries = _entries(source)
            if len(entries) != 1:
                raise ReadError(f"{path.name}: {len(entries)} entries have {_DETECTOR}; give a file with one")
            entry = entries[0]
            dataset = _dataset(source, entry)
            frames = _frames(source, dataset)
            count, rows, columns = frames.shape
            beam, placed = _geometry(Lengths(source, options, notes), entry, (rows, columns))
            keys = Keywords(path.name, source.header(entry), notes)
            described = source.group(_DETECTOR, entry)
            group = Keywords(path.name, {} if described is None else source.header(described), notes)
            title = source.text("sample_info/ChemSAXS/sample_name", entry)
            sample = find_sample(title, options, notes)
            exposure = group.number("exposure_time", "time")
            if exposure is not None:
                notes.append("exposure_time is taken to be in s")
            if group.integer("nb_frames", count) != count:
                notes.append(f"nb_frames is {group.integer('nb_frames', count)}, the file has {count} frames")
            metadata = read_metadata(source, (rows, columns), notes)
            structure = read_structure(source, dataset, notes)
        start, end = keys.time("start_time"), keys.time("end_time")
        return Scan(
            title=title,
            beam=beam,
            detector=placed.detector,
            sample=sample,
            origin=Origin(
                path.name, self.name, "application/x-hdf5", file_sha256(path), group.header, tuple(notes), placed.doubts
            ),
            frames=frames,
            exposure=Exposure(time=per_frame(exposure, count)).lacking(frames),
            start_time=start,
            end_time=end,
            instrument="SWING",
            source_name="SOLEIL",
            auxiliary=placed.files,
            metadata=metadata,
            structure=structure,
        )


def _entries(source: Hdf5Source) -> list[h5py.Group]:
    return [entry for _, entry in source.groups(source.root) if source.group(_DETECTOR, entry) is not None]


def _dataset(source: Hdf5Source, entry: h5py.Group) -> h5py.Dataset:
    dataset = source.dataset("scan_data/eiger_image", entry)
    if dataset is None:
        raise ReadError(f"{source.path.name}: dataset scan_data/eiger_image is missing; give a raw file")
    return dataset


def _frames(source: Hdf5Source, dataset: h5py.Dataset) -> Array | Hdf5Frames:
    shape: tuple[int, ...] = dataset.shape or ()
    if len(shape) == 4 and shape[1] == 1:
        stack: Array = source.image(dataset)[:, 0]
        return stack
    return source.frames(dataset)


def _geometry(lengths: Lengths, entry: h5py.Group, image: tuple[int, int]) -> tuple[Beam, Placed]:
    source, options = lengths.source, lengths.options
    group = source.group(_DETECTOR, entry)
    keys = Keywords(source.path.name, {} if group is None else source.header(group), lengths.notes)
    detector = replace(
        unplaced_detector(_DETECTOR.rpartition("/")[2], image, options),
        binning_y=keys.integer("binning_y", 1),
        binning_x=keys.integer("binning_x", 1),
    )
    if options.poni is None:
        size_x, size_z = lengths.read(group, "pixel_size_x", "um"), lengths.read(group, "pixel_size_z", "um")
        detector = replace(
            detector,
            distance=lengths.read(group, "distance", "mm"),
            pixel_size_y=size_z,
            pixel_size_x=size_x,
            center_y=lengths.center(group, "dir_beam_z", size_z, "pixel"),
            center_x=lengths.center(group, "dir_beam_x", size_x, "pixel"),
        )
    else:
        size_x, size_z = lengths.told(group, "pixel_size_x", "um"), lengths.told(group, "pixel_size_z", "um")
        detector = replace(detector, pixel_size_y=size_z, pixel_size_x=size_x)
    monochromator = source.group(_MONOCHROMATOR, entry)
    placed = place(detector, options, scaled(lengths.told(monochromator, "wavelength", "angstrom"), 1e10))
    lengths.notes.extend(placed.notes)
    wavelength = placed.wavelength
    if math.isnan(wavelength):
        wavelength = scaled(lengths.read(monochromator, "wavelength", "angstrom"), 1e10)
    return Beam(wavelength), placed

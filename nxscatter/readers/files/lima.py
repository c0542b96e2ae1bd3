"""Where Lima and BLISS files keep frames, header and times."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nxscatter.errors import ReadError
from nxscatter.model import Doubt
from nxscatter.readers.files.hdf5 import Hdf5Source
from nxscatter.readers.files.hdf5_values import attribute

if TYPE_CHECKING:
    import h5py

_LIMA_ENTRY = re.compile(r"entry_\d+")
_BLISS_SCAN = re.compile(r"\d+\.\d+")
_DEPTH = 3  # of a detector group below its entry


@dataclass(frozen=True)
class Acquisition:
    """The frames of one detector in one entry.

    Attributes
    ----------
    entry : h5py.Group
        ``entry_0000`` of a Lima file, ``1.1`` of a BLISS master.
    name : str
        Name of the detector, "" when no group tells it.
    detector : h5py.Group
        The group that holds ``header``, ``acquisition`` and ``image_operation``. For a BLISS master it lies in
        the Lima file that the master points to.
    data : h5py.Dataset
        The frames.
    doubts : tuple of Doubt
        Two stacks that tell different things.
    """

    entry: h5py.Group
    name: str
    detector: h5py.Group
    data: h5py.Dataset
    doubts: tuple[Doubt, ...] = ()


def holds_acquisition(source: Hdf5Source) -> bool:
    """Tell whether a file is laid out as Lima or BLISS do, mostly by names and without following a link."""
    for name in source.root:
        entry = source.group(name) if _LIMA_ENTRY.fullmatch(name) or _BLISS_SCAN.fullmatch(name) else None
        if entry is not None and {"measurement", "instrument"} & set(entry):
            return True
    return bool(acquisitions(source))


def acquisitions(source: Hdf5Source) -> list[Acquisition]:
    """Return all acquisitions of a file; empty when it is no Lima file and no BLISS master."""
    found: list[Acquisition] = []
    for name, entry in source.groups(source.root):
        if _LIMA_ENTRY.fullmatch(name):
            found += _in_lima(source, entry)
        elif _BLISS_SCAN.fullmatch(name):
            found += _in_bliss(source, entry)
    return found


def only_acquisition(source: Hdf5Source) -> Acquisition:
    """Return the acquisition of a file; ReadError when there is none or more than one."""
    found = acquisitions(source)
    if not found:
        reason = "; ".join(source.notes)
        raise ReadError(f"{source.path.name}: no frames in entry_NNNN or N.1 {reason}; give a raw detector file")
    if len(found) > 1:
        names = ", ".join(f"{image.entry.name}/{image.name}" for image in found)
        raise ReadError(
            f"{source.path.name}: holds several sets of frames ({names}); give the Lima file of one of them"
        )
    return found[0]


def scaler_arrays(source: Hdf5Source, acquisition: Acquisition) -> dict[str, Any]:
    """Return the datasets HS32C, HS32N, HS32Z and HS32F of the group that has them, if any has."""
    for _, group in _below(source, acquisition.entry, _DEPTH + 1):
        if source.dataset("HS32C", group) is not None:
            return {key: item for key, item in source.header(group).items() if key.startswith("HS32")}
    return {}


def _in_lima(source: Hdf5Source, entry: h5py.Group) -> list[Acquisition]:
    """Frames are ``data`` of the detector group or ``measurement/data`` of its entry; one may link to the other."""
    shared = _image(source.dataset("measurement/data", entry), 2)
    found = []
    for name, group in _detectors(source, entry):
        own = _image(source.dataset("data", group), 2)
        data = own or shared
        if data is not None:
            found.append(Acquisition(entry, name, group, data, _of_other_length(own, shared)))
    if not found and shared is not None:
        found = [Acquisition(entry, "", entry, shared)]
    return _with_header(source, found)


def _in_bliss(source: Hdf5Source, entry: h5py.Group) -> list[Acquisition]:
    """Find ``instrument/DET/data``: always a stack, since a counter or spectrum is an NXdetector there too."""
    found = []
    for name, group in _detectors(source, entry):
        data = _image(source.dataset("data", group), 3)
        if data is not None:
            found.append(Acquisition(entry, name, _lima_detector(source, group, data), data))
    return _with_header(source, found)


def _of_other_length(own: h5py.Dataset | None, shared: h5py.Dataset | None) -> tuple[Doubt, ...]:
    """Return a doubt where detector and measurement have stacks of different shape."""
    if own is None or shared is None or own.shape == shared.shape:
        return ()
    reason = f"{own.name} has the shape {own.shape} and {shared.name} {shared.shape}, the first is taken"
    return (Doubt("lost_frames", f"{reason}: give a file with one of them"),)


def _lima_detector(source: Hdf5Source, group: h5py.Group, data: h5py.Dataset) -> h5py.Group:
    if source.group("header", group) is not None:
        return group
    for file in source.origins(data):
        for name, entry in source.groups(file):
            if _LIMA_ENTRY.fullmatch(name):
                for _, detector in _detectors(source, entry):
                    if source.group("header", detector) is not None:
                        return detector
    return group


def _with_header(source: Hdf5Source, found: list[Acquisition]) -> list[Acquisition]:
    """Leave out detectors without a header when another one has it."""
    return [image for image in found if source.group("header", image.detector) is not None] or found


def _detectors(source: Hdf5Source, entry: h5py.Group) -> Iterator[tuple[str, h5py.Group]]:
    """Yield detector groups: those of class NXdetector, and those with a header group whatever their class."""
    for name, group in _below(source, entry, _DEPTH):
        if attribute(group, "NX_class") == "NXdetector" or source.group("header", group) is not None:
            yield name, group


def _below(source: Hdf5Source, group: h5py.Group, depth: int) -> Iterator[tuple[str, h5py.Group]]:
    for name, child in source.groups(group):
        if name != "measurement":  # links to what stands elsewhere
            yield name, child
            if depth > 1:
                yield from _below(source, child, depth - 1)


def _image(dataset: h5py.Dataset | None, dimensions: int) -> h5py.Dataset | None:
    shape: tuple[int, ...] = () if dataset is None else dataset.shape or ()
    return dataset if len(shape) >= dimensions else None

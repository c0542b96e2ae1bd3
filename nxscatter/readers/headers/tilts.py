"""Angles of a detector in an NXsas file: those with a meaning are used, all others speak against its geometry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nxscatter.model import Floats
from nxscatter.readers.files.hdf5 import Hdf5Source
from nxscatter.readers.files.hdf5_values import attribute
from nxscatter.readers.files.transformations import NotUsableError, rotation, single_value
from nxscatter.readers.headers.lengths import described_unit
from nxscatter.readers.headers.units import factor

if TYPE_CHECKING:
    import h5py

NO_TURN = 0.05  # degrees; what S changes by a smaller tilt is lost in its error
_SMALL_PRODUCT = 1.0  # degrees squared of two angles whose order is not told: turned by less than 0.02 degrees
_ABOUT = {"yaw": (0.0, 1.0, 0.0), "pitch": (1.0, 0.0, 0.0), "roll": (0.0, 0.0, 1.0)}  # as NXcanSAS defines them
# of NXsas, which leaves open what the detector is turned about; an azimuth means nothing without its polar angle
_OPEN = ("rotation_angle", "polar_angle", "aequatorial_angle", "tilt_angle")
_WRITERS = re.compile(r"(?P<prefix>.*)ccd_tilt_(?P<axis>[xy])")
_OTHERS = re.compile(r"(.*_)?(ccd|det|detector|cam|camera|pilatus|eiger|saxs|waxs)(_.*)?_tilt(_.*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Tilts:
    """What angles tell.

    Attributes
    ----------
    turn : ndarray (3, 3), optional
        Rotation of the detector about the direct beam's point, in NeXus' axes; None for none.
    notes : tuple of str
        What was used.
    problems : tuple of str
        What could not be used.
    """

    turn: Floats | None
    notes: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass
class _Angles:
    """The angles of one detector."""

    source: Hdf5Source
    group: h5py.Group
    image: tuple[int, int]
    known: Floats  # rotation that is used so far
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    taken: bool = False

    def take(self, turn: Floats, text: str) -> None:
        """Use a rotation, unless there is one already, of which it may be another word."""
        known = angle_between(self.known)
        if known < NO_TURN:
            self.known, self.taken = turn, True
            self.notes.append(f"the detector is turned by {text}")
        elif abs(known - angle_between(turn)) >= NO_TURN:
            self.problems.append(f"the detector is turned by {known:.4g} degrees already, the file has {text} besides")

    def named(self, name: str) -> float:
        """Return an angle of the detector in degrees, 0 when there is none."""
        dataset = self.source.dataset(name, self.group)
        return 0.0 if dataset is None else self.of(dataset)

    def of(self, dataset: h5py.Dataset) -> float:
        """Return an angle in degrees; 0, and a problem, when it cannot be used."""
        name = str(dataset.name).rsplit("/", 1)[-1]
        if (dataset.shape or ())[-2:] == self.image:  # the angle of each pixel
            return 0.0
        try:
            value = single_value(self.source, dataset)
        except NotUsableError as error:
            self.problems.append(str(error))
            return 0.0
        scale = factor(attribute(dataset, "units") or described_unit(dataset, "angle")[0], "angle")
        if scale is None and value:
            self.problems.append(f"the detector's {name} is {value:.4g} without a unit of angle")
        return float(np.degrees(value * (scale or 0.0)))


def tilts_of(
    source: Hdf5Source, group: h5py.Group, image: tuple[int, int], known: Floats, swapped: bool = False
) -> Tilts:
    """Return what the angles of a detector tell beside a chain of transformations.

    Parameters
    ----------
    source : Hdf5Source
        The file.
    group : h5py.Group
        The NXdetector.
    image : tuple of int
        Rows and columns.
    known : ndarray (3, 3)
        Rotation that a chain tells, in NeXus' axes.
    swapped : bool
        Whether x and y of the writer's tilts are exchanged, as those of its centre are.
    """
    angles = _Angles(source, group, image, known)
    _by_axes(angles)
    _by_writer(angles, swapped)
    _left_open(angles)
    problems = (*angles.problems, *_others(angles), *_without_chain(angles))
    return Tilts(angles.known if angles.taken else None, tuple(angles.notes), tuple(dict.fromkeys(problems)))


def angle_between(turn: Floats) -> float:
    """Return the angle of a rotation, degrees; in the half-angle form, which is exact for small ones."""
    return float(np.degrees(2 * np.arcsin(min(1.0, np.linalg.norm(turn - np.eye(3)) / np.sqrt(8)))))


def _by_axes(angles: _Angles) -> None:
    """Use yaw, pitch and roll, the rotations about y, x and z."""
    turns = {name: angle for name in _ABOUT if abs(angle := angles.named(name)) >= NO_TURN}
    turn: Floats = np.eye(3)
    for name, angle in turns.items():
        turn = rotation(np.array(_ABOUT[name]), np.radians(angle)) @ turn
    text = ", ".join(f"{name} {angle:.4g}" for name, angle in turns.items())
    if turns:
        angles.take(turn, f"{text} degrees")
    if len(turns) > 1 and np.prod(sorted(map(abs, turns.values()))[-2:]) > _SMALL_PRODUCT:
        angles.problems.append(f"the detector has {text} degrees, and which of them comes first is not told")


def _by_writer(angles: _Angles, swapped: bool) -> None:
    """Use the tilts in areaDetector files of APS, ``*_ccd_tilt_x`` and ``*_ccd_tilt_y``.

    They are the horizontal and the vertical tilt of Nika (Ilavsky 2012, doi:10.1107/S0021889812004037): the detector
    is turned about the direct beam's point, by a rotation vector with the vertical tilt along x and the horizontal one
    along y. The signs are those of LaB6 images that were calibrated both with Nika and with pyFAI.
    """
    tilts: dict[str, dict[str, float]] = {}
    for path, dataset in angles.source.datasets():
        match = _WRITERS.fullmatch(path.rsplit("/", 1)[-1])
        if match is not None:
            tilts.setdefault(match["prefix"], {})[match["axis"]] = angles.of(dataset)
    for prefix, tilt in tilts.items():
        x, y = tilt.get("x", 0.0), tilt.get("y", 0.0)
        # exchanging x and y is a reflection, under which a rotation vector changes its sign too
        vector = np.radians([-x, -y, 0.0] if swapped else [y, x, 0.0])
        angle = float(np.linalg.norm(vector))
        text = f"{prefix}ccd_tilt_x {x:.4g}, {prefix}ccd_tilt_y {y:.4g} degrees"
        if np.degrees(angle) < NO_TURN:
            continue
        if len(tilts) > 1:
            angles.problems.append(f"the file has tilts of {len(tilts)} detectors, {text} among them")
        else:
            angles.take(rotation(vector, angle), text)


def _left_open(angles: _Angles) -> None:
    """Compare the angles about axes that are not told with the rotation that is."""
    for name in _OPEN:
        angle = angles.named(name)
        if abs(angle) >= NO_TURN and abs(abs(angle) - angle_between(angles.known)) >= NO_TURN:
            angles.problems.append(f"the detector has {name} {angle:.4g} degrees, and about which axis is not told")


def _others(angles: _Angles) -> Iterator[str]:
    """Tell of fields that speak of a tilt in words of their writer."""
    inside = f"{angles.group.name}/"
    for path, dataset in angles.source.datasets():
        name = path.rsplit("/", 1)[-1]
        mine = path.startswith(inside) and "tilt" in name.lower()
        if (mine or _OTHERS.fullmatch(name)) and name not in _OPEN and not _WRITERS.fullmatch(name):
            angle = angles.of(dataset)
            if abs(angle) >= NO_TURN:
                yield f"the file has {name} {angle:.4g} degrees, and about which axis is not told"
    for _, geometry in angles.source.groups(angles.group, "NXgeometry"):
        for _, orientation in angles.source.groups(geometry, "NXorientation"):
            value = angles.source.dataset("value", orientation)
            cosines = np.zeros(0) if value is None else np.asarray(value[()], dtype=float).ravel()
            if cosines.size == 6 and not np.allclose(cosines, [1, 0, 0, 0, 1, 0], atol=1e-3):
                yield "the detector's NXgeometry has an orientation, which is not used"


def _without_chain(angles: _Angles) -> Iterator[str]:
    """Tell of rotations in NXtransformations that no depends_on leads to."""
    if angles.source.text("depends_on", angles.group):
        return
    for name, group in angles.source.groups(angles.group, "NXtransformations"):
        for key in group:
            axis = angles.source.dataset(key, group)
            if axis is not None and attribute(axis, "transformation_type") == "rotation" and angles.of(axis):
                yield f"the detector's {name}/{key} turns it, and no depends_on leads there"

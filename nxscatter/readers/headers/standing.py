"""Where the detector of an NXsas file stands: by NXtransformations, by angles, or by fields of its writer.

Directions in the file are those of NeXus: x to the left seen from the source, y up, z along the beam; without a word
about it, columns run along x and rows along y. In the laboratory axes of nxscatter (1 vertical, 2 horizontal, 3 along
the beam) columns run along 2 and rows along 1, so that both frames differ by the order of their axes alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nxscatter.model import RASTER_AXES, Detector, Doubt, Floats
from nxscatter.readers.files.hdf5 import Hdf5Source
from nxscatter.readers.files.hdf5_values import attribute
from nxscatter.readers.files.transformations import NotUsableError, chain
from nxscatter.readers.headers.tilts import NO_TURN, Tilts, angle_between, tilts_of

if TYPE_CHECKING:
    import h5py

_SWAP = np.array([[0, 1, 0], [1, 0, 0], [0, 0, 1]])  # from NeXus' (x, y, z) to (vertical, horizontal, beam) and back
_EDGE_ON = 0.05  # cosine between normal and beam below which a detector catches no ring
_SAME_DISTANCE = 0.005  # relative
_SAME_BEAM = 2.0  # pixels, between a chain's direct beam and the one told
_REMEDY = "the rings may lie elsewhere: give the geometry with --poni"


@dataclass(frozen=True)
class Standing:
    """How a detector stands, as far as the file tells.

    Attributes
    ----------
    detector : Detector
        Its centre is the direct beam, its distance that along the beam.
    turn : ndarray (3, 3), optional
        From the detector's axes to the laboratory's (vertical, horizontal, beam); None: across the beam.
    notes : tuple of str
        What was used.
    doubts : tuple of Doubt
        What is told and could not be used.
    """

    detector: Detector
    turn: Floats | None = None
    notes: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True)
class _Plane:
    """A chain's word on the plane of pixels, in NeXus' axes.

    ``fast`` and ``slow`` are the directions of columns and rows; ``origin`` (m) is where the chain ends, and ``pixel``
    (row, column) the point of the image that is there, None when that is not told.
    """

    fast: Floats
    slow: Floats
    origin: Floats
    pixel: tuple[float, float] | None


def standing(source: Hdf5Source, group: h5py.Group, detector: Detector, swapped: bool, raster: int | None) -> Standing:
    """Return how a detector stands.

    Parameters
    ----------
    source : Hdf5Source
        The file.
    group : h5py.Group
        The NXdetector.
    detector : Detector
        Direct beam, distance and pixel sizes as the NXdetector tells them, NaN where it does not.
    swapped : bool
        Whether x and y of the writer's tilts are exchanged, as those of its centre are.
    raster : int, optional
        RasterOrientation that the user gives.
    """
    found = Standing(detector)
    problems: list[str] = []
    try:
        plane = _plane(source, group)
    except NotUsableError as error:
        problems.append(f"the detector's depends_on cannot be used: {error}")
        plane = None
    if plane is not None:
        found, said = _on_plane(detector, plane, raster)
        problems += said
    known = np.eye(3) if found.turn is None else _SWAP @ found.turn @ _SWAP
    told: Tilts = tilts_of(source, group, (detector.rows, detector.columns), known, swapped)
    if found.turn is None and told.turn is not None:
        found = replace(found, turn=_SWAP @ told.turn @ _SWAP)
    doubts = tuple(Doubt("off_geometry", f"{why}; {_REMEDY}") for why in (*problems, *told.problems))
    return replace(found, notes=(*found.notes, *told.notes), doubts=doubts)


def _plane(source: Hdf5Source, group: h5py.Group) -> _Plane | None:
    """Return what the chain of a detector and its only module say; None when there is neither."""
    path = source.text("depends_on", group)
    modules = [module for _, module in source.groups(group, "NXdetector_module")]
    if len(modules) > 1:
        raise NotUsableError(f"the detector has {len(modules)} modules with places of their own")
    if not path and not modules:
        return None
    matrix = chain(source, group, path)
    if modules:
        return _module(source, modules[0], matrix[:3, 3])
    offsets = [source.dataset(f"{axis}_pixel_offset", group) for axis in "xy"]
    if offsets[0] is None or offsets[1] is None:
        return _Plane(matrix[:3, 0], matrix[:3, 1], matrix[:3, 3], None)
    (column, step_x), (row, step_y) = _zero_of(offsets[0], -1), _zero_of(offsets[1], 0)
    return _Plane(matrix[:3, 0] * np.sign(step_x), matrix[:3, 1] * np.sign(step_y), matrix[:3, 3], (row, column))


def _module(source: Hdf5Source, module: h5py.Group, origin: Floats) -> _Plane:
    """Return the plane of a module; the middle of its first pixel is at its offset, or at the detector's origin."""
    directions = []
    for name in ("fast_pixel_direction", "slow_pixel_direction"):
        axis = source.dataset(name, module)
        vector = np.zeros(0) if axis is None else np.asarray(axis.attrs.get("vector", []), dtype=float).ravel()
        if axis is None or vector.size != 3 or not vector.any():
            raise NotUsableError(f"the detector's module has no {name} with a vector")
        frame = chain(source, module, attribute(axis, "depends_on"))
        directions.append(frame[:3, :3] @ vector / np.linalg.norm(vector))
    if source.dataset("module_offset", module) is not None:
        origin = chain(source, module, "module_offset")[:3, 3]
    return _Plane(directions[0], directions[1], origin, (0.5, 0.5))


def _zero_of(offsets: h5py.Dataset, axis: int) -> tuple[float, float]:
    """Return the coordinate (pixels) at which offsets of pixels along an axis are 0, and their step."""
    values = np.asarray(offsets[()], dtype=float)
    line = values if values.ndim == 1 else np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)[:, 0]
    step = float(line[1] - line[0]) if line.size > 1 else 0.0
    if not np.isfinite(step) or not step:
        raise NotUsableError(f"{str(offsets.name).rsplit('/', 1)[-1]} does not grow from pixel to pixel")
    return 0.5 - float(line[0]) / step, step


def _on_plane(detector: Detector, plane: _Plane, raster: int | None) -> tuple[Standing, list[str]]:
    """Return the detector as a chain puts it, and what speaks against that."""
    oriented = _oriented(plane, raster)
    if oriented is None:
        return Standing(detector), ["the detector's depends_on turns it so that it does not face the beam"]
    orientation, turn = oriented
    detector = replace(detector, orientation=orientation)
    angle, notes = angle_between(turn), []
    if angle >= NO_TURN:
        notes.append(f"the detector is turned by {angle:.4g} degrees, as its depends_on says")
    found = Standing(detector, turn if angle >= NO_TURN else None, tuple(notes))
    return _moved(found, plane) if plane.origin.any() else (found, [])


def _oriented(plane: _Plane, raster: int | None) -> tuple[int, Floats] | None:
    """Return the raster orientation in which a detector is turned least, and that turn; None when it faces away."""
    best: tuple[int, Floats] | None = None
    for number, (columns, rows) in RASTER_AXES.items():
        turn = np.zeros((3, 3))
        for axis, direction in ((columns, plane.fast), (rows, plane.slow)):
            turn[:, 2 - abs(axis)] = np.sign(axis) * (_SWAP @ direction)
        turn[:, 2] = np.cross(turn[:, 0], turn[:, 1])
        if turn[2, 2] > _EDGE_ON and (best is None or np.trace(turn) > np.trace(best[1]) + 1e-9):
            best = number, turn
    return best if best is None or raster is None else (raster, best[1])


def _moved(found: Standing, plane: _Plane) -> tuple[Standing, list[str]]:
    """Return the detector at the place that a chain's translations tell, and what else the file says of its place.

    What stands at the end of the chain is the middle of the first pixel (NeXus, NXdetector), where nothing else is
    told; with many writers it is the point of the direct beam.
    """
    told = found.detector
    known = bool(np.isfinite([told.center_y, told.center_x]).all())
    middles = [(0.5, 0.5), *([(told.center_y, told.center_x)] if known else [])]
    beams = [_direct_beam(plane, told, pixel) for pixel in ([plane.pixel] if plane.pixel is not None else middles)]
    away = [np.hypot(y - told.center_y, x - told.center_x) if known else 0.0 for y, x, _ in beams]
    y, x, distance = beams[int(np.argmin(away))]
    if not distance > 0:
        return found, ["the detector's depends_on puts it upstream of the sample"]
    if min(away) > _SAME_BEAM:
        put, centre = f"x {x:.1f}, y {y:.1f}", f"x {told.center_x:.1f}, y {told.center_y:.1f}"
        return found, [f"the detector's depends_on puts the direct beam at {put} px, its beam_center at {centre} px"]
    problems = []
    lengths = (distance, float(np.linalg.norm(plane.origin)))
    if np.isfinite(told.distance) and all(abs(length / told.distance - 1) > _SAME_DISTANCE for length in lengths):
        told_at = f"its distance says {told.distance:.5g} m"
        problems.append(f"the detector's depends_on puts it {distance:.5g} m along the beam, {told_at}")
    placed = replace(told, center_y=y, center_x=x, distance=distance)
    note = f"the detector stands where its depends_on puts it, {distance:.6g} m along the beam"
    return replace(found, detector=placed, notes=(*found.notes, note)), problems


def _direct_beam(plane: _Plane, detector: Detector, pixel: tuple[float, float]) -> tuple[float, float, float]:
    """Return row and column where the beam meets a plane with ``pixel`` at its origin, and the distance along it."""
    normal = np.cross(plane.fast, plane.slow)
    distance = float(normal @ plane.origin / normal[2])
    way = np.array([0.0, 0.0, distance]) - plane.origin
    y = pixel[0] + float(way @ plane.slow) / detector.pixel_size_y
    x = pixel[1] + float(way @ plane.fast) / detector.pixel_size_x
    return y, x, distance

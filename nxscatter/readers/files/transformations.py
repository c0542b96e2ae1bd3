"""Chains of NXtransformations: where they put what depends on them, as a matrix of homogeneous coordinates.

Axes are those of NeXus: x to the left seen from the source, y up, z along the beam. A chain of T1, which depends on T2,
which depends on T3, is ``T3 T2 T1``; ``T = (R o; 0 1)`` for a rotation and ``(1 t + o; 0 1)`` for a translation, with
the axis' ``offset`` o (NeXus, NXtransformations).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nxscatter.model import Floats
from nxscatter.readers.files.hdf5 import Hdf5Source
from nxscatter.readers.files.hdf5_values import attribute, declared_bytes
from nxscatter.readers.headers.units import factor

if TYPE_CHECKING:
    import h5py

_END = ("", ".")
_LONGEST = 64  # axes of a chain


class NotUsableError(Exception):
    """What a file tells of a position cannot be used; the text says why."""


def chain(source: Hdf5Source, start: h5py.Group, path: str) -> Floats:
    """Return the matrix (4, 4) of a chain, lengths in m.

    Parameters
    ----------
    source : Hdf5Source
        The file.
    start : h5py.Group
        The group that the path is relative to.
    path : str
        What ``depends_on`` says; "." or "" for no axis at all.

    Raises
    ------
    NotUsableError
        When an axis is missing, has no vector, units or single value, or depends on itself.
    """
    matrix: Floats = np.eye(4)
    seen: list[object] = []
    while path not in _END:
        axis = source.dataset(path, start)
        if axis is None:
            raise NotUsableError(f"depends_on names {path}, which is no field")
        if axis.id in seen or len(seen) > _LONGEST:
            raise NotUsableError(f"axis {axis.name} depends on itself")
        seen.append(axis.id)
        matrix = _axis(source, axis) @ matrix
        start, path = axis.parent, attribute(axis, "depends_on")
    return matrix


def single_value(source: Hdf5Source, dataset: h5py.Dataset) -> float:
    """Return the number of a dataset, which may be repeated; NotUsableError when there is none, or more than one."""
    name = str(dataset.name).rsplit("/", 1)[-1]
    values = np.asarray(source.small(dataset)) if declared_bytes(dataset) else np.zeros(0)
    if values.dtype.kind not in "iuf" or not values.size:
        raise NotUsableError(f"{name} is no number")
    if not np.isfinite(values).all() or np.ptp(values.astype(float)):
        raise NotUsableError(f"{name} has {values.size} values that differ, or one that is not finite")
    return float(values.ravel()[0])


def rotation(axis: Floats, angle: float) -> Floats:
    """Return the right-handed rotation (3, 3) by an angle (rad) about an axis, Rodrigues' formula."""
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)


def _axis(source: Hdf5Source, axis: h5py.Dataset) -> Floats:
    """Return the matrix of one axis."""
    name = str(axis.name).rsplit("/", 1)[-1]
    value, kind, units = single_value(source, axis), attribute(axis, "transformation_type"), attribute(axis, "units")
    matrix = np.eye(4)
    matrix[:3, 3] = _offset(axis, name, units)
    if not kind and not value:
        return matrix
    if kind not in ("rotation", "translation"):
        raise NotUsableError(f"axis {name} has the transformation_type '{kind}', neither rotation nor translation")
    vector = _three(axis, "vector")
    if vector is None or not np.linalg.norm(vector):
        raise NotUsableError(f"axis {name} has no vector")
    scale = factor(units, "angle" if kind == "rotation" else "length")
    if scale is None and value:
        raise NotUsableError(f"axis {name} has the units '{units}', which do not fit a {kind}")
    amount = value * (scale or 0.0)
    if kind == "rotation":
        matrix[:3, :3] = rotation(vector, amount)
    else:
        matrix[:3, 3] += amount * vector / np.linalg.norm(vector)
    return matrix


def _offset(axis: h5py.Dataset, name: str, units: str) -> Floats:
    offset = _three(axis, "offset")
    if offset is None or not offset.any():
        return np.zeros(3)
    told = attribute(axis, "offset_units") or units  # some writers give the units of the axis alone
    scale = factor(told, "length")
    if scale is None:
        raise NotUsableError(f"the offset of axis {name} has the units '{told}', which are no length")
    return offset * scale


def _three(axis: h5py.Dataset, name: str) -> Floats | None:
    value = axis.attrs.get(name)
    numbers = np.asarray([] if value is None else value)
    if numbers.size != 3 or numbers.dtype.kind not in "iuf":
        return None
    found: Floats = numbers.astype(float).ravel()
    return found

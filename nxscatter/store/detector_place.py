"""Where a container's detector stands, in NeXus' words: direct beam, distance along the beam, and how it is turned.

``beam_center_x`` and ``beam_center_y`` of an NXdetector are where the direct beam meets it, not the point of normal
incidence that the model has; the two differ where the detector is tilted. How it is turned is then a chain of
NXtransformations, in axes in which columns run along x and rows along y, z being the beam.
"""

from __future__ import annotations

import numpy as np

from nxscatter.model import Detector, Floats, image_frame, rotation_angles, rotation_matrix
from nxscatter.store.nexus.tree import Group

_AXES = {"rot1": (0.0, 1.0, 0.0), "rot2": (1.0, 0.0, 0.0), "rot3": (0.0, 0.0, -1.0)}  # of pyFAI's rotations


def add_place(group: Group, detector: Detector) -> None:
    """Add to an NXdetector where it stands, lengths in m."""
    across = not (detector.rot1 or detector.rot2 or detector.rot3)
    y = (detector.center_y - detector.offset_y) * detector.pixel_size_y
    x = (detector.center_x - detector.offset_x) * detector.pixel_size_x
    distance = detector.distance
    turn = image_frame(rotation_matrix(detector.rot1, detector.rot2, detector.rot3), detector.orientation)
    if not across:
        # the beam passes the sample at (0, 0, 0) and meets the plane at this distance along itself
        distance = detector.distance / turn[2, 2]
        y, x = y + distance * turn[2, 0], x + distance * turn[2, 1]
    lengths = {
        "distance": distance,
        "x_pixel_size": detector.pixel_size_x,
        "y_pixel_size": detector.pixel_size_y,
        "beam_center_x": x,
        "beam_center_y": y,
    }
    for name, value in lengths.items():
        group.field(name, float(value), "m")
    if not across:
        first = turn @ np.array([detector.pixel_size_y / 2 - y, detector.pixel_size_x / 2 - x, 0.0])
        _add_chain(group, turn, np.array([first[1], first[0], first[2] + distance]))


def _add_chain(group: Group, turn: Floats, first: Floats) -> None:
    """Add the axes that bring the middle of the first pixel, and with it the detector, from the sample to its place."""
    home = group.group("transformations", "NXtransformations")
    names = [*_AXES, "place"]
    group.field("depends_on", f"{home.path}/{names[0]}")
    length = float(np.linalg.norm(first))
    moves = [
        *((angle, "degree", "rotation", _AXES[name]) for name, angle in zip(_AXES, rotation_angles(turn), strict=True)),
        (length, "m", "translation", tuple(first / length)),
    ]
    for number, (name, (value, units, kind, vector)) in enumerate(zip(names, moves, strict=True)):
        following = f"{home.path}/{names[number + 1]}" if name != names[-1] else "."
        home.field(name, value, units, transformation_type=kind, vector=np.array(vector), depends_on=following)

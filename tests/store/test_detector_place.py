"""The detector of a container in NeXus' words, read back as another program's file would be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from nxscatter.model import Scan
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.files.hdf5 import Hdf5Source
from nxscatter.readers.headers.geometry import place
from nxscatter.readers.headers.standing import standing
from nxscatter.science.geometry import qspace
from nxscatter.steps.geometry import DetectorGeometry
from nxscatter.store.container import Container
from nxscatter.store.validate import validate
from nxscatter.store.writer import create
from support import toy


def tilted(orientation: int, rotations: tuple[float, float, float]) -> Scan:
    scan = toy.scan()
    rot1, rot2, rot3 = rotations
    detector = replace(
        scan.detector, orientation=orientation, rot1=rot1, rot2=rot2, rot3=rot3, offset_y=2.0, distance=0.3
    )
    return replace(scan, detector=detector)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("rotations", [(5.0, 0.0, 0.0), (-4.0, 7.0, 30.0)])
def test_a_reader_of_nexus_finds_the_same_geometry(
    tmp_path: Path, orientation: int, rotations: tuple[float, float, float]
) -> None:
    scan = tilted(orientation, rotations)
    path = create(tmp_path / "a.nxs", scan).path
    own = DetectorGeometry()(scan.beam, scan.detector)
    with h5py.File(path) as file:
        detector = file["entry/instrument/detector"]
        sizes = np.array([detector[f"{axis}_pixel_size"][()] for axis in "yx"])
        beam = np.array([detector[f"beam_center_{axis}"][()] for axis in "yx"]) / sizes
        distance = float(detector["distance"][()])
    assert beam == pytest.approx(qspace.direct_beam(own))
    assert distance == pytest.approx(own.distance / np.cos(np.radians(qspace.tilt(own))))
    blank = replace(scan.detector, orientation=1, rot1=0.0, rot2=0.0, rot3=0.0, offset_y=0.0, distance=distance)
    told = replace(blank, center_y=beam[0], center_x=beam[1])
    with Hdf5Source(path) as source:
        group = source.group("entry/instrument/detector")
        assert group is not None
        found = standing(source, group, told, False, None)
    assert found.doubts == ()
    again = DetectorGeometry()(scan.beam, place(found.detector, ReadOptions(), turn=found.turn).detector)
    np.testing.assert_allclose(qspace.q_map(again), qspace.q_map(own), rtol=1e-9)
    if orientation == 1:
        np.testing.assert_allclose(qspace.chi_map(again), qspace.chi_map(own), atol=1e-7)


def test_the_file_of_a_tilted_detector_is_valid_and_reads_back(tmp_path: Path) -> None:
    scan = tilted(1, (5.0, -3.0, 2.0))
    path = create(tmp_path / "a.nxs", scan).path
    assert str(Container(path).detector) == str(scan.detector)  # NaN included
    found = validate(path)
    assert (found.errors, found.warnings) == (0, 0), found.messages


def test_a_detector_across_the_beam_has_no_chain(box: Container) -> None:
    with box.opened() as file:
        assert not {"depends_on", "transformations"} & set(file["entry/instrument/detector"])

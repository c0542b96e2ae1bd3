"""Where NXsas detectors stand: chains against matrices written out, against pyFAI, and what is doubted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nxscatter.errors import ReadError
from nxscatter.model import Scan, rotation_matrix
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.headers.geometry import turned
from nxscatter.readers.registry import read_scan
from nxscatter.science.geometry import qspace
from support.nxsas_case import DETECTOR, SIZE, add_chain, geometry, group, put, write_nxsas

X, Y, Z = (1, 0, 0), (0, 1, 0), (0, 0, 1)
BEAM = (160.25, 90.5)


def about(axis: tuple[int, int, int], degrees: float) -> np.ndarray:
    """A right-handed rotation in NeXus' axes, written out."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return {
        X: np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]]),
        Y: np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]]),
        Z: np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]),
    }[axis]


def positions(scan: Scan) -> np.ndarray:
    """Middles of all pixels in NeXus' axes x, y, z (m), as nxscatter has them: (3, rows, columns)."""
    where = qspace.pixels(geometry(scan))
    shape = scan.shape[1:]
    return np.stack([np.broadcast_to(one, shape) for one in (where.t2, where.t1, where.t3)])


def expected(turn: np.ndarray, beam: tuple[float, float] = BEAM, distance: float = 0.2) -> np.ndarray:
    """Middles of all pixels of a detector that is turned about the direct beam's point."""
    y, x = np.meshgrid(np.arange(300) + 0.5 - beam[0], np.arange(200) + 0.5 - beam[1], indexing="ij")
    flat = np.stack([x * SIZE, y * SIZE, np.zeros_like(x)])
    return np.tensordot(turn, flat, axes=1) + np.array([0, 0, distance])[:, None, None]


def statuses(scan: Scan) -> list[str]:
    return [doubt.status for doubt in scan.origin.doubts]


@pytest.mark.parametrize("axis", [X, Y, Z])
@pytest.mark.parametrize("angle", [0.3, 5.0, -12.0, 30.0])
def test_one_rotation_turns_the_detector_about_the_direct_beam(tmp_path: Path, axis: Any, angle: float) -> None:
    scan = read_scan(add_chain(write_nxsas(tmp_path / "a.h5"), ("rotation", angle, "deg", axis, None)))
    np.testing.assert_allclose(positions(scan), expected(about(axis, angle)), atol=1e-12)
    assert qspace.direct_beam(geometry(scan)) == pytest.approx(BEAM, abs=1e-9)
    assert statuses(scan) == []
    assert any(f"turned by {abs(angle):.4g} degrees, as its depends_on says" in note for note in scan.origin.notes)


def test_a_chain_is_the_product_of_its_axes_the_first_innermost(tmp_path: Path) -> None:
    path = add_chain(
        write_nxsas(tmp_path / "a.h5"),
        ("rotation", 10.0, "degrees", X, None),
        ("rotation", np.radians(-7.0), "rad", Y, None),
        ("rotation", 4.0, "deg", Z, None),
    )
    turn = about(Z, 4.0) @ about(Y, -7.0) @ about(X, 10.0)
    np.testing.assert_allclose(positions(read_scan(path)), expected(turn), atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([X, Y, Z]), st.floats(-20, 20)), min_size=1, max_size=4))
def test_any_chain_of_rotations(tmp_path_factory: pytest.TempPathFactory, turns: list[tuple[Any, float]]) -> None:
    path = tmp_path_factory.mktemp("chain") / "a.h5"
    scan = read_scan(add_chain(write_nxsas(path), *(("rotation", angle, "deg", axis, None) for axis, angle in turns)))
    turn = np.eye(3)
    for axis, angle in turns:
        turn = about(axis, angle) @ turn
    total = np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1)))
    if total > 0.06:  # less is not used
        np.testing.assert_allclose(positions(scan), expected(turn), atol=1e-10)


def test_translations_put_the_first_pixel_in_its_place(tmp_path: Path) -> None:
    """With no beam centre told, the chain's origin is the middle of the first pixel; lengths in any unit."""
    path = write_nxsas(tmp_path / "a.h5", dict.fromkeys(("distance", "beam_center_x", "beam_center_y"), (None, "")))
    add_chain(
        path,
        ("rotation", 8.0, "deg", Y, None),
        ("translation", -27.0, "mm", X, None),
        ("translation", 1.0, "m", (0, 0, 0.25), [0.0, -0.048, -0.75]),
    )
    scan = read_scan(path)
    y, x = np.meshgrid(np.arange(300), np.arange(200), indexing="ij")
    wanted = np.tensordot(about(Y, 8.0), np.stack([x * SIZE, y * SIZE, 0.0 * x]), axes=1)
    np.testing.assert_allclose(positions(scan), wanted + np.array([-0.027, -0.048, 0.25])[:, None, None], atol=1e-12)
    assert statuses(scan) == []


@pytest.mark.parametrize("arm", [False, True])
def test_a_detector_on_an_arm_may_have_its_reference_where_the_beam_is_told(tmp_path: Path, arm: bool) -> None:
    """A translation along the beam with a beam centre: the centre is at the end of the chain; an arm turns it away."""
    axes = [("translation", 0.2, "m", Z, None), *([("rotation", 10.0, "deg", Y, None)] if arm else [])]
    scan = read_scan(add_chain(write_nxsas(tmp_path / "a.h5"), *axes))
    if arm:  # the direct beam is not where beam_center says: both cannot be
        assert statuses(scan) == ["off_geometry"]
        assert "depends_on puts the direct beam at x" in scan.origin.doubts[0].reason
    else:
        np.testing.assert_allclose(positions(scan), expected(np.eye(3)), atol=1e-12)
        assert statuses(scan) == []


def test_places_of_pixels_are_used(tmp_path: Path) -> None:
    fields: dict[str, tuple[Any, str]] = dict.fromkeys(("distance", "beam_center_x", "beam_center_y"), (None, ""))
    fields["x_pixel_offset"] = ((np.arange(200) - 40) * -SIZE, "m")
    fields["y_pixel_offset"] = ((np.arange(300) - 70) * SIZE, "m")
    path = add_chain(write_nxsas(tmp_path / "a.h5", fields), ("translation", 0.2, "m", Z, None))
    scan = read_scan(path)
    assert qspace.direct_beam(geometry(scan)) == pytest.approx((70.5, 40.5))
    assert scan.detector.orientation == 2  # columns run to the right


def test_a_module_s_directions_and_offset_are_used(tmp_path: Path) -> None:
    """As detectors of crystallography are told: rows run down, columns to the right, and the module is tilted."""
    path = add_chain(write_nxsas(tmp_path / "a.h5"), ("translation", 0.2, "m", Z, None))
    with h5py.File(path, "a") as file:
        module = group(file["entry/instrument/detector"], "module", "NXdetector_module")
        kind, last = {"transformation_type": "translation"}, "/entry/instrument/detector/transformations/axis_0"
        corner = np.array([BEAM[1] - 0.5, BEAM[0] - 0.5, 0]) * SIZE
        offset = {"offset": corner - [0, 0, 1], "offset_units": "m", "depends_on": last}
        put(module, "module_offset", 1.0, "m", vector=np.array([0, 0, 1.0]), **offset, **kind)
        for name, direction in (("fast_pixel_direction", (-1, 0, 0)), ("slow_pixel_direction", (0, -1, 0))):
            put(module, name, SIZE, "m", vector=np.array(direction, float), depends_on="module_offset", **kind)
    scan = read_scan(path)
    assert (scan.detector.orientation, scan.detector.rot1) == (4, 0.0)
    assert qspace.direct_beam(geometry(scan)) == pytest.approx(BEAM)
    found = positions(scan)
    assert found[0, 0, 0] == pytest.approx(corner[0])  # the first pixel is to the left and up
    assert found[1, 0, 0] == pytest.approx(corner[1])
    with h5py.File(path, "a") as file:
        file.copy("entry/instrument/detector/module", "entry/instrument/detector/second")
    assert "2 modules with places of their own" in read_scan(path).origin.doubts[0].reason


@pytest.mark.parametrize(("field", "axis"), [("pitch", X), ("yaw", Y), ("roll", Z)])
def test_pitch_yaw_and_roll_are_rotations_about_x_y_and_z(tmp_path: Path, field: str, axis: Any) -> None:
    scan = read_scan(write_nxsas(tmp_path / "a.h5", {field: (6.0, "degree"), "rotation_angle": (6.0, "deg")}))
    np.testing.assert_allclose(positions(scan), expected(about(axis, 6.0)), atol=1e-12)
    assert statuses(scan) == []


@pytest.mark.parametrize("field", ["rotation_angle", "polar_angle", "aequatorial_angle", "detector_tilt", "tilt"])
@pytest.mark.parametrize(("value", "doubted"), [(5.0, True), (0.0, False), (0.01, False)])
def test_an_angle_about_an_axis_that_is_not_told_is_doubted(
    tmp_path: Path, field: str, value: float, doubted: bool
) -> None:
    scan = read_scan(write_nxsas(tmp_path / "a.h5", {field: (value, "degree"), "azimuthal_angle": (90.0, "degree")}))
    assert statuses(scan) == ["off_geometry"] * doubted
    if doubted:
        assert scan.origin.doubts[0].reason.startswith(("the detector has ", "the file has "))
        assert f"{field} 5 degrees" in scan.origin.doubts[0].reason
        assert "--poni" in scan.origin.doubts[0].reason
    np.testing.assert_allclose(positions(scan), expected(np.eye(3)), atol=1e-12)


def test_two_angles_of_which_none_comes_first_are_doubted(tmp_path: Path) -> None:
    scan = read_scan(write_nxsas(tmp_path / "a.h5", {"pitch": (6.0, "degree"), "yaw": (4.0, "degree")}))
    assert statuses(scan) == ["off_geometry"]
    assert "which of them comes first is not told" in scan.origin.doubts[0].reason


@pytest.mark.parametrize(
    ("axes", "start", "why"),
    [
        ([("rotation", 5.0, "deg", (0, 0, 0), None)], "", "axis axis_0 has no vector"),
        ([("rotation", 5.0, "mm", X, None)], "", "axis axis_0 has the units 'mm', which do not fit a rotation"),
        ([("rotation", 5.0, "", X, None)], "", "axis axis_0 has the units '', which do not fit a rotation"),
        ([("scaling", 5.0, "deg", X, None)], "", "has the transformation_type 'scaling'"),
        ([("rotation", [5.0, 6.0], "deg", X, None)], "", "axis_0 has 2 values that differ"),
        ([("rotation", np.nan, "deg", X, None)], "", "axis_0 has 1 values that differ, or one that is not finite"),
        ([("rotation", 5.0, "deg", X, None)], "/entry/gone", "depends_on names /entry/gone, which is no field"),
        ([("rotation", 90.0, "deg", X, None)], "", "does not face the beam"),
        ([("translation", -0.2, "m", Z, None)], "", "upstream of the sample"),
        ([("translation", 0.3, "m", Z, None)], "", "its distance says 0.2 m"),
    ],
)  # fmt: skip
def test_a_chain_that_cannot_be_used_is_doubted(tmp_path: Path, axes: Any, start: str, why: str) -> None:
    scan = read_scan(add_chain(write_nxsas(tmp_path / "a.h5"), *axes, start=start))
    assert statuses(scan) == ["off_geometry"]
    assert why in scan.origin.doubts[0].reason


def test_a_ring_of_axes_is_no_hang(tmp_path: Path) -> None:
    path = add_chain(write_nxsas(tmp_path / "a.h5"), ("rotation", 5.0, "deg", X, None))
    with h5py.File(path, "a") as file:
        file["entry/instrument/detector/transformations/axis_0"].attrs["depends_on"] = "axis_0"
    assert "depends on itself" in read_scan(path).origin.doubts[0].reason


def test_rotations_that_no_depends_on_leads_to_are_doubted(tmp_path: Path) -> None:
    path = add_chain(write_nxsas(tmp_path / "a.h5"), ("rotation", 5.0, "deg", X, None))
    with h5py.File(path, "a") as file:
        del file["entry/instrument/detector/depends_on"]
    assert "transformations/axis_0 turns it, and no depends_on leads there" in read_scan(path).origin.doubts[0].reason


def test_an_orientation_of_the_older_kind_is_doubted(tmp_path: Path) -> None:
    path = write_nxsas(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        place = group(file["entry/instrument/detector"], "geometry", "NXgeometry")
        group(place, "orientation", "NXorientation")["value"] = [1, 0, 0, 0, np.cos(0.1), np.sin(0.1)]
    assert statuses(read_scan(path)) == ["off_geometry"]


def test_a_missing_length_is_asked_for_beside_a_chain_that_does_not_tell_it(tmp_path: Path) -> None:
    path = write_nxsas(tmp_path / "a.h5", {"distance": (None, "")})
    with pytest.raises(ReadError, match="dataset distance is missing; supply it with --poni"):
        read_scan(add_chain(path, ("rotation", 5.0, "deg", X, None)))


def write_tilted(path: Path, x: float, y: float) -> Path:
    """A file of areaDetector with the writer's tilts in its metadata, their unit in a description alone."""
    write_nxsas(path)
    with h5py.File(path, "a") as file:
        metadata = group(file["entry"], "Metadata", "NXcollection")
        for axis, value in (("x", x), ("y", y)):
            text = f"CCD tilt, {axis} direction, degrees"
            put(metadata, f"pin_ccd_tilt_{axis}", [value], "", NDAttrDescription=text)
    return path


@pytest.mark.parametrize("tilt", [(9.0, 0.0), (0.0, 9.0), (-0.5, 5.35), (-9.0, 9.0)])
def test_tilts_of_area_detector_are_nika_s(tmp_path: Path, tilt: tuple[float, float]) -> None:
    """A positive x brings the side of large x nearer to the sample, a positive y takes that of large y away."""
    path = write_tilted(tmp_path / "a.h5", *tilt)
    vector = np.radians([tilt[1], tilt[0], 0.0])
    angle = np.linalg.norm(vector)
    k = vector / angle
    cross = np.array([[0, -k[2], k[1]], [k[2], 0, -k[0]], [-k[1], k[0], 0]])
    turn = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    scan = read_scan(path)
    np.testing.assert_allclose(positions(scan), expected(turn), atol=1e-12)
    assert statuses(scan) == []
    # x of such a writer may be the slow axis: then its tilts are told along the other axes, as its centre is
    swapped = read_scan(path, options=ReadOptions(swap_center=True))
    y, x = np.meshgrid(np.arange(300) + 0.5 - BEAM[1], np.arange(200) + 0.5 - BEAM[0], indexing="ij")
    wanted = np.tensordot(turn, np.stack([y * SIZE, x * SIZE, 0 * x]), axes=1) + np.array([0, 0, 0.2])[:, None, None]
    np.testing.assert_allclose(positions(swapped), wanted[[1, 0, 2]], atol=1e-12)


# Nika's centre, distance (mm) and tilts of LaB6 on an Eiger2 of 75 um pixels, x being the slow axis, and what pyFAI
# found on the same images in terms of Fit2D (APS USAXS, tilt test of April 2025).
CALIBRATED = [
    ((287.65, 2763.93, 430.00, 0.03, 9.293), (429.682, 2763.966, 287.85, 9.159, 0.955)),
    ((230.95, 2759.61, 420.66, -8.968, 8.974), (420.53, 2759.91, 230.144, 12.7822, 45.704)),
    ((234.03, 2781.47, 417.69, -6.713, 5.441), (417.3, 2781.19, 234.4, 8.52, 51.2)),
    ((325.03, 2946.74, 402.53, 0.316, -9.489), (402.9, 2948.14, 324.2, 9.45, -178.942)),
]


@pytest.mark.parametrize(("nika", "fit2d"), CALIBRATED)
def test_tilts_agree_with_calibrations_of_pyfai(tmp_path: Path, nika: Any, fit2d: Any) -> None:
    from pyFAI.geometry import Geometry

    x, y, distance, tilt_x, tilt_y = nika
    path = write_tilted(tmp_path / "a.h5", tilt_x, tilt_y)
    with h5py.File(path, "a") as file:
        detector = file["entry/instrument/detector"]
        for name, value in {"distance": distance / 1000, "beam_center_x": x, "beam_center_y": y}.items():
            detector[name][()] = value
        for name in ("x_pixel_size", "y_pixel_size"):
            detector[name][()] = 75e-6
    ours = geometry(read_scan(path, options=ReadOptions(swap_center=True)))
    theirs = Geometry(detector="Eiger2_4M")
    theirs.setFit2D(*fit2d, 75, 75)
    rows, columns = x + np.array([0, 0, 600, -200, 500]), y + np.array([-800, 800, 0, 0, -1500])
    tilted = qspace.positions(ours, rows, columns).two_theta
    reference = np.degrees(theirs.tth(rows - 0.5, columns - 0.5))
    flat = np.degrees(np.arctan(np.hypot(rows - x, columns - y) * 0.075 / distance))
    assert np.abs(tilted - reference).max() < 0.03
    assert np.abs(flat - reference).max() > 0.2  # what the tilts make


def test_tilts_of_two_detectors_are_doubted(tmp_path: Path) -> None:
    path = write_tilted(tmp_path / "a.h5", 1.0, 2.0)
    with h5py.File(path, "a") as file:
        put(file["entry/Metadata"], "waxs_ccd_tilt_x", 3.0, "deg")
    assert statuses(read_scan(path)) == ["off_geometry"] * 2


def test_the_file_of_the_aps_with_x_and_y_exchanged_has_behenate_rings_where_they_belong(shared_data: Path) -> None:
    """Orders 6 to 9 of silver behenate: 0.5 % with the writer's tilts, 1.2 % without them."""
    path = shared_data / "APS_SAXS_NXsas.hdf"
    scan = read_scan(path, options=ReadOptions(swap_center=True))
    with h5py.File(path) as file:
        counts = file["entry/data/data"][()].astype(float)
    q = qspace.q_map(geometry(scan))
    means = []
    for order in range(6, 10):
        near = (np.abs(q - order * 0.10764) < 0.035) & (counts > 0)
        weights = np.clip(counts[near] - np.percentile(counts[near], 20), 0, None) ** 2
        means.append(weights @ q[near] / weights.sum() / (order * 0.10764))
    np.testing.assert_allclose(means, 1, atol=0.008)


def test_turning_is_about_the_direct_beam_in_every_raster_orientation(tmp_path: Path) -> None:
    from dataclasses import replace

    detector = read_scan(write_nxsas(tmp_path / "a.h5")).detector
    for orientation in range(1, 9):
        made = turned(replace(detector, orientation=orientation), rotation_matrix(4.0, -7.0, 20.0))
        scan = read_scan(tmp_path / "a.h5")
        place = geometry(replace(scan, detector=made))
        assert qspace.direct_beam(place) == pytest.approx(BEAM, abs=1e-9)
        middle = qspace.positions(place, np.asarray(BEAM[0]), np.asarray(BEAM[1]))
        assert (float(middle.t1), float(middle.t2), float(middle.t3)) == pytest.approx((0, 0, 0.2), abs=1e-12)


def test_what_the_file_tells_without_a_tilt_stays_as_it_is(tmp_path: Path) -> None:
    detector = read_scan(write_nxsas(tmp_path / "a.h5")).detector
    assert (detector.center_y, detector.center_x, detector.distance) == (*BEAM, DETECTOR["distance"][0])
    assert (detector.rot1, detector.rot2, detector.rot3, detector.orientation) == (0.0, 0.0, 0.0, 1)

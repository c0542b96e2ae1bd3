"""The simulator against closed forms, and its files against what HDF5 and EDF readers see in them."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace
from datetime import UTC, datetime

import fabio
import h5py
import hdf5plugin  # noqa: F401
import numpy as np
import pytest
from scipy import ndimage
from scipy.integrate import quad

from nxscatter import simulate
from nxscatter.errors import ParameterError
from nxscatter.readers.registry import read_scan
from nxscatter.simulate import EIGER2_4M, EIGER2_SMALL, PILATUS_300K, RAYONIX_WAXS, Pattern, Ring, Run

ISOTROPIC = Ring(0.05, model="isotropic")
MODELS = [
    Ring(0.05, model="maier_saupe", director=25.0, kappa=5.0),
    Ring(0.05, model="pseudo_voigt", director=-70.0, gamma=24.0, eta=0.3),
    Ring(0.05, model="kratky", director=10.0, kappa=4.0),
    Ring(0.05, model="leadbetter_norris", director=170.0, kappa=4.0),
]


def turned(chi, ring):
    """Distance from the maximum in radians, in [-pi/2, pi/2)."""
    return np.radians((chi - ring.x0 + 90) % 180 - 90)


def in_equator(x, power, kappa):
    """Distribution exp(kappa cos^2) seen at the angle x from the equator, integrated along the line of sight."""
    return quad(lambda w: np.exp(kappa * (np.cos(x) * np.cos(w)) ** 2) * np.cos(w) ** power, 0, np.pi / 2)[0]


def closed_form(ring, chi):
    x = turned(chi, ring)
    if ring.model == "maier_saupe":
        return np.exp(-ring.kappa * np.sin(x) ** 2)
    if ring.model == "pseudo_voigt":
        u = 2 * np.degrees(x) / ring.gamma
        gauss, lorentz = np.sqrt(np.log(2) * np.pi) * np.exp(-np.log(2) * u**2), 1 / (1 + u**2)
        return (ring.eta * gauss + (1 - ring.eta) * lorentz) / (ring.eta * np.sqrt(np.log(2) * np.pi) + 1 - ring.eta)
    power = 0 if ring.model == "kratky" else 1
    return np.array([in_equator(a, power, ring.kappa) for a in x]) / in_equator(0, power, ring.kappa)


@pytest.mark.parametrize("ring", MODELS, ids=lambda ring: ring.model)
def test_azimuth_is_the_closed_form_and_centrosymmetric(ring):
    chi = np.linspace(-180, 180, 73)
    np.testing.assert_allclose(ring.azimuth(chi), closed_form(ring, chi), rtol=1e-9)
    np.testing.assert_allclose(ring.azimuth(chi + 180), ring.azimuth(chi), rtol=1e-9)
    assert ring.azimuth(np.array([ring.x0]))[0] == pytest.approx(1)


@pytest.mark.parametrize(("ring", "x0"), list(zip(MODELS, (25.0, -70.0, -80.0, 80.0), strict=True)))
def test_equatorial_rings_are_brightest_across_the_director(ring, x0):
    assert ring.x0 == pytest.approx(x0)
    assert ring.reflection == ("equatorial" if ring.model in ("kratky", "leadbetter_norris") else "meridional")


@pytest.mark.parametrize("ring", MODELS, ids=lambda ring: ring.model)
def test_order_parameter_is_the_mean_of_p2(ring):
    def distribution(theta):
        if ring.model != "pseudo_voigt":
            return np.exp(ring.kappa * np.cos(theta) ** 2)
        x, gamma = np.degrees(theta), ring.gamma
        gauss = np.sqrt(np.log(2) / np.pi) * 2 / gamma * np.exp(-4 * np.log(2) * (x / gamma) ** 2)
        lorentz = 2 / np.pi / gamma / (1 + 4 * (x / gamma) ** 2)
        return ring.eta * gauss + (1 - ring.eta) * lorentz

    def mean(weight):
        return quad(lambda t: weight(np.cos(t)) * distribution(t) * np.sin(t), 0, np.pi, limit=200)[0]

    expected = mean(lambda c: (3 * c**2 - 1) / 2) / mean(lambda c: 1.0)
    assert ring.order_parameter == pytest.approx(expected, abs=1e-6)


def test_isotropic_rings_have_no_direction():
    for ring in (ISOTROPIC, Ring(0.05, kappa=0.0)):
        assert ring.order_parameter == 0
        assert np.isnan(ring.x0)
        assert (ring.azimuth(np.linspace(-180, 180, 9)) == 1).all()


@pytest.mark.parametrize(
    ("parameters", "word"),
    [
        ({"model": "voigt"}, "pseudo_voigt"),
        ({"model": "maier_saupe"}, "kappa"),
        ({"model": "kratky", "gamma": 20.0}, "kappa"),
        ({"model": "pseudo_voigt", "gamma": 0.0, "eta": 0.5}, "gamma"),
        ({"model": "pseudo_voigt", "gamma": 20.0, "eta": 1.5}, "eta"),
        ({"model": "isotropic", "width": 0.0}, "width"),
    ],
)
def test_incomplete_rings_are_refused(parameters, word):
    with pytest.raises(ParameterError, match=word):
        Ring(0.05, **parameters)


def test_rate_is_a_gaussian_ring_on_a_power_law():
    pattern = Pattern((Ring(0.05, 80.0, 0.004, "isotropic"),), flat=1.5, scale=2e-4, power=3.0)
    q = np.array([0.02, 0.048, 0.05, 0.052, 0.2])
    background = 1.5 + 2e-4 / q**3
    np.testing.assert_allclose(pattern.rate(q, np.zeros(5), 1.0) - background, [0, 40, 80, 40, 0], atol=1e-9)


def test_wide_angles_show_the_distribution_at_the_angles_they_reach():
    ring = Ring(2.9, 80.0, 0.04, "maier_saupe", director=25.0, kappa=4.0)
    chi = np.array([25.0, 70.0, 115.0])
    theta = np.arcsin(2.9 / (4 * np.pi))
    polar = np.arccos(np.cos(theta) * np.cos(np.radians(chi - 25)))
    expected = 80 * np.exp(4 * (np.cos(polar) ** 2 - np.cos(theta) ** 2))
    np.testing.assert_allclose(Pattern((ring,), flat=0.0).rate(np.full(3, 2.9), chi, 1.0), expected, rtol=1e-9)


def test_eiger2_4m_has_eight_modules():
    live = ~EIGER2_4M.gap_mask()
    labels, count = ndimage.label(live)
    assert live.shape == (2162, 2068)
    assert count == 8
    assert (np.bincount(labels.ravel())[1:] == 512 * 1028).all()


def test_masks_lie_where_the_camera_says():
    mask, dead = EIGER2_SMALL.beamstop_mask(), EIGER2_SMALL.dead_mask()
    row, column = int(EIGER2_SMALL.geometry.center_y), int(EIGER2_SMALL.geometry.center_x)
    assert mask[row + 21, column]
    assert not mask[row + 23, column]
    assert mask[0].sum() == 7
    assert dead.sum() == EIGER2_SMALL.dead
    assert not np.array_equal(dead, replace(EIGER2_SMALL, dead_seed=1).dead_mask())


def test_blind_pixels_hold_the_dummy_and_the_beamstop_zero():
    (counts,) = EIGER2_SMALL.expose([Pattern(flat=50.0)], 1.0, seed=3)
    blind = EIGER2_SMALL.gap_mask() | EIGER2_SMALL.dead_mask()
    assert np.array_equal(counts == 2**32 - 1, blind)
    assert np.array_equal(counts == 0, EIGER2_SMALL.beamstop_mask() & ~blind)
    assert counts.dtype == np.uint32


@pytest.mark.parametrize("ring", MODELS, ids=lambda ring: ring.model)
def test_profile_of_a_noisy_frame_is_the_line_shape(ring):
    """Geometry and line are written out here, so that chi square is near 1 only if both are right."""
    camera = EIGER2_SMALL
    ring = replace(ring, height=400.0, width=0.0045)
    (counts,) = camera.expose([Pattern((ring,), flat=20.0)], 10.0, seed=1)
    place = camera.geometry
    y = (np.arange(place.rows)[:, None] + 0.5 - place.center_y) * place.pixel_size_y
    x = (np.arange(place.columns) + 0.5 - place.center_x) * place.pixel_size_x
    q = 4 * np.pi / place.wavelength * np.sin(np.arctan(np.hypot(y, x) / place.distance) / 2)
    chi = np.degrees(np.arctan2(y, x))
    used = (np.abs(q - 0.05) <= 0.001) & ~(camera.gap_mask() | camera.dead_mask() | camera.beamstop_mask())
    radial = np.exp(-4 * np.log(2) * ((q[used] - 0.05) / 0.0045) ** 2)
    mean = 10.0 * (20.0 + 400.0 * radial * closed_form(ring, chi[used]))
    bins = np.floor(chi[used]).astype(int) + 180
    measured, expected = np.bincount(bins, counts[used]), np.bincount(bins, mean)
    seen = expected > 0
    chi2 = np.mean((measured[seen] - expected[seen]) ** 2 / expected[seen])
    assert seen.sum() > 300
    assert chi2 == pytest.approx(1, abs=5 * np.sqrt(2 / seen.sum()))


def test_a_narrow_counter_saturates():
    (counts,) = RAYONIX_WAXS.expose([Pattern(flat=1e5)], 1.0)
    assert (counts[~RAYONIX_WAXS.beamstop_mask()] == 65535).all()


def test_frames_depend_on_seed_and_number_alone():
    bright, dark = Pattern(flat=30.0), Pattern(flat=3.0)
    first = list(EIGER2_SMALL.expose([bright, bright, dark], 1.0, seed=5))
    second = list(EIGER2_SMALL.expose([dark, bright, dark], 1.0, seed=5))
    assert np.array_equal(first[1], second[1])
    assert np.array_equal(first[2], second[2])
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[1], list(EIGER2_SMALL.expose([bright, bright], 1.0, seed=6))[1])


STEADY = Pattern((ISOTROPIC,), flat=5.0)
WHEN = Run("Co_12", 1400.0, datetime(2024, 5, 1, 9, 30, tzinfo=UTC), exposure_time=0.25, dead_time=0.5, seed=2)


@pytest.mark.parametrize(
    ("layout", "camera", "group", "name"),
    [
        ("old", EIGER2_SMALL, "instrument/id02-eiger2-saxs", "Co_12saxs_eiger2_00007_raw.h5"),
        ("old", RAYONIX_WAXS, "instrument/id02-rayonixhs-waxs", "Co_12_waxs_00007_raw.h5"),
        ("new", EIGER2_SMALL, "ESRF-ID02/eiger2", "Co_12_eiger2_00007_00.h5"),
    ],
)
def test_id02_layout(tmp_path, layout, camera, group, name):
    station = "waxs" if camera is RAYONIX_WAXS else "saxs"
    assert simulate.id02_name("Co_12", 7, station, layout) == name
    made = simulate.write_id02(tmp_path / name, [STEADY] * 3, camera, WHEN, layout=layout)
    frames = list(camera.expose([STEADY] * 3, 0.25, seed=2))
    with h5py.File(made.path) as file:
        entry = file["entry_0000"]
        detector = entry[group]
        data = entry["measurement/data"]
        assert entry.attrs["NX_class"] == "NXentry"
        assert detector.attrs["NX_class"] == "NXdetector"
        assert "creator" not in file.attrs
        assert data.shape == (3, *camera.geometry.shape)
        assert data.dtype == camera.dtype
        assert data.chunks == (1, *camera.geometry.shape)
        assert data._filters == {"32008": data._filters["32008"]}
        assert np.array_equal(data[()], frames)
        assert np.array_equal(detector["data"][()], frames)
        assert detector["acquisition/nb_frames"][()] == 3
        assert detector["acquisition/exposure_time"][()] == 0.25
        assert detector["image_operation/binning/x"][()] == 1
        assert entry["start_time"][()] == b"2024-05-01T09:30:00Z"
        assert entry["end_time"][()] == b"2024-05-01T09:30:01.750000Z"
        header = {key: value[()] for key, value in detector["header"].items()}
    assert header["Title"] == b"Co_12_1400mT"
    place = camera.geometry
    for key, value in {
        "Center_1": place.center_x,
        "Center_2": place.center_y,
        "PSize_1": place.pixel_size_x,
        "SampleDistance": place.distance,
        "WaveLength": 1e-10,
    }.items():
        assert isinstance(header[key], bytes)
        assert float(header[key]) == value
    assert [row.frame for row in made.truth] == [-1]


@pytest.mark.parametrize(("values", "kind"), [("bytes", bytes), ("text", bytes), ("number", np.float64)])
def test_id02_header_values_come_in_three_kinds(tmp_path, values, kind):
    made = simulate.write_id02(tmp_path / "a.h5", STEADY, run=WHEN, values=values, header={"Title": None, "Extra": 3})
    with h5py.File(made.path) as file:
        header = file["entry_0000/instrument/id02-eiger2-saxs/header"]
        assert isinstance(header["PSize_1"][()], kind)
        assert float(header["PSize_1"][()]) == 300e-6
        assert h5py.check_string_dtype(header["HMStartTime"].dtype).length == (None if values == "text" else 20)
        assert "Title" not in header
        assert int(header["Extra"][()]) == 3


def test_id02_counters_give_the_transmission(tmp_path):
    made = simulate.write_id02(tmp_path / "a.h5", STEADY, run=WHEN, values="number")
    with h5py.File(made.path) as file:
        header = {k: v[()] for k, v in file["entry_0000/instrument/id02-eiger2-saxs/header"].items()}

    def value(pin, seconds):
        counts, zero, factor = (header[f"HS32{letter}{pin:02}"] for letter in "CZF")
        return (counts - zero * seconds) * factor

    seconds = value(header["HSTime"], 0)
    assert seconds == pytest.approx(0.25)
    assert value(header["HSI1"], seconds) / value(header["HSI0"], seconds) == pytest.approx(0.8, rel=2e-3)


def test_id02_image_and_creator(tmp_path):
    made = simulate.write_id02(tmp_path / "a.h5", STEADY, image=True, creator="lima")
    with h5py.File(made.path) as file:
        assert file["entry_0000/measurement/data"].shape == EIGER2_SMALL.geometry.shape
        assert file.attrs["creator"] == "lima"
    with pytest.raises(ParameterError, match="2"):
        simulate.write_id02(tmp_path / "b.h5", [STEADY] * 2, image=True)
    assert not (tmp_path / "b.h5").exists()


def test_a_tilted_detector_is_told_in_the_header(tmp_path):
    camera = replace(EIGER2_SMALL, geometry=replace(EIGER2_SMALL.geometry, rot1=0.5, rot2=-0.2, orientation=3))
    made = simulate.write_id02(tmp_path / "a.h5", STEADY, camera)
    with h5py.File(made.path) as file:
        header = {key: value[()] for key, value in file["entry_0000/instrument/id02-eiger2-saxs/header"].items()}
    rotations = [np.degrees(float(header[f"DetectorRotation_{axis}"])) for axis in (1, 2, 3)]
    assert rotations == pytest.approx([-0.2, 0.5, 0.0])
    assert int(header["RasterOrientation"]) == 3
    # The beamstop stands in the direct beam, D*tan(rot1) from the point of normal incidence.
    _, columns = np.nonzero(camera.beamstop_mask()[camera.gap_rows[0][1] + 50 :])
    shift = 5.012 * np.tan(np.radians(0.5)) / 300e-6
    assert abs(columns.mean() + 0.5 - camera.geometry.center_x) == pytest.approx(shift, abs=0.5)


def test_masks_lie_beside_the_data_and_the_header_names_them(id02_file):
    with h5py.File(id02_file.path) as file:
        header = file["entry_0000/instrument/id02-eiger2-saxs/header"]
        beamstop, gaps = header["MaskFileName"][()].decode(), header["DetectorMaskFileName"][()].decode()
    for name, mask in ((beamstop, EIGER2_SMALL.beamstop_mask()), (gaps, EIGER2_SMALL.gap_mask())):
        with fabio.open(id02_file.path.parent / name) as edf:
            assert np.array_equal(edf.data, mask.astype(np.int8))


def test_the_same_input_gives_the_same_bytes(tmp_path):
    digests = []
    for folder in (tmp_path / "first", tmp_path / "second"):
        folder.mkdir()
        made = simulate.write_id02(folder / "a.h5", [STEADY] * 2, run=WHEN)
        edf = simulate.write_lgc(folder / "a.edf", STEADY, run=WHEN)
        paths = [made.path, edf.path, *made.masks.values(), *edf.masks.values()]
        digests.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in paths])
        time.sleep(1.1)  # HDF5 would store whole seconds
    assert digests[0] == digests[1]


def test_lgc_file(lgc_file):
    with fabio.open(lgc_file.path) as edf:
        header, data = dict(edf.header), edf.data
    place = PILATUS_300K.geometry
    assert lgc_file.path.name == "agbh_0_00012.edf"
    assert data.dtype == np.int32
    assert (float(header["Center_1"]), float(header["Center_2"])) == (place.center_x, place.center_y)
    assert float(header["WaveLength"]) == 1.54189e-10
    assert float(header["PSize_2"]) == 172e-6
    assert float(header["SampleDistance"]) == place.distance
    assert header["Comment"] == "agbh_500mT"
    assert datetime.fromisoformat(header["Date"]) == datetime(2024, 3, 1, 8)
    missing = np.abs(data - float(header["Dummy"])) <= float(header["DDummy"])
    assert np.array_equal(missing, PILATUS_300K.gap_mask() | PILATUS_300K.dead_mask())
    with fabio.open(lgc_file.masks["gaps"]) as mask:
        assert np.array_equal(mask.data != 0, PILATUS_300K.gap_mask())


def test_line_eraser_composite_takes_its_centre_from_both_frames(tmp_path):
    made = simulate.write_line_eraser(tmp_path, STEADY, numbers=(12, 13))
    assert made.path.name == "lgc_vd_0_00012-00013.edf"
    headers, images = [], []
    for name in ("lgc_0_00012.edf", "lgc_0_00013.edf", made.path.name):
        with fabio.open(tmp_path / name) as edf:
            headers.append(dict(edf.header))
            images.append(edf.data)
    place = PILATUS_300K.geometry
    assert float(headers[0]["Center_1"]) == place.center_x
    assert float(headers[1]["Center_2"]) == place.center_y
    assert float(headers[2]["Center_2"]) != place.center_y
    assert [(image[200] == -1).all() for image in images] == [True, True, False]


def test_field_series_aligns_with_the_field(field_series):
    rows = simulate.truth_rows(field_series)
    first = [row for row in rows if row["ring"] == 1]
    assert [row["file"] for row in first] == [made.path.name for made in field_series]
    order = [row["S"] for row in first]
    assert order == sorted(order)
    assert order[0] == 0
    assert order[-1] > 0.8
    assert first[0]["x0"] is None
    titles = []
    for made in field_series:
        with h5py.File(made.path) as file:
            titles.append(file["entry_0000/instrument/id02-eiger2-saxs/header/Title"][()].decode())
    assert titles == [f"rods_{row['field_mT']:g}mT" for row in first]
    stored = json.loads((field_series[0].path.parent / "truth.json").read_text())
    assert stored == rows


def test_down_sweep_remembers_the_field(tmp_path):
    made = simulate.field_series(tmp_path, (0.0, 700.0, 1400.0), station="lgc", down=True)
    first = [row for row in simulate.truth_rows(made) if row["ring"] == 1]
    assert [row["field_mT"] for row in first] == [0, 700, 1400, 1400, 700, 0]
    assert first[4]["S"] > first[1]["S"]
    assert first[5]["S"] > first[0]["S"]
    assert len({row["file"] for row in first}) == 6
    assert [row["start_time"] for row in first] == sorted(row["start_time"] for row in first)
    assert len(list(tmp_path.glob("*mask.edf"))) == 2


@pytest.mark.parametrize(
    ("station", "name"), [("usaxs", "rods_eiger2_00001_raw.h5"), ("waxs", "rods_waxs_00001_raw.h5")]
)
def test_series_of_other_stations(tmp_path, station, name):
    (made,) = simulate.field_series(tmp_path, (1400.0,), station=station, frames=2)
    assert made.path.name == name
    peak = simulate.oriented([made.truth[0].q], 10.0).rings[0]
    with h5py.File(made.path) as file:
        counts = file["entry_0000/measurement/data"][1]
    # Along the director the ring stands where its q is: half as high half a width away.
    place, row = made.camera.geometry, int(made.camera.geometry.center_y)
    columns = np.arange(place.columns) + 0.5 - place.center_x
    q = 4 * np.pi / place.wavelength * np.sin(np.arctan(np.abs(columns) * place.pixel_size_x / place.distance) / 2)
    profile = counts[row - 5 : row + 6].mean(axis=0)
    assert profile[np.abs(q - peak.q) < 0.1 * peak.width].mean() == pytest.approx(
        100 + made.patterns[0].background(np.array(peak.q)), rel=0.1
    )


def test_kinetic_stack_has_a_truth_for_every_frame(tmp_path):
    made = simulate.kinetic_stack(tmp_path / "k.h5", 4, kappa=8.0, time_constant=5.0)
    times = np.arange(4) * 1.5 + 0.5
    assert [(row.frame, row.ring) for row in made.truth] == [(f, r) for f in range(4) for r in (1, 2)]
    np.testing.assert_allclose([row.kappa for row in made.truth[::2]], 8 * (1 - np.exp(-times / 5)))
    with h5py.File(made.path) as file:
        assert file["entry_0000/measurement/data"].shape == (4, 512, 480)


def assert_read_back(scan, made):
    """The reader finds the geometry, sample, field and times that the file was made with."""
    place, detector = made.camera.geometry, scan.detector
    for name in ("rows", "columns", "orientation"):
        assert getattr(detector, name) == getattr(place, name)
    for name in ("distance", "pixel_size_y", "pixel_size_x", "center_y", "center_x", "rot1", "rot2", "rot3"):
        assert getattr(detector, name) == pytest.approx(getattr(place, name), rel=1e-12), name
    assert scan.beam.wavelength == pytest.approx(place.wavelength, rel=1e-9)
    assert (scan.sample.name, scan.sample.magnetic_field) == (made.run.sample, made.run.field)
    assert scan.start_time == made.run.start
    np.testing.assert_allclose(scan.exposure.time, made.run.exposure_time)


@pytest.mark.parametrize("layout", ["old", "new"])
@pytest.mark.parametrize("values", ["bytes", "text", "number"])
def test_id02_files_read_back(tmp_path, layout, values):
    camera = replace(EIGER2_SMALL, geometry=replace(EIGER2_SMALL.geometry, rot1=0.2, rot2=-0.1, rot3=0.4))
    name = simulate.id02_name("Co", 3, layout=layout)
    made = simulate.write_id02(tmp_path / name, [STEADY] * 3, camera, WHEN, layout=layout, values=values)
    scan = read_scan(made.path)
    assert_read_back(scan, made)
    assert scan.origin.reader == "id02"
    assert scan.shape == (3, 512, 480)
    assert scan.end_time == WHEN.end(3)
    assert {mask.role: mask.name for mask in scan.masks} == {role: path.name for role, path in made.masks.items()}
    np.testing.assert_allclose(scan.exposure.intensity1 / scan.exposure.intensity0, 0.8, rtol=2e-3)


def test_lgc_files_read_back(tmp_path, lgc_file):
    scan = read_scan(lgc_file.path)
    assert_read_back(scan, replace(lgc_file, run=replace(lgc_file.run, start=scan.start_time)))
    assert scan.origin.reader == "lgc"
    made = simulate.write_line_eraser(tmp_path, STEADY, run=Run("lgc", 20.0))
    scan = read_scan(made.path)
    assert_read_back(scan, replace(made, run=replace(made.run, start=scan.start_time)))

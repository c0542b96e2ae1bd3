"""`Mapping`: numbers against known truth, files that come back, and what is said when something is missing."""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nxscatter as nxs
from nxscatter import Mapping
from nxscatter.errors import NxscatterError, ParameterError, ReadError, StepError
from nxscatter.output.export import export
from nxscatter.science.fitting.order import order_parameter
from nxscatter.simulate import EIGER2_SMALL, Run, Simulated, write_lgc, write_line_eraser
from nxscatter.simulate.series import oriented
from nxscatter.store.container import Container
from support import mapping_case as case
from support.cif import cif

SHOT = "rods_1000mT_Img00376"


@pytest.fixture(autouse=True)
def _without_a_screen() -> Iterator[None]:
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def data(id02_file: Simulated) -> Mapping:
    """The file has an oriented ring (kappa 5 at 25 degrees) and an isotropic one."""
    return Mapping(id02_file.path, qvalues=[0.05, 0.068], binning=1, container=None)


def images(folder: Path) -> dict[str, bytes]:
    found = [path for path in folder.rglob("*") if path.suffix in (".csv", ".png")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_the_setup_is_the_header_in_si_units(data: Mapping, id02_file: Simulated) -> None:
    place = EIGER2_SMALL.geometry
    assert data.wl == pytest.approx(1e-10)
    assert (data.D, data.pixel_size_x, data.pixel_size_z) == (place.distance, 300e-6, 300e-6)
    assert (data.x_center, data.z_center) == (place.center_x, place.center_y)
    assert (data.B, data.samplename) == (1000.0, "rods")
    assert data.epoch == id02_file.run.start.timestamp()


def test_binning_grows_pixels_and_scales_the_centre(id02_file: Simulated) -> None:
    data = Mapping(id02_file.path, binning=3, container=None)
    assert data.data.shape == (170, 160)
    assert data.pixel_size_x == pytest.approx(900e-6)
    assert data.x_center == pytest.approx(EIGER2_SMALL.geometry.center_x / 3)
    block = Mapping(id02_file.path, binning=1, container=None).data[3:6, 3:6]
    assert data.data[1, 1] == pytest.approx(np.nanmean(block))


def test_maps_agree_with_their_definitions(data: Mapping) -> None:
    rows, columns = data.data.shape
    x = (np.arange(columns) + 0.5 - data.x_center) * data.pixel_size_x
    z = (np.arange(rows)[:, None] + 0.5 - data.z_center) * data.pixel_size_z
    two_theta = np.arctan2(np.hypot(x, z), data.D)
    k = 2 * np.pi / data.wl
    chi = np.arctan2(z, np.broadcast_to(x, data.data.shape))
    np.testing.assert_allclose(data.thetaB, np.degrees(two_theta / 2), rtol=1e-12)
    np.testing.assert_allclose(data.norm_Q, 2 * k * np.sin(two_theta / 2), rtol=1e-9)
    np.testing.assert_allclose(data.qx, k * np.sin(two_theta) * np.cos(chi), rtol=1e-9)
    np.testing.assert_allclose(data.qz, k * np.sin(two_theta) * np.sin(chi), rtol=1e-9)
    np.testing.assert_allclose(data.qy, k * (np.cos(two_theta) - 1), rtol=1e-6)
    np.testing.assert_array_equal(data.q_parr, data.qx)
    np.testing.assert_allclose(np.hypot(data.q_parr, data.q_perp), data.norm_Q, rtol=1e-9)
    np.testing.assert_allclose(np.cos(np.radians(data.beta)), data.qx / data.norm_Q, atol=1e-12)
    np.testing.assert_allclose(data.phi, np.degrees(chi) % 180, atol=1e-9)
    assert data.qx is data.qx  # computed once


def test_fits_find_what_was_put_in(data: Mapping, caplog: pytest.LogCaptureFixture) -> None:
    voigt = data.azim_profile_fit()
    I, x0, x0_S, kappa, a, b, S, R2 = data.azim_profile_fit_MS()["0.05"]  # noqa: E741
    assert x0 == pytest.approx(25.0, abs=0.3)
    assert x0_S == x0
    assert kappa == pytest.approx(5.0, abs=0.15)
    assert a == 0
    assert b == pytest.approx(2.0 + 6e-4 * 0.05**-3, rel=0.1)
    assert order_parameter("maier_saupe", kappa=kappa) == S
    assert R2 > 0.97
    height = I * np.exp(kappa) / np.trapezoid(_weight(kappa), _ANGLES)  # the manual's f = exp(kappa cos^2)/Z
    assert height == pytest.approx(100.0, rel=0.05)
    gamma, eta, slope, S = voigt["0.05"][4:8]
    assert order_parameter("pseudo_voigt", gamma=gamma, eta=eta) == S
    assert slope == 0
    assert np.isnan(voigt["0.068"]).all()
    assert "ring 0.068: isotropic" in caplog.text


_ANGLES = np.linspace(0, np.pi, 20001)


def _weight(kappa: float) -> Any:
    return np.exp(kappa * np.cos(_ANGLES) ** 2) * np.sin(_ANGLES)


def test_pyfai_gives_the_same_profile_and_fit(data: Mapping) -> None:
    chi, intensity = data.pyFAI_extract_azimprofiles(0.05)
    data.azim_profile_fit()
    own: Any = data.container.latest("azimuthal_profiles").load()
    np.testing.assert_array_equal(chi, own.bins)
    np.testing.assert_allclose(intensity, own.intensity[0], rtol=1e-9)
    assert data.container.latest("pyFAI_azimprofiles").parameters["method"] == "pyfai"
    one, other = data.azim_profile_fit(method="pyFAI")["0.05"], data.azim_profile_fit()["0.05"]
    np.testing.assert_allclose(one, other, rtol=1e-5)
    with pytest.raises(ParameterError, match="method = 'fast': give 'pyFAI', or None"):
        data.azim_profile_fit(method="fast")


def test_the_expected_peak_is_where_it_is_looked_for(data: Mapping) -> None:
    assert data.azim_profile_fit(beta_target=40)["0.05"][2] == pytest.approx(25.0, abs=0.3)
    data.azim_profile_fit(beta_target=110)
    assert data.container.latest("fit_pseudo_voigt").parameters["beta_target"] == 110


def test_pixels_of_a_ring_and_their_intensities_belong_together(data: Mapping) -> None:
    index = data.pixelindexes_constantq(qvalue=0.05)
    beta, intensity = data.compute_datavsbeta(qvalue=0.05)
    row, column = index.T
    np.testing.assert_array_equal(data.data[row, column], intensity)
    np.testing.assert_allclose(data.beta[row, column], beta)
    assert (np.diff(beta) >= 0).all()
    near = (np.abs(data.norm_Q * 1e-10 - 0.05) <= 0.02 * 0.05) & np.isfinite(data.data)
    assert len(index) == np.count_nonzero(near)
    with pytest.raises(ParameterError, match="give a reflection, or a qvalue"):
        data.compute_datavsbeta()


@pytest.mark.parametrize(
    ("threshold", "binning", "used"),
    [(0.0001, 1, 0.02), (0.0001, 4, 0.052), (0.0001, 8, 0.02), (0.03, 1, 0.03), (0.03, 4, 0.03), (0.01, 1, 0.01)],
)
def test_a_threshold_below_the_pixels_gives_way_and_is_said_once(
    id02_file: Simulated, caplog: pytest.LogCaptureFixture, threshold: float, binning: int, used: float
) -> None:
    data = Mapping(id02_file.path, threshold=threshold, binning=binning, container=None)
    for _ in range(2):
        data.compute_datavsbeta(qvalue=0.05)
    assert data.container.latest("azimuthal_pixels").parameters["tolerance"] == used
    told = [record.message for record in caplog.records if "threshold" in record.message]
    assert len(told) == (threshold != used)


def test_caving_fills_what_follows_sees_it_and_the_file_remembers(id02_file: Simulated) -> None:
    data = Mapping(id02_file.path, qvalues=0.05, binning=1, container=None)
    before = data.data.copy()
    holes = np.isnan(before)
    data.caving(max_iter=3)
    assert np.isnan(data.data).sum() < holes.sum()
    np.testing.assert_array_equal(data.data[~holes], before[~holes])
    data.azim_profile_fit()
    profiles = data.container.latest("azimuthal_profiles")
    assert {"caving", "masking"} <= profiles.lineage
    assert data.container.latest("caving").parameters == {}  # one pass fills all


def test_reflections_of_a_crystal(tmp_path: Path) -> None:
    (tmp_path / "cubic.cif").write_text(case.CUBIC)
    file = case.one(tmp_path / "x_waxs_00001_raw.h5", camera=case.WAXS, q=[2 * np.pi * np.sqrt(2) / 6]).path
    data = Mapping(file, cif_file=tmp_path / "cubic.cif", reflections=[[1, 1, 0]], container=None)
    np.testing.assert_array_equal(data.lattice_parameters, [6, 6, 6, 90, 90, 90])
    assert (data.a, data.beta_lattice, data.atom_elements) == (6.0, 90.0, ["Fe"])
    np.testing.assert_array_equal(data.atom_positions, [[0, 0, 0]])
    assert data.d_hkl([1, 1, 0]) == pytest.approx(6 / np.sqrt(2))
    assert data.q_hkl((1, 1, 0)) == pytest.approx(2 * np.pi * np.sqrt(2) / 6e-10)
    assert data.theta_hkl("1 1 0") == pytest.approx(np.arcsin(1.0 * np.sqrt(2) / 12))
    beta, intensity = data.compute_datavsbeta(reflection=[1, 1, 0])
    assert intensity[beta < 20].mean() > 3 * intensity[np.abs(beta - 90) < 20].mean()
    data.qvalues = np.array([2.0])
    assert [ring.hkl for ring in data._rings()] == ["1 1 0", ""]
    with pytest.raises(ParameterError, match="below half the wavelength"):
        data.theta_hkl([30, 0, 0])


def test_what_a_cif_leaves_open_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cell = cif((6, 6, 9), (90, 90, 120), "loop_\n_atom_site_label\n_atom_site_fract_x\nWat1 0.5\n")
    (tmp_path / "two.cif").write_text(cell.replace("data_x", "data_hex") + cif().replace("data_x", "data_cubic"))
    file = case.one(tmp_path / "x_waxs_00001_raw.h5", camera=case.WAXS, q=[2.0]).path
    data = Mapping(file, cif_file=tmp_path / "two.cif:hex", reflections=[[1, 0, -1, 0], [0, 0, 0, 1]], container=None)
    assert (data.a, data.gamma) == (6.0, 120.0)
    assert [ring.hkl for ring in [*data._rings(), *data._rings()]] == ["1 0 0", "0 0 1"] * 2
    assert data.d_hkl([1, 1, -2, 0]) == data.d_hkl("1 1 0") == pytest.approx(3.0)
    assert (data.atom_elements, data.atom_positions, data.atom_elements) == (None, None, None)
    said = [record.getMessage() for record in caplog.records if "two.cif:hex" in record.getMessage()]
    assert said[0].endswith("two.cif:hex: no extinctions known: the CIF states no symmetry")
    assert "two.cif:hex: the atoms cannot be read by ase (" in said[1]
    assert len(said) == 2
    cubic = Mapping(file, cif_file=f"{tmp_path}/two.cif:cubic", container=None)
    with pytest.raises(ParameterError, match="four indices need hexagonal axes"):
        cubic.q_hkl([1, 0, -1, 0])


def test_without_what_it_needs_a_method_says_so_in_one_line(id02_file: Simulated, tmp_path: Path) -> None:
    data = Mapping(id02_file.path, container=None)
    cases: list[tuple[type[NxscatterError], str, Any]] = [
        (ParameterError, "no ring is asked for: give qvalues, or cif_file and reflections", data.azim_profile_fit),
        (ParameterError, "reflections need a crystal structure: give cif_file", lambda: data.d_hkl([1, 0, 0])),
        (ParameterError, "cmap = 'rainbows' is no colour map", lambda: data.plot2d_vsq(cmap="rainbows")),
        (ParameterError, "q_min = 0.2 is not below q_max = 0.1", lambda: data.plot2d_vsq(qmin=0.2)),
        (StepError, "lies outside the detector", lambda: data.compute_datavsbeta(qvalue=3.0)),
        (ParameterError, "Mapping needs a file", Mapping),
        (ReadError, "no such file", lambda: Mapping(tmp_path / "none.h5")),
        (ParameterError, "unknown reader 'bm26'", lambda: Mapping(id02_file.path, instrument="BM26", container=None)),
        (ReadError, "no such file", lambda: Mapping(id02_file.path, mask="no.edf", container=None).data),
    ]
    for kind, text, function in cases:
        with pytest.raises(kind, match=text.replace("(", r"\(")) as caught:
            function()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("binning", [1, 2, 3, 4])
def test_any_binning_of_any_shape_one_frame_or_many_with_or_without_mapping(tmp_path: Path, binning: int) -> None:
    odd = case.SAXS.geometry.binned(2)  # 256 x 240 pixels
    camera = case.Camera("eiger2", case.replace(odd, rows=203, columns=191), beamstop=4.0)
    frames = 1 + binning % 2
    file = case.one(tmp_path / "odd__name_of_mine_eiger2_00007_raw.h5", camera=camera, frames=frames).path
    data = Mapping(file, qvalues=[0.05], threshold=0.08, binning=binning, mapping=binning > 2)
    assert data.data.shape == (203 // binning, 191 // binning)
    assert data.azim_profile_fit_MS()["0.05"][6] == pytest.approx(order_parameter("maier_saupe", kappa=5.0), abs=0.06)
    assert data.qx.shape == data.data.shape


def test_the_mean_of_frames_is_a_mean(tmp_path: Path) -> None:
    file = case.one(tmp_path / "a_eiger2_00001_raw.h5", frames=3).path
    data = Mapping(file, binning=1, container=None)
    frames = np.stack([data.container.raw.read(number).astype(float) for number in range(3)])
    valid = np.isfinite(data.data)
    np.testing.assert_allclose(data.data[valid], frames.mean(axis=0)[valid])


def test_a_title_without_field_is_no_zero(tmp_path: Path) -> None:
    run = Run("my_sample_25Ti", start=Run().start.replace(microsecond=250000), exposure_time=0.3)
    file = case.one(tmp_path / "my_sample_eiger2_00003_raw.h5", run=run).path
    data = Mapping(file, qvalues=0.05)
    assert np.isnan(data.B)
    assert data.samplename == "my_sample_25Ti"
    assert data.epoch == run.start.timestamp()
    assert Path(data.plot2d_vsq()).name == "my_sample_25Ti_Img00003.png"


def test_containers_lie_beside_elsewhere_or_in_memory(id02_file: Simulated, tmp_path: Path) -> None:
    file = case.one(tmp_path / "raw" / "a_eiger2_00001_raw.h5").path
    assert Mapping(file).container.path == tmp_path / "raw" / "a_eiger2_00001_raw.nxs"
    elsewhere = Mapping(file, container=tmp_path / "boxes")
    assert elsewhere.container.path == tmp_path / "boxes" / "a_eiger2_00001_raw.nxs"
    assert elsewhere.folder == tmp_path / "boxes"
    again = Mapping(elsewhere.container.path, container=tmp_path / "copy.nxs")
    assert again.container.path == tmp_path / "copy.nxs"
    assert again.container.origin.sha256 == elsewhere.container.origin.sha256
    hidden = Mapping(file, qvalues=0.05, container=None)
    place = hidden.container.path
    assert place.is_file()
    assert place.parent not in (file.parent, tmp_path)
    hidden.save_radialprofiles(plot=False)
    assert (file.parent / "Radial_Profiles_SAXS").is_dir()
    del hidden
    gc.collect()
    assert not place.parent.exists()


def test_what_a_record_notes_is_logged_once(id02_file: Simulated, caplog: pytest.LogCaptureFixture) -> None:
    data = Mapping(id02_file.path, qvalues=[0.05], binning=8, threshold=0.02, container=None)
    for target in (20, 30):
        data.azim_profile_fit(beta_target=target)
    told = [record.message for record in caplog.records if "too narrow for bins" in record.message]
    assert len(told) == 1
    assert told[0].endswith("would fill them")


def test_calibration_may_be_skipped_for_the_image(tmp_path: Path) -> None:
    whole = write_line_eraser(tmp_path, oriented((0.1,), 4.0), case.LGC).path
    for frame in tmp_path.glob("*_0_000*.edf"):
        if "_vd_" not in frame.name:
            frame.unlink()
    with pytest.raises(ReadError, match="is a composite of frame 12"):
        Mapping(whole, instrument="LGC")
    data = Mapping(whole, instrument="LGC", qvalues=0.1, skipcalib=True)
    assert np.isfinite(data.data).mean() > 0.9
    assert np.isnan(data.x_center)
    with pytest.raises(StepError, match="the file has no beam centre"):
        data.azim_profile_fit()


def test_each_method_leaves_a_record_with_its_parameters(id02_file: Simulated) -> None:
    data = Mapping(id02_file.path, qvalues=[0.05], binning=2, threshold=0.03, container=None)
    data.azim_profile_fit(beta_target=20, kinetic=True, time=12.5)
    data.azim_profile_fit_MS()
    data.compute_datavsbeta(qvalue=0.06)
    data.save_radialprofiles(nb_azim=3, offset=5, delta=60, width=20, prefix="mine", plot=False)
    data.plot2d_vsq(qmin=0.01, qmax=0.09, vmin=-2, vmax=1, qcircles=0.05, rotate=True, cmap="cividis", time=3)
    data.plot_savedata_zoom(zoom_factor=3)
    newest = {record.base: record.parameters for record in data.container.records}
    wanted: dict[str, dict[str, Any]] = {
        "binning": {"factor": 2},
        "azimuthal_profiles": {"q": [0.05], "tolerance": 0.03, "method": "own", "frames": "mean"},
        "fit_pseudo_voigt": {"beta_target": 20.0},
        "fit_pseudo_voigt_view": {"time": 12.5},
        "fit_maier_saupe": {"beta_target": None},
        "azimuthal_pixels": {"q": [0.06], "angle": "beta"},
        "radial_sectors": {"nb_azim": 3, "offset": 5.0, "delta": 60.0, "width": 20.0},
        "radial_sectors_view": {"prefix": "mine"},
        "map_view": {"q_min": 0.01, "q_max": 0.09, "low": -2.0, "high": 1.0, "circles": [0.05], "rotate": True},
        "zoom_view": {"zoom": 3.0, "kind": "zoom"},
    }
    for name, parameters in wanted.items():
        assert newest[name].items() >= parameters.items(), name
    assert newest["map_view"]["colormap"] == "cividis"


@pytest.mark.slow
def test_what_was_written_comes_back_from_the_container_alone(id02_file: Simulated, tmp_path: Path) -> None:
    file = tmp_path / id02_file.path.name
    file.write_bytes(id02_file.path.read_bytes())
    data = Mapping(file, qvalues=[0.05], threshold=0.02)
    data.azim_profile_fit(plotflag=True, kinetic=True, time=7)
    data.azim_profile_fit_MS(plotflag=True)
    data.save_radialprofiles(prefix="USAXS")
    data.plot2d_vsq(qcircles=(0.05,), prefix="mine")
    data.plot_savedata_zoom(prefix="mine")
    written = images(tmp_path)
    assert set(written) == {
        "Azim_Profile_Fittings/rods_7s_Img00376_0.05.png",
        f"Azim_Profile_Fittings/{SHOT}_0.05_fit_maier_saupe.png",
        "Radial_Profiles_USAXS/rods_1000mT_sector01_Img00376.csv",
        "Radial_Profiles_USAXS/rods_1000mT_sector02_Img00376.csv",
        "Radial_Profiles_USAXS/rods_1000mT_sectors_Img00376.png",
        f"png_images/{SHOT}.png",
        f"png_images/mine_{SHOT}_zoom.png",
    }
    for name in written:
        (tmp_path / name).unlink()
    export(Container(data.container.path), formats=["csv", "png"])
    assert images(tmp_path).items() >= written.items()


def test_files_are_named_by_the_field_again_after_a_kinetic_fit(id02_file: Simulated, tmp_path: Path) -> None:
    data = Mapping(id02_file.path, qvalues=[0.05], container=tmp_path)
    for kinetic, name in ((True, "rods_7.5s_Img00376_0.05.png"), (False, f"{SHOT}_0.05.png")):
        data.azim_profile_fit(plotflag=True, kinetic=kinetic, time=7.5)
        assert (tmp_path / "Azim_Profile_Fittings" / name).is_file()


def test_the_same_call_adds_nothing(id02_file: Simulated) -> None:
    data = Mapping(id02_file.path, qvalues=[0.05], container=None)
    for _ in range(2):
        data.azim_profile_fit()
        data.plot2d_vsq()
    assert [record.number for record in data.container.records] == [1] * len(data.container.records)


@pytest.mark.slow
def test_containers_stay_valid(id02_file: Simulated) -> None:
    from nxscatter.store.validate import validate
    from nxscatter.workflow.replay import replay

    data = Mapping(id02_file.path, qvalues=[0.05], container=None)
    data.azim_profile_fit(kinetic=True)
    data.plot2d_vsq()
    found = validate(data.container.path)
    assert (found.errors, found.warnings, found.messages) == (0, 0, [])
    checked = replay(data.container.path)
    assert checked.ok
    assert checked.replayed == "exact"


def test_for_sasview(id02_file: Simulated, tmp_path: Path) -> None:
    file = tmp_path / "a_eiger2_00001_raw.h5"
    file.write_bytes(id02_file.path.read_bytes())
    data = Mapping(file, binning=4)
    data.export2sasview()
    lines = (tmp_path / "a_eiger2_00001_raw.dat").read_text().splitlines()
    assert lines[0] == "Data columns are Qx - Qy - I(Qx,Qy) - err(I)"
    numbers = np.array([line.split() for line in lines[4:]], dtype=float)
    np.testing.assert_allclose(numbers[:, 2].reshape(data.data.shape), data.data, rtol=1e-8)
    np.testing.assert_allclose(numbers[:, 0].reshape(data.data.shape), data.qx * 1e-10, rtol=1e-8)


def test_printed_results_are_lines_with_errors(data: Mapping, capsys: pytest.CaptureFixture[str]) -> None:
    data.azim_profile_fit_MS(printResults=True)
    line, isotropic = capsys.readouterr().out.splitlines()
    assert line.startswith("0.05: I = ")
    assert "kappa = " in line
    assert " ± " in line
    assert line.endswith("ok")
    assert isotropic.endswith("isotropic")


def test_lgc_has_its_own_reader(tmp_path: Path) -> None:
    file = write_lgc(tmp_path / "agbh_0_00012.edf", oriented((0.1,), 4.0, 60.0), run=Run("agbh", 500.0)).path
    data = Mapping(file, instrument="LGC", qvalues=0.1)
    assert data.wl == pytest.approx(1.54189e-10)
    assert data.azim_profile_fit_MS()["0.1"][1] == pytest.approx(60.0, abs=0.5)
    with pytest.raises(ReadError):
        Mapping(file, instrument="ID02", container=None)


def test_figures_are_shown_on_a_screen_and_wait_for_nobody(data: Mapping, monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib.pyplot as plt

    calls: list[dict[str, object]] = []
    monkeypatch.setattr(plt, "show", lambda **options: calls.append(options))
    data.plot2D(plotqcircle=True)
    data.plot2D()
    assert calls == []  # no screen here
    assert plt.get_fignums() == [1]  # drawn anew in the same figure
    pixels, map_axes = [axes for axes in plt.gcf().get_axes() if axes.images and axes.get_xlabel() != ""]
    assert pixels.images[0].get_clim() == map_axes.images[0].get_clim() == (10.0, 1e5)
    assert map_axes.get_xlabel() == "$q_x$ (Å⁻¹)"
    monkeypatch.setattr("nxscatter.output.figures.canvas.has_screen", lambda: True)
    data.plotcomponents()
    assert calls == [{"block": False}]
    labels = [axes.get_title() for axes in plt.gcf().get_axes() if axes.get_title()]
    assert labels == ["q_parr (Å⁻¹)", "q_perp (Å⁻¹)", "β (degrees)", "|q| (Å⁻¹)"]


def test_colours_and_limits_of_a_map_are_those_given(id02_file: Simulated, tmp_path: Path) -> None:
    import matplotlib.pyplot as plt

    data = Mapping(id02_file.path, container=tmp_path)
    data.plot2d_vsq(
        vmin=-2, vmax=0, cmap="cividis", qcircles=(0.05, 0.068), qmin=0.03, qmax=0.08, show=True, rotate=True
    )
    axes = plt.gcf().get_axes()[0]
    (shown,) = axes.images
    low, high = shown.get_clim()
    assert high / low == pytest.approx(100.0)
    inside = (np.abs(data.qx) < 8e8) & (np.abs(data.qz) < 8e8) & (data.norm_Q > 3e8)
    assert high == pytest.approx(np.nanpercentile(data.data[inside], 99.9), rel=0.1)
    assert shown.get_cmap().name == "cividis"
    assert [text.get_text() for text in axes.texts] == ["0.05 Å⁻¹", "0.068 Å⁻¹"]
    left, right = axes.get_xlim()
    assert left > right  # turned: q_z runs to the left
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("$q_z$ (Å⁻¹)", "$q_x$ (Å⁻¹)")


def test_the_names_are_imported_when_they_are_used() -> None:
    assert nxs.Mapping is Mapping
    program = "import logging, nxscatter; nxscatter.Mapping; raise SystemExit(logging.getLogger('nxscatter').level)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == logging.NOTSET

"""The examples of the manual run as they stand, the import line aside, on simulated measurements."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nxscatter import BatchAzimProfileExtraction, Mapping
from nxscatter.simulate import Run
from support import mapping_case as case

QUICK_START = """
# Single file analysis
data = Mapping(
    file='path/to/data.h5',
    instrument='ID02',
    qvalues=np.array([0.05, 0.10, 0.15]),  # For SAXS
    threshold=0.0001,
    binning=2,
    mapping=True
)

# Extract and fit azimuthal profiles
results = data.azim_profile_fit(plotflag=True)

# Batch processing
batch = BatchAzimProfileExtraction(
    path='path/to/data/directory',
    qvalues=np.array([0.05, 0.10, 0.15]),
    instrument='ID02',
    binning=2,
    mapping=True
)

# Fit all files and generate summary plots
df = batch.fit_azimprofiles(plot=True, r2_threshold=0.85)
"""

DIFFRACTION = """
# Load data with CIF file for peak indexing
data = Mapping(
    file='sample_waxs.h5',
    cif_file='structure.cif',
    reflections=np.array([[1,1,0], [2,0,0], [2,2,0]]),
    instrument='ID02',
    threshold=0.0005,
    binning=2,
    mapping=True
)

# Calculate d-spacings
for refl in data.reflections:
    d = data.d_hkl(refl)
    q = data.q_hkl(refl) * 1e-10  # Convert to Å⁻¹
    print(f"Reflection {refl}: d = {d:.3f} Å, q = {q:.4f} Å⁻¹")

# Fit azimuthal profiles and calculate order parameters
results = data.azim_profile_fit(plotflag=True)
for refl in data.reflections:
    S = results[str(refl)][7]
    print(f"Reflection {refl}: S = {S:.3f}")
"""

MASKING = """
# Process SAXS data with beam stop mask
data = Mapping(
    file='sample_saxs.h5',
    qvalues=np.array([0.03, 0.05, 0.08, 0.12]),
    instrument='ID02',
    binning=2,
    mask='beamstop_mask.edf',
    mapping=True
)

# Apply caving algorithm to fill masked regions
data.caving(max_iter=15)

# Create publication-quality Q-space map
data.plot2d_vsq(
    qmin=0.02,
    qmax=0.15,
    vmin=-3,
    vmax=0,
    qcircles=(0.05, 0.08, 0.12),
    cmap='viridis',
    show=True
)

# Fit profiles with Maier-Saupe distribution
results = data.azim_profile_fit_MS(plotflag=True, printResults=True)
"""

FIELD_SERIES = """
# Batch process field-dependent measurements
batch = BatchAzimProfileExtraction(
    path='/data/magnetic_series/',
    qvalues=np.array([0.05, 0.10]),
    file_filter='*_eiger2_*_raw.h5',
    instrument='ID02',
    binning=2,
    mask='mask.edf',
    mapping=True
)

# Fit all profiles and generate summary
df = batch.fit_azimprofiles_MS(
    plot=True,
    r2_threshold=0.90,
    prefix='SAXS'
)

# Access results
print(df[['B (mT)', 'qvalue', 'Order Parameter S', 'R_squared']])

# Extract radial profiles at multiple angles
batch.save_radialprofiles(
    nb_azim=4,
    offset=0,
    delta=45,
    width=10,
    plot=True
)
"""

KINETICS = """
# Analyze temporal evolution
batch = BatchAzimProfileExtraction(
    path='/data/kinetics/',
    qvalues=np.array([0.08]),
    instrument='ID02',
    binning=1,
    mapping=True
)

# Fit vs. time
df_time = batch.fit_azimprofiles_vs_time(
    plot=True,
    prefix='SAXS_kinetic'
)

# Generate time-series images
batch.plot_savedata(
    prefix='SAXS',
    vmin=-2,
    vmax=1,
    qmin=0,
    qmax=0.2,
    kinetic=True
)
"""


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in an empty folder, without a screen."""
    import matplotlib.pyplot as plt

    monkeypatch.chdir(tmp_path)
    plt.switch_backend("agg")
    yield
    plt.close("all")


def run(code: str) -> dict[str, Any]:
    names = {"np": np, "Mapping": Mapping, "BatchAzimProfileExtraction": BatchAzimProfileExtraction}
    exec(code.replace("'/data/", "'data/"), names)
    return names


def files(folder: str = ".") -> set[str]:
    """Return what an example has written, the containers and the simulated input aside."""
    found = {path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file()}
    return {name for name in found if not name.endswith((".h5", ".nxs", ".edf", ".cif"))}


@pytest.mark.slow
def test_quick_start() -> None:
    q = (0.05, 0.1, 0.15)
    case.one(Path("path/to/data.h5"), 8.0, Run("rods", 1000.0), case.NEAR, q)
    made = case.series(Path("path/to/data/directory"), (0.0, 1000.0), "waxs", case.NEAR, q)
    found = run(QUICK_START)
    assert list(found["results"]) == ["0.05", "0.1", "0.15"]
    for y0, _, x0, x0_S, gamma, eta, slope, S, R2 in found["results"].values():
        assert y0 > 0
        assert abs(x0) < 1
        assert x0_S == x0
        assert 25 < gamma < 40
        assert 0 <= eta <= 1
        assert slope == 0
        assert 0.6 < S < 0.9
        assert R2 > 0.97
    df = found["df"]
    assert len(df) == len(made) * len(q)
    assert df["B (mT)"].unique().tolist() == [0.0, 1000.0]
    isotropic = df["B (mT)"] == 0
    assert set(df[isotropic]["status"]) == {"isotropic"}
    assert df[isotropic]["Order Parameter S"].isna().all()
    np.testing.assert_allclose(
        df[~isotropic]["gamma"], [found["results"][key][4] for key in found["results"]], rtol=0.05
    )
    assert files("path/to/data/directory") == {"WAXS_azim_profiles_refinements.csv", "WAXS_Fitting_results.png"}
    fits = {f"Azim_Profile_Fittings/rods_1000mT_Imgdata_{name}.png" for name in ("0.05", "0.1", "0.15")}
    assert files("path/to") - {f"data/directory/{name}" for name in files("path/to/data/directory")} == fits


def test_diffraction_with_a_crystal(capsys: pytest.CaptureFixture[str]) -> None:
    Path("structure.cif").write_text(case.CUBIC)
    q = [2 * np.pi * np.sqrt(n) / 6.0 for n in (2, 4, 8)]
    true = case.one(Path("sample_waxs.h5"), 3.0, Run("iron", 800.0), case.WAXS, q).truth[0].S
    found = run(DIFFRACTION)
    printed = capsys.readouterr().out.splitlines()
    assert printed[:3] == [
        "Reflection [1 1 0]: d = 4.243 Å, q = 1.4810 Å⁻¹",
        "Reflection [2 0 0]: d = 3.000 Å, q = 2.0944 Å⁻¹",
        "Reflection [2 2 0]: d = 2.121 Å, q = 2.9619 Å⁻¹",
    ]
    assert [line[:26] for line in printed[3:]] == [f"Reflection [{hkl}]: S = 0." for hkl in ("1 1 0", "2 0 0", "2 2 0")]
    assert list(found["results"]) == ["[1 1 0]", "[2 0 0]", "[2 2 0]"]
    assert all(abs(values[7] - true) < 0.12 for values in found["results"].values())
    assert files() == {f"Azim_Profile_Fittings/iron_800mT_Imgsample_waxs_{hkl}.png" for hkl in ("110", "200", "220")}


@pytest.mark.slow
def test_masking_and_caving(capsys: pytest.CaptureFixture[str]) -> None:
    q = (0.03, 0.05, 0.08, 0.12)
    true = case.one(Path("sample_saxs.h5"), 4.0, Run("rods", 700.0), case.NEAR, q)
    shutil.move(true.masks["beamstop"], "beamstop_mask.edf")
    found = run(MASKING)
    data = found["data"]
    before = Mapping("sample_saxs.h5", mask="beamstop_mask.edf", container=None).data
    invalid, still = np.isnan(before), np.isnan(data.data)
    assert 0.01 < still.mean() < 0.6 * invalid.mean()  # what lies across another gap stays empty
    np.testing.assert_array_equal(data.data[~invalid], before[~invalid])
    for key, (_, x0, _, kappa, a, _, S, R2) in found["results"].items():
        assert abs(x0) < 1, key
        assert kappa == pytest.approx(4.0, abs=0.4), key
        assert a == 0
        assert pytest.approx(true.truth[0].S, abs=0.03) == S, key
        assert R2 > 0.9
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["0.03", "0.05", "0.08", "0.12"]
    fits = {f"Azim_Profile_Fittings/rods_700mT_Imgsample_saxs_{name}.png" for name in found["results"]}
    assert files() == fits | {
        "png_images/rods_700mT_Imgsample_saxs.png",
        "png_images/SAXS_rods_700mT_Imgsample_saxs.npz",
    }
    with np.load("png_images/SAXS_rods_700mT_Imgsample_saxs.npz") as arrays:
        np.testing.assert_array_equal(arrays["Z"], data.data)
        np.testing.assert_allclose(arrays["Qx"], data.qx * 1e-10, rtol=1e-12)
        np.testing.assert_allclose(arrays["QZ"], data.qz * 1e-10, rtol=1e-12)


@pytest.mark.slow
def test_field_series(capsys: pytest.CaptureFixture[str]) -> None:
    made = case.series(Path("data/magnetic_series"), (500.0, 1000.0), camera=case.NEAR, q=(0.05, 0.1))
    shutil.copy(made[0].masks["gaps"], "mask.edf")
    found = run(FIELD_SERIES)
    df = found["df"].set_index(["B (mT)", "qvalue"])
    for one in made:
        for truth in one.truth:
            row = df.loc[one.run.field, truth.q]
            assert row["Order Parameter S"] == pytest.approx(truth.S, abs=0.02)
    header = capsys.readouterr().out.splitlines()[0]
    assert header.split() == ["B", "(mT)", "qvalue", "Order", "Parameter", "S", "R_squared"]
    sectors = {
        f"Radial_Profiles_SAXS/rods_{field}mT_sector{sector:02d}_Img{number:05d}.csv"
        for number, field in enumerate((500, 1000), 1)
        for sector in (1, 2, 3, 4)
    }
    assert files("data/magnetic_series") == sectors | {
        "SAXS_azim_profiles_refinements.csv",
        "SAXS_Fitting_results.png",
        "Radial_Profiles_SAXS/SAXS_sectors.png",
    }


@pytest.mark.slow
def test_kinetics() -> None:
    case.series(Path("data/kinetics"), (400.0, 800.0), camera=case.SAXS, q=(0.08,))
    found = run(KINETICS)
    assert found["df_time"]["time (s)"].tolist() == [0.0, 90.25]
    assert found["batch"].epoch.tolist() == [0.0, 90.25]
    assert files("data/kinetics") == {
        "SAXS_kinetic_azim_profiles_refinements.csv",
        "SAXS_kinetic_Fitting_results.png",
        "png_images/rods_0s_Img00001.png",
        "png_images/rods_90.25s_Img00002.png",
        "png_images/SAXS_rods_0s_Img00001.npz",
        "png_images/SAXS_rods_90.25s_Img00002.npz",
    }


@pytest.mark.parametrize(
    ("station", "camera", "q", "instrument", "pattern"),
    [
        ("usaxs", case.USAXS, (0.008, 0.011), "ID02", "*_eiger2_*_raw.h5"),
        ("lgc", case.LGC, (0.1, 0.13), "LGC", "*.edf"),
    ],
)
def test_other_stations(station: str, camera: Any, q: tuple[float, ...], instrument: str, pattern: str) -> None:
    made = case.series(Path("data"), (700.0,), station, camera, q)
    batch = BatchAzimProfileExtraction("data", qvalues=q, instrument=instrument, file_filter=pattern)
    assert batch.files == [one.path for one in made]
    df = batch.fit_azimprofiles_MS(prefix=station)
    for one, (_, rows) in zip(made, df.groupby("filename"), strict=True):
        np.testing.assert_allclose(rows["Order Parameter S"], one.truth[0].S, atol=0.02)
    assert f"{station}_Fitting_results.png" in files("data")

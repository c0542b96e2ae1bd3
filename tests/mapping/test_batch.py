"""`BatchAzimProfileExtraction`: which files, what of each, and the same numbers as ``nxscatter process``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nxscatter as nxs
from nxscatter import BatchAzimProfileExtraction, Mapping
from nxscatter.errors import ParameterError, StepError
from nxscatter.output import table
from nxscatter.output.export import export
from nxscatter.simulate import Run, Simulated, kinetic_stack
from nxscatter.store.container import Container
from support import mapping_case as case

EXAMPLES = Path(__file__).parents[2] / "examples"
SAXS = "*_eiger2_*_raw.h5"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Simulated]:
    """0 and 1000 mT; not to be written beside."""
    return case.series(tmp_path_factory.mktemp("series"), (0.0, 1000.0))


@pytest.fixture(scope="module")
def batch(made: list[Simulated], tmp_path_factory: pytest.TempPathFactory) -> BatchAzimProfileExtraction:
    boxes = tmp_path_factory.mktemp("boxes")
    return BatchAzimProfileExtraction(
        made[0].path.parent, qvalues=case.RINGS, file_filter=SAXS, threshold=0.02, binning=1, container=boxes
    )


def test_files_match_the_filter_and_masks_and_containers_are_left_out(tmp_path: Path) -> None:
    made = case.series(tmp_path, (0.0, 100.0))
    case.series(tmp_path, (0.0,), station="lgc", camera=case.LGC)
    Mapping(made[0].path)
    (tmp_path / "notes.txt").write_text("none of these")
    for pattern, instrument, wanted in (
        (SAXS, "ID02", [one.path.name for one in made]),
        ("*", "ID02", ["rods_0_00001.edf", *(one.path.name for one in made)]),
        ("*.edf", "LGC", ["rods_0_00001.edf"]),
    ):
        found = BatchAzimProfileExtraction(tmp_path, file_filter=pattern, instrument=instrument).files
        assert [file.name for file in found] == wanted
    with pytest.raises(ParameterError, match=r"no file matches '\*.cbf' \(there are rods_0_00001.edf, "):
        BatchAzimProfileExtraction(tmp_path, file_filter="*.cbf")
    with pytest.raises(ParameterError, match="is no folder"):
        BatchAzimProfileExtraction(tmp_path / "none")


def test_the_usual_filter_gives_way_to_what_the_instrument_measured(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    case.series(tmp_path, (0.0,), station="lgc", camera=case.LGC)
    made = case.series(tmp_path, (0.0,))
    assert BatchAzimProfileExtraction(tmp_path).files == [made[0].path]
    assert "no file matches '*_waxs*_raw.h5', the 1 files of ID02 are taken" in caplog.text
    wide = case.one(tmp_path / "x_waxs_00009_raw.h5").path
    assert BatchAzimProfileExtraction(tmp_path).files == [wide]


def test_the_table_has_the_columns_that_people_know(batch: BatchAzimProfileExtraction, made: list[Simulated]) -> None:
    df = batch.fit_azimprofiles(plot=False)
    known = ["filename", "sample", "B (mT)", "time (s)", "frame", "reflection", "qvalue"]
    fitted = ["y0", "I", "x0", "x0_S", "gamma", "eta", "slope", "Order Parameter S", "R_squared"]
    assert list(df.columns[:16]) == known + fitted
    assert {"Order Parameter S", "S_error", "gamma_error", "status"} <= set(df.columns)
    assert df["filename"].tolist() == [one.path.name for one in made for _ in case.RINGS]
    assert df["time (s)"].tolist() == [0.0, 0.0, 90.25, 90.25]
    columns = batch.fit_azimprofiles_MS(plot=False).columns
    assert list(columns[7:15]) == ["I", "x0", "x0_S", "kappa", "a", "b", "Order Parameter S", "R_squared"]


def test_results_are_those_of_process_to_the_last_digit(
    batch: BatchAzimProfileExtraction, made: list[Simulated], tmp_path: Path
) -> None:
    tables = {
        "pseudo_voigt": (batch.fit_azimprofiles(plot=False), ("gamma", "eta", "y0", "I")),
        "maier_saupe": (batch.fit_azimprofiles_MS(plot=False), ("kappa", "b")),
    }
    for one in made:
        recipe = EXAMPLES / "recipes" / "without_caving.toml"
        rows = table.rows(Container(nxs.process(one.path, recipe, q=case.RINGS, output=tmp_path)[0].container.path))
        for model, (df, parameters) in tables.items():
            wanted = [row for row in rows if row["S_method"] == model]
            found = df[df["filename"] == one.path.name]
            names = {name: name for name in ("x0", "x0_S", "x0_error", "S_error", *parameters)}
            for name, ours in (names | {"S": "Order Parameter S", "R2": "R_squared"}).items():
                np.testing.assert_array_equal(found[ours], np.array([row[name] for row in wanted], dtype=float))


def test_a_mapping_finds_the_same(batch: BatchAzimProfileExtraction, made: list[Simulated]) -> None:
    df = batch.fit_azimprofiles_MS(plot=False)
    one = Mapping(made[-1].path, qvalues=case.RINGS, threshold=0.02, binning=1, container=None).azim_profile_fit_MS()
    last = df[df["filename"] == made[-1].path.name]
    names = ["I", "x0", "x0_S", "kappa", "a", "b", "Order Parameter S", "R_squared"]
    np.testing.assert_array_equal(last[names].to_numpy(dtype=float), np.array(list(one.values())))


def test_a_bad_file_does_not_stop_the_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = case.series(tmp_path, (300.0, 600.0))
    (tmp_path / "cut_eiger2_00009_raw.h5").write_bytes(made[0].path.read_bytes()[:5000])
    batch = BatchAzimProfileExtraction(tmp_path, qvalues=[0.05], file_filter=SAXS)
    df = batch.fit_azimprofiles(plot=False)
    assert df["filename"].tolist() == [one.path.name for one in made]
    assert "left out: cut_eiger2_00009_raw.h5" in caplog.text
    batch.build_timearray()
    assert np.isnan(batch.epoch[0])
    assert batch.epoch[1:].tolist() == [0.0, 90.25]
    batch.qvalues = np.array([7.0])
    with pytest.raises(StepError, match=r"none of 3 files can be used; the first: .*cut_eiger2"):
        batch.fit_azimprofiles(plot=False)


def test_sweeps_up_and_down_stay_apart(tmp_path: Path) -> None:
    for number, kappa in enumerate((2.0, 6.0, 4.0), 1):
        field = 500.0 if number != 2 else 1000.0
        case.one(tmp_path / f"rods_eiger2_{number:05d}_raw.h5", kappa, Run("rods", field, seed=number))
    df = BatchAzimProfileExtraction(tmp_path, qvalues=[0.05], file_filter=SAXS).fit_azimprofiles_MS()
    assert df["B (mT)"].tolist() == [500.0, 1000.0, 500.0]
    np.testing.assert_allclose(df["kappa"], [2.0, 6.0, 4.0], rtol=0.05)


def test_a_stack_against_time_has_a_row_a_frame(tmp_path: Path) -> None:
    stack = kinetic_stack(tmp_path / "kin_eiger2_00001_raw.h5", frames=4)
    batch = BatchAzimProfileExtraction(tmp_path, qvalues=[0.05], file_filter=SAXS, binning=1)
    df = batch.fit_azimprofiles_MS_vs_time(prefix="kin")
    assert df["frame"].tolist() == [0, 1, 2, 3]
    assert df["time (s)"].tolist() == [0.0, 1.5, 3.0, 4.5]
    true = [one.S for one in stack.truth if one.q == 0.05]
    np.testing.assert_allclose(df["Order Parameter S"], true, atol=0.03)
    assert len(batch.fit_azimprofiles(plot=False)) == 1  # against the field: the mean of the frames
    batch.plot_save_azim_profiles_vs_time()
    profiles = sorted(path.name for path in (tmp_path / "Azimuthal_Profiles").iterdir())
    assert profiles == ["WAXS_azim_profiles.png", *(f"file_00001_rods_0s_0.05_frame0000{n}.csv" for n in range(4))]


@pytest.mark.slow
def test_fits_below_the_threshold_are_in_the_table_and_not_in_the_figure(batch: BatchAzimProfileExtraction) -> None:
    batch.fit_azimprofiles(r2_threshold=0.5, prefix="all")
    loose = (batch.folder / "all_Fitting_results.png").read_bytes()
    assert len(batch.fit_azimprofiles(r2_threshold=0.99999, prefix="all")) == 4
    assert (batch.folder / "all_Fitting_results.png").read_bytes() != loose


@pytest.mark.slow
def test_files_of_a_batch_come_back_from_the_containers_alone(made: list[Simulated], tmp_path: Path) -> None:
    batch = BatchAzimProfileExtraction(
        made[0].path.parent, qvalues=[0.05], file_filter=SAXS, threshold=0.02, container=tmp_path
    )
    batch.fit_azimprofiles(prefix="SAXS_mine")
    batch.save_radialprofiles(nb_azim=1)
    batch.plot_save_azim_profiles_vs_B(prefix="mine")
    batch.plot_savedata(qmax=0.08, qcircles=(0.05,), kinetic=True)
    kinds = (".csv", ".png")
    written = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.suffix in kinds}
    assert {path.relative_to(tmp_path).as_posix() for path in written} == {
        "SAXS_mine_azim_profiles_refinements.csv",
        "SAXS_mine_Fitting_results.png",
        "Radial_Profiles_SAXS/rods_0mT_sector01_Img00001.csv",
        "Radial_Profiles_SAXS/rods_1000mT_sector01_Img00002.csv",
        "Radial_Profiles_SAXS/SAXS_sectors.png",
        "Azimuthal_Profiles/file_00001_rods_0mT_0.05.csv",
        "Azimuthal_Profiles/file_00002_rods_1000mT_0.05.csv",
        "Azimuthal_Profiles/mine_azim_profiles.png",
        "png_images/rods_0s_Img00001.png",
        "png_images/rods_90.25s_Img00002.png",
    }
    for path in written:
        path.unlink()
    export([Container(path) for path in sorted(tmp_path.glob("*.nxs"))], formats=["csv", "png"])
    assert {path: path.read_bytes() for path in written} == written


def test_titles_are_listed(batch: BatchAzimProfileExtraction, made: list[Simulated]) -> None:
    assert batch.extract_titles() == ["rods"] * 2
    lines = (batch.folder / "Sample_list.txt").read_text().splitlines()
    assert lines == [f"{one.path.name}\trods" for one in made]


def test_containers_in_memory_leave_only_what_was_asked_for(tmp_path: Path) -> None:
    made = case.series(tmp_path, (500.0,))
    before = set(tmp_path.iterdir())
    batch = BatchAzimProfileExtraction(tmp_path, qvalues=[0.05], file_filter=SAXS, container=None)
    batch.fit_azimprofiles(plot=False, prefix="SAXS")
    assert set(tmp_path.iterdir()) - before == {tmp_path / "SAXS_azim_profiles_refinements.csv"}
    assert repr(batch) == f"<BatchAzimProfileExtraction {tmp_path}: {len(made)} files>"

"""Exported files: their names, the container's numbers in them, and the same bytes from the same records."""

from __future__ import annotations

import csv
import math
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nxscatter.errors import ContainerError, ParameterError
from nxscatter.model import Beam, Detector, Sample
from nxscatter.output import table
from nxscatter.output.export import available, export
from nxscatter.output.files import write_file
from nxscatter.output.formats.csv import csv_text, table_text
from nxscatter.output.formats.q_images import image_suffix
from nxscatter.output.names import Names, record_suffix, ring_names, safe_name, station
from nxscatter.readers.registry import read_scan
from nxscatter.results import PixelProfiles, Profiles, Sectors
from nxscatter.simulate import Simulated, kinetic_stack
from nxscatter.step import make_step
from nxscatter.store.container import Container
from nxscatter.store.writer import create, creating
from nxscatter.workflow import runner
from support import toy

CHAIN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("geometry", {}),
    ("masking", {}),
    ("caving", {}),
    ("rings", {}),
    ("azimuthal_profiles", {"q": [0.05, 0.068]}),
    ("azimuthal_pixels", {"q": [0.05]}),
    ("radial_sectors", {}),
    ("fit_pseudo_voigt", {}),
    ("fit_maier_saupe", {}),
    ("order_parameter", {}),
)


def process(path: Path, raw: Path, chain: Sequence[tuple[str, dict[str, Any]]] = CHAIN) -> Container:
    with creating(path, read_scan(raw)) as writer:
        runner.run_steps(writer, [(make_step(name, parameters), name, {}) for name, parameters in chain])
    return Container(path)


@pytest.fixture(scope="module")
def processed(id02_file: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Container:
    return process(tmp_path_factory.mktemp("export") / "rods.nxs", id02_file.path)


@pytest.fixture(scope="module")
def exported(processed: Container) -> dict[str, bytes]:
    folder = processed.path.parent / "first"
    written = export(processed, folder, ["csv", "png"])
    found = tree(folder)
    assert sorted(found) == sorted(str(path.relative_to(folder)) for path in written)
    return found


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def read_csv(content: bytes) -> tuple[list[str], list[list[str]]]:
    header, *rows = csv.reader(content.decode().splitlines())
    return header, rows


def numbers(content: bytes) -> np.ndarray:
    return np.array([[float(cell) for cell in row] for row in read_csv(content)[1]])


@pytest.mark.slow
def test_files_have_the_names_that_people_expect(exported: dict[str, bytes]) -> None:
    shot = "rods_1000mT_Img00376"
    assert set(exported) == {
        "Azimuthal_Profiles/file_00376_rods_1000mT_0.05.csv",
        "Azimuthal_Profiles/file_00376_rods_1000mT_0.068.csv",
        "Azimuthal_Profiles/file_00376_rods_1000mT_0.05_pixels.csv",
        "Radial_Profiles_SAXS/rods_1000mT_full_Img00376.csv",
        "Radial_Profiles_SAXS/rods_1000mT_full_Img00376.png",
        "Radial_Profiles_SAXS/rods_1000mT_sector01_Img00376.csv",
        "Radial_Profiles_SAXS/rods_1000mT_sector02_Img00376.csv",
        "Radial_Profiles_SAXS/rods_1000mT_sectors_Img00376.png",
        f"Azim_Profile_Fittings/{shot}_0.05.png",
        f"Azim_Profile_Fittings/{shot}_0.068.png",
        f"Azim_Profile_Fittings/{shot}_0.05_fit_maier_saupe.png",
        f"Azim_Profile_Fittings/{shot}_0.068_fit_maier_saupe.png",
        f"png_images/{shot}.png",
        "SAXS_azim_profiles_refinements.csv",
        "SAXS_Fitting_results.png",
    }


@pytest.mark.slow
def test_the_same_records_give_the_same_bytes(processed: Container, exported: dict[str, bytes], tmp_path: Path) -> None:
    moved = Container(shutil.copy(processed.path, tmp_path / "rods.nxs"))
    export(moved, tmp_path / "again", ["csv", "png"])
    assert tree(tmp_path / "again") == exported


def test_profiles_hold_the_numbers_of_the_container(processed: Container, exported: dict[str, bytes]) -> None:
    profiles = processed.latest("azimuthal_profiles").load()
    assert isinstance(profiles, Profiles)
    assert np.isnan(profiles.intensity_errors).any()  # bins without measured pixels take part
    for ring, label in enumerate(("0.05", "0.068")):
        content = exported[f"Azimuthal_Profiles/file_00376_rods_1000mT_{label}.csv"]
        assert read_csv(content)[0] == ["chi (degree)", "intensity (counts)", "sigma (counts)", "pixels"]
        wanted = (profiles.bins, profiles.intensity[ring], profiles.intensity_errors[ring], profiles.pixels[ring])
        np.testing.assert_array_equal(numbers(content), np.transpose(wanted))


def test_pixels_and_sectors_hold_the_numbers_of_the_container(processed: Container, exported: dict[str, bytes]) -> None:
    pixels = processed.latest("azimuthal_pixels").load()
    assert isinstance(pixels, PixelProfiles)
    wanted = np.transpose((pixels.pixel_angle, pixels.intensity, pixels.row, pixels.column))
    np.testing.assert_array_equal(
        numbers(exported["Azimuthal_Profiles/file_00376_rods_1000mT_0.05_pixels.csv"]), wanted
    )
    sectors = processed.latest("radial_sectors").load()
    assert isinstance(sectors, Sectors)
    wanted = np.transpose((sectors.q, sectors.intensity[1], sectors.intensity_errors[1], sectors.pixels[1]))
    content = exported["Radial_Profiles_SAXS/rods_1000mT_sector02_Img00376.csv"]
    assert read_csv(content)[0][0] == "q (1/angstrom)"
    np.testing.assert_array_equal(numbers(content), wanted)


def test_the_table_file_holds_the_table(processed: Container, exported: dict[str, bytes]) -> None:
    header, cells = read_csv(exported["SAXS_azim_profiles_refinements.csv"])
    shown = table.shown_columns(table.rows(processed))
    assert [name.split(" (")[0] for name in header] == list(shown)
    assert {"q (1/angstrom)", "x0 (degree)", "gamma_error (degree)", "S", "status"} <= set(header)
    rows = table.rows(processed)
    assert len(cells) == len(rows) > 0
    for row, line in zip(rows, cells, strict=True):
        for cell, value in zip(line, (row[name] for name in shown), strict=True):
            assert cell == "" if value is None else type(value)(cell) == value


def test_numbers_survive_the_text() -> None:
    values = [0.1 + 0.2, 1e-300, -1 / 3, math.pi * 1e17, float(np.float32(0.1))]
    text = csv_text(["a"], [[value] for value in values])
    assert [float(line) for line in text.splitlines()[1:]] == values


@pytest.mark.parametrize("text", ["=1+1", "+x", "-x", "@x", "\t=1"])
def test_text_never_becomes_a_formula(text: str) -> None:
    row = dict.fromkeys(table.columns()) | {"sample": text, "S": -0.25, "frame": 0}
    _, ((*cells,),) = read_csv(table_text([row]).encode())
    found = dict(zip(table.shown_columns([row]), cells, strict=True))
    assert found["sample"] == f"'{text}"
    assert (found["S"], found["frame"], found["q"]) == ("-0.25", "0", "")


def test_formats_are_found_and_unknown_ones_refused(processed: Container, tmp_path: Path) -> None:
    assert {"csv", "png"} <= set(available())
    with pytest.raises(ParameterError, match=r"unknown format 'cvs': use one of .*csv.*png"):
        export(processed, tmp_path, ["csv", "cvs"])
    assert tree(tmp_path) == {}


def test_one_format_and_one_record(processed: Container, tmp_path: Path) -> None:
    written = export(processed, tmp_path / "fit", ["csv"], record="fit_maier_saupe")
    assert [path.name for path in written] == ["SAXS_azim_profiles_refinements.csv"]
    header, cells = read_csv(written[0].read_bytes())
    assert {line[header.index("model")] for line in cells} == {"maier_saupe"}
    assert len(cells) == 2
    (image,) = export(processed, tmp_path / "image", ["png"], record="masking_v1")
    assert image.name == "rods_1000mT_Img00376_masking.png"
    with pytest.raises(ContainerError, match="has no record 'fit_kratky'"):
        export(processed, tmp_path, ["csv"], record="fit_kratky")


def test_without_a_folder_beside_the_container(box: Container) -> None:
    written = export(box, formats=["csv"])
    assert {path.parent.parent for path in written if path.parent.name == "Azimuthal_Profiles"} == {box.path.parent}


def test_containers_given_together_share_a_table(tmp_path: Path) -> None:
    boxes = []
    for number, field in enumerate((100.0, 200.0)):
        scan = toy.scan(number)
        scan = replace(
            scan, sample=Sample("Co", field), origin=replace(scan.origin, file_name=f"a_0000{number}_raw.h5")
        )
        with creating(tmp_path / f"{number}.nxs", scan) as writer:
            runner.run_steps(writer, toy.chain())
        boxes.append(Container(tmp_path / f"{number}.nxs"))
    written = export([*boxes, Container(boxes[0].path)], tmp_path / "out", ["csv"])
    assert len(written) == len(set(written))
    (refinements,) = [path for path in written if path.name.endswith("refinements.csv")]
    header, cells = read_csv(refinements.read_bytes())
    assert [line[header.index("field_mT")] for line in cells] == ["100.0"] * 2 + ["200.0"] * 2


def test_containers_whose_files_would_collide_are_refused(box: Container, tmp_path: Path) -> None:
    twin = Container(shutil.copy(box.path, tmp_path / "twin.nxs"))
    with pytest.raises(ContainerError, match=r"twin.nxs and .*toy.nxs make files of the same names.*different folders"):
        export([box, twin], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_older_version_and_a_named_record_have_names_of_their_own(box: Container, tmp_path: Path) -> None:
    def names() -> list[str]:
        return [record_suffix(one, Profiles) for one in box.records if one.step == "toy_profiles"]

    assert names() == [""]
    runner.run(box, toy.ToyProfiles(q=(0.05,)))
    assert names() == ["_toy_profiles_v1", ""]
    runner.run(box, toy.ToyProfiles(q=(0.07,)), name="outer")
    assert names() == ["_toy_profiles_v1", "", "_outer"]
    written = {path.name for path in export(box, tmp_path, ["csv"])}
    assert "file_a_raw_Co_100mT_0.05.csv" in written
    assert "file_a_raw_Co_100mT_0.07_outer.csv" in written
    assert image_suffix(box.latest("toy_masking")) == "_toy_masking"  # there is a caved image too


def test_frames_of_a_stack_are_kept_apart(tmp_path: Path) -> None:
    raw = kinetic_stack(tmp_path / "kin_eiger2_00012_raw.h5", frames=2)
    each = {"q": [0.05], "frames": "each"}
    made = process(tmp_path / "kin.nxs", raw.path, (*CHAIN[:2], ("azimuthal_profiles", each)))
    folder = tmp_path / "out"
    export(made, folder, ["csv"])
    profiles = made.latest("azimuthal_profiles").load()
    assert isinstance(profiles, Profiles)
    files = tree(folder)
    assert len(files) == 2
    for frame in range(2):
        content = files[f"Azimuthal_Profiles/file_00012_rods_0.05_frame0000{frame}.csv"]
        np.testing.assert_array_equal(numbers(content)[:, 1], profiles.intensity[frame, 0])


def test_what_cannot_be_written_is_said_in_one_line(processed: Container, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ContainerError, match=r"taken.*cannot be written") as caught:
        export(processed, tmp_path / "taken", ["csv"])
    assert "\n" not in str(caught.value)


def test_a_file_is_the_old_one_or_the_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_file(tmp_path / "sub" / "a.csv", b"old")

    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(ContainerError, match="the disk is full"):
        write_file(path, b"new")
    assert tree(tmp_path) == {"sub/a.csv": b"old"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("25Ti_x", "25Ti_x"),
        ("../../etc/passwd", "etc_passwd"),
        ("AG BH", "AG_BH"),
        ("Co₃O₄ β/α", "Co₃O₄_β_α"),
        ("-rf *", "rf"),
        ("a\0b\nc", "a_b_c"),
        ("..", "unknown"),
        ("", "unknown"),
    ],
)
def test_sample_names_become_safe(text: str, name: str) -> None:
    assert safe_name(text) == name


def test_long_sample_names_are_cut_between_letters() -> None:
    name = safe_name("β" * 300)
    assert name == "β" * (len(name.encode()) // 2)
    assert 60 < len(name.encode()) <= 80


def test_rings_are_named_by_reflection_or_by_q_and_all_differ() -> None:
    assert ring_names([0.05, 0.0498712, 2.8939], ["", "", "1 0 0"]) == ["0.05", "0.04987", "100"]
    assert ring_names([0.05, 0.050001], ["", ""]) == ["0.05", "0.050001"]
    assert ring_names([0.05, 0.05, 0.07], ["", "", ""]) == ["0.05_ring1", "0.05_ring2", "0.07"]
    assert ring_names([1.0, 2.0, 3.0], ["1 -1 0", "1 10 0", "1 1 0"]) == ["1_-1_0", "1_10_0", "110"]


@pytest.mark.parametrize(
    ("file_name", "detector", "distance", "expected"),
    [
        ("LPCNOsaxs_eiger2_00376_raw.h5", "id02-eiger2-saxs", 3.0, "SAXS"),
        ("LPCNO_eiger2_00230_raw.h5", "id02-eiger2-saxs", 31.0, "USAXS"),
        ("LPCNO_waxs_00230_raw.h5", "", 31.0, "WAXS"),
        ("scan_00001_00.h5", "id02-rayonixhs-waxs", 0.5, "WAXS"),
        ("xeuss_0_00012.edf", "Pilatus", 2.4, "SAXS"),
        ("xeuss_0_00012.edf", "Pilatus", 0.1, "WAXS"),
        ("xeuss_0_00012.edf", "", float("nan"), "SAXS"),
    ],
)
def test_prefix(file_name: str, detector: str, distance: float, expected: str) -> None:
    described = Detector(detector, 2162, 2068, distance, 75e-6, 75e-6, 1102.0, 1049.0)
    assert station(file_name, described, Beam(1.0)) == expected


@pytest.mark.parametrize(("field", "part"), [(float("nan"), "Co"), (-1400.0, "Co_-1400mT"), (0.5, "Co_0.5mT")])
def test_the_field_is_named_where_it_is_known(tmp_path: Path, field: float, part: str) -> None:
    scan = toy.scan()
    scan = replace(scan, sample=Sample("Co", field), origin=replace(scan.origin, file_name="x_eiger2_00007_raw.h5"))
    names = Names.of(create(tmp_path / "a.nxs", scan))
    assert names.map_figure() == Path(f"png_images/{part}_Img00007.png")
    assert names.azimuthal_profile("110") == Path(f"Azimuthal_Profiles/file_00007_{part}_110.csv")
    assert names.map_arrays() == Path(f"png_images/USAXS_{part}_Img00007.npz")


def test_listing_formats_is_cheap() -> None:
    heavy = "{'pandas', 'matplotlib', 'h5py'}"
    code = f"import sys, nxscatter.output.export as e; e.available(); print({heavy} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"

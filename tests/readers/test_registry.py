"""The registry of readers, and what it says about any file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from fabio.edfimage import EdfImage

import nxscatter.readers.registry
from nxscatter.errors import ParameterError, ReadError
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.headers.missing import missing_note, split_note
from nxscatter.readers.registry import find_reader, identify, read_scan, readers
from support.nxsas_case import write_nxsas

KEYS = {"SampleDistance": 1, "WaveLength": 1e-10, "PSize_1": 1e-4, "PSize_2": 1e-4, "Center_1": 2, "Center_2": 2}


def write_edf(path: Path, header: dict[str, Any]) -> Path:
    EdfImage(np.ones((3, 4), "int32"), {key: str(value) for key, value in header.items()}).write(str(path))
    return path


def test_the_readers_are_registered_under_their_names() -> None:
    known = readers()
    assert set(known) >= {"id02", "image", "lgc", "nxsas", "swing"}
    assert all(reader.name == name for name, reader in known.items())


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("xeuss_AgBh_2018-01-31-OT_0_13459.edf", "lgc"),
        ("NXsas_10frames_example.hdf5", "nxsas"),
        ("APS_SAXS_NXsas.hdf", "nxsas"),
        ("CeO2_Pilatus1M.tif", "image"),
    ],
)
def test_every_real_file_is_claimed_by_one_reader(shared_data: Path, name: str, reader: str) -> None:
    claims = [one.name for one in readers().values() if one.recognises(shared_data / name)]
    assert claims == [reader]


@pytest.mark.parametrize(
    "content",
    [b"", b"\x89HDF\r\n\x1a\n", b"\x89HDF\r\n\x1a\n" + b"\0" * 500, b"{\nDim_1 = 3 ;", b"II*\0", b"text", b"\xff"],
)
@pytest.mark.parametrize("suffix", [".h5", ".edf", ".nxs"])
def test_no_reader_raises_on_any_file(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    for reader in readers().values():
        assert reader.recognises(path) in (True, False)
    with pytest.raises(ReadError, match=rf"^a\{suffix}: ") as raised:
        read_scan(path)
    assert "\n" not in str(raised.value)


def test_a_file_that_nobody_knows_names_it_and_the_readers(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(bytes(range(256)))
    with pytest.raises(ReadError, match=r"^a\.bin: not recognised by any reader \(id02, image, lgc.*--reader$"):
        find_reader(tmp_path / "a.bin")
    with h5py.File(tmp_path / "b.nxs", "w") as file:
        file["entry/data"] = 1
    with pytest.raises(ReadError, match=r"^b\.nxs: is a NeXus file without a definition"):
        find_reader(tmp_path / "b.nxs")


def test_a_container_of_ours_belongs_to_no_reader(tmp_path: Path) -> None:
    path = tmp_path / "a.nxs"
    with h5py.File(path, "w") as file:
        file.attrs["creator"] = "nxscatter"
        file["entry/definition"] = "NXsas"
        file["entry"].attrs["NX_class"] = "NXentry"
    assert not any(reader.recognises(path) for reader in readers().values())
    with pytest.raises(ReadError, match=r"^a\.nxs: is a nxscatter container already"):
        find_reader(path)


def test_a_truncated_file_is_not_just_unknown(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["entry_0000/measurement/data"] = np.zeros((10, 100, 100))
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(ReadError, match=r"^a\.h5: is truncated; copy it again$"):
        read_scan(path)


def test_missing_files_folders_and_unknown_readers(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="no such file"):
        find_reader(tmp_path / "absent.h5")
    with pytest.raises(ReadError, match="is a folder"):
        find_reader(tmp_path)
    with pytest.raises(ParameterError, match="unknown reader 'saxs': use one of id02, image"):
        find_reader(write_edf(tmp_path / "a.edf", KEYS), "saxs")


def test_two_claims_name_both_and_the_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Greedy:
        name = "greedy"

        def recognises(self, path: Path) -> bool:
            return True

    both = {**readers(), "greedy": Greedy()}
    monkeypatch.setattr(nxscatter.readers.registry, "_installed", lambda: both)
    path = write_edf(tmp_path / "a.edf", KEYS)
    with pytest.raises(ReadError, match=r"^a\.edf: readers lgc and greedy both claim it; choose one with --reader$"):
        find_reader(path)
    assert find_reader(path, "lgc").name == "lgc"


def test_identify_tells_what_is_found_and_which_option_supplies_the_rest(tmp_path: Path) -> None:
    header = {key: value for key, value in KEYS.items() if key != "SampleDistance"} | {"Comment": "Co12"}
    found = identify(write_edf(tmp_path / "a.edf", header))
    assert (found.file, found.reader) == ("a.edf", "lgc")
    assert (found.found["rows"], found.found["columns"], found.found["sample"]) == (3, 4, "Co12")
    assert "distance_m" not in found.found
    assert "field_mT" not in found.found
    assert found.missing == (
        ("header key SampleDistance is missing", "--poni"),
        ("title 'Co12' names no magnetic field", "--field-mT"),
    )


def test_identify_takes_options_and_tells_what_cannot_be_trusted(tmp_path: Path) -> None:
    fields = {"polar_angle": (5.0, "degree"), "distance": (200.0, "")}
    path = write_nxsas(tmp_path / "a.h5", fields)
    found = identify(path, options=ReadOptions(units="mm", swap_center=True, orient=3))
    assert (found.found["distance_m"], found.found["orientation"]) == (0.2, 3)
    assert (found.found["center_x_pixel"], found.found["center_y_pixel"]) == pytest.approx((160.25, 90.5))
    assert [doubt.status for doubt in found.doubts] == ["off_geometry"]
    assert identify(path).missing[0] == ("dataset distance = 200 has no units", "--units")
    turned = identify(write_nxsas(tmp_path / "b.h5", {"pitch": (5.0, "degree")}))
    assert turned.found["rotations_degree"] == "0, 5, 0"


def test_options_fill_in_what_identify_misses(tmp_path: Path) -> None:
    path = write_edf(tmp_path / "a.edf", KEYS)
    scan = read_scan(path, options=ReadOptions(sample="rods", field_mT=-20.0))
    assert (scan.sample.name, scan.sample.magnetic_field) == ("rods", -20.0)


def test_notes_of_missing_things_are_told_from_others() -> None:
    assert split_note(missing_note("no (magnetic) field", "--field-mT")) == ("no (magnetic) field", "--field-mT")
    assert split_note("Date = 'x' names no time zone: UTC is assumed") is None


def test_importing_the_registry_costs_no_heavy_package() -> None:
    heavy = {"h5py", "fabio", "pyFAI", "pandas", "matplotlib", "numpy"}
    code = f"import sys, nxscatter.readers.registry; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"

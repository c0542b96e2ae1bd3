"""Raw files made again from containers: the same counts, and read as the originals were."""

from __future__ import annotations

import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest

from nxscatter import simulate
from nxscatter.errors import ContainerError
from nxscatter.model import Attachment, Hdf5Frames, Scan
from nxscatter.output.raw_file import extract
from nxscatter.plain import canonical_json
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.registry import read_scan
from nxscatter.store.container import Container
from nxscatter.store.writer import create
from nxscatter.workflow.conversion import convert
from support import toy

PATTERN = simulate.oriented((0.05,), kappa=4.0)
MEASURED = ("beam", "detector", "sample", "exposure")
SAID = ("title", "start_time", "end_time", "instrument", "source_name", "source_type", "structure")


def counts(scan: Scan) -> np.ndarray:
    if not isinstance(scan.frames, Hdf5Frames):
        return scan.frames
    with h5py.File(scan.frames.path) as file:
        return np.asarray(file[scan.frames.dataset][()]).reshape(scan.frames.shape)


def assert_same(one: Scan, other: Scan) -> None:
    """Everything that a reader finds, but for the hash of the file's own bytes."""
    for name in MEASURED:
        assert canonical_json(asdict(getattr(one, name))) == canonical_json(asdict(getattr(other, name)))
    for name in SAID:
        assert getattr(one, name) == getattr(other, name), name
    assert one.masks == other.masks
    assert one.auxiliary == other.auxiliary
    assert one.origin.notes == other.origin.notes
    assert {path: str(value) for path, value in one.metadata.items()} == {
        path: str(value) for path, value in other.metadata.items()
    }
    assert counts(one).dtype == counts(other).dtype
    np.testing.assert_array_equal(counts(one), counts(other))


def roundtrip(path: Path, folder: Path, options: ReadOptions | None = None) -> tuple[Scan, Scan, list[Path]]:
    """Read a file, and read what is extracted from its container."""
    box = convert(path, folder / "box.nxs", options=options)
    files = extract(box, folder / "out")
    return read_scan(path, options=options), read_scan(files[0], options=options), files


@pytest.mark.parametrize("values", ["bytes", "text", "number"])
@pytest.mark.parametrize("layout", ["old", "new"])
def test_id02_files(tmp_path: Path, layout: Any, values: Any) -> None:
    path = tmp_path / simulate.id02_name("rods", 12, layout=layout)
    simulate.write_id02(path, [PATTERN, PATTERN], layout=layout, values=values, creator="lima")
    one, other, files = roundtrip(path, tmp_path)
    assert_same(one, other)
    assert dict(one.origin.header) == dict(other.origin.header)
    assert files[0].name == path.name
    assert {file.name for file in files[1:]} == {mask.name for mask in one.masks}
    with h5py.File(path) as old, h5py.File(files[0]) as new:  # either name of the frames leads to them
        for name in ("entry_0000/measurement/data", _detector(old) + "/data"):
            np.testing.assert_array_equal(old[name][()], new[name][()])


def _detector(file: h5py.File) -> str:
    found: list[str] = []
    file.visititems(lambda name, item: found.append(name) if item.attrs.get("NX_class") == "NXdetector" else None)
    return found[0]


def test_chunks_are_not_encoded_again(tmp_path: Path) -> None:
    path = tmp_path / simulate.id02_name("rods", 12)
    simulate.write_id02(path, PATTERN)
    _, _, files = roundtrip(path, tmp_path)
    with h5py.File(path) as old, h5py.File(files[0]) as new:
        chunks = [file["entry_0000/measurement/data"].id.read_direct_chunk((0, 0, 0)) for file in (old, new)]
    assert chunks[0] == chunks[1]


def test_lgc_files(tmp_path: Path) -> None:
    path = tmp_path / simulate.lgc_name("agbh", 12)
    simulate.write_lgc(path, PATTERN)
    one, other, files = roundtrip(path, tmp_path)
    assert_same(one, other)
    assert dict(one.origin.header) == dict(other.origin.header)
    assert files[0].name == path.name


def write_swing(path: Path) -> None:
    with h5py.File(path, "w") as file:
        entry = file.create_group("exp")
        entry.attrs["NX_class"] = "NXentry"
        detector = entry.create_group("SWING/EIGER-4M")
        for name, value in {
            "distance": 3000.0,
            "pixel_size_x": 75.0,
            "pixel_size_z": 75.0,
            "dir_beam_x": 15.5,
            "dir_beam_z": 12.5,
            "exposure_time": 0.5,
        }.items():
            detector[name] = np.array([value])
        entry["SWING/i11-c-c03__op__mono/wavelength"] = np.array([1.03])
        entry["sample_info/ChemSAXS/sample_name"] = "rods_100mT"
        entry["scan_data/eiger_image"] = np.random.default_rng(1).poisson(5, (2, 1, 24, 30)).astype(np.uint32)


def write_nxsas(path: Path) -> None:
    """An NXsas file with units other than ours, a pixel mask inside, and the frames under two names."""
    with h5py.File(path, "w") as file:
        entry = file.create_group("sasentry")
        entry.attrs["NX_class"] = "NXentry"
        entry["definition"], entry["title"] = "NXsas", "rods 50 mT"
        instrument = entry.create_group("lab")
        instrument.attrs["NX_class"] = "NXinstrument"
        monochromator = instrument.create_group("mono")
        monochromator.attrs["NX_class"] = "NXmonochromator"
        detector = instrument.create_group("pilatus")
        detector.attrs["NX_class"] = "NXdetector"
        for group, name, value, units in (
            (monochromator, "wavelength", 0.154, "nm"),
            (detector, "distance", 1500.0, "mm"),
            (detector, "x_pixel_size", 172.0, "um"),
            (detector, "y_pixel_size", 172.0, "um"),
            (detector, "beam_center_x", 2.58, "mm"),
            (detector, "beam_center_y", 2.0, "mm"),
        ):
            group[name] = value
            group[name].attrs["units"] = units
        frames = np.random.default_rng(2).poisson(5, (3, 24, 30)).astype(np.int32)
        detector.create_dataset("data", data=frames, chunks=(1, 24, 30), **hdf5plugin.LZ4())
        detector["pixel_mask"] = (frames[0] == 0).astype(np.uint32)
        plotted = entry.create_group("data")
        plotted.attrs.update(NX_class="NXdata", signal="data")
        plotted["data"] = detector["data"]


@pytest.mark.parametrize("write", [write_swing, write_nxsas])
def test_other_hdf5_files(tmp_path: Path, write: Any) -> None:
    path = tmp_path / "rods_00007.nx5"
    write(path)
    one, other, files = roundtrip(path, tmp_path)
    assert_same(one, other)
    assert [file.name for file in files] == ["rods_00007.nx5"]  # the mask is inside, as it was


@pytest.mark.parametrize("name", ["APS_SAXS_NXsas.hdf", "NXsas_10frames_example.hdf5"])
def test_real_nxsas_files(shared_data: Path, tmp_path: Path, name: str) -> None:
    one, other, _ = roundtrip(shared_data / name, tmp_path)
    assert_same(one, other)


def test_a_real_edf_file(shared_data: Path, tmp_path: Path) -> None:
    one, other, _ = roundtrip(shared_data / "xeuss_AgBh_2018-01-31-OT_0_13459.edf", tmp_path)
    assert_same(one, other)
    assert dict(one.origin.header) == dict(other.origin.header)


def test_a_tiff_becomes_an_edf_with_its_calibration_beside(shared_data: Path, tmp_path: Path) -> None:
    poni = shared_data / "CeO2_Pilatus1M.poni"
    one, other, files = roundtrip(shared_data / "CeO2_Pilatus1M.tif", tmp_path, ReadOptions(poni=poni))
    assert [file.name for file in files] == ["CeO2_Pilatus1M.edf", "CeO2_Pilatus1M.poni"]
    assert_same(one, other)
    again = read_scan(files[0], options=ReadOptions(poni=files[1]))
    assert canonical_json(asdict(again.detector)) == canonical_json(asdict(one.detector))


def test_nothing_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / simulate.id02_name("rods", 12)
    simulate.write_id02(path, PATTERN)
    box = convert(path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(ContainerError, match=rf"{path.name}: is there already; extract into another folder"):
        extract(box, tmp_path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_names_from_a_file_are_no_paths(tmp_path: Path) -> None:
    scan = toy.scan()
    masks = tuple(Attachment(name, scan.masks[0].content, "mask") for name in ("../../m.edf", "m.edf", "m.npy"))
    scan = replace(scan, origin=replace(scan.origin, file_name="../../../evil name.h5"), masks=masks, auxiliary=())
    files = extract(create(tmp_path / "x.nxs", scan), tmp_path / "out")
    names = ["evil_name.h5", "m.edf", "2_m.edf", "m.npy.edf"]
    assert [file.relative_to(tmp_path / "out").name for file in files] == names
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == sorted(names)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out", "x.nxs"]


def test_a_header_from_another_file_is_written_beside_the_frames(tmp_path: Path) -> None:
    """A master file that points to the detector's own: its frames and header come out as one file."""
    folder = tmp_path / "in"
    folder.mkdir()
    lima = folder / simulate.id02_name("rods", 12)
    simulate.write_id02(lima, [PATTERN, PATTERN], run=simulate.Run("rods", 100.0))
    with h5py.File(lima) as file:
        shape, kind = file["entry_0000/measurement/data"].shape, file["entry_0000/measurement/data"].dtype
    virtual = h5py.VirtualLayout(shape, kind)
    virtual[:] = h5py.VirtualSource(lima.name, "entry_0000/measurement/data", shape, kind)
    with h5py.File(folder / "rods_00012.h5", "w") as file:
        detector = file.create_group("1.1/instrument/eiger2")
        detector.attrs["NX_class"] = "NXdetector"
        detector.create_virtual_dataset("data", virtual)
    box = convert(folder / "rods_00012.h5", tmp_path / "box.nxs")
    shutil.rmtree(folder)
    again = read_scan(extract(box, tmp_path / "out")[0])
    assert canonical_json(asdict(again.detector)) == canonical_json(asdict(box.detector))
    assert again.sample == box.sample
    np.testing.assert_array_equal(counts(again), np.stack(list(box.raw)))


def test_a_container_without_a_described_source_gives_its_frames(box: Container, tmp_path: Path) -> None:
    files = extract(box, tmp_path / "out")
    assert [file.name for file in files] == ["a_raw.h5", "gaps.edf", "notes.txt"]
    assert files[2].read_text() == "kept cold, Å\n"
    with h5py.File(files[0]) as file:
        np.testing.assert_array_equal(file["entry_0000/measurement/data"][()], toy.scan().frames)
        assert file["a/b"].asstr()[()] == "x\N{SYMBOL FOR NULL}y"
        assert "source_path" not in file["a/b"].attrs

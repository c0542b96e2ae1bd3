"""ID02 files in all their layouts."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest
from fabio.edfimage import EdfImage

from nxscatter.errors import ReadError
from nxscatter.model import Hdf5Frames, Scan
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.id02 import Id02Reader
from nxscatter.readers.registry import read_scan

COUNTS = np.arange(2 * 6 * 5, dtype="uint32").reshape(2, 6, 5)
HEADER = {
    "SampleDistance": 1.5,
    "WaveLength": 1e-10,
    "PSize_1": 7.5e-05,
    "PSize_2": 7.5e-05,
    "Center_1": 2.5,
    "Center_2": 3.25,
    "Title": "25Ti_x_100mT",
    "Dummy": -10,
    "DDummy": 0.1,
}
FORMS: dict[str, Callable[[Any], Any]] = {
    "numbers": lambda value: value,
    "text": str,
    "bytes": lambda value: np.bytes_(str(value)),
    "arrays of one": lambda value: np.array([str(value).encode()]),
}


def write(
    path: Path,
    data: Any = COUNTS,
    header: dict[str, Any] | None = HEADER,
    detector: str = "instrument/id02-eiger2-saxs",
    shared: bool = True,
    classes: bool = True,
    form: str = "bytes",
) -> Path:
    """Write a Lima file; ``shared``: frames lie in measurement/data and the detector links to them, or otherwise."""
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry_0000")
        entry["start_time"], entry["end_time"] = b"2020-01-31T10:00:00.25+0100", b"2020-01-31T10:00:04+0100"
        group = entry.create_group(detector)
        measurement = entry.create_group("measurement")
        home, other = (measurement, group) if shared else (group, measurement)
        home.create_dataset("data", data=data, chunks=data.shape, **hdf5plugin.Bitshuffle())
        other["data"] = h5py.SoftLink(home["data"].name)
        group["acquisition/nb_frames"], group["acquisition/exposure_time"] = 2, 0.5
        group["image_operation/binning/x"], group["image_operation/binning/y"] = 2, 4
        if header is not None:
            keys = group.create_group("header")
            for key, value in header.items():
                keys[key] = FORMS[form](value)
        if classes:
            entry.attrs["NX_class"], group.attrs["NX_class"] = "NXentry", "NXdetector"
            group.parent.attrs["NX_class"] = "NXinstrument"
    return path


def loaded(scan: Scan) -> Any:
    assert isinstance(scan.frames, Hdf5Frames)
    with h5py.File(scan.frames.path) as file:
        return file[scan.frames.dataset][()]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("detector", "shared", "classes"),
    [
        ("instrument/id02-eiger2-saxs", True, True),
        ("instrument/id02-rayonixhs-waxs", True, True),
        ("ESRF-ID02/eiger2", False, True),
        ("ESRF-ID02/eiger2", True, False),
    ],
)
def test_every_layout_gives_the_same_scan(
    tmp_path: Path, form: str, detector: str, shared: bool, classes: bool
) -> None:
    path = write(
        tmp_path / "LPCNOsaxs_eiger2_00376_raw.h5", detector=detector, shared=shared, classes=classes, form=form
    )
    scan = read_scan(path)
    np.testing.assert_array_equal(loaded(scan), COUNTS)
    assert isinstance(scan.frames, Hdf5Frames)
    assert scan.frames.path == path
    assert scan.frames.shape == (2, 6, 5)
    found = scan.detector
    assert (scan.beam.wavelength, found.distance, found.pixel_size_x, found.pixel_size_y) == (1.0, 1.5, 7.5e-5, 7.5e-5)
    assert (found.center_x, found.center_y, found.dummy, found.ddummy) == (2.5, 3.25, -10.0, 0.1)
    assert (found.name, found.binning_x, found.binning_y) == (detector.rpartition("/")[2], 2, 4)
    assert (scan.sample.name, scan.sample.magnetic_field, scan.title) == ("25Ti_x", 100.0, "25Ti_x_100mT")
    assert scan.start_time == datetime(2020, 1, 31, 9, 0, 0, 250000, tzinfo=UTC)
    assert scan.end_time == datetime(2020, 1, 31, 9, 0, 4, tzinfo=UTC)
    assert scan.exposure.time.tolist() == [0.5, 0.5]
    assert scan.exposure.elapsed.size == 0
    assert (scan.origin.reader, scan.origin.type) == ("id02", "application/x-hdf5")
    assert scan.origin.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert scan.origin.header["Title"] == "25Ti_x_100mT"
    assert scan.origin.notes == ()
    assert scan.metadata[f"/entry_0000/{detector}/acquisition/nb_frames"] == 2
    assert not any(path.endswith("/data") for path in scan.metadata)


def test_one_image_is_a_stack_of_one(tmp_path: Path) -> None:
    scan = read_scan(write(tmp_path / "a.h5", COUNTS[0]))
    assert scan.shape == (1, 6, 5)
    assert scan.exposure.elapsed.tolist() == [0.0]
    assert "acquisition/nb_frames is 2, the file has 1 frames" in scan.origin.notes


def test_monitors_and_a_clock(tmp_path: Path) -> None:
    scalers = {"HSTime": "t", "HSI0": 2, "HSI1": 3, "HS32N01": "t", "HS32F01": 1e-6, "HS32C01": 500_000}
    scalers |= {"HS32C02": 1050, "HS32Z02": 100, "HS32F02": 2, "HS32C03": 800, "HS32Z03": 0, "HS32F03": 1}
    scalers["NormalizationFactor"] = "2.5"
    path = write(tmp_path / "a.h5", header=HEADER | scalers)
    with h5py.File(path, "a") as file:
        file["entry_0000/measurement/elapsed_time"] = [12.5, 14.0]
    exposure = read_scan(path).exposure
    assert exposure.intensity0.tolist() == [2000.0, 2000.0]
    assert exposure.intensity1.tolist() == [800.0, 800.0]
    assert exposure.normalization == 2.5
    assert exposure.elapsed.tolist() == [0.0, 1.5]


def test_scalers_as_arrays_of_the_entry(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", header=HEADER | {"HSTime": 1, "HSI0": 2})
    with h5py.File(path, "a") as file:
        group = file.create_group("entry_0000/instrument/MCS")
        group["HS32C"], group["HS32N"] = [[1_000_000, 100], [1_000_000, 120]], ["t", "a"]
        group["HS32Z"], group["HS32F"] = [0.0, 20.0], [1e-6, 1.0]
    assert read_scan(path).exposure.intensity0.tolist() == [80.0, 100.0]


def test_times_of_frames_from_exposure_and_latency_are_noted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        file["entry_0000/instrument/id02-eiger2-saxs/acquisition/latency_time"] = 0.1
    scan = read_scan(path)
    assert scan.exposure.elapsed.tolist() == [0.0, 0.6]
    assert "elapsed time of each frame is computed from exposure_time and latency_time" in scan.origin.notes


def test_named_files_are_found_where_named_beside_the_data_or_in_the_folder_given(tmp_path: Path) -> None:
    named, aux = tmp_path / "named", tmp_path / "aux"
    named.mkdir()
    aux.mkdir()
    mask = np.zeros((6, 5), "int32")
    mask[0, 1] = 5
    EdfImage(mask).write(str(named / "stop.edf"))
    EdfImage(mask.T.copy()).write(str(tmp_path / "gaps.edf"))
    EdfImage(mask + 0.5).write(str(aux / "flat.edf"))
    EdfImage(mask + 1.5).write(str(tmp_path / "dark.edf"))
    header = HEADER | {
        "MaskFilePath": str(named), "MaskFileName": "stop.edf",
        "DetectorMaskFilePath": "/data/visitor", "DetectorMaskFileName": "gaps.edf",
        "FlatfieldFilePath": "/data/visitor", "FlatfieldFileName": "flat.edf",
        "DarkFilePath": "/data/visitor", "DarkFileName": "dark.edf",
        "WindowFilePath": "/data/visitor", "WindowFileName": "window.h5",
    }  # fmt: skip
    scan = read_scan(write(tmp_path / "a.h5", header=header), options=ReadOptions(aux_dir=aux))
    assert [(one.name, one.role) for one in scan.masks] == [("stop.edf", "beamstop")]
    assert np.argwhere(np.asarray(scan.masks[0].content)).tolist() == [[0, 1]]
    assert [(one.name, one.role) for one in scan.auxiliary] == [("dark.edf", "dark"), ("flat.edf", "flat")]
    assert np.asarray(scan.auxiliary[1].content).max() == 5.5
    assert scan.origin.notes == (
        "MaskFileName stop.edf is used as beamstop",
        "DetectorMaskFileName gaps.edf has 5 x 6 pixels, the frames have 6 x 5: not used (--mask)",
        "DarkFileName dark.edf is used as dark",
        "FlatfieldFileName flat.edf is used as flat",
        "WindowFileName window.h5 is not found (--aux-dir)",
    )


@pytest.mark.parametrize("links", [1, 2])
def test_masks_are_found_beside_what_a_link_points_to(tmp_path: Path, links: int) -> None:
    raw, work = tmp_path / "raw", tmp_path / "work"
    raw.mkdir()
    work.mkdir()
    EdfImage(np.ones((6, 5), "int32")).write(str(raw / "stop.edf"))
    path = write(raw / "a.h5", header=HEADER | {"MaskFilePath": "/data/visitor", "MaskFileName": "stop.edf"})
    for number in range(links):
        link = work / f"link_{number}.h5"
        link.symlink_to(path)
        path = link
    scan = read_scan(path)
    assert [mask.name for mask in scan.masks] == ["stop.edf"]
    assert scan.origin.doubts == ()


@pytest.mark.parametrize(
    ("name", "said"),
    [("nowhere.edf", "not found"), ("turned.edf", "5 x 6 pixels"), ("C:\\masks\\nowhere.edf", "not found")],
)
@pytest.mark.parametrize("key", ["Mask", "DetectorMask"])
def test_a_mask_that_is_missing_or_does_not_fit_is_a_doubt(tmp_path: Path, name: str, said: str, key: str) -> None:
    EdfImage(np.ones((5, 6), "int32")).write(str(tmp_path / "turned.edf"))
    (doubt,) = read_scan(write(tmp_path / "a.h5", header=HEADER | {f"{key}FileName": name})).origin.doubts
    assert doubt.status == "mask_missing"
    assert said in doubt.reason
    assert "--mask" in doubt.reason


def test_a_mask_named_on_another_system_is_found_by_its_name(tmp_path: Path) -> None:
    EdfImage(np.ones((6, 5), "int32")).write(str(tmp_path / "stop.edf"))
    scan = read_scan(write(tmp_path / "a.h5", header=HEADER | {"MaskFileName": "C:\\masks\\stop.edf"}))
    assert [mask.name for mask in scan.masks] == ["stop.edf"]


def test_masks_are_found_beside_the_lima_file_of_a_master(tmp_path: Path) -> None:
    folder = tmp_path / "scan0001"
    folder.mkdir()
    EdfImage(np.ones((6, 5), "int32")).write(str(folder / "stop.edf"))
    header = HEADER | {"MaskFilePath": "/data/visitor", "MaskFileName": "stop.edf"}
    lima = write(folder / "eiger2_00001.h5", header=header, detector="ESRF-ID02/eiger2", shared=False)
    inside = "/entry_0000/ESRF-ID02/eiger2/data"
    for kind in ("virtual", "external"):
        with h5py.File(tmp_path / f"{kind}.h5", "w") as file:
            group = file.create_group("1.1/instrument/eiger2")
            group.attrs["NX_class"] = "NXdetector"
            if kind == "external":
                group["data"] = h5py.ExternalLink(f"scan0001/{lima.name}", inside)
            else:
                layout = h5py.VirtualLayout(shape=COUNTS.shape, dtype=COUNTS.dtype)
                layout[:] = h5py.VirtualSource(f"scan0001/{lima.name}", inside, shape=COUNTS.shape)
                group.create_virtual_dataset("data", layout)
        assert [mask.name for mask in read_scan(tmp_path / f"{kind}.h5").masks] == ["stop.edf"]


def test_two_stacks_of_different_length_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        (detector,) = file["entry_0000/instrument"].values()
        shared = file["entry_0000/measurement/data"][()]
        for place in (detector, file["entry_0000/measurement"]):
            if "data" in place:
                del place["data"]
        detector["data"], file["entry_0000/measurement/data"] = shared[:1], shared
    (doubt,) = read_scan(path).origin.doubts
    assert doubt.status == "lost_frames"
    assert "(1, 6, 5)" in doubt.reason
    assert "(2, 6, 5)" in doubt.reason


@pytest.mark.parametrize(
    ("chunks", "written", "lost"),
    [
        ((1, 6, 5), [(0, 0), (2, 0)], (1, 3)),
        ((1, 3, 5), [(0, 0), (0, 3), (1, 0), (2, 0), (2, 3)], (1, 3)),
        ((3, 6, 5), [(0, 0)], (3,)),
    ],
)
def test_frames_of_which_chunks_are_missing_are_known(
    tmp_path: Path, chunks: tuple[int, ...], written: list[tuple[int, int]], lost: tuple[int, ...]
) -> None:
    path = write(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        (detector,) = file["entry_0000/instrument"].values()
        for place in (detector, file["entry_0000/measurement"]):
            if "data" in place:
                del place["data"]
        stack = file["entry_0000/measurement"].create_dataset("data", (4, 6, 5), "uint32", chunks=chunks)
        for frame, row in written:
            stack[frame : frame + chunks[0], row : row + chunks[1]] = 1
    unwritten = read_scan(path).exposure.unwritten
    assert unwritten is not None
    assert tuple(unwritten) == lost


def test_a_named_file_is_read_once_until_it_changes(tmp_path: Path) -> None:
    mask = np.zeros((6, 5), "int32")
    EdfImage(mask).write(str(tmp_path / "stop.edf"))
    header = HEADER | {"MaskFilePath": str(tmp_path), "MaskFileName": "stop.edf"}
    raw = write(tmp_path / "a.h5", header=header)
    first, again = read_scan(raw).masks[0], read_scan(raw).masks[0]
    assert again is first
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(first.content)[0, 0] = 1
    EdfImage(mask + 1).write(str(tmp_path / "stop.edf"))
    assert np.asarray(read_scan(raw).masks[0].content).all()


def test_a_named_file_that_is_damaged_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "stop.edf").write_text("no image")
    with pytest.raises(ReadError, match=r"^a\.h5: header key MaskFileName: stop\.edf: "):
        read_scan(write(tmp_path / "a.h5", header=HEADER | {"MaskFileName": "stop.edf"}))


def test_the_file_s_own_pixel_mask_comes_along(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        file["entry_0000/instrument/id02-eiger2-saxs/pixel_mask"] = np.full((6, 5), 2, "uint32")
    (mask,) = read_scan(path).masks
    assert (mask.role, np.asarray(mask.content).max()) == ("pixel_mask", 2)


@pytest.mark.parametrize(
    ("title", "extension", "field"), [("a", "100mT", 100.0), ("a_1T", "{x:.2f} K", 1000.0), ("a", "", math.nan)]
)
def test_the_title_s_extension(tmp_path: Path, title: str, extension: str, field: float) -> None:
    scan = read_scan(write(tmp_path / "a.h5", header=HEADER | {"Title": title, "TitleExtension": extension}))
    assert scan.sample.name == "a"
    np.testing.assert_equal(scan.sample.magnetic_field, field)


@pytest.mark.parametrize("kind", ["virtual", "external"])
def test_a_bliss_master_takes_the_header_from_the_lima_file(tmp_path: Path, kind: str) -> None:
    lima = write(tmp_path / "collection_eiger2_00001_00.h5", detector="ESRF-ID02/eiger2", shared=False)
    with h5py.File(tmp_path / "master.h5", "w") as file:
        group = file.create_group("1.1/instrument/eiger2")
        group.attrs["NX_class"] = "NXdetector"
        counter = file.create_group("1.1/instrument/elapsed_time")
        counter.attrs["NX_class"] = "NXdetector"
        counter["data"] = [0.0, 2.0]
        spectrum = file.create_group("1.1/instrument/mca")
        spectrum.attrs["NX_class"] = "NXdetector"
        spectrum["data"] = np.zeros((2, 100))
        file["1.1/measurement/elapsed_time"] = h5py.SoftLink("/1.1/instrument/elapsed_time/data")
        file["1.1/measurement/eiger2"] = h5py.SoftLink("/1.1/instrument/eiger2/data")
        file["1.1/start_time"] = "2020-01-31T10:00:00+01:00"
        if kind == "external":
            group["data"] = h5py.ExternalLink(lima.name, "/entry_0000/ESRF-ID02/eiger2/data")
        else:
            layout = h5py.VirtualLayout(shape=COUNTS.shape, dtype=COUNTS.dtype)
            layout[:] = h5py.VirtualSource(lima.name, "/entry_0000/ESRF-ID02/eiger2/data", shape=COUNTS.shape)
            group.create_virtual_dataset("data", layout)
    scan = read_scan(tmp_path / "master.h5")
    np.testing.assert_array_equal(loaded(scan), COUNTS)
    assert (scan.detector.name, scan.detector.center_x, scan.sample.name) == ("eiger2", 2.5, "25Ti_x")
    assert scan.exposure.elapsed.tolist() == [0.0, 2.0]
    assert scan.exposure.time.tolist() == [0.5, 0.5]
    assert scan.start_time == datetime(2020, 1, 31, 9, tzinfo=UTC)


def test_several_scans_in_one_master_are_an_error(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "master.h5", "w") as file:
        for number in (1, 2):
            group = file.create_group(f"{number}.1/instrument/eiger2")
            group.attrs["NX_class"] = "NXdetector"
            group["data"] = COUNTS
    with pytest.raises(ReadError, match=r"several sets of frames \(/1\.1/eiger2, /2\.1/eiger2\)"):
        read_scan(tmp_path / "master.h5")


@pytest.mark.parametrize("header", [None, {}])
def test_without_a_geometry_the_remedy_is_named(tmp_path: Path, header: dict[str, Any] | None) -> None:
    path = write(tmp_path / "a.h5", header=header)
    with pytest.raises(ReadError, match=r"^a\.h5: header key SampleDistance is missing; supply it with --poni$"):
        read_scan(path)
    scan = read_scan(path, options=ReadOptions(skip_calibration=True))
    assert math.isnan(scan.detector.distance)
    assert "header key Center_1 is missing (--poni)" in scan.origin.notes


def test_links_out_of_the_folder_are_claimed_and_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path / "secret.h5")
    with h5py.File(tmp_path / "in" / "a.h5", "w") as file:
        file.create_group("entry_0000/instrument/eiger2/header").parent.attrs["NX_class"] = "NXdetector"
        file["entry_0000/measurement/data"] = h5py.ExternalLink("../secret.h5", "/entry_0000/measurement/data")
    with pytest.raises(ReadError, match=r"^a\.h5: link /entry_0000/measurement/data -> .* points outside the folder"):
        read_scan(tmp_path / "in" / "a.h5")


def test_other_files_are_not_claimed(tmp_path: Path) -> None:
    reader = Id02Reader()
    with h5py.File(tmp_path / "processed.h5", "w") as file:
        file.attrs["creator"] = "ewoksid02"
        file["entry_0000/PyFAI/result_norm/data"] = COUNTS.astype("float32")
    with h5py.File(tmp_path / "sas.h5", "w") as file:
        file["entry_0000/definition"] = "NXsas"
        file["entry_0000/measurement/data"] = COUNTS
    assert not any(reader.recognises(tmp_path / name) for name in ("processed.h5", "sas.h5", "absent.h5"))

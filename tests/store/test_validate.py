"""Containers are valid for every validator, and a container that is not is told why."""

import logging
import shutil
import subprocess
import sys

import h5py
import numpy as np
import pytest
from silx.io.nxdata import get_default

from nxscatter.errors import ContainerError
from nxscatter.store.validate import NXDL, schema_path, validate
from nxscatter.store.writer import create
from support import toy


def test_a_container_is_valid(box):
    found = validate(box.path)
    assert (found.errors, found.warnings, found.messages) == (0, 0, [])


def test_so_is_one_without_records(tmp_path):
    found = validate(toy.make(tmp_path / "x.nxs", records=False).path)
    assert (found.errors, found.warnings, found.messages) == (0, 0, [])


def test_so_is_one_about_which_little_is_known(tmp_path):
    import dataclasses

    from nxscatter.model import Attachment, Beam, Detector, Exposure, Sample

    nan = float("nan")
    scan = dataclasses.replace(
        toy.scan(),
        title="",
        beam=Beam(nan),
        detector=Detector("", toy.ROWS, toy.COLUMNS, nan, nan, nan, nan, nan),
        sample=Sample(""),
        exposure=Exposure(),
        start_time=None,
        frames=np.asarray(toy.scan().frames)[:1].astype(np.float32),
        auxiliary=(Attachment("empty.txt", "", "window"),),
        metadata={},
    )
    found = validate(create(tmp_path / "x.nxs", scan).path)
    assert (found.errors, found.warnings, found.messages) == (0, 0, [])


def test_so_is_one_made_by_the_real_steps(processed_file):
    found = validate(processed_file)
    assert (found.errors, found.warnings, found.messages) == (0, 0, [])


def test_the_definition_itself_is_sound():
    from nexusformat.nexus.validate import lint_nxdl

    assert lint_nxdl(schema_path(NXDL)) == []


def test_the_definition_works_with_nxvalidate(box):
    ended = subprocess.run(
        [sys.executable, "-m", "nexusformat.scripts.nxvalidate", "-a", str(schema_path(NXDL)), str(box.path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Application Definition: NXscatter" in ended.stdout
    assert "Total number of errors: 0" in ended.stdout
    assert "Total number of warnings: 0" in ended.stdout


@pytest.mark.slow
def test_pynxtools_finds_it_valid(toy_file, processed_file):
    from pynxtools.dataconverter.helpers import collector
    from pynxtools.dataconverter.validation import validate_hdf_group_against

    for path in (toy_file, processed_file):
        with h5py.File(path) as file:
            assert validate_hdf_group_against("NXsas", file["entry"], str(path))
        assert collector.data["warning_and_error"] == set()


def test_silx_draws_every_record_of_the_real_steps(processed_file):
    with h5py.File(processed_file) as file:
        records = [group for group in file["entry"].values() if group.attrs.get("NX_class") == "NXprocess"]
        assert len(records) >= 6
        for group in (file, file["entry"], *records):
            plot = get_default(group)
            assert plot is not None, group.name
            assert plot.is_valid, group.name
            assert plot.title, group.name


def drop(path):
    def change(file):
        del file[path]

    return change


def put(path, value):
    def change(file):
        if path in file:
            del file[path]
        file[path] = value

    return change


def attribute(path, name, value):
    def change(file):
        file[path].attrs[name] = value

    return change


RECORD = "/entry/toy_caving_v1"
FAULTS = {
    "no wavelength": (
        drop("/entry/instrument/monochromator/wavelength"),
        "error",
        "NXsas: Field: /entry/instrument/mono",
    ),
    "distance without units": (
        put("/entry/instrument/detector/distance", 3.0),
        "warning",
        "detector/distance: Units of",
    ),
    "group without class": (
        lambda file: file.create_group("/entry/mine"),
        "error",
        "base classes: NXgroup: /entry/mine",
    ),
    "signal that is not there": (
        attribute("/entry/toy_fit_v1/fit_1", "signal", "x"),
        "warning",
        'base classes: NXdata: /entry/toy_fit_v1/fit_1: Signal "x" is not present',
    ),
    "definition of another kind": (put("/entry/definition", "NXarpes"), "error", "/entry/definition"),
    "record without sequence": (
        drop(f"{RECORD}/sequence_index"),
        "error",
        f"NXscatter: Field: {RECORD}/sequence_index",
    ),
    "record without date": (drop(f"{RECORD}/date"), "error", f"NXscatter: Field: {RECORD}/date"),
    "record of another program": (put(f"{RECORD}/program", "other"), "error", f"NXscatter: Field: {RECORD}/program"),
    "record without configuration": (
        drop(f"{RECORD}/configuration"),
        "error",
        f"ledger: {RECORD}/configuration: is missing",
    ),
    "record without parameters": (
        drop(f"{RECORD}/parameters"),
        "error",
        "Group: parameters: NXparameters: This required group is not in",
    ),
    "record without result": (drop(f"{RECORD}/result"), "error", f"ledger: {RECORD}/result: is missing"),
    "other algorithm": (
        put(f"{RECORD}/result/algorithm", "md5"),
        "error",
        f"NXscatter: Field: {RECORD}/result/algorithm",
    ),
    "no source": (drop("/entry/source"), "error", "NXscatter: Group: source"),
    "two of one sequence": (put(f"{RECORD}/sequence_index", 2), "error", f"ledger: {RECORD}: its sequence_index is 2"),
    "record removed": (drop(RECORD), "error", f"ledger: {RECORD}: removed"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("change", "level", "message"), FAULTS.values(), ids=list(FAULTS))
def test_a_fault_is_told(box, capfd, change, level, message):
    with h5py.File(box.path, "r+") as file:
        change(file)
    found = validate(box.path)
    assert any(text.startswith(level) and message in text for text in found.messages), found.messages
    assert found.errors + found.warnings == len(found.messages)
    assert found.errors == sum(text.startswith("error: ") for text in found.messages)
    assert not any("\x1b" in text or "\n" in text for text in found.messages)
    assert capfd.readouterr() == ("", "")


def test_a_check_that_does_not_run_is_an_error(box, monkeypatch):
    import nexusformat.nexus.validate as official

    monkeypatch.setattr(official, "validate_file", lambda _: None)
    found = validate(box.path)
    assert (found.errors, found.messages) == (1, ["error: base classes: this check did not run"])


def test_a_check_that_crashes_is_an_error(box, monkeypatch):
    import nexusformat.nexus.validate as official

    def crash(_):
        raise KeyError("x")

    monkeypatch.setattr(official, "validate_file", crash)
    assert validate(box.path).messages == ["error: base classes: this check did not run ('x')"]


def test_the_validators_own_logger_is_left_as_it_was(box):
    logger = logging.getLogger("NXValidate")
    before = list(logger.handlers), logger.level
    validate(box.path)
    assert (list(logger.handlers), logger.level) == before


def test_a_foreign_file_is_refused(tmp_path):
    with h5py.File(tmp_path / "x.nxs", "w") as file:
        file.create_group("entry").attrs["NX_class"] = "NXentry"
    with pytest.raises(ContainerError, match="is not a nxscatter container"):
        validate(tmp_path / "x.nxs")


def test_a_container_that_is_open_elsewhere_or_protected_is_valid(box, tmp_path):
    path = tmp_path / "x.nxs"
    shutil.copy(box.path, path)
    path.chmod(0o444)
    before = path.stat()
    code = f"import h5py; file = h5py.File({str(path)!r}, 'r'); print('open', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        found = validate(path)
        other.communicate(b"\n")
    assert (found.errors, found.warnings, found.messages) == (0, 0, [])
    assert (path.stat().st_mtime_ns, path.stat().st_mode) == (before.st_mtime_ns, before.st_mode)


def test_files_are_never_opened_for_writing(box, monkeypatch):
    modes = []

    class Watched(h5py.File):  # type: ignore[misc]
        def __init__(self, name, mode="r", **options):
            modes.append(mode)
            super().__init__(name, mode, **options)

    monkeypatch.setattr(h5py, "File", Watched)
    assert validate(box.path).errors == 0
    assert set(modes) == {"r"}

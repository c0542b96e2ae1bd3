"""Plug-ins of third parties: found by entry points, imported when asked for, and named when they are wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nxscatter.errors import PluginError
from nxscatter.output.export import available, export
from nxscatter.plugins import load_plugin, load_plugins, plugin_names
from nxscatter.readers.registry import find_reader, known_suffixes, readers
from nxscatter.step import get_step, registry, step_names
from nxscatter.store.container import Container
from nxscatter.workflow.paths import expand
from nxscatter.workflow.recipe_file import parse_recipe
from nxscatter.workflow.schema import recipe_schema
from support.packages import install

STEP = '''
from dataclasses import dataclass
from nxscatter.fields import param
from nxscatter.results import Image
from nxscatter.step import Step

@dataclass(frozen=True)
class Halving(Step):
    """Halve what is there."""
    name = "halving"
    version = 2
    times: int = param("", "how often", default=1, minimum=1)

    def __call__(self, image: Image) -> Image:
        return image

@dataclass(frozen=True)
class HalvingOnce(Step):
    """Halve once."""
    name = "halving"
    version = 1

    def __call__(self, image: Image) -> Image:
        return image
'''
READER = """
class RodReader:
    name = "rods"
    suffixes = (".ROD",)

    def recognises(self, path):
        return path.read_bytes().startswith(b"rods")

    def read(self, path, options):
        raise NotImplementedError
"""


def test_a_step_of_another_package_is_one_like_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, tmp_path, "rods", {"nxscatter.steps:halving": "rods_step:Halving"}, rods_step=STEP)
    assert "halving" in step_names()
    assert "rods_step" not in sys.modules  # a name is known without its code
    (use,) = (use for use in parse_recipe("[[step]]\nuse = 'halving'\ntimes = 3").uses if use.step == "halving")
    assert use.parameters == {"times": 3}
    assert get_step("halving").version == 2
    assert get_step("halving", 1).__name__ == "HalvingOnce"
    listed = recipe_schema()["properties"]["step"]["items"]["oneOf"]
    assert next(step for step in listed if step["title"] == "halving")["properties"]["times"]["minimum"] == 1


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import nowhere_to_be_found", "ModuleNotFoundError: No module named 'nowhere_to_be_found'"),
        ("Other = 1", "AttributeError: module 'bad_step.* has no attribute 'Halving'"),
        ("class Halving: pass", "TypeError: it is no subclass of nxscatter.step.Step"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_broken_step_names_its_package_and_is_left_out_of_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, code: str, why: str
) -> None:
    module = f"bad_step{abs(hash(code))}"
    install(monkeypatch, tmp_path, "rods", {"nxscatter.steps:halving2": f"{module}:Halving"}, **{module: code})
    words = rf"nxscatter.steps: 'halving2' of rods 2.0 \({module}:Halving\) cannot be loaded \({why}.*uninstall"
    with pytest.raises(PluginError, match=words):
        get_step("halving2")
    assert "halving2" not in registry()
    assert "'halving2' of rods 2.0" in caplog.text
    assert get_step("caving").name == "caving"  # the others are not touched


def test_a_name_that_two_packages_use_names_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, tmp_path / "a", "rods", {"nxscatter.steps:twofold": "rods_a:Halving"}, rods_a=STEP)
    install(monkeypatch, tmp_path / "b", "discs", {"nxscatter.steps:twofold": "rods_b:Halving"}, rods_b=STEP)
    with pytest.raises(PluginError, match=r"'twofold' is named by (rods|discs) 2\.0 \(.* and by (rods|discs) 2\.0 \("):
        get_step("twofold")
    assert "twofold" not in registry()


def test_files_of_a_reader_of_another_package_are_found_in_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(
        monkeypatch, tmp_path / "site", "rods", {"nxscatter.readers:rods": "rod_reader:RodReader"}, rod_reader=READER
    )
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("b.rod", "A.ROD", "c.txt", "mask.rod"):
        (folder / name).write_bytes(b"rods")
    assert ".rod" in known_suffixes()
    assert [path.name for path in expand([folder])] == ["A.ROD", "b.rod"]
    assert find_reader(folder / "b.rod").name == "rods"


def test_a_reader_that_lacks_something_is_left_out_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    code = READER.replace("suffixes", "endings")
    install(monkeypatch, tmp_path, "rods", {"nxscatter.readers:rods": "poor_reader:RodReader"}, poor_reader=code)
    assert "rods" not in readers()
    assert "'rods' of rods 2.0 (poor_reader:RodReader) cannot be loaded" in caplog.text
    assert "suffixes" in caplog.text


def test_a_broken_exporter_names_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processed_file: Path
) -> None:
    install(
        monkeypatch, tmp_path, "rods", {"nxscatter.exporters:rod": "rod_export:export"}, rod_export="import nowhere"
    )
    assert "rod" in available()
    with pytest.raises(PluginError, match=r"nxscatter\.exporters: 'rod' of rods 2\.0 .*No module named 'nowhere'"):
        export(Container(processed_file), tmp_path, ["rod"])


def test_every_part_of_ours_can_be_loaded() -> None:
    for group in ("steps", "readers", "exporters", "summaries"):
        names = plugin_names(f"nxscatter.{group}")
        assert names
        assert tuple(load_plugins(f"nxscatter.{group}")) == names
        assert all(callable(load_plugin(f"nxscatter.{group}", name)) for name in names)


def test_steps_are_called_as_their_entry_points_and_keep_their_older_versions_beside_them() -> None:
    program = """
import importlib, pkgutil, sys
from nxscatter import step, steps
newest = {name: step.get_step(name) for name in step.step_names()}
assert all(name == kind.name for name, kind in newest.items())
found = {name: set(kinds) for name, kinds in step._IMPORTED.items()}
for module in pkgutil.iter_modules(steps.__path__):
    importlib.import_module(f"nxscatter.steps.{module.name}")
assert {name: set(kinds) for name, kinds in step._IMPORTED.items()} == found, "a step without an entry point"
for name, kinds in found.items():
    assert max(kinds, key=lambda kind: kind.version) is newest[name]
    for kind in kinds:
        assert kind.__module__ == newest[name].__module__, "an older version in a module that is not imported with it"
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_asking_for_one_step_imports_no_other() -> None:
    program = "import sys; from nxscatter.step import get_step; get_step('caving'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {name for name in done.stdout.split() if name.startswith("nxscatter.steps.")}
    assert "nxscatter.steps.caving" in loaded
    assert not loaded & {f"nxscatter.steps.{name}" for name in ("masking", "azimuthal", "fits", "orientation")}

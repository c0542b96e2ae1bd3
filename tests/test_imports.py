"""Who may import whom, from one list; and what start-up costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import nxscatter

ROOT = Path(nxscatter.__file__).parent
# From the ground up: a module may import its own wing and those named before it. The list is the one in the docs.
ORDER = (
    *("errors", "version", "plugins", "plain", "fields", "model", "step"),
    *("results", "readers", "science", "steps", "store", "workflow", "output", "series", "catalogue", "simulate"),
    *("mapping", "testing", "cli"),
)
DOORS = {"__init__", "__main__"}  # the package's front doors: they stand above all
HEAVY = {"pyFAI", "pandas", "matplotlib", "scipy", "h5py", "hdf5plugin", "fabio", "silx", "nexusformat", "ase", "gemmi"}
FILES = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sorted(ROOT.rglob("*.py"))}
MODULES = sorted(FILES)


def nodes_of(module: str) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(FILES[module].read_text("utf-8")))


def full_names(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Dotted names of what is imported, also in functions and for type checkers alone."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(name: str) -> str | None:
    """The module of this package that an imported name belongs to, None for others."""
    parts = name.split(".")
    if parts[0] != "nxscatter":
        return None
    for end in range(len(parts), 1, -1):
        inner = ".".join(parts[1:end])
        for candidate in (inner, f"{inner}.__init__"):
            if candidate in FILES:
                return candidate
    return "__init__"


def own(module: str) -> set[str]:
    return {found for name in full_names(nodes_of(module)) if (found := module_of(name)) is not None} - {module}


def foreign(module: str, *, top: bool = False) -> set[str]:
    tree = ast.parse(FILES[module].read_text("utf-8"))
    nodes = tree.body if top else ast.walk(tree)
    return {name.split(".")[0] for name in full_names(nodes)} - {"nxscatter"}


def wing(module: str) -> str:
    return module.split(".")[0]


def floor(module: str) -> int:
    return len(ORDER) if wing(module) in DOORS else ORDER.index(wing(module))


def circle(graph: dict[str, set[str]]) -> Sequence[str]:
    """Modules that import each other in a circle, empty when there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [str(name) for name in error.args[1]]
    return []


def test_every_module_stands_in_the_list_and_every_name_of_the_list_exists() -> None:
    assert {wing(module) for module in MODULES} == {*ORDER, *DOORS}


def test_there_are_twelve_folders_and_at_most_eight_modules_beside_them() -> None:
    beside = [module for module in MODULES if "." not in module and module not in DOORS]
    assert len(beside) <= 8, beside


@pytest.mark.parametrize("module", MODULES)
def test_no_import_runs_up(module: str) -> None:
    above = sorted(f"{module} imports {name}" for name in own(module) if floor(name) > floor(module))
    assert not above


@pytest.mark.parametrize("name", [name for name in ORDER if (ROOT / name).is_dir()])
def test_no_circle_in_a_wing(name: str) -> None:
    inside = [module for module in MODULES if wing(module) == name]
    assert not circle({module: {one for one in own(module) if wing(one) == name} for module in inside})


def test_a_circle_is_found_and_named() -> None:
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})) == {"a", "b", "c"}
    assert circle({"a": {"b"}, "b": set()}) == []


@pytest.mark.parametrize("module", [module for module in MODULES if len(FILES[module].read_text().splitlines()) > 300])
def test_no_module_is_longer_than_one_idea(module: str) -> None:
    assert len(FILES[module].read_text().splitlines()) <= 400


@pytest.mark.parametrize("module", MODULES)
def test_no_function_wants_a_second_name(module: str) -> None:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    sizes = {
        node.name: (node.end_lineno or 0) - node.lineno + 1 for node in nodes_of(module) if isinstance(node, kinds)
    }
    assert {name: size for name, size in sizes.items() if size > 60} == {}


@pytest.mark.parametrize("module", [module for module in MODULES if wing(module) in {"science", "results", "steps"}])
def test_science_knows_no_files_and_no_pictures(module: str) -> None:
    assert not foreign(module) & {"h5py", "hdf5plugin", "matplotlib", "nexusformat", "silx", "fabio", "typer", "rich"}
    assert "readers" not in {wing(name) for name in own(module)}


@pytest.mark.parametrize("module", [module for module in MODULES if wing(module) in {"output", "catalogue"}])
def test_output_takes_records_never_a_scan(module: str) -> None:
    names = set(full_names(nodes_of(module)))
    assert "nxscatter.model.Scan" not in names
    assert "readers" not in {wing(name) for name in own(module)}


@pytest.mark.parametrize("module", [module for module in MODULES if wing(module) == "cli"])
def test_the_command_line_does_no_science_and_opens_no_file(module: str) -> None:
    assert not foreign(module) & {"h5py", "numpy", "scipy", "pyFAI"}
    assert not {wing(name) for name in own(module)} & {"science", "steps"}


@pytest.mark.parametrize("module", [module for module in MODULES if wing(module) == "mapping"])
def test_the_old_classes_compute_and_store_through_steps_and_records(module: str) -> None:
    assert not foreign(module) & {"h5py", "scipy", "pyFAI"}


@pytest.mark.parametrize("module", MODULES)
def test_heavy_libraries_are_imported_where_they_are_used(module: str) -> None:
    assert not foreign(module, top=True) & HEAVY


@pytest.mark.parametrize(
    "program",
    [
        "import nxscatter",
        "import nxscatter.cli",
        "from nxscatter.cli import main; sys.argv = ['nxscatter', '--help']; main()",
    ],
    ids=["import", "command line", "help"],
)
def test_start_up_loads_nothing_heavy(program: str) -> None:
    report = f"print(*sorted({HEAVY!r} & sys.modules.keys()), file=sys.stderr)"
    ended = subprocess.run(
        [sys.executable, "-c", f"import sys, atexit; atexit.register(lambda: {report}); {program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stderr.split() == []


def test_importing_the_package_loads_not_even_numpy() -> None:
    program = "import sys, nxscatter; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

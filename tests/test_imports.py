"""Who may import whom, and what start-up costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import nxscatter

ROOT = Path(nxscatter.__file__).parent
SCIENCE = {
    *("frames", "framesum", "streams", "plots", "results", "chain", "lineshapes", "crystal", "qspace"),
    *("normalization", "pyfai", "radial", "ring_center", "calibrant", "harmonics", "leastsquares"),
    *("peaks", "peakfit", "jointfit", "ringfit", "moments", "order"),
}
# each layer may use itself and those before it; what is not named uses containers, below the last one
LAYERS = [
    {"errors", "model", "markup", "description", "tree", "allocator"},
    SCIENCE,
    {"readers", "step", "steps"},
    {"hashing", "h5tree", "transaction", "codec", "history", "notebook"},
    {"layout", "rawcopy", "ledger", "record", "container", "draft"},
    {"annotations", "rehearsal", "runner"},
    set(),
    {"mapping", "demo", "cli", "__main__"},
]
HEAVY = {"pyFAI", "pandas", "matplotlib", "scipy", "h5py", "hdf5plugin", "fabio", "silx", "nexusformat", "ase"}


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


FILES = {name_of(path): path for path in ROOT.rglob("*.py")}
MODULES = sorted(name for name in FILES if name)


def parsed(name):
    """Syntax tree of a module without what only type checkers see."""
    tree = ast.parse(FILES[name].read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = []
    return tree


def imported(nodes):
    """Full names of the modules and objects that are imported."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own(name):
    """First names of the modules of this package that a module imports."""
    found = [one.split(".") for one in imported(ast.walk(parsed(name)))]
    return {parts[1] for parts in found if parts[0] == "nxscatter" and len(parts) > 1 and parts[1][:2] != "__"}


def foreign(name, *, top=False):
    nodes = parsed(name).body if top else ast.walk(parsed(name))
    return {one.split(".")[0] for one in imported(nodes)} - {"nxscatter"}


def layer(first):
    return next((number for number, layer in enumerate(LAYERS) if first in layer), len(LAYERS) - 2)


@pytest.mark.parametrize("name", MODULES, ids=".".join)
def test_a_module_uses_only_its_own_layer_and_those_below(name):
    above = {one for one in own(name) if layer(one) > layer(name[0])}
    assert not above


@pytest.mark.parametrize("name", [name for name in MODULES if name[0] == "readers"], ids=".".join)
def test_readers_know_the_model_alone(name):
    assert own(name) <= {"errors", "model", "readers"}


@pytest.mark.parametrize("name", [name for name in MODULES if name[0] in {"step", "steps", *SCIENCE}], ids=".".join)
def test_science_knows_no_files_and_no_pictures(name):
    assert own(name) <= {"errors", "model", "step", "steps", *SCIENCE}
    assert not foreign(name) & {"h5py", "hdf5plugin", "matplotlib", "nexusformat", "silx", "fabio", "typer", "rich"}


@pytest.mark.parametrize("name", [name for name in MODULES if name[0] in SCIENCE], ids=".".join)
def test_formulas_know_no_steps(name):
    assert not own(name) & {"step", "steps"}


@pytest.mark.parametrize("name", [name for name in MODULES if name[0] in {"exporters", "catalogue"}], ids=".".join)
def test_exporters_take_records_never_a_scan(name):
    assert not {one for one in imported(ast.walk(parsed(name))) if one in {"nxscatter.model.Scan", "nxscatter.readers"}}


@pytest.mark.parametrize("name", [name for name in MODULES if name[0] == "cli"], ids=".".join)
def test_the_command_line_does_no_science_and_opens_no_file(name):
    assert not foreign(name) & {"h5py", "numpy", "scipy", "pyFAI"}
    assert not own(name) & SCIENCE


@pytest.mark.parametrize("name", [name for name in MODULES if name[0] == "mapping"], ids=".".join)
def test_the_old_classes_compute_and_store_through_steps_and_records(name):
    assert not foreign(name) & {"h5py", "scipy", "pyFAI"}


@pytest.mark.parametrize("name", MODULES, ids=".".join)
def test_heavy_libraries_are_imported_where_they_are_used(name):
    assert not foreign(name, top=True) & HEAVY


@pytest.mark.parametrize(
    "program",
    [
        "import nxscatter",
        "import nxscatter.cli",
        "from nxscatter.cli import main; sys.argv = ['nxscatter', '--help']; main()",
    ],
    ids=["import", "command line", "help"],
)
def test_start_up_loads_nothing_heavy(program):
    report = f"print(*sorted({HEAVY!r} & sys.modules.keys()), file=sys.stderr)"
    ended = subprocess.run(
        [sys.executable, "-c", f"import sys, atexit; atexit.register(lambda: {report}); {program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stderr.split() == []


def test_importing_the_package_loads_not_even_numpy():
    program = "import sys, nxscatter; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

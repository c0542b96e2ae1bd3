"""The page of methods: its code runs, its figures are those of the code, its table is that of the benchmark."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "methods.md").read_text("utf-8")


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def test_its_code_runs():
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert blocks
    for block in blocks:
        exec(compile(block, "methods.md", "exec"), {})


@pytest.mark.slow
def test_its_figures_are_made_by_the_code_and_small(tmp_path):
    figures = load(ROOT / "docs" / "make_figures.py")
    figures.main(tmp_path)
    linked = set(re.findall(r"\(figures/([\w.]+)\)", PAGE))
    assert linked == {path.name for path in tmp_path.iterdir()} == {path.name for path in FIGURES.iterdir()}
    for folder in (tmp_path, FIGURES):
        assert all(2_000 < path.stat().st_size < 100_000 for path in folder.iterdir())


FIGURES = ROOT / "docs" / "figures"


def test_its_table_is_that_of_the_benchmark():
    pulls = load(ROOT / "benchmarks" / "pulls.py")
    rows = [
        [cell.strip(" *`") for cell in line.strip("|").split("|")]
        for line in PAGE.splitlines()
        if re.match(r"\| `\w+` \| \*?(kappa|gamma) ", line)
    ]
    cases = [
        (case.method, ", ".join(f"{name} {value:g}" for name, value in case.shape.items()), f"{case.counts:g}")
        for case in pulls.cases()
    ]
    assert [tuple(row[:3]) for row in rows] == cases
    for row in rows:
        if float(row[3]) <= 0.05:
            for cell in filter("–".__ne__, row[4:]):
                mean, deviation = (float(part) for part in cell.split("±"))
                assert abs(mean) <= 0.15
                assert 0.85 <= deviation <= 1.15


@pytest.mark.slow
def test_a_case_of_the_benchmark_is_as_the_table_says():
    import numpy as np

    pulls = load(ROOT / "benchmarks" / "pulls.py")
    case = next(
        one for one in pulls.cases() if one.method == "maier_saupe" and one.counts == 100 and one.shape["kappa"] == 5
    )
    found, sigma, statuses = pulls.pulls(case, 200, np.random.default_rng(1))
    assert sigma == pytest.approx(0.0114, rel=0.05)
    assert statuses == {"ok": 200}
    for pull in found.values():
        assert abs(pull.mean()) < 4 / np.sqrt(200)
        assert abs(pull.std() - 1) < 4 / np.sqrt(400)

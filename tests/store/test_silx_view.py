"""What silx view draws of a container: the newest result at once, and something that makes sense of each record."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nxscatter.readers.registry import read_scan
from nxscatter.simulate import Simulated
from nxscatter.step import make_step
from nxscatter.store.container import Container
from nxscatter.store.writer import creating
from nxscatter.workflow import runner

pytestmark = pytest.mark.skipif(
    find_spec("PySide6") is None, reason='silx view is not installed here: pip install "nxscatter[view]"'
)

STEPS: dict[str, dict[str, Any]] = {
    "geometry": {},
    "masking": {},
    "caving": {},
    "rings": {},
    "azimuthal_profiles": {"q": [0.05, 0.068], "bins": 72},
    "azimuthal_pixels": {"q": [0.05]},
    "radial_sectors": {},
    "qmap": {},
    "fit_maier_saupe": {},
    "order_parameter": {},
}


@pytest.fixture(scope="module")
def made(id02_file: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Container:
    path = tmp_path_factory.mktemp("silx") / "rods.nxs"
    with creating(path, read_scan(id02_file.path)) as writer:
        runner.run_steps(writer, [(make_step(name, given), name, {}) for name, given in STEPS.items()])
    return Container(path)


@pytest.fixture(scope="module")
def seen(made: Container) -> dict[str, dict[str, Any]]:
    """What is drawn when the file is opened (""), and of each record."""
    paths = [f"entry/{name}_v1" for name in STEPS]
    program = Path(__file__).parents[1] / "support" / "silx_view.py"
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "HDF5_USE_FILE_LOCKING": "FALSE"}
    done = subprocess.run(
        [sys.executable, program, made.path, *paths],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if "could not load the Qt platform plugin" in done.stderr or "cannot open shared object" in done.stderr:
        pytest.skip(f"Qt does not start here: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    drawn = json.loads(done.stdout.splitlines()[-1])
    return dict(zip(["", *STEPS], drawn, strict=True))


@pytest.mark.slow
def test_opening_the_file_shows_the_newest_result(seen: dict[str, dict[str, Any]]) -> None:
    assert seen[""] == seen["order_parameter"]


def test_profiles_are_labelled_curves_with_errors(made: Container, seen: dict[str, dict[str, Any]]) -> None:
    profiles: Any = made.latest("azimuthal_profiles").load()
    drawn = seen["azimuthal_profiles"]
    assert drawn["title"] == "intensity (counts) against azimuth"
    assert drawn["x"] == "chi (degree)"
    assert list(drawn["curves"]) == ["q = 0.05 1/angstrom", "q = 0.068 1/angstrom"]
    for ring, curve in enumerate(drawn["curves"].values()):
        assert curve["points"] == np.isfinite(profiles.intensity[ring]).sum() > 60
        assert curve["errors"] == np.isfinite(profiles.intensity_errors[ring]).sum() > 60


def test_a_fit_lies_over_its_profile(seen: dict[str, dict[str, Any]]) -> None:
    drawn = seen["fit_maier_saupe"]
    assert drawn["title"] == "intensity (counts) and maier saupe, q = 0.05 1/angstrom: ok"
    assert list(drawn["curves"]) == ["measured", "maier saupe"]
    assert drawn["curves"]["measured"]["errors"] > 60
    assert drawn["curves"]["maier saupe"]["points"] == 72


@pytest.mark.parametrize(("record", "axis"), [("masking", "x (pixel)"), ("caving", "x (pixel)")])
def test_images_have_pixels_as_axes(made: Container, seen: dict[str, dict[str, Any]], record: str, axis: str) -> None:
    assert seen[record]["x"] == axis
    assert seen[record]["title"] == "intensity (counts)"
    assert list(seen[record]["images"].values()) == [list(made.shape[1:])]


def test_a_map_has_q_as_axes(made: Container, seen: dict[str, dict[str, Any]]) -> None:
    qmap: Any = made.latest("qmap").load()
    assert seen["qmap"]["title"] == "intensity (counts) on a grid of q"
    assert seen["qmap"]["x"] == "q_parr (1/angstrom)"
    assert list(seen["qmap"]["images"].values()) == [list(qmap.intensity.shape)]


def test_order_parameters_are_points_with_error_bars(made: Container, seen: dict[str, dict[str, Any]]) -> None:
    order: Any = made.latest("order_parameter").load()
    drawn = seen["order_parameter"]
    assert drawn["title"] == "order parameter S"
    assert drawn["x"] == "q (1/angstrom)"
    assert list(drawn["curves"]) == [f"S {name}" for name in dict.fromkeys(order.method)]
    assert drawn["curves"]["S maier_saupe"]["errors"] == np.isfinite(order.S_errors).sum() == 1


@pytest.mark.parametrize(
    ("record", "title", "axis", "curves"),
    [
        ("geometry", "q (1/angstrom) along x through the beam centre", "x (pixel)", ["q along x (1/angstrom)"]),
        ("azimuthal_pixels", "intensity (counts) of the pixels at q = 0.05 1/angstrom", "beta (degree)", None),
        ("radial_sectors", "intensity (counts) in sectors", "q (1/angstrom)", None),
        ("rings", None, "q (1/angstrom)", ["mean intensity"]),
    ],
)
def test_every_other_record_has_a_plot_with_names(
    seen: dict[str, dict[str, Any]], record: str, title: str | None, axis: str, curves: list[str] | None
) -> None:
    drawn = seen[record]
    assert drawn["title"] == title if title else drawn["title"].startswith("intensity (counts), rings at q = 0.0")
    assert drawn["x"] == axis
    assert list(drawn["curves"]) == curves if curves else drawn["curves"]
    assert all(curve["points"] > 50 for curve in drawn["curves"].values())

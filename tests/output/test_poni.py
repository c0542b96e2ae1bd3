"""The geometry in use as a PONI file: read back here, and by pyFAI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nxscatter.errors import ContainerError
from nxscatter.model import Beam
from nxscatter.output.poni import extract_poni, poni_text
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.headers.geometry import place, unplaced_detector
from nxscatter.results import Geometry
from nxscatter.science.geometry import qspace
from nxscatter.simulate import Simulated
from nxscatter.steps.geometry import DetectorGeometry
from nxscatter.store.container import Container
from nxscatter.workflow.conversion import convert
from nxscatter.workflow.process import process
from support.scattering import make_geometry


def read_back(path: Path) -> Geometry:
    placed = place(unplaced_detector("d", (44, 60), ReadOptions()), ReadOptions(poni=path))
    return DetectorGeometry()(Beam(placed.wavelength), placed.detector)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("rotations", [(0.0, 0.0, 0.0), (3.0, -5.0, 20.0)])
def test_every_pixel_is_where_it_was(tmp_path: Path, orientation: int, rotations: Any) -> None:
    """For this program and for pyFAI; where rows and columns change places the azimuth counts from the columns."""
    import pyFAI

    rot1, rot2, rot3 = rotations
    own = make_geometry(44, 60, pixel_size_x=1.7e-4, rot1=rot1, rot2=rot2, rot3=rot3, orientation=orientation)
    path = tmp_path / "a.poni"
    path.write_text(poni_text(own, "a test"))
    again, theirs = read_back(path), pyFAI.load(str(path))
    np.testing.assert_allclose(qspace.q_map(again), qspace.q_map(own), rtol=1e-12)
    pyfai = theirs.array_from_unit((44, 60), "center", "q_A^-1")
    np.testing.assert_allclose(pyfai, qspace.q_map(own), rtol=2e-6)
    if orientation <= 4:
        np.testing.assert_allclose(qspace.chi_map(again), qspace.chi_map(own), atol=1e-9)
        chi = theirs.array_from_unit((44, 60), "center", "chi_deg")
        np.testing.assert_allclose(np.sin(np.radians(chi - qspace.chi_map(own))), 0, atol=1e-5)
        assert "# Raster orientation" not in path.read_text()
    else:
        assert f"# Raster orientation {orientation}" in path.read_text()


def test_it_is_the_header_s_until_a_record_tells_another(id02_file: Simulated, tmp_path: Path) -> None:
    box = convert(id02_file.path, tmp_path / "a.nxs")
    first = extract_poni(box, tmp_path / "header")
    assert first.name == f"{id02_file.path.stem}.poni"
    assert "the header" in first.read_text()
    process(box, q=[0.05], settings={"geometry.distance": 7.25})
    second = extract_poni(Container(box.path), tmp_path / "set")
    assert "record geometry_v1" in second.read_text()
    assert "Distance: 7.25\n" in second.read_text()
    assert "Distance: 7.25\n" not in first.read_text()
    with pytest.raises(ContainerError, match="is there already; extract into another folder"):
        extract_poni(box, tmp_path / "header")


def test_the_command_writes_it(processed_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from nxscatter.cli import run

    assert run(["extract", str(processed_file), "-o", str(tmp_path), "--format", "poni"]) == 0
    (path,) = capsys.readouterr().out.split()
    geometry = Container(processed_file).latest("geometry").load()
    assert isinstance(geometry, Geometry)
    shape = geometry.rows, geometry.columns
    placed = place(unplaced_detector("d", shape, ReadOptions()), ReadOptions(poni=Path(path))).detector
    assert (placed.center_y, placed.center_x) == pytest.approx((geometry.center_y, geometry.center_x), rel=1e-12)
    assert run(["extract", str(processed_file), "-o", str(tmp_path), "--format", "edf"]) == 2
    assert "--format edf: use raw or poni" in capsys.readouterr().err


def test_a_title_with_line_breaks_stays_a_comment() -> None:
    text = poni_text(make_geometry(44, 60), "a\nDistance: 3")
    assert "# a Distance: 3\n" in text

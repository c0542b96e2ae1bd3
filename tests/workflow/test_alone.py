"""A container alone is enough: to check it, to compute everything again, and to export it, without its inputs."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from nxscatter import simulate
from nxscatter.output.export import available, export
from nxscatter.readers.base import ReadOptions
from nxscatter.store.container import Container
from nxscatter.workflow.process import process
from nxscatter.workflow.replay import replay

CIF = """data_lamellae
_cell_length_a 100
_cell_length_b 125
_cell_length_c 140
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
loop_
_symmetry_equiv_pos_as_xyz
'x, y, z'
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
C 0 0 0
"""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A container made with a mask, a calibration and a crystal structure; all inputs are gone."""
    inputs = tmp_path_factory.mktemp("inputs")
    raw = inputs / simulate.id02_name("lamellae", 7)
    measured = simulate.write_id02(raw, simulate.oriented((2 * np.pi / 100,), kappa=4.0, director=30.0))
    place = measured.camera.geometry
    (inputs / "beamline.poni").write_text(
        f"poni_version: 2\nDetector: Detector\n"
        f'Detector_config: {{"pixel1": {place.pixel_size_y}, "pixel2": {place.pixel_size_x}}}\n'
        f"Distance: {place.distance}\nPoni1: {place.center_y * place.pixel_size_y}\n"
        f"Poni2: {place.center_x * place.pixel_size_x}\nRot1: 0\nRot2: 0\nRot3: 0\n"
        f"Wavelength: {place.wavelength * 1e-10}\n"
    )
    mask = np.zeros(place.shape, dtype=np.uint8)
    mask[40:60, 50:90] = 1
    np.save(inputs / "hot.npy", mask)
    (inputs / "lamellae.cif").write_text(CIF)
    process(
        raw,
        recipe="waxs",
        cif=inputs / "lamellae.cif",
        hkl="1 0 0",
        mask=inputs / "hot.npy",
        options=ReadOptions(poni=inputs / "beamline.poni"),
    )
    moved = Path(shutil.move(raw.with_suffix(".nxs"), tmp_path_factory.mktemp("alone") / "x.nxs"))
    shutil.rmtree(inputs)
    return moved


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_record_is_computed_again_exactly(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(alone.parent)
    found = replay(alone.name)
    assert (found.ok, found.replayed, found.notes) == (True, "exact", [])


def test_files_that_were_used_are_inside(alone: Path) -> None:
    box = Container(alone)
    used = {file.name: file for record in box.records for files in record.attachments().values() for file in files}
    assert used["lamellae.cif"].content == CIF
    assert np.count_nonzero(used["hot.npy"].content) == 20 * 40
    (poni,) = (file for file in box.auxiliary if file.role == "poni")
    assert (poni.name, str(poni.content).splitlines()[0]) == ("beamline.poni", "poni_version: 2")
    assert len(box.masks) == 2  # those that the header names


@pytest.mark.slow
def test_exported_twice_the_trees_are_the_same(alone: Path, tmp_path: Path) -> None:
    """Without a choice all formats are written, and each of them the same twice over."""
    export(Container(alone), tmp_path / "all")
    found = tree(tmp_path / "all")
    assert len(available()) >= 6
    for name in available():
        for path in export(Container(alone), tmp_path / "one by one", [name]):
            relative = path.relative_to(tmp_path / "one by one")
            assert path.read_bytes() == found[str(relative)], f"{name}: {relative}"
    assert set(tree(tmp_path / "one by one")) == set(found)
    assert sorted(tree(alone.parent)) == ["x.nxs"]

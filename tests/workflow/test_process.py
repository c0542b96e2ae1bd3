"""From raw files to records: what is written, what is left alone, and what a failure leaves behind."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
import pytest

from nxscatter import simulate
from nxscatter.errors import ContainerError, NxscatterError, ParameterError, ReadError
from nxscatter.store.container import Container
from nxscatter.store.writer import Writer
from nxscatter.workflow.conversion import convert
from nxscatter.workflow.prepare import prepare
from nxscatter.workflow.process import process, run_recipe
from nxscatter.workflow.recipe_file import parse_recipe

if TYPE_CHECKING:
    from nxscatter.simulate import Simulated

SHORT = parse_recipe('[[step]]\nuse = "masking"\n[[step]]\nuse = "azimuthal_profiles"\nq = [0.05]\nbins = 36')
CAVED = parse_recipe(
    '[[step]]\nuse = "masking"\n[[step]]\nuse = "caving"\n[[step]]\nuse = "azimuthal_profiles"\nq = [0.05]\nbins = 36'
)


@pytest.fixture
def raw(id02_file: Simulated, tmp_path: Path) -> Path:
    """A raw file, with its masks, in a folder of its own."""
    for file in (id02_file.path, *id02_file.masks.values()):
        shutil.copy(file, tmp_path)
    return tmp_path / id02_file.path.name


def names(box: Container) -> list[str]:
    return [record.name for record in box.records]


def files(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_a_container_stands_beside_the_raw_file_and_is_named_after_it(raw: Path) -> None:
    box = convert(raw)
    assert box.path == raw.with_suffix(".nxs")
    assert (box.sample.name, box.sample.magnetic_field) == ("rods", 1000.0)
    with h5py.File(raw) as file:
        counts = file["entry_0000/measurement/data"][:]
    assert np.array_equal(box.raw.read(0), counts[0])


def test_a_container_of_the_same_raw_file_is_appended_to_and_one_of_another_is_not(raw: Path) -> None:
    box = convert(raw)
    process(box, SHORT)
    assert names(convert(raw)) == ["geometry_v1", "masking_v1", "azimuthal_profiles_v1"]
    other = simulate.write_id02(raw, simulate.oriented([0.05], 2.0)).path
    for action in (lambda: convert(other), lambda: process(other, SHORT)):
        with pytest.raises(ContainerError, match=r"another raw file.*--overwrite"):
            action()
    assert names(convert(other, overwrite=True)) == []


def test_masks_given_to_convert_are_kept_with_the_frames(raw: Path, tmp_path: Path) -> None:
    mask = np.zeros(Container(convert(raw, tmp_path / "a.nxs").path).shape[1:], dtype=np.uint8)
    np.save(tmp_path / "extra.npy", mask)
    box = convert(raw, mask=tmp_path / "extra.npy")
    assert [one.name for one in box.masks][-1] == "extra.npy"


def test_processing_twice_adds_nothing_and_another_parameter_a_version(raw: Path) -> None:
    process(raw, SHORT)
    box = Container(raw.with_suffix(".nxs"))
    before, bytes_before = names(box), box.path.read_bytes()
    again = run_recipe(raw, SHORT)
    assert (again.added, again.converted) == ((), False)
    assert box.path.read_bytes() == bytes_before
    records = process(raw, SHORT, settings=["azimuthal_profiles.tolerance=0.03"])
    assert [record.name for record in records] == ["geometry_v1", "masking_v1", "azimuthal_profiles_v2"]
    assert names(Container(box.path)) == [*before, "azimuthal_profiles_v2"]
    assert len(process(raw, SHORT, force=True)) == 3
    assert names(Container(box.path))[-3:] == ["geometry_v2", "masking_v2", "azimuthal_profiles_v3"]


def test_a_recipe_sees_its_own_records_alone(raw: Path) -> None:
    process(raw, CAVED)
    direct = process(raw, SHORT)[-1]
    assert [parent.name for parent in direct.parents] == ["geometry_v1", "masking_v1"]
    caved = process(raw, CAVED)[-1]
    assert "caving_v1" in [parent.name for parent in caved.parents]


def test_a_container_in_another_folder_is_copied_there_once_and_appended_to(raw: Path, tmp_path: Path) -> None:
    box = convert(raw)
    process(box, SHORT)
    original = box.path.read_bytes()
    done = run_recipe(box, CAVED, output=tmp_path / "out")
    copy = tmp_path / "out" / box.path.name
    assert done.container.path == copy
    assert names(Container(copy)) == [*names(box), "caving_v1", "azimuthal_profiles_v2"]
    assert set(done.added) == {"caving_v1", "azimuthal_profiles_v2"}
    assert run_recipe(box.path, CAVED, output=tmp_path / "out").added == ()
    assert box.path.read_bytes() == original
    unchanged = run_recipe(box.path, SHORT, output=tmp_path / "copies")
    assert unchanged.added == ()
    assert names(unchanged.container) == names(box)


def test_masks_stay_until_they_are_dropped_or_replaced(raw: Path, tmp_path: Path) -> None:
    shape = convert(raw).shape[1:]
    for name in ("first", "second"):
        np.save(tmp_path / f"{name}.npy", np.eye(*shape, dtype=np.uint8))

    def used(**arguments: object) -> list[str]:
        masking = process(raw, SHORT, **arguments)[1]  # type: ignore[arg-type]
        return [mask.name for mask in masking.attachments().get("mask", ())]

    assert used() == []
    assert used(mask=tmp_path / "first.npy") == ["first.npy"]
    (tmp_path / "first.npy").unlink()
    assert used() == ["first.npy"]
    assert used(mask=[tmp_path / "second.npy"]) == ["second.npy"]
    assert used(keep_masks=False) == []
    assert used() == []


def test_conversion_and_recipe_are_one_transaction(raw: Path, tmp_path: Path) -> None:
    before = files(tmp_path)
    with pytest.raises(NxscatterError, match=r"outside the detector"):
        process(raw, SHORT, q=[3.0])
    assert files(tmp_path) == before
    box = convert(raw)
    content = box.path.read_bytes()
    with pytest.raises(NxscatterError, match="outside the detector"):
        process(box, CAVED, q=[3.0])
    assert box.path.read_bytes() == content
    with pytest.raises(NxscatterError, match="outside the detector"):
        process(box, CAVED, q=[3.0], output=tmp_path / "out")
    assert files(tmp_path) == before | {box.path.name}


def test_an_interrupt_leaves_nothing_half_written(raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(tmp_path)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Writer, "append", interrupted)
    with pytest.raises(KeyboardInterrupt):
        process(raw, SHORT)
    assert files(tmp_path) == before


def test_the_recipe_follows_from_what_is_given(tmp_path: Path) -> None:
    assert prepare().name == "auto"
    saxs = prepare(q=[0.05, 0.068])
    assert saxs.name == "saxs"
    assert {use.name: use.parameters for use in saxs.uses}["azimuthal_profiles"] == {"q": (0.05, 0.068)}
    assert prepare("auto", q=[0.05]).name == "auto"
    with pytest.raises(ParameterError, match="--cif and --hkl"):
        prepare(hkl="1 0 0")
    with pytest.raises(ParameterError, match="both"):
        prepare(q=[0.05], cif="a.cif", hkl="1 0 0")
    with pytest.raises(ParameterError, match=r"azimuthal_profiles.*--q"):
        prepare(parse_recipe('[[step]]\nuse = "masking"'), q=[0.05])
    with pytest.raises(ParameterError, match=r"masking.*--mask"):
        prepare(parse_recipe('[[step]]\nuse = "geometry"'), mask="a.edf")


def test_a_foreign_nxs_is_an_input_for_the_readers_and_never_a_place_to_write(raw: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.nxs"
    with h5py.File(foreign, "w") as file:
        file.attrs["creator"] = "another program"
        file["entry/data"] = np.zeros((4, 4))
    content = foreign.read_bytes()
    with pytest.raises(ReadError, match=r"foreign\.nxs"):
        process(foreign, SHORT)
    with pytest.raises(ContainerError, match="not a nxscatter container"):
        convert(raw, foreign)
    with pytest.raises(ContainerError, match="not a nxscatter container"):
        convert(raw, foreign, overwrite=True)
    assert foreign.read_bytes() == content


def test_an_unwritable_folder_is_named(raw: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(NxscatterError, match=r"file"):
        process(raw, SHORT, output=tmp_path / "file" / "below")


def test_every_error_names_the_input(raw: Path) -> None:
    with pytest.raises(NxscatterError, match=raw.stem):
        process(raw, SHORT, q=[3.0])


COBALT = """data_cobalt
_cell_length_a 2.507
_cell_length_b 2.507
_cell_length_c 4.069
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 120
_space_group_name_H-M_alt "P 63/m m c"
"""


def test_reflections_of_a_crystal_become_rings_with_labels_and_the_cif_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cif = tmp_path / "cobalt.cif"
    cif.write_text(COBALT)
    recipe = prepare(cif=cif, hkl="1 0 0;0 0 2;0 0 1")
    (use,) = (use for use in recipe.uses if use.step == "azimuthal_profiles")
    assert recipe.name == "waxs"
    assert use.parameters["hkl"] == ("1 0 0", "0 0 2", "0 0 1")
    expected = [4 * np.pi / (np.sqrt(3) * 2.507), 4 * np.pi / 4.069, 2 * np.pi / 4.069]
    assert np.allclose(use.parameters["q"], expected, rtol=1e-12)
    assert [record.getMessage() for record in caplog.records] == [
        "cobalt.cif: reflection (0 0 1) is extinct in P 63/m m c, what is seen there is something else"
    ]
    raw = tmp_path / "x_raw.h5"
    simulate.write_id02(raw, simulate.oriented((2.894,), kappa=5.0), simulate.RAYONIX_WAXS)
    short = parse_recipe(
        f'[[step]]\nuse = "masking"\n[[step]]\nuse = "azimuthal_profiles"\ncif = "{cif}"\nhkl = ["1 0 0"]'
    )
    profiles = process(raw, short)[-1]
    assert profiles.load().hkl == ("1 0 0",)
    assert profiles.attachments()["cif"][0].content == COBALT
    cif.unlink()
    assert profiles.make_step().parameters["cif"]["file"] == "cobalt.cif"
    with pytest.raises(ReadError, match=r"cobalt\.cif"):
        prepare(cif=cif, hkl="1 0 0")

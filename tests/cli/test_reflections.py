"""``process --cif --hkl`` as one types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nxscatter import simulate
from nxscatter.cli import run
from nxscatter.store.container import Container
from support.cif import cif

COBALT = ((2.507, 2.507, 4.069), (90, 90, 120))
GROUP = "_space_group_name_H-M_alt 'P 63/m m c'"
RECIPE = '[[step]]\nuse = "masking"\n[[step]]\nuse = "azimuthal_profiles"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for number in (1, 2):
        path = tmp_path / f"x_{number}_raw.h5"
        simulate.write_id02(path, simulate.oriented((2.894,), kappa=5.0), simulate.RAYONIX_WAXS)
    (tmp_path / "short.toml").write_text(RECIPE)
    silicon, cobalt = cif().replace("data_x", "data_Si"), cif(*COBALT, more=GROUP).replace("data_x", "data_Co")
    (tmp_path / "two.cif").write_text(silicon + cobalt)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_block_four_indices_and_one_warning_for_all_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--recipe", "short.toml", "--cif", "two.cif:Co", "--hkl", "1 0 -1 0; 0 0 0 1", "-q"]
    assert run(["process", "x_1_raw.h5", "x_2_raw.h5", *asked]) == 0
    said = "two.cif:Co: reflection (0 0 0 1) is extinct in P 63/m m c, what is seen there is something else"
    assert capsys.readouterr().err.count("is extinct") == 1
    for number in (1, 2):
        profiles = Container(f"x_{number}_raw.nxs").latest("azimuthal_profiles")
        assert profiles.parameters["hkl"] == ["1 0 -1 0", "0 0 0 1"]
        assert said in profiles.notes
    (folder / "two.cif").unlink()
    assert run(["verify", "--replay", "x_1_raw.nxs"]) == 0
    assert "replayed: exact" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("cif_file", "says"),
    [
        ("two.cif", "has 2 blocks with different cells, Si (a = 5.43), Co (a = 2.507): choose one as FILE:BLOCK"),
        ("two.cif:Fe", "no block 'Fe' with a unit cell in it: use one of Si, Co"),
        ("two.cif:Si", "four indices need hexagonal axes"),
        ("/dev/zero", "/dev/zero: is no regular file; give a CIF"),
        ("none.cif", "none.cif: no such file; give a CIF"),
    ],
)
def test_what_cannot_be_is_one_line(folder: Path, cif_file: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["process", "x_1_raw.h5", "--cif", cif_file, "--hkl", "1 0 -1 0"]) != 0
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1

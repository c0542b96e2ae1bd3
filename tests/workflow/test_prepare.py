"""Rings from a crystal's reflections."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nxscatter.errors import ParameterError, ReadError
from nxscatter.model import Attachment
from nxscatter.workflow.prepare import Hkl, crystal_warnings, prepare
from nxscatter.workflow.recipe_file import parse_recipe
from support.cif import cif

COBALT = ((2.507, 2.507, 4.069), (90, 90, 120))
GROUP = "_space_group_name_H-M_alt 'P 63/m m c'"
SILICON_AND_COBALT = cif().replace("data_x", "data_Si") + cif(*COBALT).replace("data_x", "data_Co")
Q100 = 4 * np.pi / (np.sqrt(3) * 2.507)


@pytest.fixture
def cobalt(tmp_path: Path) -> Path:
    path = tmp_path / "cobalt.cif"
    path.write_text(cif(*COBALT, more=GROUP))
    return path


def rings(**arguments: Any) -> Any:
    (use,) = (use for use in prepare(**arguments).uses if use.step == "azimuthal_profiles")
    return use.parameters


@pytest.mark.parametrize(
    ("hkl", "labels"),
    [
        ("1 0 0; 0 0 2;", ("1 0 0", "0 0 2")),
        ("100;(0,0,2)", ("1 0 0", "0 0 2")),
        ("1 0 -1 0;0 0 0 2", ("1 0 -1 0", "0 0 0 2")),
        ([(1, 0, 0), np.array([0, 0, 2])], ("1 0 0", "0 0 2")),
        ([(1, 0, -1, 0), "002"], ("1 0 -1 0", "0 0 2")),
    ],
)
def test_reflections_in_three_and_four_indices(cobalt: Path, hkl: Hkl, labels: tuple[str, ...]) -> None:
    given = rings(cif=cobalt, hkl=hkl)
    assert given["hkl"] == labels
    np.testing.assert_allclose(given["q"], [Q100, 4 * np.pi / 4.069], rtol=1e-12)


@pytest.mark.parametrize("hkl", ["", ";", [], (1, 0, 0), "1 0", [(1, 0)], "1 0 1 0"])
def test_what_is_no_reflection_is_refused(cobalt: Path, hkl: Any) -> None:
    with pytest.raises(ParameterError, match="hkl"):
        prepare(cif=cobalt, hkl=hkl)


def test_a_block_of_several_is_chosen_and_stays_with_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("two.cif").write_text(SILICON_AND_COBALT)
    given = rings(cif="two.cif:Co", hkl="1 0 0")
    assert (given["cif"].name, given["cif"].content) == ("two.cif:Co", SILICON_AND_COBALT)
    assert given["q"] == (pytest.approx(Q100),)
    with pytest.raises(ReadError, match=r"two\.cif: has 2 blocks with different cells, Si .*, Co .*: choose one"):
        prepare(cif="two.cif", hkl="1 0 0")
    with pytest.raises(ParameterError, match="four indices need hexagonal axes"):
        prepare(cif="two.cif:Si", hkl="1 0 -1 0")


def test_a_recipe_may_give_q_beside_the_cif_that_it_came_from(cobalt: Path) -> None:
    text = f'[[step]]\nuse = "azimuthal_profiles"\nq = [2.9]\ncif = "{cobalt}"\nhkl = ["1 0 0"]\n'
    given = rings(recipe=parse_recipe(text))
    assert given["q"] == [2.9]
    assert isinstance(given["cif"], Attachment)
    assert prepare(parse_recipe(text)).make()[1][0].attachments["cif"][0].name == "cobalt.cif"


def test_what_is_said_of_a_crystal_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "x.cif"
    path.write_text(cif(*COBALT))
    steps = "".join(f'[[step]]\nuse = "{step}"\n' for step in ("azimuthal_profiles", "azimuthal_pixels"))
    recipe = prepare(parse_recipe(steps), cif=path, hkl="0 0 1")
    said = ["x.cif: no extinctions known: the CIF states no symmetry"]
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == said
    assert crystal_warnings(recipe) == said

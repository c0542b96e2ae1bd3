"""Recipes: what they accept, what they refuse in one line, and what they hand to the runner."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscatter.errors import ParameterError, ReadError
from nxscatter.fields import param
from nxscatter.model import Attachment
from nxscatter.results import Image
from nxscatter.step import Step
from nxscatter.workflow.recipe import Recipe, Use
from nxscatter.workflow.recipe_file import built_in, load_recipe, parse_recipe, parse_settings, write_recipe

TWO_RINGS = """
name = "two"
[[step]]
use = "masking"
[[step]]
use = "azimuthal_profiles"
as = "inner"
q = [0.05]
[[step]]
use = "azimuthal_profiles"
as = "outer"
q = [0.068]
[[step]]
use = "fit_pseudo_voigt"
input = "inner"
"""


def values(recipe: Recipe) -> dict[str, dict[str, object]]:
    return {name: step.parameters for step, name, _ in recipe.make()}


def test_built_in_recipes_are_the_chains_that_the_design_names() -> None:
    fits = ("azimuthal_profiles", "fit_pseudo_voigt", "fit_maier_saupe", "order_parameter")
    assert built_in() == ("auto", "refined", "saxs", "waxs")
    assert load_recipe("auto").steps == ("geometry", "masking", "rings", "caving", *fits)
    for name in ("saxs", "waxs"):
        assert load_recipe(name).steps == ("geometry", "masking", "caving", *fits)
    assert all(load_recipe(name).name == name for name in built_in())


def test_a_recipe_without_geometry_begins_with_the_default_one() -> None:
    made = parse_recipe(TWO_RINGS).make()
    assert [name for _, name, _ in made] == ["geometry", "masking", "inner", "outer", "fit_pseudo_voigt"]
    assert [step.name for step, _, _ in made][2:4] == ["azimuthal_profiles"] * 2
    assert [chosen for _, _, chosen in made] == [{}, {}, {}, {}, {"input": ("inner",)}]


def test_writing_and_reading_a_recipe_gives_it_back() -> None:
    recipe = parse_recipe(TWO_RINGS).with_settings(
        {"inner.tolerance": 1e-5, "masking.use_file_masks": False, "outer.angle": "beta", "outer.q": np.array([0.07])}
    )
    again = parse_recipe(write_recipe(recipe))
    assert values(again) == values(recipe)
    assert [(use.step, use.name, use.input) for use in again.uses] == [(u.step, u.name, u.input) for u in recipe.uses]


@given(st.text(min_size=1), st.text())
def test_any_name_and_description_is_read_back(name: str, description: str) -> None:
    odd = Recipe(name, (Use("caving", "caving"),), description)
    again = parse_recipe(write_recipe(odd))
    assert (again.name, again.description) == (name, description)


@pytest.mark.parametrize("name", ["\x7f", 'a "quoted"\n\\ name', "\x00\x1f\x80", "\r\n", "β-phase"])
def test_control_characters_in_a_name_are_read_back(name: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(write_recipe(Recipe(name, (Use("caving", "caving"),))), encoding="utf-8")
    assert load_recipe(file).name == name


def test_a_step_is_frozen_once_and_again_only_where_its_parameters_change() -> None:
    recipe = parse_recipe(TWO_RINGS)
    changed = recipe.with_settings({"inner.q": [0.06], "inner.flanks": [0.02, 0.03]})
    same = {name: step is other for (step, name, _), (other, _, _) in zip(recipe.make(), changed.make(), strict=True)}
    assert same == {"geometry": True, "masking": True, "inner": False, "outer": True, "fit_pseudo_voigt": True}


def test_settings_that_are_legal_only_together_are_set_together() -> None:
    recipe = parse_recipe(TWO_RINGS).with_settings({"inner.flanks": [0.03, 0.04]})
    with pytest.raises(ParameterError, match="beyond the tolerance"):
        recipe.with_settings({"inner.tolerance": 0.05})
    wider = recipe.with_settings({"inner.tolerance": 0.05, "inner.flanks": [0.06, 0.1]})
    assert values(wider)["inner"]["flanks"] == [0.06, 0.1]


def test_a_step_may_yet_lack_what_must_be_given() -> None:
    use = Use("toy_needing", "toy_needing")
    with pytest.raises(ParameterError, match=r"needs the parameter 'width' \(full width\)"):
        use.make()
    assert use.with_parameters({"width": 3}, Path()).make().parameters == {"width": 3.0}
    with pytest.raises(ParameterError, match="has no parameter 'widht': use one of width"):
        use.with_parameters({"widht": 3}, Path())


@dataclass(frozen=True)
class Needing(Step):
    """A step with a parameter that has no default."""

    name = "toy_needing"
    version = 1
    width: float = param("pixel", "full width")

    def __call__(self, image: Image) -> Image:
        return image


def test_a_setting_by_step_reaches_every_use_and_one_by_name_a_single_one() -> None:
    every = values(parse_recipe(TWO_RINGS).with_settings({"azimuthal_profiles.tolerance": 0.03}))
    assert every["inner"]["tolerance"] == every["outer"]["tolerance"] == 0.03
    single = values(parse_recipe(TWO_RINGS).with_settings({"outer.tolerance": 0.03}))
    assert (single["inner"]["tolerance"], single["outer"]["tolerance"]) == (0.02, 0.03)


def test_settings_are_toml_values_and_texts_where_they_are_not() -> None:
    texts = ["a.q=[0.05, 0.068]", "a.n = 3", "a.angle=beta", "a.path=C:=x", 'a.text="5"', "a.flag=true"]
    expected = {"a.q": [0.05, 0.068], "a.n": 3, "a.angle": "beta", "a.path": "C:=x", "a.text": "5", "a.flag": True}
    assert parse_settings(texts) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[step]]\nuse = 'cave'", ("cave", "caving", "masking")),
        ("[[step]]\nuse = 'masking'\nsatuation = 5", ("satuation", "saturation")),
        ("[[step]]\nuse = 'caving'\nmax_iter = 5", ("max_iter", "version 1 had it, leave it out")),
        ("[[step]]\nuse = 'azimuthal_profiles'\nangle = 'phi'", ("angle", "phi", "chi, beta")),
        ("[[step]]\nuse = 'azimuthal_profiles'\ntolerance = 3", ("tolerance", "3", "at most 0.5")),
        ("[[step]]\nuse = 'azimuthal_profiles'\nq = 'wide'", ("q", "wide", "list")),
        ("[[step]]\nuse = 'caving'\n[[step]]\nuse = 'caving'", ("caving", "twice", "as =")),
        ("[[step]]\nuse = 'caving'\nas = 'masking'", ("masking", "name of a step")),
        ("[[step]]\nuse = 'caving'\nas = 'a b'", ("a b", "letters")),
        ("[[step]]\nuse = 'caving'\nas = 'a_v2'", ("a_v2", "_v1")),
        ("[[step]]\nuse = 'caving'\ninput = 'inner'", ("inner", "geometry")),
        ("[[step]]\nuse = 'caving'\ninput = 3", ("caving", "input")),
        ("[[step]]\nbins = 3", ("use =", "caving")),
        ("steps = []", ("steps", "name, description, step")),
        ("name = 'empty'", ("[[step]]",)),
        ("name = 3\n[[step]]\nuse = 'caving'", ("name", "text")),
        ("[[step]\n", ("TOML", "line 1")),
    ],
)
def test_a_wrong_recipe_is_refused_in_one_line_that_names_file_key_and_remedy(
    tmp_path: Path, text: str, words: tuple[str, ...]
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(ParameterError) as caught:
        load_recipe(file)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in ("mine.toml", *words)), message


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("caving.max_iter=3", ("caving", "masking", "inner")),
        ("inner.width=3", ("width", "tolerance")),
        ("inner.tolerance=wide", ("tolerance", "wide", "number")),
        ("tolerance=3", ("tolerance", "STEP.PARAMETER")),
        ("inner.q", ("inner.q", "VALUE")),
    ],
)
def test_a_wrong_setting_is_refused(setting: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ParameterError) as caught:
        parse_recipe(TWO_RINGS).with_settings(parse_settings([setting]))
    assert all(word in str(caught.value) for word in words), caught.value


def test_an_unknown_recipe_lists_the_known_ones() -> None:
    with pytest.raises(ParameterError, match=r"no recipe 'sacks'.*auto, refined, saxs, waxs"):
        load_recipe("sacks")


def test_a_file_in_a_recipe_lies_relative_to_it_and_one_in_a_setting_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "recipes").mkdir()
    near, here = np.eye(3, dtype=np.uint8), np.ones((3, 3), dtype=np.uint8)
    np.save(tmp_path / "recipes" / "near.npy", near)
    np.save(tmp_path / "here.npy", here)
    file = tmp_path / "recipes" / "mine.toml"
    file.write_text('[[step]]\nuse = "masking"\nmask = ["near.npy"]')
    monkeypatch.chdir(tmp_path)
    recipe = load_recipe(file)
    assert recipe.make()[1][0].attachments["mask"] == (Attachment("near.npy", near, "mask"),)
    changed = recipe.with_settings({"masking.mask": "here.npy"})
    assert changed.make()[1][0].attachments["mask"] == (Attachment("here.npy", here, "mask"),)


def test_a_file_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    recipe = load_recipe("saxs").with_settings({"masking.mask": str(tmp_path / "gone.edf")})
    with pytest.raises(ReadError, match=r"gone\.edf"):
        recipe.make()

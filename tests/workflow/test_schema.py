"""The JSON schema of recipes says what recipes accept, and its copy in the repository is the current one."""

from __future__ import annotations

import json
import tomllib
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from nxscatter.errors import ParameterError
from nxscatter.store.container import Container
from nxscatter.store.validate import schema_path
from nxscatter.workflow.recipe_file import built_in, parse_recipe
from nxscatter.workflow.schema import configuration_schema, recipe_schema


def test_the_copy_in_the_repository_is_what_the_steps_declare() -> None:
    path = schema_path("json/recipe.json")
    assert json.loads(path.read_text("utf-8")) == recipe_schema(), (
        "run: nxscatter recipe schema > schemas/json/recipe.json"
    )


def test_so_is_the_copy_of_the_schema_of_configurations() -> None:
    stored = json.loads(schema_path("json/configuration.json").read_text("utf-8"))
    assert stored == configuration_schema(), (
        "run: python -c 'import json; from nxscatter.workflow.schema import configuration_schema as schema; "
        "print(json.dumps(schema(), indent=1))' > schemas/json/configuration.json"
    )


def test_configurations_of_records_fit_the_schema(processed_file: Path) -> None:
    validator = jsonschema.Draft202012Validator(configuration_schema())
    records = Container(processed_file).records
    for record in records:
        validator.validate(record.configuration)
    masking = next(record.configuration for record in records if record.step == "masking")
    parameters = masking["parameters"]
    file = {"file": "a.edf", "role": "mask", "sha256": "0" * 64}
    validator.validate(masking | {"parameters": parameters | {"mask": [file]}})
    for wrong in ({"saturation": 0.0}, {"mask": ["a.edf"]}, {"unknown": 1}):
        assert not validator.is_valid(masking | {"parameters": parameters | wrong})
    assert validator.is_valid(masking | {"step_version": 99, "parameters": {"unknown": 1}})  # of a later version


def test_built_in_recipes_fit_the_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(recipe_schema())
    for name in built_in():
        text = (resources.files("nxscatter.workflow") / "recipes" / f"{name}.toml").read_text("utf-8")
        jsonschema.validate(tomllib.loads(text), recipe_schema())


@pytest.mark.parametrize(
    "block",
    [
        "use = 'masking'\nsaturation = 1e6\nmask = ['a.edf']",
        "use = 'masking'\nmask = 'a.edf'\nas = 'first'",
        "use = 'azimuthal_profiles'\nq = [0.05, 1]\nangle = 'beta'",
        "use = 'azimuthal_profiles'\nq = 0.05\nbins = 72",
        "use = 'azimuthal_profiles'\ntolerance = 0.5",
        "use = 'azimuthal_profiles'\nhkl = ['1 0 0']",
    ],
)
def test_what_fits_the_schema_is_a_recipe(block: str) -> None:
    jsonschema.validate(tomllib.loads(f"[[step]]\n{block}"), recipe_schema())
    parse_recipe(f"[[step]]\n{block}")


@pytest.mark.parametrize(
    "block",
    [
        "use = 'sorting'",
        "use = 'masking'\nsaturation = 0",
        "use = 'masking'\nsatuation = 5",
        "use = 'azimuthal_profiles'\nq = [0.05, -1]",
        "use = 'azimuthal_profiles'\nangle = 'phi'",
        "use = 'azimuthal_profiles'\ntolerance = 0.6",
        "use = 'azimuthal_profiles'\nhkl = '1 0 0'",
        "use = 'azimuthal_profiles'\nbins = 'many'",
        "use = 'azimuthal_profiles'\nas = 'a b'",
    ],
)
def test_what_does_not_fit_the_schema_is_no_recipe(block: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(f"[[step]]\n{block}"), recipe_schema())
    with pytest.raises(ParameterError):
        parse_recipe(f"[[step]]\n{block}")


def test_schemas_lie_where_the_package_finds_them() -> None:
    assert schema_path("nxdl/NXscatter.nxdl.xml").is_file()
    assert isinstance(schema_path("json"), Path)

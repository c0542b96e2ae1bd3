"""Recipes as TOML: the built-in ones, files of users, and settings on top of them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import tomli_w

from nxscatter.errors import ParameterError
from nxscatter.model import Attachment
from nxscatter.plain import plain
from nxscatter.step import step_names
from nxscatter.workflow.recipe import Recipe, Use, absolute_files

_BUILT_IN = resources.files("nxscatter.workflow") / "recipes"
_KEYS = ("name", "description", "step")


def built_in() -> tuple[str, ...]:
    """Return the names of the built-in recipes."""
    return tuple(sorted(file.name.removesuffix(".toml") for file in _BUILT_IN.iterdir() if file.name.endswith(".toml")))


def load_recipe(source: str | Path) -> Recipe:
    """Load a recipe by the name of a built-in one, or from a TOML file.

    Raises
    ------
    ParameterError
        When there is no such recipe, or something in it is unknown or has no legal value; the message names the file.
    """
    if str(source) in built_in():
        return parse_recipe((_BUILT_IN / f"{source}.toml").read_text("utf-8"), f"recipe '{source}'")
    file = Path(source).expanduser()
    if not file.is_file():
        raise ParameterError(f"no recipe '{source}': use one of {', '.join(built_in())}, or name a TOML file")
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ParameterError(f"{file}: is not a text in UTF-8; name a TOML file") from error
    return parse_recipe(text, file.name, file.resolve().parent)


def parse_recipe(text: str, source: str = "recipe", folder: Path | None = None) -> Recipe:
    """Read a recipe from TOML text.

    Parameters
    ----------
    text : str
        The TOML.
    source : str
        What error messages call it.
    folder : Path, optional
        Where relative paths of files start; the working directory by default.
    """
    try:
        content = tomllib.loads(text)
        for key in content:
            if key not in _KEYS:
                raise ParameterError(f"a recipe has no key '{key}': use one of {', '.join(_KEYS)}")
        blocks = content.get("step")
        if not isinstance(blocks, list) or not blocks or not all(isinstance(block, dict) for block in blocks):
            raise ParameterError('has no steps: write one [[step]] with use = "..." for each')
        uses = tuple(_parse_use(block, folder or Path.cwd()) for block in blocks)
        return Recipe(_text(content, "name", Path(source).stem), uses, _text(content, "description", ""))
    except tomllib.TOMLDecodeError as error:
        raise ParameterError(f"{source}: is not valid TOML ({error}); mend that line") from error
    except ParameterError as error:
        raise ParameterError(f"{source}: {error}") from error


def write_recipe(recipe: Recipe) -> str:
    """Write the recipe as TOML; `parse_recipe` gives it back."""
    head = {"name": recipe.name, "description": recipe.description}
    said = {key: value for key, value in head.items() if value}
    return tomli_w.dumps({**said, "step": [_block(use) for use in recipe.uses]})


def parse_settings(texts: Iterable[str]) -> dict[str, Any]:
    """Read settings written ``STEP.PARAMETER=VALUE``; a value that is not TOML is a text.

    Raises
    ------
    ParameterError
        When there is no equals sign.
    """
    settings = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise ParameterError(f"setting '{text}': write STEP.PARAMETER=VALUE")
        try:
            settings[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            settings[key.strip()] = value.strip()
    return settings


def _parse_use(block: Mapping[str, Any], folder: Path) -> Use:
    values = dict(block)
    step = values.pop("use", None)
    if not isinstance(step, str):
        raise ParameterError(f'a [[step]] names no step: write use = "...", one of {", ".join(step_names())}')
    name, chosen = values.pop("as", step), values.pop("input", [])
    names = [chosen] if isinstance(chosen, str) else chosen
    if not isinstance(name, str) or not isinstance(names, list) or not all(isinstance(item, str) for item in names):
        raise ParameterError(f"step '{step}': as is a text, input a text or a list of texts")
    return Use(step, name, tuple(names), absolute_files(step, values, folder))


def _block(use: Use) -> dict[str, Any]:
    entries: dict[str, Any] = {"use": use.step}
    if use.name != use.step:
        entries["as"] = use.name
    if use.input:
        entries["input"] = use.input[0] if len(use.input) == 1 else use.input
    entries.update((key, value) for key, value in use.parameters.items() if value is not None)
    return dict(plain(entries, lambda value: value.name if isinstance(value, Attachment) else value))


def _text(content: Mapping[str, Any], key: str, default: str) -> str:
    value = content.get(key, default)
    if not isinstance(value, str):
        raise ParameterError(f"{key} = {value!r}: give a text")
    return value

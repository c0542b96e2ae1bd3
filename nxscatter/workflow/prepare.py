"""The recipe that a user asks for: built-in or their own, with rings, masks and settings put in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from nxscatter.errors import ParameterError
from nxscatter.model import Attachment
from nxscatter.readers.files import texts
from nxscatter.science.geometry.crystal import parse_hkl, parse_indices, q_hkl, read_cif
from nxscatter.science.pixels.ring_choice import crystal_notes
from nxscatter.step import Step, get_step, registry
from nxscatter.workflow.paths import PathLike, paths_of
from nxscatter.workflow.recipe import Recipe, Use
from nxscatter.workflow.recipe_file import load_recipe, parse_settings

Hkl: TypeAlias = str | Sequence[Sequence[int]]
_log = logging.getLogger("nxscatter")


def prepare(
    recipe: Recipe | PathLike | None = None,
    *,
    q: Sequence[float] | None = None,
    cif: PathLike | None = None,
    hkl: Hkl | None = None,
    settings: Mapping[str, Any] | Sequence[str] = (),
    mask: PathLike | Sequence[PathLike] = (),
) -> Recipe:
    """Return the recipe that these arguments of `nxscatter.process` ask for, checked."""
    if recipe is None:
        recipe = "waxs" if cif is not None else "saxs" if q is not None else "auto"
    if not isinstance(recipe, Recipe):
        recipe = load_recipe(recipe)
    if q is not None and cif is not None:
        raise ParameterError("both q and a CIF are given: give the rings by --q, or by --cif and --hkl")
    if (cif is None) != (hkl is None):
        raise ParameterError("--cif and --hkl go together: give both, for instance --hkl '1 0 0;0 0 2'")
    if q is not None:
        recipe = _set(recipe, "--q", lambda step: step.takes_rings, q=tuple(q))
    if cif is not None and hkl is not None:
        recipe = _set(recipe, "--cif", lambda step: step.takes_rings, cif=str(cif), hkl=_labels(hkl), q=())
    if masks := paths_of(mask):
        recipe = _set(recipe, "--mask", lambda step: step.takes_masks, mask=masks)
    recipe = recipe.with_settings(settings if isinstance(settings, Mapping) else parse_settings(settings))
    recipe = replace(recipe, uses=tuple(map(_with_reflections, recipe.uses)))
    for warning in crystal_warnings(recipe):
        _log.warning("%s", warning)
    return recipe


def crystal_warnings(recipe: Recipe) -> list[str]:
    """Return what the records of a prepared recipe will say of its crystals and reflections, each once."""
    used = [use.parameters for use in recipe.uses if isinstance(use.parameters.get("cif"), Attachment)]
    notes = [note for given in used for note in crystal_notes(given["cif"], _hkl(given))]
    return list(dict.fromkeys(notes))


def _labels(hkl: Hkl) -> tuple[str, ...]:
    texts = hkl.split(";") if isinstance(hkl, str) else [_joined(index) for index in hkl]
    labels = tuple(_joined(parse_indices(text)) for text in texts if text.strip())
    if not labels:
        raise ParameterError("--hkl names no reflection: give for instance --hkl '1 0 0;0 0 2'")
    return labels


def _joined(index: str | int | Sequence[int]) -> str:
    return str(index) if isinstance(index, str | int) else " ".join(map(str, index))


def _with_reflections(use: Use) -> Use:
    """Return a profile step that has a CIF with the CIF's text, and with q of its reflections unless q is given."""
    given = use.parameters
    if not get_step(use.step).takes_rings or not given.get("cif"):
        return use
    cif = given["cif"] if isinstance(given["cif"], Attachment) else texts.read_cif(given["cif"])
    cell = read_cif(str(cif.content), cif.name).cell
    q = given.get("q") or tuple(q_hkl(cell, parse_hkl(label, cell)) for label in _hkl(given))
    return replace(use, parameters={**given, "cif": cif, "q": q})


def _hkl(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(map(str, paths_of(parameters.get("hkl", ()))))


def _set(recipe: Recipe, option: str, takes: Callable[[type[Step]], bool], **parameters: Any) -> Recipe:
    """Give an option's parameters to all steps that take it."""
    steps = [step for step in recipe.steps if takes(get_step(step))]
    if not steps:
        known = " or ".join(name for name, kind in registry().items() if takes(kind))
        raise ParameterError(f"recipe '{recipe.name}' has no {known}, so it takes no {option}")
    return recipe.with_settings({f"{step}.{key}": value for step in steps for key, value in parameters.items()})

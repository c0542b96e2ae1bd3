"""The recipe that a user asks for: built-in or their own, with rings, masks and settings put in."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from nxscatter.errors import ParameterError
from nxscatter.model import Attachment
from nxscatter.readers.files import texts
from nxscatter.science.geometry.crystal import parse_hkl, parse_indices, q_hkl, read_cif
from nxscatter.science.pixels.ring_choice import crystal_notes
from nxscatter.workflow.paths import PathLike, paths_of
from nxscatter.workflow.recipe import Recipe, Use
from nxscatter.workflow.recipe_file import load_recipe, parse_settings

Hkl: TypeAlias = str | Sequence[Sequence[int]]
_RING_STEPS = ("azimuthal_profiles", "azimuthal_pixels")
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
        recipe = _set_rings(recipe, "--q", q=tuple(q))
    if cif is not None and hkl is not None:
        recipe = _set_rings(recipe, "--cif", cif=str(cif), hkl=_labels(hkl), q=())
    if masks := paths_of(mask):
        if "masking" not in recipe.steps:
            raise ParameterError(f"recipe '{recipe.name}' has no step masking, so it takes no --mask")
        recipe = recipe.with_settings({"masking.mask": masks})
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
    if use.step not in _RING_STEPS or not given.get("cif"):
        return use
    cif = given["cif"] if isinstance(given["cif"], Attachment) else texts.read_cif(given["cif"])
    cell = read_cif(str(cif.content), cif.name).cell
    q = given.get("q") or tuple(q_hkl(cell, parse_hkl(label, cell)) for label in _hkl(given))
    return replace(use, parameters={**given, "cif": cif, "q": q})


def _hkl(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(map(str, paths_of(parameters.get("hkl", ()))))


def _set_rings(recipe: Recipe, option: str, **parameters: Any) -> Recipe:
    steps = [step for step in recipe.steps if step in _RING_STEPS]
    if not steps:
        raise ParameterError(f"recipe '{recipe.name}' has no {' or '.join(_RING_STEPS)}, so it takes no {option}")
    return recipe.with_settings({f"{step}.{key}": value for step in steps for key, value in parameters.items()})

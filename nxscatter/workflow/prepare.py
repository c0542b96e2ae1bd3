"""The recipe that a user asks for: built-in or their own, with rings, masks and settings put in."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from nxscatter.errors import ParameterError, ReadError
from nxscatter.model import Attachment
from nxscatter.science.geometry.crystal import parse_hkl, q_hkl, read_cif
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
        indices = [parse_hkl(one) for one in hkl.split(";") if one.strip()] if isinstance(hkl, str) else hkl
        labels = tuple(" ".join(map(str, index)) for index in indices)
        recipe = _set_rings(recipe, "--cif", cif=cif, hkl=labels, q=())
    if masks := paths_of(mask):
        if "masking" not in recipe.steps:
            raise ParameterError(f"recipe '{recipe.name}' has no step masking, so it takes no --mask")
        recipe = recipe.with_settings({"masking.mask": masks})
    recipe = recipe.with_settings(settings if isinstance(settings, Mapping) else parse_settings(settings))
    return replace(recipe, uses=tuple(map(_with_reflections, recipe.uses)))


def _with_reflections(use: Use) -> Use:
    """Return a profile step that has a CIF and reflections with their q; say which ones symmetry extinguishes."""
    given = use.parameters
    if use.step not in _RING_STEPS or not given.get("cif") or given.get("q"):
        return use
    cif, labels = _read_cif(given["cif"]), paths_of(given.get("hkl", ()))
    crystal = read_cif(str(cif.content), cif.name)
    indices = [parse_hkl(str(label)) for label in labels]
    for index in indices:
        if crystal.is_absent(index):
            name = " ".join(map(str, index))
            _log.warning(
                "%s: reflection (%s) is extinct in %s", cif.name, name, crystal.space_group or "its space group"
            )
    q = tuple(q_hkl(crystal.cell, index) for index in indices)
    return replace(use, parameters={**given, "cif": cif, "q": q})


def _read_cif(cif: Attachment | PathLike) -> Attachment:
    if isinstance(cif, Attachment):
        return cif
    path = Path(cif).expanduser()
    try:
        return Attachment(path.name, path.read_text("utf-8"), "cif")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{path}: cannot be read as text ({error}); give a CIF") from error


def _set_rings(recipe: Recipe, option: str, **parameters: Any) -> Recipe:
    steps = [step for step in recipe.steps if step in _RING_STEPS]
    if not steps:
        raise ParameterError(f"recipe '{recipe.name}' has no {' or '.join(_RING_STEPS)}, so it takes no {option}")
    return recipe.with_settings({f"{step}.{key}": value for step in steps for key, value in parameters.items()})

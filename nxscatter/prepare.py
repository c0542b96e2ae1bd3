"""The recipe that a user asks for: built-in or their own, with rings, masks and settings put in."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from nxscatter.errors import ParameterError, ReadError
from nxscatter.inputs import PathLike, paths_of
from nxscatter.model import Json
from nxscatter.recipe import Recipe
from nxscatter.recipe_file import load_recipe, parse_settings

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
        recipe = _set_rings(recipe, "--cif", **_reflections(cif, hkl))
    if masks := paths_of(mask):
        if "masking" not in recipe.steps:
            raise ParameterError(f"recipe '{recipe.name}' has no step masking, so it takes no --mask")
        recipe = recipe.with_settings({"masking.mask": masks})
    return recipe.with_settings(settings if isinstance(settings, Mapping) else parse_settings(settings))


def _reflections(cif: PathLike, hkl: Hkl) -> dict[str, Json]:
    """Return rings and their labels from a crystal structure; say which reflections its symmetry extinguishes."""
    from nxscatter.crystal import parse_hkl, q_hkl, read_cif

    path = Path(cif).expanduser()
    try:
        crystal = read_cif(path.read_text("utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{path}: cannot be read as text ({error}); give a CIF") from error
    indices = (
        [parse_hkl(one) for one in hkl.split(";") if one.strip()] if isinstance(hkl, str) else list(map(tuple, hkl))
    )
    labels = tuple(" ".join(map(str, index)) for index in indices)
    for index, label in zip(indices, labels, strict=True):
        if crystal.is_absent(index):
            _log.warning(
                "%s: reflection (%s) is extinct in %s", path.name, label, crystal.space_group or "its space group"
            )
    return {"q": tuple(q_hkl(crystal.cell, index) for index in indices), "hkl": labels}


def _set_rings(recipe: Recipe, option: str, **parameters: Json) -> Recipe:
    steps = [step for step in recipe.steps if step in _RING_STEPS]
    if not steps:
        raise ParameterError(f"recipe '{recipe.name}' has no {' or '.join(_RING_STEPS)}, so it takes no {option}")
    return recipe.with_settings({f"{step}.{key}": value for step in steps for key, value in parameters.items()})

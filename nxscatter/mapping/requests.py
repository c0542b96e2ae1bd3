"""Rings that are asked for, and the steps of a recipe that answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from nxscatter.errors import ParameterError
from nxscatter.workflow.recipe import Use

if TYPE_CHECKING:
    from nxscatter.science.geometry.crystal import Cell


class Ring(NamedTuple):
    """A ring: its key in the answers, q in 1/angstrom, and its reflection ("" without one)."""

    key: str
    q: float
    hkl: str = ""


def miller(reflection: Any, cell: Cell) -> tuple[int, int, int]:
    """Return Miller indices, given as three numbers (four for a hexagonal cell) or a text."""
    from nxscatter.science.geometry.crystal import parse_hkl

    text = reflection if isinstance(reflection, str) else " ".join(f"{index:g}" for index in reflection)
    return parse_hkl(text, cell)


def pixels(ring: Ring, tolerance: float) -> Use:
    """Every pixel of a ring against beta."""
    return Use("azimuthal_pixels", "azimuthal_pixels", parameters=_parameters([ring], tolerance))


def profiles(
    rings: Sequence[Ring],
    tolerance: float,
    method: str | None = None,
    frames: str = "mean",
    name: str = "azimuthal_profiles",
) -> Use:
    """Azimuthal profiles, summed up here or by pyFAI."""
    if method is not None and method.lower() != "pyfai":
        raise ParameterError(f"method = '{method}': give 'pyFAI', or None")
    more = {"method": "own" if method is None else "pyfai", "frames": frames}
    return Use("azimuthal_profiles", name, parameters=_parameters(rings, tolerance) | more)


def fit(model: str, beta_target: float | None) -> tuple[Use, Use]:
    """Fit of a model to the profiles before it, and the order parameters of it."""
    fitted = Use(f"fit_{model}", f"fit_{model}", parameters={"beta_target": beta_target})
    return fitted, Use("order_parameter", "order_parameter")


def view(of: str, **parameters: Any) -> Use:
    """How the record called ``of`` is named and drawn."""
    return Use("view", f"{of}_view", (of,), parameters)


def _parameters(rings: Sequence[Ring], tolerance: float) -> dict[str, Any]:
    hkl = tuple(ring.hkl for ring in rings)
    return {"q": tuple(ring.q for ring in rings), "tolerance": tolerance, "hkl": hkl if any(hkl) else ()}

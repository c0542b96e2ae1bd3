"""Units that input files use, and the ones that a user adds with ``--units``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from nxscatter.errors import ParameterError

_LENGTH = {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "um": 1e-6, "nm": 1e-9, "pm": 1e-12, "angstrom": 1e-10}
_ANGLE = {"rad": 1.0, "mrad": 1e-3, "deg": 0.017453292519943295}
_TIME = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0}
_FIELD = {"mT": 1.0, "T": 1e3}
_PIXEL = {"pixel": 1.0}
_KINDS = {"length": _LENGTH, "angle": _ANGLE, "time": _TIME, "field": _FIELD, "pixel": _PIXEL}
_SPELLINGS = {
    "meter": "m", "metre": "m", "millimeter": "mm", "millimetre": "mm", "µm": "um", "μm": "um", "micron": "um",
    "micrometer": "um", "micrometre": "um", "nanometer": "nm", "nanometre": "nm", "a": "angstrom", "å": "angstrom",
    "ang": "angstrom", "radian": "rad", "degree": "deg", "°": "deg", "sec": "s", "second": "s", "msec": "ms",
    "minute": "min", "hour": "h", "tesla": "T", "millitesla": "mT", "px": "pixel",
}  # fmt: skip


def factor(unit: str, kind: str) -> float | None:
    """Return what a unit is worth in m, rad, s, mT or pixel; None when it is no unit of that kind.

    Parameters
    ----------
    unit : str
        The unit as files spell it: ``mm``, ``Angstroms``, ``millimetre``, ``µm``.
    kind : str
        ``"length"``, ``"angle"``, ``"time"``, ``"field"`` or ``"pixel"``.
    """
    known = _KINDS[kind]
    name = unit.strip()
    lower = name.lower()
    plural = lower.removesuffix("s") if len(lower) > 3 else lower
    for spelling in (name, lower, plural):
        spelling = _SPELLINGS.get(spelling, spelling)
        if spelling in known:
            return known[spelling]
    return None


def scaled(value: float, scale: float) -> float:
    """Return ``value * scale`` with 15 digits, so that 0.172 mm is 0.000172 m and not 0.00017199999999999998."""
    return value if scale == 1 else float(f"{value * scale:.15g}")


def same_unit(one: str, other: str) -> bool:
    """Tell whether two spellings mean the same unit of length, or both pixels."""
    lengths = factor(one, "length"), factor(other, "length")
    both_pixels = factor(one, "pixel") is not None and factor(other, "pixel") is not None
    return both_pixels or (None not in lengths and lengths[0] == lengths[1])


class Chosen(NamedTuple):
    """Units of a quantity that ``--units`` gives: ``named`` for it alone, ``every`` for all lengths; "" for none."""

    named: str
    every: str


def chosen_unit(text: str | None, *names: str) -> Chosen:
    """Return what ``--units`` says of a quantity that can be called by any of ``names``.

    The unit for all lengths is that of the set-up, and not of the wavelength.
    """
    chosen = parse_units(text)
    named = next((chosen[name] for name in names if name in chosen), "")
    return Chosen(named, "" if "wavelength" in names else chosen.get("", ""))


def parse_units(text: str | None) -> Mapping[str, str]:
    """Read the option ``--units``: ``"mm"`` for every length, ``"distance=mm,wavelength=nm"`` for single ones.

    Returns
    -------
    mapping
        Unit by name of the quantity; the unit for all lengths stands under ``""``.
    """
    chosen: dict[str, str] = {}
    for part in (text or "").split(","):
        if part.strip():
            name, _, unit = part.rpartition("=")
            if factor(unit, "length") is None and factor(unit, "pixel") is None:
                raise ParameterError(f"--units {text}: '{unit.strip()}' is no unit of length; use {', '.join(_LENGTH)}")
            chosen[name.strip()] = unit.strip()
    return chosen

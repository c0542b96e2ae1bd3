"""Lengths that cannot be: numbers in another unit than the one they are taken for."""

from __future__ import annotations

from nxscatter.readers.headers.units import factor

# Smallest and largest in m, and the units in which people write them by mistake. X-rays for scattering have 0.1 to
# 60 angstrom, the longest cameras have 40 m, pixels of microscopes 0.6 um and of phosphor screens 1 mm.
_KINDS = {
    "wavelength": (1e-12, 1e-8, ("angstrom", "nm")),
    "distance": (1e-3, 100.0, ("mm", "cm")),
    "pixel size": (5e-7, 5e-3, ("um", "mm")),
}


def impossible(kind: str, number: float, unit: str = "m") -> str:
    """Tell that a length cannot be one of its kind, and in which other unit it could; "" when it can be.

    Parameters
    ----------
    kind : {"wavelength", "distance", "pixel size"}
        What is measured.
    number : float
        Above 0. NaN is not impossible.
    unit : str
        Its unit of length.
    """
    low, high, units = _KINDS[kind]
    if not _outside(number, unit, low, high):
        return ""
    fits = next((other for other in units if not _outside(number, other, low, high)), "")
    return f"cannot be a {kind} in {unit}" + (f", it looks like {fits}" if fits else "")


def _outside(number: float, unit: str, low: float, high: float) -> bool:
    value = number * (factor(unit, "length") or 1.0)
    return value < low or value > high

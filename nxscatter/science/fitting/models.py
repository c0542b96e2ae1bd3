"""The line models that profiles are fitted with: one class a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nxscatter.model import Floats
from nxscatter.science.fitting.lineshapes import (
    kratky_peak,
    leadbetter_norris_peak,
    maier_saupe_peak,
    pseudo_voigt_peak,
    pseudo_voigt_periodic_peak,
)


@dataclass(frozen=True)
class Line:
    """What a fit needs to know of a line.

    Attributes
    ----------
    name : str
        Name of the line's function.
    parameters : tuple of str
        Its parameters in the order of that function.
    shape : tuple of str
        Those of the peak itself, besides I and x0.
    level, slope : str
        Those of the background; ``""`` for a line without a slope.
    peak : callable
        ``(d, *shape) -> (peak, by d, by each shape parameter)``; ``(d, *shape, theta_bragg)`` when ``polar``.
    periodic : bool
        The peak repeats every 180 degrees by itself.
    polar : bool
        The peak depends on the angle between q and the director, and so on theta_Bragg (degrees).
    """

    name: str
    parameters: tuple[str, ...]
    shape: tuple[str, ...]
    level: str
    slope: str
    peak: Callable[..., tuple[Floats, ...]]
    periodic: bool = True
    polar: bool = False


LINES = {
    line.name: line
    for line in (
        Line(
            "pseudo_voigt",
            ("y0", "I", "x0", "gamma", "eta", "slope"),
            ("gamma", "eta"),
            "y0",
            "slope",
            pseudo_voigt_peak,
            periodic=False,
        ),
        Line(
            "pseudo_voigt_periodic",
            ("y0", "I", "x0", "gamma", "eta"),
            ("gamma", "eta"),
            "y0",
            "",
            pseudo_voigt_periodic_peak,
        ),
        Line("maier_saupe", ("I", "x0", "kappa", "a", "b"), ("kappa",), "b", "a", maier_saupe_peak, polar=True),
        Line("kratky", ("I", "x0", "kappa", "b"), ("kappa",), "b", "", kratky_peak, polar=True),
        Line("leadbetter_norris", ("I", "x0", "kappa", "b"), ("kappa",), "b", "", leadbetter_norris_peak, polar=True),
    )
}

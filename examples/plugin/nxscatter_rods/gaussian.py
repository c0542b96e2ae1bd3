"""A fit model: a Gaussian, for profiles whose peaks have no Lorentzian feet."""

from __future__ import annotations

from typing import Any

import numpy as np

from nxscatter.model import Floats
from nxscatter.science.fitting.line_model import CENTRE, HEIGHT, LineModel, Parameter
from nxscatter.science.fitting.lineshapes import Peak


class Gaussian(LineModel):
    """Gaussian line ``b + I*exp(-(x - x0)^2/(2*sigma^2))``; source: Gauss, Theoria motus, 1809."""

    name = "gaussian"
    label = "Gaussian"
    parameters = (
        HEIGHT,
        CENTRE,
        Parameter("sigma", "degree", "σ", "σ", "standard deviation of the peak", positive=True),
        Parameter("b", "counts", meaning="level of the background"),
    )
    periodic = False

    def peak(self, d: Any, sigma: Any, *, theta_bragg: Any = 0.0) -> Peak:
        """Return the peak of height 1 and its derivatives by d and sigma."""
        u = np.asarray(d / sigma)
        peak = np.exp(-(u**2) / 2)
        return peak, -u / sigma * peak, u**2 / sigma * peak

    def guess(self, fwhm: Floats) -> tuple[Floats, ...]:
        """Return sigma of a Gaussian of that FWHM."""
        return (fwhm / 2.355,)

    def limits(self, narrowest: float) -> tuple[tuple[float, float], ...]:
        """Return what bins resolve, and a peak as wide as a quarter circle."""
        return ((narrowest / 2.355, 60.0),)

"""The fit models of this package, and those that other packages bring."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache

import numpy as np

from nxscatter.model import Floats
from nxscatter.plugins import load_plugins, plugin_names
from nxscatter.science.fitting.distributions import (
    Averages,
    maier_saupe_averages,
    pseudo_voigt_averages,
    pseudo_voigt_periodic_averages,
)
from nxscatter.science.fitting.line_model import AREA, CENTRE, HEIGHT, LineModel, Parameter
from nxscatter.science.fitting.lineshapes import (
    Number,
    Peak,
    kratky_peak,
    leadbetter_norris_peak,
    maier_saupe_peak,
    pseudo_voigt_peak,
    pseudo_voigt_periodic_peak,
)

_GROUP = "nxscatter.models"
_log = logging.getLogger("nxscatter")


class _PseudoVoigt(LineModel):
    """What both pseudo-Voigt lines have in common."""

    level = "y0"

    def guess(self, fwhm: Floats) -> tuple[Floats, ...]:
        """Return the width itself, and half a Gaussian."""
        return fwhm, np.full(len(fwhm), 0.5)

    def limits(self, narrowest: float) -> tuple[tuple[float, float], ...]:
        """Return what bins resolve, up to a half circle, and the ends of a fraction."""
        return (narrowest, 180.0), (0.0, 1.0)


_Y0 = Parameter("y0", "counts", meaning="background at the peak")
_GAMMA = Parameter("gamma", "degree", "γ", "FWHM γ", "peak width (FWHM)", positive=True)
_ETA = Parameter("eta", "", "η", meaning="weight of the Gaussian", fraction=True)


class PseudoVoigt(_PseudoVoigt):
    """Pseudo-Voigt line ``y0 + slope*(x - x0) + I*[eta*G + (1 - eta)*L]``.

    G and L have area 1 and the common FWHM gamma; eta weights the Gaussian. S is that of the peak, brought to 0,
    literally over 0 to 180 degrees. Source: Wertheim, Butler, West & Buchanan, doi:10.1063/1.1686503.
    """

    name = "pseudo_voigt"
    label = "pseudo-Voigt"
    parameters = (
        _Y0,
        AREA,
        CENTRE,
        _GAMMA,
        _ETA,
        Parameter("slope", "counts/degree", meaning="slope of the background"),
    )
    slope = "slope"
    periodic = False

    def peak(self, d: Number, gamma: Number, eta: Number, *, theta_bragg: Number = 0.0) -> Peak:
        """Return `lineshapes.pseudo_voigt_peak`."""
        return pseudo_voigt_peak(d, gamma, eta)

    def averages(self, gamma: Floats, eta: Floats, x0: Floats | float = 0.0) -> Averages:
        """Return `distributions.pseudo_voigt_averages`."""
        return pseudo_voigt_averages(gamma, eta, x0)


class PseudoVoigtPeriodic(_PseudoVoigt):
    """Sum of a pseudo-Voigt's copies at all multiples of 180 degrees, ``y0 + I*sum [eta*G + (1 - eta)*L]``.

    The line of a nematic, for which f(theta) = f(180 - theta); I is the area within 180 degrees. Source: the wrapped
    Cauchy and normal distributions, Mardia & Jupp, Directional Statistics, Wiley 2000, section 3.5.
    """

    name = "pseudo_voigt_periodic"
    label = "periodic pseudo-Voigt"
    parameters = (_Y0, AREA, CENTRE, _GAMMA, _ETA)

    def peak(self, d: Number, gamma: Number, eta: Number, *, theta_bragg: Number = 0.0) -> Peak:
        """Return `lineshapes.pseudo_voigt_periodic_peak`."""
        return pseudo_voigt_periodic_peak(d, gamma, eta)

    def averages(self, gamma: Floats, eta: Floats) -> Averages:
        """Return `distributions.pseudo_voigt_periodic_averages`."""
        return pseudo_voigt_periodic_averages(gamma, eta)


_KAPPA = Parameter("kappa", "", "κ", "κ", "kappa")
_LEAST_KAPPA = 0.01  # S = 0.001, far below what any profile tells from isotropy
_B = Parameter("b", "counts", meaning="level of the background")


class _OfMaierSaupe(LineModel):
    """What lines of a Maier-Saupe distribution have in common."""

    polar = True

    def guess(self, fwhm: Floats) -> tuple[Floats, ...]:
        """Return the kappa of Maier-Saupe lines of that FWHM."""
        return (_kappa(fwhm),)

    def limits(self, narrowest: float) -> tuple[tuple[float, float], ...]:
        """Return almost no order, and the kappa of a Maier-Saupe line of that FWHM."""
        return ((_LEAST_KAPPA, float(_kappa(narrowest))),)

    def averages(self, kappa: Floats) -> Averages:
        """Return `distributions.maier_saupe_averages`: those of the orientation distribution behind the line."""
        return maier_saupe_averages(kappa)


class MaierSaupe(_OfMaierSaupe):
    """Maier-Saupe line ``I*exp(kappa*cos^2(theta_Bragg)*(cos^2(x - x0) - 1)) + a*(x - x0) + b``.

    I is the height of the peak. Source: Maier & Saupe, Z. Naturforsch. A 14, 882 (1959).
    """

    name = "maier_saupe"
    label = "Maier-Saupe"
    parameters = (HEIGHT, CENTRE, _KAPPA, Parameter("a", "counts/degree", meaning="slope of the background"), _B)
    slope = "a"

    def peak(self, d: Number, kappa: Number, *, theta_bragg: Number = 0.0) -> Peak:
        """Return `lineshapes.maier_saupe_peak`."""
        return maier_saupe_peak(d, kappa, theta_bragg)


class Kratky(_OfMaierSaupe):
    """Equatorial scattering of rods in a Maier-Saupe distribution, ``b + I*K(kappa*sin^2 theta)/K(kappa)``.

    Each rod scatters in its own equatorial plane: ``K(a) = exp(a/2)*I0(a/2)``. Source: Kratky, Kolloid-Z. 64, 213
    (1933); in this form Agra-Kooijman, Fisch & Kumar, doi:10.1080/02678292.2017.1372526.
    """

    name = "kratky"
    label = "Kratky"
    parameters = (HEIGHT, CENTRE, _KAPPA, _B)
    equatorial = True

    def peak(self, d: Number, kappa: Number, *, theta_bragg: Number = 0.0) -> Peak:
        """Return `lineshapes.kratky_peak`."""
        return kratky_peak(d, kappa, theta_bragg)


class LeadbetterNorris(_OfMaierSaupe):
    """Equatorial profile of a Maier-Saupe distribution, ``b + I*L(kappa*sin^2 theta)/L(kappa)``.

    The integral of the Kratky line with a further cosine: ``L(a) = exp(a)*sqrt(pi)*erf(sqrt(a))/(2*sqrt(a))``. Source:
    Leadbetter & Norris, Mol. Phys. 38, 669 (1979).
    """

    name = "leadbetter_norris"
    label = "Leadbetter-Norris"
    parameters = (HEIGHT, CENTRE, _KAPPA, _B)
    equatorial = True

    def peak(self, d: Number, kappa: Number, *, theta_bragg: Number = 0.0) -> Peak:
        """Return `lineshapes.leadbetter_norris_peak`."""
        return leadbetter_norris_peak(d, kappa, theta_bragg)


_OWN = {
    model.name: model for model in (PseudoVoigt(), PseudoVoigtPeriodic(), MaierSaupe(), Kratky(), LeadbetterNorris())
}


def models() -> dict[str, LineModel]:
    """Return all fit models by name: those of this module first, then those of other packages."""
    return {**_OWN, **_of_others(plugin_names(_GROUP))}


@cache
def _of_others(names: tuple[str, ...]) -> dict[str, LineModel]:
    found = load_plugins(_GROUP, _made) if names else {}
    for name, model in found.items():
        if name != model.name:
            _log.warning("%s: '%s' is left out, its model calls itself '%s': name both alike", _GROUP, name, model.name)
    return {name: model for name, model in found.items() if name == model.name}


def _made(kind: Callable[[], LineModel]) -> LineModel:
    model = kind()
    if not isinstance(model, LineModel):
        raise TypeError("it is no subclass of nxscatter.science.fitting.line_model.LineModel")
    if model.name in _OWN:
        raise TypeError(f"there is a model '{model.name}' already")
    return model


def all_parameters() -> tuple[Parameter, ...]:
    """Return the parameters of all models, each name once."""
    return tuple({parameter.name: parameter for model in models().values() for parameter in model.parameters}.values())


def _kappa(fwhm: float | Floats) -> Floats:
    """Return the kappa of a Maier-Saupe line with that FWHM in degrees."""
    return np.asarray(np.log(2) / np.sin(np.radians(fwhm) / 2) ** 2)

"""The fit models: one class a line, with all that fits, order parameters, tables and figures need to know of it.

A line is a background and a peak, ``level + slope*(x - x0) + I*peak(x - x0)``. A package adds a model by a class like
those here and an entry point of the group ``nxscatter.models``; the step ``fit_<name>``, the order parameter of that
name and the columns of its parameters come with it.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np

from nxscatter.model import Floats
from nxscatter.science.fitting.distributions import (
    Averages,
    averages_over,
    maier_saupe_averages,
    pseudo_voigt_averages,
    pseudo_voigt_periodic_averages,
)
from nxscatter.science.fitting.lineshapes import (
    Number,
    Peak,
    kratky_peak,
    leadbetter_norris_peak,
    maier_saupe_peak,
    pseudo_voigt_peak,
    pseudo_voigt_periodic_peak,
    wrap,
)

_GROUP = "nxscatter.models"
_STEP = 1e-4  # of the central differences; their error, of its square, is far below any standard error
_log = logging.getLogger("nxscatter")


@dataclass(frozen=True)
class Parameter:
    """A parameter of a line.

    Parameters
    ----------
    name : str
        Its column in tables and files.
    units : str
        As NeXus writes them. ``counts`` stands for the units of the fitted intensities.
    symbol : str
        What titles of figures call it; "" for a parameter that they leave out.
    label : str
        Label of its axis where it is drawn against field, time or q; "" for a parameter that is not.
    meaning : str
        Its meaning in a few words, for NeXus files.
    positive : bool
        Only values above 0 mean anything.
    fraction : bool
        The limits are the ends of its meaning (0 and 1), not of what bins can resolve: an error is kept there.
    """

    name: str
    units: str = ""
    symbol: str = ""
    label: str = ""
    meaning: str = ""
    positive: bool = False
    fraction: bool = False


HEIGHT = Parameter("I", "counts", meaning="height of the peak")
AREA = Parameter("I", "counts*degree", meaning="area of the peak")
CENTRE = Parameter("x0", "degree", "x₀", "x₀", "peak position")


class LineModel(ABC):
    """A line that profiles are fitted with.

    Attributes
    ----------
    name : str
        Name of the model; its step is ``fit_<name>``, its order parameter is called like the model.
    label : str
        Its name for people.
    version : int
        Raised whenever its numbers change.
    parameters : tuple of Parameter
        In the order of tables: ``I`` and ``x0``, the background's, and those of the peak's shape.
    level, slope : str
        Which of them are the background's; no slope: ``""``.
    periodic : bool
        The peak repeats every 180 degrees by itself. Of one that does not, an azimuth sees the nearest copy.
    polar : bool
        The peak depends on the angle between q and the director, and so on theta_Bragg. Others are lines of the
        azimuth at any angle.
    equatorial : bool
        The order parameter is that of rods behind an equatorial reflection, not of the profile about its own peak.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    version: ClassVar[int] = 1
    parameters: ClassVar[tuple[Parameter, ...]]
    level: ClassVar[str] = "b"
    slope: ClassVar[str] = ""
    periodic: ClassVar[bool] = True
    polar: ClassVar[bool] = False
    equatorial: ClassVar[bool] = False

    @abstractmethod
    def peak(self, *arguments: Any, **named: Any) -> Peak:
        """Return the peak and its derivatives; called as ``peak(d, *shape, theta_bragg=...)``.

        Parameters
        ----------
        d : ndarray
            Distance from the peak's middle, degrees.
        *shape : ndarray
            The parameters of the shape, which broadcast with d.
        theta_bragg : ndarray or float
            Bragg angle, degrees.

        Returns
        -------
        tuple of ndarray
            The peak for I = 1, its derivative by d, and those by each parameter of its shape.
        """

    @abstractmethod
    def guess(self, fwhm: Floats) -> tuple[Floats, ...]:
        """Return first guesses (row,) of the parameters of the shape, from peaks' FWHM in degrees (row,)."""

    @abstractmethod
    def limits(self, narrowest: float) -> tuple[tuple[float, float], ...]:
        """Return lower and upper limit of each parameter of the shape, when no FWHM below ``narrowest`` can be told."""

    def averages(self, *shape: Any, **named: Any) -> Averages:
        """Return <P2> and <P4> for parameters of the shape, arrays that broadcast, in order or by name.

        Unless a model says otherwise the peak itself is taken for the distribution about its middle.
        """
        values = [*shape, *(named[name] for name in self.shape[len(shape) :])]
        columns = [np.asarray(value, dtype=float)[..., None] for value in values]
        return averages_over(lambda d: self.peak(d, *columns)[0])

    def derivatives(self, *shape: Floats) -> Floats:
        """Return the derivatives of <P2> and <P4> by each parameter of the shape (parameter, 2, ...)."""
        found = []
        for index, parameter in enumerate(self.shape_parameters):
            value = np.asarray(shape[index], dtype=float)
            step = _STEP * (value if parameter.positive else np.maximum(np.abs(value), 1.0))
            high, low = (
                np.array(self.averages(*shape[:index], moved, *shape[index + 1 :]))
                for moved in (value + step, value - step)
            )
            found.append((high - low) / (2 * step))
        return np.array(found)

    def line(self, x: Number, *, theta_bragg: Number = 0.0, **parameters: Number) -> Floats:
        """Return the line at azimuths x (degrees); a background that is not given is 0."""
        d = np.asarray(x, dtype=float) - parameters["x0"]
        shape = (parameters[name] for name in self.shape)
        peak = self.peak(d if self.periodic else wrap(d), *shape, theta_bragg=theta_bragg)[0]
        level, slope = parameters.get(self.level, 0.0), parameters.get(self.slope, 0.0)
        return np.asarray(parameters["I"] * peak + slope * d + level)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of tables."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def shape_parameters(self) -> tuple[Parameter, ...]:
        """The parameters of the peak's shape."""
        others = ("I", "x0", self.level, self.slope)
        return tuple(parameter for parameter in self.parameters if parameter.name not in others)

    @property
    def shape(self) -> tuple[str, ...]:
        """Names of the parameters of the peak's shape."""
        return tuple(parameter.name for parameter in self.shape_parameters)

    @property
    def units(self) -> Mapping[str, str]:
        """Units of each column of a fit: the parameters, and ``x0_S``, which is x0 folded to within 45 degrees of 0."""
        found = {}
        for parameter in self.parameters:
            found[parameter.name] = parameter.units
            if parameter is CENTRE:
                found["x0_S"] = parameter.units
        return found


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


def models() -> dict[str, LineModel]:
    """Return all fit models by name: those of this module first, then those of other packages."""
    return dict(_installed())


@cache
def _installed() -> dict[str, LineModel]:
    from importlib.metadata import entry_points

    own = (PseudoVoigt(), PseudoVoigtPeriodic(), MaierSaupe(), Kratky(), LeadbetterNorris())
    found: dict[str, LineModel] = {model.name: model for model in own}
    for point in sorted(entry_points(group=_GROUP), key=lambda point: point.name):
        try:
            model = point.load()()
            if model.name in found:
                raise TypeError(f"there is a model '{model.name}' already")
        except (ImportError, AttributeError, TypeError) as error:
            _log.warning("fit model '%s' (%s) cannot be loaded: %s", point.name, point.value, error)
        else:
            found[model.name] = model
    return found


def all_parameters() -> tuple[Parameter, ...]:
    """Return the parameters of all models, each name once."""
    return tuple({parameter.name: parameter for model in models().values() for parameter in model.parameters}.values())


def _kappa(fwhm: float | Floats) -> Floats:
    """Return the kappa of a Maier-Saupe line with that FWHM in degrees."""
    return np.asarray(np.log(2) / np.sin(np.radians(fwhm) / 2) ** 2)

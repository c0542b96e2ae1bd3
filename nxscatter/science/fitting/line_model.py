"""What a fit model is: one class a line, with all that fits, order parameters, tables and figures need to know of it.

A line is a background and a peak, ``level + slope*(x - x0) + I*peak(x - x0)``. A package adds a model by a class like
those of `models` and an entry point of the group ``nxscatter.models``; the step ``fit_<name>``, the order parameter of
that name and the columns of its parameters come with it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nxscatter.model import Floats
from nxscatter.science.fitting.distributions import Averages, averages_over
from nxscatter.science.fitting.lineshapes import Number, Peak, wrap

_STEP = 1e-4  # of the central differences; their error, of its square, is far below any standard error


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

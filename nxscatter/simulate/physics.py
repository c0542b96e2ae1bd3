"""The pattern of an oriented sample: rings on a background, and the order parameter behind each of them.

Intensities are rates at the middle of each pixel. Polarisation, solid angle and the pixel's extent are left out,
so that the azimuthal profile of a ring is its line shape itself. The director lies across the beam; at wide angles it
is seen under the angles that the Bragg angle leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from nxscatter.errors import ParameterError
from nxscatter.model import Floats
from nxscatter.plain import Json
from nxscatter.science.fitting.line_model import LineModel
from nxscatter.science.fitting.lineshapes import wrap
from nxscatter.science.fitting.models import models

Q_PLATEAU = 1e-3  # 1/angstrom; the power law levels off inside, where it would diverge


@dataclass(frozen=True)
class Ring:
    """A Debye-Scherrer ring: Gaussian in q, oriented in azimuth.

    Parameters
    ----------
    q : float
        Radius in 1/angstrom.
    height : float
        Counts per second and pixel at ``q`` and azimuth `x0`, above the background.
    width : float
        FWHM along q in 1/angstrom.
    model : str
        Azimuthal line shape: ``"isotropic"`` or a fit model. ``"kratky"`` and ``"leadbetter_norris"`` scatter on the
        equator, across the director.
    director : float
        Direction of the director on the detector, chi in degrees.
    kappa : float
        Strength of the Maier-Saupe orientation distribution; NaN for a pseudo-Voigt.
    gamma, eta : float
        FWHM in degrees and Gaussian fraction of a pseudo-Voigt, periodic or not; NaN for the other shapes.

    Raises
    ------
    ParameterError
        When the shape is unknown, or one of its parameters is missing or out of range.
    """

    q: float
    height: float = 100.0
    width: float = 0.006
    model: str = "maier_saupe"
    director: float = 0.0
    kappa: float = float("nan")
    gamma: float = float("nan")
    eta: float = float("nan")

    def __post_init__(self) -> None:
        """Refuse a ring that is not fully described."""
        known = {"isotropic", *(name for name, model in models().items() if set(model.shape) <= set(vars(self)))}
        if self.model not in known:
            raise ParameterError(f"ring model '{self.model}' is unknown: use one of {', '.join(sorted(known))}")
        if not (self.q > 0 and self.width > 0):
            raise ParameterError(f"ring q = {self.q:g}, width = {self.width:g}: give positive numbers in 1/angstrom")
        for parameter in self._line.shape_parameters if self._line else ():
            value = getattr(self, parameter.name)
            if parameter.positive and not value > 0:
                raise ParameterError(f"a {self.model} ring needs {parameter.name} above 0, not {value:g}")
            if parameter.fraction and not 0 <= value <= 1:
                raise ParameterError(f"a {self.model} ring needs {parameter.name} from 0 to 1, not {value:g}")
            if not np.isfinite(value):
                raise ParameterError(f"a {self.model} ring needs {parameter.name}, not {value:g}")

    @property
    def _line(self) -> LineModel | None:
        """The model of its shape, None for an isotropic ring."""
        return models().get(self.model)

    @property
    def _shape(self) -> dict[str, float]:
        return {name: getattr(self, name) for name in self._line.shape} if self._line else {}

    @property
    def reflection(self) -> str:
        """``"meridional"`` (brightest along the director) or ``"equatorial"`` (across it)."""
        return "equatorial" if self._line and self._line.equatorial else "meridional"

    @property
    def isotropic(self) -> bool:
        """Whether the intensity is the same all around."""
        return self.model == "isotropic" or self.kappa == 0

    @property
    def x0(self) -> float:
        """Azimuth of the maximum, degrees in (-90, 90]; NaN for an isotropic ring."""
        if self.isotropic:
            return float("nan")
        azimuth = self.director + (90.0 if self.reflection == "equatorial" else 0.0)
        return float(-wrap(-azimuth))

    @property
    def order_parameter(self) -> float:
        """Order parameter of the ring's own model; 0 for an isotropic ring."""
        if self._line is None or self.isotropic:
            return 0.0
        return float(self._line.averages(**{name: np.asarray(value) for name, value in self._shape.items()})[0])

    def azimuth(self, chi: Floats, theta_bragg: Floats | float = 0.0) -> Floats:
        """Return the intensity at azimuths ``chi`` (degrees) relative to the one at `x0`.

        Of a pseudo-Voigt, which has no period of its own, each azimuth sees the nearer maximum alone; it is a line of
        the azimuth at any Bragg angle (degrees).
        """
        if self._line is None or self.isotropic:
            return np.ones_like(chi)
        top = self._line.peak(0.0, *self._shape.values())[0]
        return self._line.line(chi, I=1 / top, x0=self.x0, **self._shape, theta_bragg=theta_bragg)


@dataclass(frozen=True)
class Pattern:
    """What the sample scatters: rings on ``scale * q**-power + flat``.

    Parameters
    ----------
    rings : tuple of Ring
        Rings, whose intensities add.
    flat : float
        Constant background, counts per second and pixel.
    scale, power : float
        Power law, counts per second and pixel at 1 1/angstrom, and its exponent.
    """

    rings: tuple[Ring, ...] = ()
    flat: float = 2.0
    scale: float = 0.0
    power: float = 3.0

    def background(self, q: Floats) -> Floats:
        """Return flat and power-law background at ``q`` (1/angstrom), in counts per second and pixel."""
        if self.scale == 0:
            return np.full(np.shape(q), self.flat)
        return np.asarray(self.scale * np.maximum(q, Q_PLATEAU) ** -self.power + self.flat)

    def rate(self, q: Floats, chi: Floats, wavelength: float) -> Floats:
        """Return counts per second of pixels at ``q`` (1/angstrom) and ``chi`` (degrees), in their shape."""
        rate = self.background(q)
        for ring in self.rings:
            # 2.5 FWHM from its middle a Gaussian has fallen to 2**-25.
            near = np.abs(q - ring.q) < 2.5 * ring.width
            radial = np.exp(-4 * np.log(2) * ((q[near] - ring.q) / ring.width) ** 2)
            theta_bragg = np.degrees(np.arcsin(q[near] * wavelength / (4 * np.pi)))
            rate[near] += ring.height * radial * ring.azimuth(chi[near], theta_bragg)
        return rate


@dataclass(frozen=True)
class Truth:
    """What is known of one ring, named as in the table of results. NaN: the ring's model has none.

    ``frame`` counts from 0 and is -1 where all frames are alike; ``ring`` counts from 1.
    """

    frame: int
    ring: int
    q: float
    model: str
    reflection: str
    director: float
    x0: float
    kappa: float
    gamma: float
    eta: float
    S: float

    def to_json(self) -> dict[str, Json]:
        """Return the fields as JSON values, None instead of NaN."""
        return {key: None if value != value else value for key, value in asdict(self).items()}


def truths(patterns: Sequence[Pattern]) -> tuple[Truth, ...]:
    """Return what is known of the rings of a stack: one row a ring, or one a frame and ring if the frames differ."""
    steady = all(pattern == patterns[0] for pattern in patterns)
    rows = []
    for frame, pattern in enumerate(patterns[:1] if steady else patterns):
        for number, ring in enumerate(pattern.rings, start=1):
            known = (ring.q, ring.model, ring.reflection, ring.director, ring.x0, ring.kappa, ring.gamma, ring.eta)
            rows.append(Truth(-1 if steady else frame, number, *known, ring.order_parameter))
    return tuple(rows)

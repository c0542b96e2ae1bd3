"""Order parameters S = <P2> by the name of their definition, which is that of a fit model."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from nxscatter.errors import ParameterError
from nxscatter.model import Floats
from nxscatter.science.fitting.distributions import Averages
from nxscatter.science.fitting.models import models


def order_parameter(method: str, **parameters: Any) -> Floats:
    """Return S for a method and its parameters, scalars or arrays that broadcast.

    Parameters
    ----------
    method : str
        A fit model: ``"pseudo_voigt"`` (gamma, eta, x0=0), ``"pseudo_voigt_periodic"`` (gamma, eta),
        ``"maier_saupe"``, ``"kratky"`` or ``"leadbetter_norris"`` (kappa), or one of a plug-in, with the parameters of
        its shape. gamma and x0 in degrees; eta weights the Gaussian.
    **parameters : float or ndarray
        The parameters of that method.

    Returns
    -------
    float or ndarray
        S; NaN where a parameter is NaN, or where a peak far outside 0..180 degrees leaves nothing to average.

    Raises
    ------
    ParameterError
        Unknown method or parameter, one missing, or a width not above 0.

    Examples
    --------
    >>> round(float(order_parameter("maier_saupe", kappa=5.0)), 3)
    0.646
    """
    return averages(method, **parameters)[0][()]


def averages(method: str, **parameters: Any) -> Averages:
    """Return <P2> and <P4> for a method and its parameters, as `order_parameter`."""
    known = models()
    model = known.get(method)
    if model is None:
        raise ParameterError(f"unknown method '{method}' of the order parameter: use one of {', '.join(known)}")
    further = inspect.signature(model.averages).parameters.values()
    takes = (*model.shape, *(item.name for item in further if item.default is not item.empty))
    for name in parameters:
        if name not in takes:
            raise ParameterError(f"order parameter '{method}' has no parameter '{name}': give {', '.join(takes)}")
    missing = [name for name in model.shape if name not in parameters]
    if missing:
        raise ParameterError(f"order parameter '{method}' needs {' and '.join(missing)}")
    values = {name: np.asarray(value, dtype=float) for name, value in parameters.items()}
    for parameter in model.shape_parameters:
        value = values[parameter.name]
        if parameter.positive and np.any(value <= 0):
            raise ParameterError(f"{parameter.name} = {np.nanmin(value):g}: give a width above 0 {parameter.units}")
    return model.averages(**values)

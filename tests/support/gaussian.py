"""A least-squares problem whose model needs no code of the package."""

from __future__ import annotations

import numpy as np

from nxscatter.science.fitting.leastsquares import Data, fit

X = np.linspace(-4, 4, 81)
FREE = np.full((1, 4), np.inf)


def gaussian(_rows, parameters):
    """Height, centre, width and level, a model without any code of the package."""
    height, centre, width, level = (column[:, None] for column in parameters.T)
    u = (X - centre) / width
    peak = np.exp(-(u**2) / 2)
    jacobian = np.stack([peak, height * peak * u / width, height * peak * u**2 / width, np.ones_like(peak)], axis=1)
    return level + height * peak, jacobian


def counts(truth, rows, seed):
    expected = gaussian(None, np.array([truth]))[0][0]
    return np.random.default_rng(seed).poisson(expected, size=(rows, len(X))).astype(float)


def data_of(y, use=None, slope=1.0, floor=0.0):
    return Data.of(y, np.array(slope), np.array(floor), np.ones(y.shape, dtype=bool) if use is None else use)


def solve(data, start=(10.0, 0.3, 1.2, 2.0), lower=-FREE, upper=FREE, **options):
    rows = len(data.y)
    tile = (rows, 1)
    return fit(gaussian, np.tile(start, tile), data, np.tile(lower, tile), np.tile(upper, tile), **options)

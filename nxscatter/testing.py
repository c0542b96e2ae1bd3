"""Contract tests for plug-ins: functions that a package calls in its own tests on the class that it brings."""

from __future__ import annotations

from typing import Any

from nxscatter.science.fitting.line_model import LineModel

_LARGEST = 100.0  # degrees from the peak's middle, up to which derivatives are tried
_NARROWEST = 3.0  # degrees: three bins of the default profile


def check_model(model: LineModel, **shape: float) -> None:
    """Check that a fit model keeps to what `nxscatter.science.fitting.line_model.LineModel` asks of it.

    Parameters
    ----------
    model : LineModel
        The model.
    **shape : float
        Values of the parameters of its shape, at which its functions are tried.

    Raises
    ------
    AssertionError
        With what is wrong.

    Examples
    --------
    >>> from nxscatter.science.fitting.models import MaierSaupe
    >>> check_model(MaierSaupe(), kappa=5.0)
    """
    _check_words(model)
    assert tuple(shape) == model.shape, f"give values of {', '.join(model.shape)}, in this order"
    _check_peak(model, shape)
    _check_guess(model)
    _check_order(model, shape)


def _check_words(model: LineModel) -> None:
    assert model.name.isidentifier(), f"name '{model.name}' is to be a part of the names of steps and records"
    assert model.label, "label is empty"
    assert "``" in (type(model).__doc__ or ""), "the docstring of the class gives no formula in double backquotes"
    lacking = {"I", "x0", model.level} - set(model.names)
    assert not lacking, f"parameters lack {', '.join(sorted(lacking))}"
    assert model.slope in ("", *model.names), f"slope '{model.slope}' is none of the parameters"


def _check_peak(model: LineModel, shape: dict[str, float]) -> None:
    import numpy as np

    x = np.linspace(-_LARGEST, _LARGEST, 401)
    values: list[Any] = [x, *shape.values()]
    for theta_bragg in (0.0, 15.0):
        peak, *slopes = model.peak(*values, theta_bragg=theta_bragg)
        assert peak.argmax() == len(x) // 2 or model.shape == ("kappa",), "the peak's maximum is not at distance 0"
        assert len(slopes) == len(values), f"peak returns {len(slopes)} derivatives, not {len(values)}"
        for index, (name, slope) in enumerate(zip(("the distance", *model.shape), slopes, strict=True)):
            step = 1e-5 * max(float(np.abs(values[index]).max()), 1.0)
            high, low = (
                model.peak(*values[:index], moved, *values[index + 1 :], theta_bragg=theta_bragg)[0]
                for moved in (values[index] + step, values[index] - step)
            )
            size = max(float(np.abs(slope).max()), 1e-6)
            off = float(np.abs(slope - (high - low) / (2 * step)).max()) / size
            assert off < 1e-5, f"the derivative by {name} is off by {off:.1e} of its largest value"


def _check_guess(model: LineModel) -> None:
    import numpy as np

    fwhm = np.array([2.0 * _NARROWEST, 25.0, 80.0])
    guess, limits = model.guess(fwhm), model.limits(_NARROWEST)
    assert len(guess) == len(limits) == len(model.shape), "guess and limits are for the parameters of the shape"
    for name, values, (low, high) in zip(model.shape, guess, limits, strict=True):
        assert ((values >= low) & (values <= high)).all(), f"guesses {values} of {name} lie outside {low:g} to {high:g}"
    top, half = (model.peak(d, *guess)[0] for d in (np.zeros(3), fwhm / 2))
    assert (np.abs(half / top - 0.5) < 0.3).all(), "peaks as guessed are not about as wide as the FWHM given"


def _check_order(model: LineModel, shape: dict[str, float]) -> None:
    import numpy as np

    values = [np.array([value, 1.1 * value]) for value in shape.values()]
    S, P4 = model.averages(*values)
    by_name = model.averages(**dict(zip(shape, values, strict=True)))
    assert np.array_equal(by_name, [S, P4]), "averages by name and in order differ"
    assert S.shape == P4.shape == (2,), "averages do not broadcast"
    assert ((S >= -0.5) & (S <= 1)).all(), f"S = {S} lies outside -1/2 to 1"
    slopes = model.derivatives(*values)
    assert slopes.shape == (len(shape), 2, 2), f"derivatives have the shape {slopes.shape}"
    for index, (name, value) in enumerate(zip(shape, values, strict=True)):
        step = 1e-3 * np.abs(value)
        high, low = (
            np.array(model.averages(*values[:index], moved, *values[index + 1 :]))
            for moved in (value + step, value - step)
        )
        off = np.abs(slopes[index] - (high - low) / (2 * step)).max()
        assert off < 1e-3 * np.abs(slopes[index]).max() + 1e-7, (
            f"the derivatives of S and P4 by {name} are off by {off:.1e}"
        )

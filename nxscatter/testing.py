"""Contract tests for plug-ins: functions that a package calls in its own tests on the class that it brings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from nxscatter.errors import NxscatterError
from nxscatter.readers.base import Reader, ReadOptions
from nxscatter.results import Image, Result
from nxscatter.science.fitting.line_model import LineModel
from nxscatter.step import Step
from nxscatter.steps.framewise import ImageStep, in_plan, taken_inputs
from nxscatter.store.container import Container

if TYPE_CHECKING:
    from nxscatter.model import Scan

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


def check_reader(reader: Reader, path: Path, other: Path) -> Scan:
    """Check that a reader keeps to what `nxscatter.readers.base.Reader` asks of it, and return what it reads.

    Parameters
    ----------
    reader : Reader
        The reader.
    path : Path
        A file of its format.
    other : Path
        A file of another format.

    Raises
    ------
    AssertionError
        With what is wrong.
    """
    assert reader.name.isidentifier(), f"name '{reader.name}' is to be an option's value"
    assert reader.suffixes, "suffixes is empty: no file of its would be found in a folder"
    assert all(suffix.startswith(".") for suffix in reader.suffixes), "suffixes are to begin with a dot"
    assert path.name.lower().endswith(tuple(reader.suffixes)), f"{path.name} ends in none of its suffixes"
    assert reader.recognises(path), f"{path.name} is not recognised"
    assert not reader.recognises(other), f"{other.name} is recognised, and is none of its files"
    before = path.read_bytes()
    scan = reader.read(path, ReadOptions())
    assert path.read_bytes() == before, f"{path.name} was written to"
    assert scan.origin.file_name == path.name, "origin.file_name is to be the name without folder"
    assert scan.origin.reader == reader.name, "origin.reader is to be the reader's name"
    assert len(scan.origin.sha256) == 64, "origin.sha256 is to be the hash of the file"
    _, rows, columns = scan.shape
    assert (scan.detector.rows, scan.detector.columns) == (rows, columns), "detector and frames differ in shape"
    for kind, values in (("times", scan.exposure.time), ("start times", scan.exposure.elapsed)):
        assert len(values) in (0, scan.shape[0]), f"{len(values)} exposure {kind} for {scan.shape[0]} frames"
    named = reader.read(path, ReadOptions(sample="another"))
    assert named.sample.name == "another", "the option sample is to take the place of the name that was found"
    _check_damage(reader, path)
    return scan


def _check_damage(reader: Reader, path: Path) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        half = Path(folder) / path.name
        half.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        said = ""
        try:
            reader.read(half, ReadOptions())
        except NxscatterError as error:
            said = str(error)
    assert said, "half of a file was read as a whole one"
    assert path.name in said, f"the error does not name the file: {said}"


def check_step(step: Step, **inputs: Any) -> Result:
    """Check that a step keeps to what `nxscatter.step.Step` asks of it, and return its result.

    Parameters
    ----------
    step : Step
        The step, with parameters that fit the inputs.
    **inputs
        What it is called on.

    Raises
    ------
    AssertionError
        With what is wrong.
    """
    import numpy as np

    kind = type(step)
    assert kind.name.isidentifier(), f"name '{kind.name}' is to be the name of records"
    assert kind.version >= 1, "version begins with 1 and is raised whenever numbers change"
    assert (kind.__doc__ or "").strip(), "the class has no docstring: it is the step's help"
    assert issubclass(kind.output(), Result), "the annotated return is to be a subclass of nxscatter.results.Result"
    assert set(inputs) <= set(kind.inputs()), f"it takes {', '.join(kind.inputs())}"
    again = kind(**{name: getattr(step, name) for name in step.parameters})
    assert again == step, "made again of its own parameters it is another step"
    calls: list[Callable[..., Result]] = [cast("Any", step), cast("Any", again)]
    first, second = (call(**inputs) for call in calls)
    assert isinstance(first, kind.output()), f"it returns {type(first).__name__}, not {kind.output().__name__}"
    for name, value in vars(first).items():
        if isinstance(value, np.ndarray):
            other = getattr(second, name)
            assert np.array_equal(value, other, equal_nan=value.dtype.kind == "f"), f"{name} differs when called again"
    if isinstance(step, ImageStep) and isinstance(first, Image):
        told = step.pixels(**{name: in_plan(inputs[name]) for name in taken_inputs(step, step.pixels)})
        assert told.agree_with(first.pixels), "pixels tells others than those of the image"
    return first


def check_exporter(export: Callable[..., list[Path]], container: Container, folder: Path) -> list[Path]:
    """Check that an exporter keeps to what `nxscatter.output.export.Exporter` asks of it, and return its files.

    Parameters
    ----------
    export : callable
        The exporter.
    container : Container
        A container with records that it exports.
    folder : Path
        An empty folder.

    Raises
    ------
    AssertionError
        With what is wrong.
    """
    before = container.path.read_bytes()
    written = [export(container, folder / number, container.records) for number in ("first", "second")]
    assert container.path.read_bytes() == before, "the container was written to"
    assert written[0], "it wrote nothing"
    for first, second in zip(*written, strict=True):
        assert first.is_relative_to(folder / "first"), f"{first} lies outside the folder"
        assert first.read_bytes() == second.read_bytes(), f"{first.name} has other bytes when it is written again"
    found = {path for path in (folder / "first").rglob("*") if path.is_file()}
    assert found == set(written[0]), "it is to return the files that it wrote, all of them"
    return written[0]


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

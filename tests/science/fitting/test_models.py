"""What every fit model must keep to; a model more is a row more."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

from nxscatter.errors import UnknownStepError
from nxscatter.model import Floats
from nxscatter.science.fitting.line_model import LineModel
from nxscatter.science.fitting.lineshapes import Peak, wrap
from nxscatter.science.fitting.models import (
    Kratky,
    LeadbetterNorris,
    MaierSaupe,
    PseudoVoigt,
    PseudoVoigtPeriodic,
    models,
)
from nxscatter.step import get_step, registry, step_names
from nxscatter.steps.fits import fit_step
from nxscatter.testing import check_model
from support.azimuth import line, profiles
from support.gaussian_model import Gaussian
from support.packages import install

X = np.linspace(-100, 100, 401)
KAPPAS = (-20.0, -1.0, -0.01, 0.01, 0.049, 0.051, 1.0, 30.0)
POLAR = (MaierSaupe(), Kratky(), LeadbetterNorris())
ROWS = [
    (PseudoVoigt(), {"gamma": 25.0, "eta": 0.3}),
    (PseudoVoigtPeriodic(), {"gamma": 25.0, "eta": 0.3}),
    (PseudoVoigtPeriodic(), {"gamma": 170.0, "eta": 0.3}),
    *((model, {"kappa": kappa}) for model in POLAR for kappa in KAPPAS),
    (Gaussian(), {"sigma": 14.0}),
]
named = pytest.mark.parametrize(
    ("model", "shape"), ROWS, ids=[" ".join((model.name, *map(str, shape.values()))) for model, shape in ROWS]
)


def test_every_model_has_a_row() -> None:
    assert {model.name for model, _ in ROWS} >= models().keys()


@named
def test_it_keeps_to_the_contract(model: LineModel, shape: Mapping[str, float]) -> None:
    check_model(model, **shape)
    text = " ".join((type(model).__doc__ or "").lower().split())
    assert "source: " in text, "the literature"
    assert all(parameter.meaning for parameter in model.parameters)


@named
def test_its_line_is_a_background_and_a_peak(model: LineModel, shape: Mapping[str, float]) -> None:
    top = model.peak(0.0, *shape.values())[0]
    background = {model.level: 3.0} | ({model.slope: 0.01} if model.slope else {})
    line = model.line(X, I=5 / top, x0=7.0, **shape, **background)
    assert line[214] == pytest.approx(8.0)
    assert model.line(7.0 - 180, I=5 / top, x0=7.0, **shape) == pytest.approx(5.0)


@named
def test_its_order_parameter_is_the_average_it_says(model: LineModel, shape: Mapping[str, float]) -> None:
    kappa = shape.get("kappa")

    def density(theta: float) -> float:
        if kappa is not None:  # the distribution behind the line
            return float(np.exp(kappa * (np.cos(theta) ** 2 - (kappa > 0))))
        return float(model.peak(np.degrees(theta), *shape.values())[0])

    def average(polynomial: list[float]) -> float:
        def weighted(theta: float, coefficients: list[float]) -> float:
            return density(theta) * np.sin(theta) * np.polynomial.legendre.legval(np.cos(theta), coefficients)

        above, below = (
            quad(weighted, 0, np.pi, args=(c,), points=[0.2, 2.9], epsrel=1e-11)[0] for c in (polynomial, [1.0])
        )
        return above / below

    found = model.averages(**{name: np.asarray(value) for name, value in shape.items()})
    np.testing.assert_allclose(found, [average([0, 0, 1]), average([0, 0, 0, 0, 1])], atol=1e-8)


class Skewed(Gaussian):
    """A line that is ``not`` what it says."""

    def peak(self, d: Any, sigma: Any, *, theta_bragg: Any = 0.0) -> Peak:
        peak, by_d, by_sigma = super().peak(d, sigma)
        return peak, by_d, 1.1 * by_sigma


class Outside(Gaussian):
    """A line whose ``guess`` is no help."""

    def guess(self, fwhm: Floats) -> tuple[Floats, ...]:
        return (fwhm + 100,)


@pytest.mark.parametrize(
    ("model", "shape", "says"),
    [
        (Skewed(), {"sigma": 14.0}, "the derivative by sigma is off by"),
        (Outside(), {"sigma": 14.0}, "of sigma lie outside 1.27389 to 60"),
        (Gaussian(), {"kappa": 14.0}, "give values of sigma"),
    ],
)
def test_what_breaks_the_contract_is_named(model: LineModel, shape: Mapping[str, float], says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        check_model(model, **shape)


@pytest.mark.parametrize("kappa", [-20.0, -0.01, 0.02, 0.3, 5.0, 100.0])
@pytest.mark.parametrize(("model", "power"), [(Kratky(), 0), (LeadbetterNorris(), 1)], ids=["kratky", "leadbetter"])
def test_equatorial_lines_are_the_integrals_that_define_them(model: LineModel, power: int, kappa: float) -> None:
    def integral(chi: float) -> float:
        def of(w: float) -> float:
            cosine = np.cos(np.radians(chi)) * np.cos(w)
            return float(np.exp(kappa * (cosine**2 - max(np.sign(kappa), 0.0))) * np.cos(w) ** power)

        return float(quad(of, 0, np.pi / 2, epsabs=0, epsrel=1e-12)[0])

    for chi in (0.0, 20.0, 70.0, 90.0):
        found = model.line(chi, I=1.0, x0=0.0, kappa=kappa)
        assert found == pytest.approx(integral(chi) / integral(0.0), rel=1e-10)


@pytest.mark.parametrize("model", POLAR, ids=lambda model: model.name)
def test_the_bragg_angle_tilts_the_angle_to_the_director(model: LineModel) -> None:
    """The same distribution seen at the same polar angles, once across the beam and once at a Bragg angle."""
    theta_bragg = 20.0
    azimuth = np.linspace(0, 180, 91)  # from the director
    polar = np.degrees(np.arccos(np.cos(np.radians(theta_bragg)) * np.cos(np.radians(azimuth))))
    peak = {"I": 1.0, "x0": 90.0 if model.equatorial else 0.0, "kappa": 4.0}
    wide, narrow = model.line(azimuth, theta_bragg=theta_bragg, **peak), model.line(polar, **peak)
    np.testing.assert_allclose(wide, narrow / narrow[np.argmax(wide)], rtol=1e-10)


@pytest.mark.parametrize("model", POLAR, ids=lambda model: model.name)
def test_ordered_lines_stay_finite(model: LineModel) -> None:
    for kappa in (1e4, -20.0, 0.0):
        values = np.array(model.peak(X, kappa))
        assert np.isfinite(values).all()
        assert values[0, 200] == pytest.approx(1.0)


def test_a_peak_stands_on_both_sides_of_the_circle() -> None:
    for model, shape in ROWS:
        left, right = model.line(np.array([-177.0, 3.0]), I=5.0, x0=3.0, **shape)
        assert left == pytest.approx(right)
    peak = PseudoVoigt().line(np.array([93.0, -87.0]), I=5.0, x0=3.0, gamma=20.0, eta=0.5)
    assert peak[0] == peak[1] == pytest.approx(PseudoVoigt().peak(wrap(90.0), 20.0, 0.5)[0] * 5)


def test_models_of_other_packages_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    points = {
        "nxscatter.models:gaussian": "support.gaussian_model:Gaussian",
        "nxscatter.models:bell": "support.gaussian_model:Gaussian",
        "nxscatter.models:maier_saupe": "nxscatter.science.fitting.models:MaierSaupe",
        "nxscatter.models:text": "builtins:str",
    }
    own = models()
    install(monkeypatch, tmp_path, "rods", points)
    assert list(models()) == [*own, "gaussian"]
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 3
    assert "'maier_saupe' of rods 2.0" in told[0]
    assert "there is a model 'maier_saupe' already" in told[0]
    assert "no subclass of nxscatter.science.fitting.line_model.LineModel" in told[1]
    assert told[2].endswith("'bell' is left out, its model calls itself 'gaussian': name both alike")


def test_a_model_of_another_package_is_a_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownStepError, match="fit_gaussian"):
        get_step("fit_gaussian")
    install(monkeypatch, tmp_path, "rods", {"nxscatter.models:gaussian": "support.gaussian_model:Gaussian"})
    assert "fit_gaussian" in step_names()
    assert registry()["fit_gaussian"] is get_step("fit_gaussian")
    step = fit_step("gaussian")(share=("sigma",))
    assert pickle.loads(pickle.dumps(step)) == step
    assert (type(step).__name__, step.version) == ("FitGaussian", 1)
    fits = step(profiles(20 * line("gaussian", (14.0,), 25.0)))
    assert fits.column_units("sigma") == "degree"
    assert fits.values["sigma"][0] == pytest.approx(14.0, abs=0.02 * fits.errors["sigma"][0])


PROGRAM = """
import json, sys
from pathlib import Path
from nxscatter.cli import run
from nxscatter.output import table
from nxscatter.science.fitting.order import order_parameter
from nxscatter.simulate import EIGER2_SMALL, Pattern, Ring, Run, id02_name, write_id02
from nxscatter.store.container import Container

folder = Path(sys.argv[1])
pattern = Pattern((Ring(0.05, 100.0, 0.005, "pseudo_voigt", director=25.0, gamma=33.0, eta=1.0),))
raw = write_id02(folder / id02_name("rods", 1), pattern, EIGER2_SMALL, Run("rods", 1.0)).path
recipe = folder / "recipe.toml"
steps = ("masking", "caving", "azimuthal_profiles", "fit_gaussian", "fit_maier_saupe", "order_parameter")
recipe.write_text("".join(f'[[step]]\\nuse = "{step}"\\n' for step in steps))

def nxscatter(*arguments):
    code = run([*map(str, arguments), "-q"])
    assert not code, (code, arguments)

nxscatter("process", raw, "--recipe", recipe, "--q", "0.05")
nxscatter("verify", raw.with_suffix(".nxs"), "--replay")
nxscatter("export", raw.with_suffix(".nxs"), "-o", folder / "out", "--format", "csv,png")
nxscatter("series", raw.with_suffix(".nxs"), "-o", folder / "series.nxs")
rows = table.rows(Container(raw.with_suffix(".nxs")))
row = rows[0]
truth = order_parameter("pseudo_voigt", gamma=33.0, eta=1.0)
known = order_parameter("gaussian", sigma=row["sigma"])
found = {
    "models": [row["model"] for row in rows], "S": row["S"], "error": row["S_error"], "known": float(known),
    "truth": float(truth), "columns": table.columns(rows), "sigma": rows[1]["sigma"],
    "files": sorted(path.name for path in folder.rglob("*") if path.is_file()),
    "csv": (folder / "series.csv").read_text("utf-8").splitlines()[0],
}
Path(sys.argv[2]).write_text(json.dumps(found))
"""


def test_one_class_and_one_line_are_all_that_a_model_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Gaussian installed by another package: its step, its S, its columns, its curves, replayed exactly."""
    source = Path(__file__).parents[2] / "support/gaussian_model.py"
    points = {"nxscatter.models:gaussian": "gaussian_model:Gaussian"}
    install(monkeypatch, tmp_path / "site", "rods", points, gaussian_model=source.read_text("utf-8"))
    answer = tmp_path / "answer.json"
    (tmp_path / "data").mkdir()
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "data"), str(answer)],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found = json.loads(answer.read_text())
    assert found["models"] == ["gaussian", "maier_saupe"]
    assert abs(found["S"] - found["truth"]) < max(4 * found["error"], 0.01)
    assert found["S"] == pytest.approx(found["known"], abs=1e-12)
    assert found["columns"][-2:] == ["sigma", "sigma_error"]
    assert found["sigma"] is None
    drawn = {"rods_1mT_Img00001_0.05.png", "rods_1mT_Img00001_0.05_fit_maier_saupe.png", "SAXS_Fitting_results.png"}
    assert drawn <= set(found["files"])
    assert found["csv"].endswith("sigma (degree),sigma_error (degree)")

"""The table of results: its columns, and which order parameter belongs to which fit."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nxscatter.fields import param
from nxscatter.model import Sample
from nxscatter.output import table
from nxscatter.results import Fits, Orientation, Profiles
from nxscatter.step import Step
from nxscatter.store.container import Container
from nxscatter.store.writer import creating
from nxscatter.workflow import runner
from support import toy

CONTRACT = """
file record sample field_mT elapsed_s frame q hkl angle peak reflection model
y0 I x0 x0_S gamma eta slope kappa a b
S S_error S_method S_harmonic P4 R2 chi2_red status
y0_error I_error x0_error x0_S_error gamma_error eta_error slope_error kappa_error a_error b_error
reason
""".split()  # noqa: SIM905
NAN = float("nan")


def fits(model: str, values: dict[str, float], **changes: Any) -> Fits:
    """Fits of one ring with one peak; errors are a tenth of the values."""
    made = Fits(
        model=model,
        angle="chi",
        frame=np.array([-1]),
        ring=np.array([1]),
        peak=np.array([1]),
        q=np.array([0.05]),
        hkl=("",),
        values={name: np.array([value]) for name, value in values.items()},
        errors={name: np.array([value / 10]) for name, value in values.items()},
        covariance=np.zeros((1, len(values), len(values))),
        R2=np.array([0.99]),
        chi2_red=np.array([1.1]),
        S_harmonic=np.array([0.3]),
        S_harmonic_error=np.array([0.01]),
        isotropy_p=np.array([0.0]),
        status=("ok",),
        reason=("",),
        theta_bragg=np.array([0.2]),
        bins=np.array([0.0, 90.0]),
        profile=np.ones((1, 2)),
        profile_errors=np.ones((1, 2)),
        fitted=np.ones((1, 2)),
    )
    return replace(made, **changes)


def orders(*rows: tuple[str, str, float], status: str = "ok", hkl: str = "") -> Orientation:
    """Order parameters (model, method, S) of the one ring."""
    models, methods, values = zip(*rows, strict=True)
    number = len(rows)
    return Orientation(
        frame=np.full(number, -1),
        ring=np.ones(number, dtype=int),
        peak=np.ones(number, dtype=int),
        q=np.full(number, 0.05),
        hkl=(hkl,) * number,
        model=models,
        method=methods,
        reflection=("",) * number,
        S=np.array(values),
        S_errors=np.array(values) / 100,
        P4=np.full(number, NAN),
        P4_errors=np.full(number, NAN),
        status=(status,) * number,
        reason=("",) * number,
    )


SHELF: list[Any] = []


@dataclass(frozen=True)
class GivenFits(Step):
    """Fits from the shelf."""

    name = "given_fits"
    version = 1
    number: int = param("", "place on the shelf")

    def __call__(self, profiles: Profiles) -> Fits:
        return SHELF[self.number]


@dataclass(frozen=True)
class GivenOrders(Step):
    """Order parameters from the shelf."""

    name = "given_orders"
    version = 1
    number: int = param("", "place on the shelf")

    def __call__(self, profiles: Profiles, fits: tuple[Fits, ...]) -> Orientation:
        return SHELF[self.number]


PSEUDO_VOIGT = {"y0": 1.0, "I": 50.0, "x0": 24.0, "x0_S": 24.0, "gamma": 30.0, "eta": 0.4, "slope": 0.0}
MAIER_SAUPE = {"b": 1.0, "I": 60.0, "x0": 25.0, "x0_S": 25.0, "kappa": 5.0, "a": 0.0}


class Bench:
    """A container into which results are put as records."""

    def __init__(self, path: Path) -> None:
        self.container = Container(path)

    def put(self, result: Fits | Orientation, name: str, **chosen: Any) -> None:
        SHELF.append(result)
        kind = GivenFits if isinstance(result, Fits) else GivenOrders
        runner.run(self.container, kind(number=len(SHELF) - 1), name=name, **chosen)

    def rows(self, **options: Any) -> list[table.Row]:
        return table.rows(self.container, **options)


@pytest.fixture(scope="module")
def profiles_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "co.nxs"
    with creating(path, toy.scan()) as writer:
        runner.run_steps(writer, toy.chain()[:4])
    return path


@pytest.fixture
def bench(tmp_path: Path, profiles_only: Path) -> Bench:
    return Bench(Path(shutil.copy(profiles_only, tmp_path)))


def test_columns_are_those_of_the_contract_in_its_order(bench: Bench) -> None:
    bench.put(fits("pseudo_voigt", PSEUDO_VOIGT), "pv")
    assert list(table.columns()) == CONTRACT
    assert [list(row) for row in bench.rows()] == [[*CONTRACT, "reasons"]]


def test_one_row_for_each_definition_of_s(bench: Bench) -> None:
    bench.put(fits("pseudo_voigt", PSEUDO_VOIGT), "pv")
    bench.put(fits("maier_saupe", MAIER_SAUPE), "ms")
    made = orders(
        ("pseudo_voigt", "pseudo_voigt", 0.4),
        ("pseudo_voigt", "pseudo_voigt_periodic", 0.38),
        ("maier_saupe", "maier_saupe", 0.65),
    )
    bench.put(made, "order")
    first, second, third = bench.rows()
    assert [row["S_method"] for row in (first, second, third)] == list(made.method)
    assert [row["S"] for row in (first, second, third)] == [0.4, 0.38, 0.65]
    assert [row["record"] for row in (first, second, third)] == ["pv_v1", "pv_v1", "ms_v1"]
    assert first["gamma"] == 30.0 == second["gamma"]  # the parameters repeat
    assert first["gamma_error"] == 3.0
    assert (first["kappa"], first["kappa_error"], third["gamma"]) == (None, None, None)
    assert third["kappa"] == 5.0
    assert (third["S_error"], third["P4"], third["S_harmonic"]) == (0.65 / 100, None, 0.3)
    assert (first["file"], first["sample"], first["field_mT"]) == ("co.nxs", "Co", 100.0)
    assert (first["frame"], first["elapsed_s"], first["hkl"], first["reflection"]) == (None, None, None, None)
    assert (first["q"], first["angle"], first["peak"], first["R2"], first["status"]) == (0.05, "chi", 1, 0.99, "ok")


def test_rows_are_plain_json_without_nan(bench: Bench) -> None:
    bench.put(fits("pseudo_voigt", {**PSEUDO_VOIGT, "x0": NAN}, R2=np.array([NAN]), status=("isotropic",)), "pv")
    bench.put(orders(("pseudo_voigt", "pseudo_voigt", NAN)), "order")
    (row,) = bench.rows()
    assert json.loads(json.dumps(row, allow_nan=False)) == row
    assert (row["x0"], row["R2"], row["S"], row["S_error"]) == (None, None, None, None)


def test_a_fit_without_order_parameter_has_none(bench: Bench) -> None:
    bench.put(fits("pseudo_voigt", PSEUDO_VOIGT), "pv")
    (row,) = bench.rows()
    assert (row["S"], row["S_method"], row["reflection"]) == (None, None, None)
    assert row["x0"] == 24.0


def test_s_stays_with_the_version_that_it_was_made_from(bench: Bench) -> None:
    bench.put(fits("pseudo_voigt", PSEUDO_VOIGT), "pv")
    bench.put(orders(("pseudo_voigt", "pseudo_voigt", 0.4)), "order")
    bench.put(fits("pseudo_voigt", {**PSEUDO_VOIGT, "gamma": 20.0}), "pv")
    assert [(row["record"], row["S"]) for row in bench.rows()] == [("pv_v2", None)]
    bench.put(orders(("pseudo_voigt", "pseudo_voigt", 0.5)), "order")
    assert [(row["record"], row["S"]) for row in bench.rows()] == [("pv_v2", 0.5)]
    every = bench.rows(all_versions=True)
    assert [(row["record"], row["gamma"], row["S"]) for row in every] == [("pv_v1", 30.0, 0.4), ("pv_v2", 20.0, 0.5)]


def test_only_the_newest_order_parameter_of_a_fit_counts(bench: Bench) -> None:
    bench.put(fits("pseudo_voigt", PSEUDO_VOIGT), "pv")
    bench.put(orders(("pseudo_voigt", "pseudo_voigt", 0.4)), "order")
    bench.put(orders(("pseudo_voigt", "pseudo_voigt", 0.5)), "order")
    assert [row["S"] for row in bench.rows()] == [0.5]
    assert [row["S"] for row in bench.rows(all_versions=True)] == [0.4, 0.5]


def test_of_two_fits_of_one_model_the_last_has_the_order_parameter(bench: Bench) -> None:
    bench.put(fits("pseudo_voigt", PSEUDO_VOIGT), "wide")
    bench.put(fits("pseudo_voigt", {**PSEUDO_VOIGT, "gamma": 20.0}), "narrow")
    bench.put(orders(("pseudo_voigt", "pseudo_voigt", 0.5)), "order")
    assert [(row["record"], row["S"]) for row in bench.rows()] == [("wide_v1", None), ("narrow_v1", 0.5)]


def test_order_parameters_without_a_fit(bench: Bench) -> None:
    bench.put(fits("pseudo_voigt", PSEUDO_VOIGT), "pv")
    bench.put(orders(("", "moments", 0.7), hkl="1 0 0"), "order")
    fitted, free = bench.rows()
    assert (fitted["record"], fitted["S"]) == ("pv_v1", None)
    assert (free["record"], free["model"], free["S_method"], free["S"]) == ("order_v1", None, "moments", 0.7)
    assert (free["angle"], free["hkl"], free["x0"], free["R2"]) == ("chi", "1 0 0", None, None)


def test_what_is_wrong_with_the_fit_comes_first(bench: Bench) -> None:
    bench.put(fits("pseudo_voigt", PSEUDO_VOIGT, status=("at_limit",)), "pv")
    bench.put(orders(("pseudo_voigt", "pseudo_voigt", 0.4), status="coverage"), "order")
    assert [row["status"] for row in bench.rows()] == ["at_limit"]
    bench.put(fits("pseudo_voigt", PSEUDO_VOIGT), "pv")
    bench.put(orders(("pseudo_voigt", "pseudo_voigt", 0.4), status="coverage"), "order")
    assert [row["status"] for row in bench.rows()] == ["coverage"]


def test_one_record_alone(bench: Bench) -> None:
    bench.put(fits("pseudo_voigt", PSEUDO_VOIGT), "pv")
    bench.put(fits("maier_saupe", MAIER_SAUPE), "ms")
    bench.put(orders(("pseudo_voigt", "pseudo_voigt", 0.4), ("maier_saupe", "maier_saupe", 0.6)), "order")
    bench.put(orders(("maier_saupe", "maier_saupe", 0.65)), "order")
    record = bench.container.record
    assert [(row["record"], row["S"]) for row in bench.rows(record=record("ms"))] == [("ms_v1", 0.65)]
    old = bench.rows(record=record("order_v1"))
    assert [(row["record"], row["S"]) for row in old] == [("pv_v1", 0.4), ("ms_v1", 0.6)]
    assert bench.rows(record=record("toy_masking")) == []


def test_frames_and_peaks_are_kept_apart(bench: Bench) -> None:
    def doubled(result: Fits) -> Fits:
        two: dict[str, Any] = {
            name: np.repeat(getattr(result, name), 2) for name in ("ring", "peak", "q", "R2", "chi2_red")
        }
        two |= {name: np.repeat(getattr(result, name), 2) for name in ("S_harmonic", "S_harmonic_error", "isotropy_p")}
        values = {name: np.array([value[0], value[0] + 1]) for name, value in result.values.items()}
        errors = {name: np.repeat(value, 2) for name, value in result.errors.items()}
        texts: dict[str, Any] = {name: getattr(result, name) * 2 for name in ("hkl", "status", "reason")}
        return replace(
            result,
            frame=np.array([0, 1]),
            elapsed=np.array([0.0, 2.5]),
            values=values,
            errors=errors,
            theta_bragg=np.repeat(result.theta_bragg, 2),
            covariance=np.zeros((2, len(values), len(values))),
            **two,
            **texts,
        )

    bench.put(doubled(fits("pseudo_voigt", PSEUDO_VOIGT)), "pv")
    made = orders(("pseudo_voigt", "pseudo_voigt", 0.4), ("pseudo_voigt", "pseudo_voigt", 0.5))
    bench.put(replace(made, frame=np.array([1, 0])), "order")
    found = [(row["frame"], row["elapsed_s"], row["gamma"], row["S"]) for row in bench.rows()]
    assert found == [(0, 0.0, 30.0, 0.5), (1, 2.5, 31.0, 0.4)]


def test_an_unknown_field_is_none(tmp_path: Path) -> None:
    with creating(tmp_path / "unknown.nxs", replace(toy.scan(), sample=Sample("Co"))) as writer:
        runner.run_steps(writer, toy.chain())
    assert {row["field_mT"] for row in table.rows(Container(writer.path))} == {None}


def test_as_a_data_frame(bench: Bench) -> None:
    bench.put(fits("pseudo_voigt", PSEUDO_VOIGT), "pv")
    frame = table.to_pandas(bench.rows())
    assert list(frame.columns) == CONTRACT
    assert frame["gamma"][0] == 30.0
    assert frame["kappa"].isna().all()
    assert list(table.to_pandas([]).columns) == CONTRACT


def test_units_say_only_what_is_always_so() -> None:
    assert (table.units("q"), table.units("x0_error"), table.units("gamma")) == ("1/angstrom", "degree", "degree")
    assert (table.units("I"), table.units("field_mT"), table.units("S")) == ("", "", "")

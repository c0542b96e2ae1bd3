"""Records as the tables that scripts expect: dictionaries of lists, and data frames."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscatter.results import Fits, Orientation
from nxscatter.science.fitting.distributions import maier_saupe_amplitude
from nxscatter.science.fitting.models import models

if TYPE_CHECKING:
    import pandas

    from nxscatter.mapping.requests import Ring
    from nxscatter.store.record import Record

_log = logging.getLogger("nxscatter")


def fit_rows(data_name: str, rings: Sequence[Ring], fits: Record, orders: Record) -> list[dict[str, Any]]:
    """Return one row a frame and ring: key, parameters, S and R2, and what the fit says of itself.

    A row whose status is not ok has NaN for what could not be determined; a warning says why.
    """
    found, oriented = fits.load_as(Fits), orders.load_as(Orientation)
    place = {
        (frame, ring): number
        for number, (frame, ring, method) in enumerate(
            zip(oriented.frame.tolist(), oriented.ring.tolist(), oriented.method, strict=True)
        )
        if method == found.model
    }
    rows = []
    for number, (frame, ring) in enumerate(zip(found.frame.tolist(), found.ring.tolist(), strict=True)):
        order = place[frame, ring]
        row: dict[str, Any] = {
            "key": rings[ring - 1].key,
            "frame": None if frame < 0 else frame,
            "elapsed": float(found.elapsed[number]),
            "qvalue": float(found.q[number]),
            "reflection": found.hkl[number],
            **_parameters(found, number),
            "S": float(oriented.S[order]),
            "S_error": float(oriented.S_errors[order]),
            **{name: float(getattr(found, name)[number]) for name in ("R2", "S_harmonic", "chi2_red")},
            "status": found.status[number],
        }
        if row["status"] != "ok":
            _log.warning("%s: ring %s: %s: %s", data_name, row["key"], row["status"], found.reason[number])
        rows.append(row)
    return rows


def fit_dictionary(rows: Iterable[dict[str, Any]], model: str) -> dict[str, list[float]]:
    """Return the parameters, S and R2 of each ring, in the order of the model."""
    return {row["key"]: [row[name] for name in (*models()[model].units, "S", "R2")] for row in rows}


def fit_text(rows: Iterable[dict[str, Any]], model: str) -> str:
    """Return the same as lines to read, with standard errors."""
    lines = []
    for row in rows:
        numbers = [f"{name} = {row[name]:.5g} ± {row[f'{name}_error']:.2g}" for name in (*models()[model].units, "S")]
        lines.append(f"{row['key']}: {', '.join(numbers)}, R2 = {row['R2']:.4f}, {row['status']}\n")
    return "".join(lines)


def data_frame(rows: Sequence[dict[str, Any]], model: str) -> pandas.DataFrame:
    """Return the rows of many measurements as a table, with the names of columns that people know."""
    import pandas

    parameters = tuple(models()[model].units)
    known = ("filename", "sample", "B (mT)", "time (s)", "frame", "reflection", "qvalue")
    errors = tuple(f"{name}_error" for name in (*parameters, "S"))
    columns = [*known, *parameters, "S", "R2", *errors, "S_harmonic", "chi2_red", "status"]
    return pandas.DataFrame(rows, columns=columns).rename(columns={"S": "Order Parameter S", "R2": "R_squared"})


def _parameters(fits: Fits, number: int) -> dict[str, float]:
    """Return values and errors of a row; I of a Maier-Saupe line is the factor of the normalised distribution."""
    values = {name: float(column[number]) for name, column in fits.values.items()}
    errors = {name: float(column[number]) for name, column in fits.errors.items()}
    if fits.model == "maier_saupe":
        at = [list(fits.values).index(name) for name in ("I", "kappa")]
        covariance = fits.covariance[number][np.ix_(at, at)]
        theta_bragg = float(fits.theta_bragg[number]) if fits.angle == "chi" else 0.0
        values["I"], errors["I"] = maier_saupe_amplitude(values["I"], values["kappa"], covariance, theta_bragg)
    return {**values, **{f"{name}_error": error for name, error in errors.items()}}

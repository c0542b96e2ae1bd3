"""The table of results: what was fitted and which order parameter it gives, one flat row each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from nxscatter.model import DOUBTS
from nxscatter.plain import Json, plain, readable
from nxscatter.results import Fits, Orientation, PixelProfiles, Profiles
from nxscatter.science.fitting.models import models
from nxscatter.store.selection import newest, of_kind

if TYPE_CHECKING:
    import pandas

    from nxscatter.store.container import Container
    from nxscatter.store.record import Record

Row: TypeAlias = dict[str, Json]
_Load: TypeAlias = "Callable[[Record], Any]"

PARAMETERS = ("y0", "I", "x0", "x0_S", "gamma", "eta", "slope", "kappa", "a", "b")
_WHERE = ("file", "record", "sample", "field_mT", "elapsed_s", "frame", "q", "hkl", "angle", "peak", "reflection")
_RESULTS = ("S", "S_error", "S_method", "S_harmonic", "P4", "R2", "chi2_red", "status")


def columns(table: Iterable[Mapping[str, Json]] = ()) -> tuple[str, ...]:
    """Return the names of the columns of a table, in order.

    Those that all tables have come first; a fit model of a plug-in adds columns for parameters of its own, with their
    errors, to the tables that hold its rows.
    """
    known = (*_WHERE, "model", *PARAMETERS, *_RESULTS, *(f"{name}_error" for name in PARAMETERS), "reason")
    further = dict.fromkeys(name for row in table for name in row if name not in known and f"{name}_error" in row)
    return (*known, *further, *(f"{name}_error" for name in further))


def shown_columns(table: Sequence[Mapping[str, Json]]) -> tuple[str, ...]:
    """Return the columns that a file of a table has: with the reasons where a number is not to be trusted.

    So files of measurements without any doubt stay what they have always been.
    """
    doubted = any(row["status"] in DOUBTS for row in table)
    return tuple(name for name in columns(table) if doubted or name != "reason")


def units(column: str) -> str:
    """Return the units of a column, "" for a pure number, a text, or where the name itself says them.

    Intensities have those of the profile that was fitted: counts, unless it was corrected.
    """
    if column == "q":
        return "1/angstrom"
    declared = {name: units for model in models().values() for name, units in model.units.items()}
    found = declared.get(column.removesuffix("_error"), "")
    return "" if "counts" in found else found


def rows(container: Container, all_versions: bool = False, record: Record | None = None) -> list[Row]:
    """Return the table of a container: one row a frame, ring, peak and definition of S.

    Parameters
    ----------
    container : Container
        Where the fits and order parameters are.
    all_versions : bool
        Every version of each record, not the newest alone.
    record : Record, optional
        Only what this record of fits or of order parameters tells.

    Returns
    -------
    list of dict
        Plain values under the names of `columns` of them all; None for what a model lacks and for what is not known.
        ``reason`` tells the status in words, ``reasons`` lists all that speaks against the row. A fit without order
        parameter has ``S`` None. ``record`` names the fit, or the order parameter when it was made without one. The
        mean of all frames has ``frame`` None.
    """
    load = cache(lambda record: record.load())
    pick = list if all_versions else newest
    orders = of_kind(container.records, Orientation)
    fits, free = pick(of_kind(container.records, Fits)), pick(orders)
    if record is not None:
        free = of_kind([record], Orientation)
        orders = free or orders
        under = _fits_under(record, load) if free else {record.name}
        fits = [fit for fit in of_kind(container.records, Fits) if fit.name in under]
    sample = container.sample
    common = {"file": readable(container.path.name), "sample": sample.name, "field_mT": sample.magnetic_field}
    found: list[Row] = []
    for fit in fits:
        standing = [order for order in orders if fit.name in _fits_under(order, load)]
        found += _fitted(fit, pick(standing), load)
    for order in free:
        found += _model_free(order, load)
    names = columns(found)
    return [plain({name: (common | row).get(name) for name in names} | {"reasons": row["reasons"]}) for row in found]


def to_pandas(table: Sequence[Mapping[str, Json]]) -> pandas.DataFrame:
    """Return rows as a data frame; a number that is not known is NaN there."""
    import pandas

    return pandas.DataFrame(list(table), columns=list(columns(table)))


def _fits_under(order: Record, load: _Load) -> set[str]:
    """Names of the fits that an order parameter was made from: of several fits of one model, the last."""
    return set({load(fit).model: fit.name for fit in of_kind(order.parents, Fits)}.values())


def _fitted(record: Record, orders: Sequence[Record], load: _Load) -> list[Row]:
    """Rows of a fit, each with every order parameter that stands on it."""
    fits: Fits = load(record)
    found: dict[Any, list[Row]] = {}
    for order in orders:
        orientation: Orientation = load(order)
        for number, model in enumerate(orientation.model):
            found.setdefault((model, *_place(orientation, number)), []).append(_order(orientation, number))
    made = []
    for number, place in enumerate(_place(fits, number) for number in range(len(fits.frame))):
        row = {"record": record.name, "model": fits.model, "angle": fits.angle, **_where(fits, number)}
        for name in fits.values:
            row |= {name: fits.values[name][number], f"{name}_error": fits.errors[name][number]}
        row |= {name: getattr(fits, name)[number] for name in ("S_harmonic", "R2", "chi2_red")}
        verdict = _verdict(fits, number)
        made += [row | _joined(verdict, order) for order in found.get((fits.model, *place), [{}])]
    return made


def _model_free(record: Record, load: _Load) -> list[Row]:
    """Rows of the order parameters that were made without a fit."""
    orientation: Orientation = load(record)
    profiles = of_kind(record.parents, Profiles, PixelProfiles)
    angle = load(profiles[0]).angle if profiles else None
    return [
        {"record": record.name, "angle": angle, **_where(orientation, number), **_order(orientation, number)}
        for number, model in enumerate(orientation.model)
        if not model
    ]


def _place(result: Fits | Orientation, number: int) -> tuple[Any, ...]:
    return (
        int(result.frame[number]),
        int(result.ring[number]),
        int(result.peak[number]),
        float(result.q[number]),
        result.hkl[number],
    )


def _where(result: Fits | Orientation, number: int) -> Row:
    frame, _, peak, q, hkl = _place(result, number)
    return {
        "elapsed_s": result.elapsed[number],
        "frame": None if frame < 0 else frame,
        "q": q,
        "hkl": hkl or None,
        "peak": peak,
    }


def _order(orientation: Orientation, number: int) -> Row:
    return {
        "S": orientation.S[number],
        "S_error": orientation.S_errors[number],
        "S_method": orientation.method[number],
        "P4": orientation.P4[number],
        "reflection": orientation.reflection[number] or None,
        **_verdict(orientation, number),
    }


def _verdict(result: Fits | Orientation, number: int) -> Row:
    return {
        "status": result.status[number],
        "reason": result.reason[number] or None,
        "reasons": list(result.reasons(number)),
    }


def _joined(verdict: Row, order: Row) -> Row:
    """Return an order parameter's columns with the verdict on its fit: what is wrong with the fit comes first."""
    if not order:
        return verdict
    reasons = list(dict.fromkeys([*verdict["reasons"], *order["reasons"]]))
    return {**order, **(verdict if verdict["status"] != "ok" else {}), "reasons": reasons}

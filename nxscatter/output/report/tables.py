"""The tables of a report: order parameters, and the fits on which they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from nxscatter.output.figures.curves import method_name, with_error
from nxscatter.output.table import Row
from nxscatter.science.fitting.models import all_parameters
from nxscatter.store.markup import Markup, element, join, table

_Cell: TypeAlias = Callable[[Row], str]
_NONE = "–"
_TACIT = {"peak": ("1",)}  # what need not be said when it is all there is


def results_tables(found: Sequence[Row]) -> Markup:
    """Return the tables of order parameters and of fits; of a stack the first, the middle and the last frame.

    A column in which nothing is known is left out, and the peaks' where each ring has one.
    """
    frames = list(dict.fromkeys(row["frame"] for row in found if row["frame"] is not None))
    ends = {None, *frames[:1], *frames[len(frames) // 2 :][:1], *frames[-1:]}
    shown = sorted((row for row in found if row["frame"] in ends), key=_place)
    some = (
        f", frames {', '.join(str(frame) for frame in frames if frame in ends)} of {len(frames)}"
        if len(frames) > 3
        else ""
    )
    fitted = {(_place(row), row["record"], row["model"]): row for row in shown if row["model"]}
    return join(
        [
            _table(
                [row for row in shown if row["S_method"]], _ORDER, f"Order parameter S with its standard error{some}"
            ),
            _table(list(fitted.values()), _fitted(), f"Fitted parameters with their standard errors{some}"),
        ]
    )


def _place(row: Row) -> tuple[int, float, int]:
    return -1 if row["frame"] is None else row["frame"], row["q"], row["peak"]


def _fitted() -> dict[str, _Cell]:
    """Return the columns of the table of fits: what its models have symbols for, and the rest."""
    named = {
        (parameter.label or parameter.symbol) + (" (°)" if parameter.units == "degree" else ""): _value(parameter.name)
        for parameter in all_parameters()
        if parameter.symbol
    }
    return {
        **_WHERE,
        "model": _name("model"),
        **named,
        "baseline": lambda row: _value("b" if row["y0"] is None else "y0")(row),
        "reduced χ²": _value("chi2_red"),
        "R²": _value("R2"),
        "status": _status,
    }


def _table(rows: Sequence[Row], cells: Mapping[str, _Cell], caption: str) -> Markup:
    columns = {head: [cell(row) for row in rows] for head, cell in cells.items()}
    known = {head: column for head, column in columns.items() if set(column) - {_NONE, *_TACIT.get(head, ())}}
    return table(list(known), zip(*known.values(), strict=True), caption) if rows else Markup()


def _value(name: str) -> _Cell:
    def cell(row: Row) -> str:
        return _NONE if row.get(name) is None else with_error(row[name], row.get(f"{name}_error")).replace("-", "−")

    return cell


def _word(name: str) -> _Cell:
    return lambda row: _NONE if row[name] is None else str(row[name])


def _name(name: str) -> _Cell:
    return lambda row: _NONE if row[name] is None else method_name(row[name]).replace("_", " ")


def _status(row: Row) -> str:
    text = str(row["status"]).replace("_", " ")
    return text if row["status"] in ("ok", "isotropic") else element("span", text, class_="mark")


_WHERE: dict[str, _Cell] = {
    "q (Å⁻¹)": lambda row: f"{row['q']:.4g}",
    "hkl": _word("hkl"),
    "frame": _word("frame"),
    "time (s)": _value("elapsed_s"),
    "peak": _word("peak"),
}
_ORDER: dict[str, _Cell] = {
    **_WHERE,
    "definition of S": _name("S_method"),
    "reflection": _word("reflection"),
    "S": _value("S"),
    "⟨P₄⟩": _value("P4"),
    "S from the second harmonic": _value("S_harmonic"),
    "status": _status,
}

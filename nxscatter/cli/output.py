"""What goes to stdout: tables for people, strict JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer

from nxscatter.plain import plain


def echo_json(rows: Any) -> None:
    """Print JSON without NaN: what is not known is null."""
    typer.echo(json.dumps(plain(rows), indent=1, ensure_ascii=False, allow_nan=False))


def echo_table(rows: Iterable[Sequence[Any]], head: Sequence[str]) -> None:
    """Print rows in columns as wide as needed, numbers to the right."""
    texts = [[_shown(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *texts, strict=True)]
    numeric = [all(_is_number(text) for text in column) for column in zip(*texts, strict=True)] or [False] * len(head)
    for row in (head, *texts):
        cells = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(row, widths, numeric, strict=True)
        ]
        typer.echo("  ".join(cells).rstrip())


def echo_fields(values: Mapping[str, Any]) -> None:
    """Print names and values, one a line; what is not known is left out."""
    known = {name: value for name, value in values.items() if _shown(value) != "-"}
    width = max(map(len, known), default=0)
    for name, value in known.items():
        typer.echo(f"  {name.ljust(width)}  {_shown(value)}")


def _shown(value: Any) -> str:
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value)) or "-"
    return str(value)


def _is_number(text: str) -> bool:
    return text == "-" or (text[:1] in "-+0123456789" and text[-1:].isdigit())

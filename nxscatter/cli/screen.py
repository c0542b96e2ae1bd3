"""A container on one screen: what was measured, what to be aware of, and the newest order parameters."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from nxscatter.cli.output import echo_fields, echo_table

if TYPE_CHECKING:
    from nxscatter.store.container import Container

_MOST = 20  # rows of results, which leave room for the rest on a screen
_COLUMNS = ("frame", "q", "hkl", "peak", "model", "x0", "S", "S_method", "status")


def echo_screen(
    container: "Container",
    warnings: Sequence[str],
    results: Sequence[dict[str, Any]],
    geometry: dict[str, Any] | None = None,
) -> None:
    """Print what a container holds; ``geometry`` is the one in use, told beside the header's."""
    from nxscatter.store.selection import newest
    from nxscatter.store.summary import described

    records = container.records
    stale = [record.name for record in newest(records) if record.stale]
    typer.echo(container.path)
    used = {} if geometry is None else {"geometry used": _geometry_text(geometry)}
    echo_fields({**described(container), **used, "records": [record.name for record in newest(records)] or "none"})
    for note in container.origin.notes:
        typer.echo(f"  note: {note}")
    if stale:
        typer.echo(f"  warning: stale, made from what has a newer version: {', '.join(stale)}")
    for warning in warnings:
        typer.echo(f"  warning: {warning}")
    if results:
        typer.echo("")
        _echo_results(container, results)


def _geometry_text(geometry: dict[str, Any]) -> str:
    """Return the geometry in use in one line."""
    turned = [f"{geometry[f'rot{axis}_degree']:.4g}" for axis in (1, 2, 3)]
    tilt = "" if set(turned) == {"0"} else f", turned by {', '.join(turned)}°"
    centre = f"centre ({geometry['center_x_pixel']:.2f}, {geometry['center_y_pixel']:.2f}) px"
    return f"{centre}, {geometry['distance_m']:.6g} m{tilt} ({geometry['record']})"


def _echo_results(container: "Container", results: Sequence[dict[str, Any]]) -> None:
    """Print the table of S; of a long stack its first and last frame."""
    from nxscatter.output.figures.curves import with_error

    frames = [row["frame"] for row in results if row["frame"] is not None]
    ends = {None, *frames[:1], *frames[-1:]} if len(results) > _MOST else {None, *frames}
    shown = [row for row in results if row["frame"] in ends][:_MOST]
    texts = [{**row, "S": None if row["S"] is None else with_error(row["S"], row["S_error"])} for row in shown]
    head = [name for name in _COLUMNS if name in ("S", "status") or len({row[name] for row in texts}) > 1]
    echo_table(([row[name] for name in head] for row in texts), head)
    if len(shown) < len(results):
        typer.echo(f"{len(results) - len(shown)} more rows: nxscatter table {container.path.name}")

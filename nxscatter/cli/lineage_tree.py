"""The provenance graph of a container's records as a tree: in colour on a terminal, indented where nobody looks."""

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

import typer

if TYPE_CHECKING:
    from rich.tree import Tree

    from nxscatter.store.container import Container
    from nxscatter.store.lineage import Branch

_Part: TypeAlias = tuple[str, str]  # a text and its style


def echo_lineage(container: "Container") -> None:
    """Print the records below the source that they go back to."""
    frames, rows, columns = container.shape
    origin = container.origin
    size = f"{frames} frame{'' if frames == 1 else 's'} of {rows} x {columns} pixels"
    source = f"{origin.file_name} ({size}, reader {origin.reader})"
    branches = container.lineage.tree()
    if not sys.stdout.isatty():
        typer.echo(source)
        for depth, branch in _walk(branches):
            line = "  ".join(text for text, _ in _parts(container, branch))
            typer.echo(f"{'  ' * (depth + 1)}{line}")
        return
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree

    drawn = Tree(Text(source, "bold"), guide_style="bright_black")
    _grow(container, drawn, branches)
    Console(highlight=False).print(drawn)


def _walk(branches: "Sequence[Branch]", depth: int = 0) -> "Iterator[tuple[int, Branch]]":
    for branch in branches:
        yield depth, branch
        yield from _walk(branch.children, depth + 1)


def _grow(container: "Container", drawn: "Tree", branches: "Sequence[Branch]") -> None:
    from rich.text import Text

    for branch in branches:
        line = Text("  ").join(Text(text, style) for text, style in _parts(container, branch))
        _grow(container, drawn.add(line), branch.children)


def _parts(container: "Container", branch: "Branch") -> list[_Part]:
    """Return what a line says of a record, each part with its style."""
    from nxscatter.store.record import parameters

    record = container.record(branch.name)
    stale = record.why_stale
    texts = parameters(record, chosen=True)
    parts = [
        (record.name, "bright_black strike" if stale else "bold green"),
        (f"stale: {stale}" if stale else "", "yellow"),
        (record.date[:16].replace("T", " "), "cyan"),
        (f"{record.step} version {record.step_version}" if record.base != record.step else "", ""),
        (", ".join(f"{name} = {text}" for name, text in texts.items()), ""),
        (f"(also from {', '.join(branch.others)})" if branch.others else "", "bright_black"),
        (f"{len(record.notes)} warning{'s' if len(record.notes) > 1 else ''}" if record.notes else "", "red"),
    ]
    return [(text, style) for text, style in parts if text]

"""The provenance graph as SVG: a box a record, arrows from what it was made from, the raw frames on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from nxscatter.store.markup import Markup, element
from nxscatter.store.record import parameters

if TYPE_CHECKING:
    from nxscatter.store.record import Record

_SOURCE = ""  # the name of the raw frames' box, which no record has
_WIDTH, _HEIGHT, _GAP, _STEP = 178.0, 40.0, 22.0, 74.0  # of a box, between boxes, from layer to layer
_NAME, _MORE = 23, 30  # letters that fit into the first and the second line of a box


class _Edge(NamedTuple):
    """An arrow, and the places in between where it passes a layer."""

    start: str
    passing: tuple[str, ...]
    end: str


def draw_lineage(records: Sequence[Record], source: str) -> Markup:
    """Draw records and the raw frames that they go back to.

    Parameters
    ----------
    records : sequence of Record
        What is drawn, in the order in which they were made. An arrow that only shortens a way along other arrows is
        left out. Each box leads to the element ``record-NAME`` of the page.
    source : str
        Name of the source file.

    Returns
    -------
    Markup
        An ``svg`` element; its colours are set by the page's style sheet.
    """
    names = {record.name for record in records}
    nearest = {record.name: record.container.lineage.nearest(record.name) for record in records}
    above = {name: [parent for parent in parents if parent in names] or [_SOURCE] for name, parents in nearest.items()}
    depth = {_SOURCE: 0}
    for record in records:
        depth[record.name] = 1 + max(depth[name] for name in above[record.name])
    edges = [_edge(start, end, depth) for end, starts in above.items() for start in starts]
    layers = _layers(depth, edges)
    place = _places(layers)
    width = max(sum(map(_width, layer)) for layer in layers)
    height = _STEP * (len(layers) - 1) + _HEIGHT + 4
    boxes = [
        _box(*place[_SOURCE], "raw frames", f"raw frames of {source}", "source", "#measurement", source),
        *(_record_box(record, *place[record.name]) for record in records),
    ]
    return element(
        "svg",
        element("title", "Chain of records"),
        element("desc", _in_words(above)),
        element("defs", _arrow_head()),
        *(_arrow(edge, place) for edge in edges),
        *boxes,
        xmlns="http://www.w3.org/2000/svg",
        class_="lineage",
        viewBox=f"0 0 {width:g} {height:g}",
        width=f"{width:g}",
        height=f"{height:g}",
        role="group",
        aria_label="Chain of records",
    )


def _edge(start: str, end: str, depth: Mapping[str, int]) -> _Edge:
    return _Edge(start, tuple(f"{start}>{end}>{layer}" for layer in range(depth[start] + 1, depth[end])), end)


def _layers(depth: Mapping[str, int], edges: Sequence[_Edge]) -> list[list[str]]:
    """Return what stands on each layer from left to right, near what it hangs on; arrows passing included."""
    layers: list[list[str]] = [[] for _ in range(1 + max(depth.values()))]
    above: dict[str, list[str]] = {}
    for name, layer in depth.items():
        layers[layer].append(name)
    for edge in edges:
        way = (edge.start, *edge.passing, edge.end)
        for number, name in enumerate(edge.passing):
            layers[depth[edge.start] + 1 + number].append(name)
        for start, end in pairwise(way):
            above.setdefault(end, []).append(start)
    for upper, lower in pairwise(layers):
        lower.sort(key=lambda name: sum(map(upper.index, above[name])) / len(above[name]))
    return layers


def _places(layers: Sequence[Sequence[str]]) -> dict[str, tuple[float, float]]:
    """Return the middle of the upper edge of everything that stands on a layer, layers centred."""
    widest = max(sum(map(_width, layer)) for layer in layers)
    place = {}
    for number, layer in enumerate(layers):
        left = (widest - sum(map(_width, layer))) / 2
        for name in layer:
            place[name] = (left + _width(name) / 2, 2 + number * _STEP)
            left += _width(name)
    return place


def _width(name: str) -> float:
    """Return the room that a box takes with its gap, or an arrow that passes a layer."""
    return _GAP if ">" in name else _GAP + _WIDTH


def _record_box(record: Record, x: float, y: float) -> Markup:
    said = parameters(record, chosen=True)
    stale = record.why_stale
    lines = [
        f"{record.name}: {record.step} version {record.step_version}",
        *(f"{name} = {text}" for name, text in parameters(record).items()),
        *([f"stale: {stale}"] if stale else []),
        *(f"warning: {note}" for note in record.notes),
    ]
    second = "stale" if stale else ", ".join(f"{name} {text}" for name, text in said.items())
    kind = " ".join(["record", *(["stale"] if stale else []), *(["warned"] if record.notes else [])])
    return _box(x, y, record.name, "\n".join(lines), kind, f"#record-{record.name}", second)


def _box(x: float, y: float, name: str, told: str, kind: str, target: str, second: str = "") -> Markup:
    """Return a box of two lines that tells more under the pointer."""
    left, middle = x - _WIDTH / 2, f"{x:g}"
    texts = [element("text", _short(name, _NAME), x=middle, y=f"{y + (17 if second else 25):g}", class_="name")]
    if second:
        texts.append(element("text", _short(second, _MORE), x=middle, y=f"{y + 32:g}"))
    box = element("rect", x=f"{left:g}", y=f"{y:g}", width=f"{_WIDTH:g}", height=f"{_HEIGHT:g}", rx="5")
    return element("a", element("title", told), box, *texts, href=target, class_=kind)


def _arrow(edge: _Edge, place: Mapping[str, tuple[float, float]]) -> Markup:
    x, y = place[edge.start]
    path, y = [f"M{x:g} {y + _HEIGHT:g}"], y + _HEIGHT
    for name in (*edge.passing, edge.end):
        to_x, to_y = place[name]
        bend = (to_y - y) / 2
        path.append(f"C{x:g} {y + bend:g} {to_x:g} {to_y - bend:g} {to_x:g} {to_y - (3 if name == edge.end else 0):g}")
        if name != edge.end:
            path.append(f"V{to_y + _HEIGHT:g}")
            to_y += _HEIGHT
        x, y = to_x, to_y
    return element("path", d="".join(path), marker_end="url(#arrow)", class_="arrow")


def _arrow_head() -> Markup:
    triangle = element("path", d="M0 0L8 4L0 8z")
    return element(
        "marker",
        triangle,
        id="arrow",
        viewBox="0 0 8 8",
        refX="6",
        refY="4",
        markerWidth="7",
        markerHeight="7",
        orient="auto",
    )


def _in_words(above: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(
        f"{name} from {' and '.join(start or 'the raw frames' for start in starts)}" for name, starts in above.items()
    )


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"

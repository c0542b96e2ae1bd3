"""What a notebook shows of a container and of a record: small tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nxscatter.description import described
from nxscatter.history import automatic, parameters, source_name, why_stale
from nxscatter.markup import Markup, element, facts, join, table

if TYPE_CHECKING:
    from nxscatter.container import Container
    from nxscatter.record import Record

_LONG = ("title", "sha256 of the source")


def container_html(container: Container) -> Markup:
    """Return what a container holds: sample, frames, geometry, and a table of its records."""
    known = [(name, text) for name, text in described(container).items() if name not in _LONG]
    head = ("record", "step", "date", "parameters", "warnings")
    lines = [
        (
            record.name,
            f"{record.step} version {record.step_version}",
            record.date[:19].replace("T", " "),
            _listed(parameters(record, chosen=True)),
            "; ".join([*([f"stale: {why_stale(record)}"] if record.stale else []), *record.notes]),
        )
        for record in container.records
    ]
    records = [table(head, lines)] if lines else [element("p", "no records yet")]
    return join([element("strong", container.path.name), facts(known), *records])


def record_html(record: Record) -> Markup:
    """Return what a record is: its step, parameters, what the step chose by itself, inputs and warnings."""
    inputs = [source_name(source.path) for sources in record.inputs.values() for source in sources]
    known = [
        ("step", f"{record.step} version {record.step_version}"),
        ("date", record.date),
        ("made from", ", ".join(dict.fromkeys(inputs))),
        ("stale", why_stale(record)),
        *((f"parameter {name}", text) for name, text in parameters(record).items()),
        *((f"chosen by itself: {name}", text) for name, text in automatic(record).items()),
        *(("warning", note) for note in record.notes),
        ("checksum", record.checksum),
    ]
    return join([element("strong", record.name), facts(known)])


def _listed(texts: dict[str, str]) -> str:
    return ", ".join(f"{name} = {text}" for name, text in texts.items())

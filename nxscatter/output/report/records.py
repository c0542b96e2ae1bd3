"""What a report tells of each record: parameters, inputs, environment and hashes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nxscatter.store.markup import Markup, element, facts, join, table
from nxscatter.store.record import automatic, parameters
from nxscatter.store.summary import source_name

if TYPE_CHECKING:
    from nxscatter.store.container import Container
    from nxscatter.store.record import Record


def fold_outs(records: Sequence[Record]) -> Markup:
    """Return a fold-out for each record with everything that decided its result."""
    return join(_fold_out(record) for record in records)


def environments(records: Sequence[Record]) -> Markup:
    """Return the programs that made the records, one table for each set of versions."""
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for record in records:
        groups.setdefault(tuple(sorted(record.environment.items())), []).append(record.name)
    if len(groups) == 1:
        return facts(next(iter(groups)), "All records were made with")
    return join(facts(versions, f"Made with this: {', '.join(names)}") for versions, names in groups.items())


def hashes(container: Container, records: Sequence[Record]) -> Markup:
    """Return what a container is recognised by: source, converted content, and each record."""
    ledger = container.ledger
    whole = [
        ("source file", container.origin.sha256),
        ("converted content", ledger["content"]),
        ("last record", ledger["checksum"] if ledger["records"] else ""),
    ]
    lines = [(str(record.sequence), record.name, record.result_hash, record.checksum) for record in records]
    parts = [facts(whole, "SHA-256 of the source and of the container")]
    if lines:
        head = ("no.", "record", "result", "record and all before it")
        parts.append(table(head, lines, "SHA-256 of the records; two runs agree when their results do"))
    return join(parts)


def _fold_out(record: Record) -> Markup:
    inputs = [source_name(source.path) for sources in record.inputs.values() for source in sources]
    about = [
        ("step", f"{record.step} version {record.step_version}, nxscatter {record.program_version}"),
        ("date", record.date),
        ("made from", ", ".join(dict.fromkeys(inputs))),
        ("stale", record.why_stale),
        *(("warning", note) for note in record.notes),
    ]
    parts = [facts(about)]
    for caption, said in (("Parameters", parameters(record)), ("Chosen by the step itself", automatic(record))):
        if said:
            parts.append(facts(said.items(), caption))
    warned = element("span", " warning", class_="mark") if record.notes else ""
    stale = element("span", " stale", class_="mark") if record.stale else ""
    # the mark is inside, so that a link to it opens the fold-out
    inside = element("div", *parts, id=f"record-{record.name}")
    chosen = ", ".join(f"{name} = {text}" for name, text in parameters(record, chosen=True).items())
    return element("details", element("summary", record.name, element("span", f" {chosen}"), stale, warned), inside)

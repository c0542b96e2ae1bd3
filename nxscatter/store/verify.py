"""Verification: everything in a container is what it was when it was written, or is named.

This is no signature: who can rewrite a whole file can also make its hashes again. What is found is every change that
nxscatter did not make: damage, an edit by hand, a record removed, added or moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nxscatter.errors import ContainerError, NxscatterError
from nxscatter.store import layout
from nxscatter.store.container import Container
from nxscatter.store.content import present_hash
from nxscatter.store.ledger import other_hashes, record_checksum, result_hashes
from nxscatter.store.nexus import hdf5
from nxscatter.store.nexus.hashing import DAMAGE, combined, first_line, tree_hashes
from nxscatter.store.nexus.hdf5 import read_json, read_text
from nxscatter.store.nexus.tree import Group
from nxscatter.store.record import Record

if TYPE_CHECKING:
    import h5py


@dataclass(frozen=True)
class Verification:
    """What `verify` found.

    Attributes
    ----------
    problems : list of str
        One line for each thing that is not as it was written, with its path.
    """

    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether there is no problem."""
        return not self.problems


def verify(path: str | Path) -> Verification:
    """Check all hashes of a container.

    Parameters
    ----------
    path : path
        The container. One that cannot be read has failed.

    Raises
    ------
    ContainerError
        When there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise ContainerError(f"{path}: no such file")
    try:
        container = Container(path)
    except ContainerError as error:
        return Verification([str(error)])
    found = _collect(str(path), _problems(container))
    return Verification(list(dict.fromkeys(found)))  # what cannot be read is met more than once


def readable_records(container: Container) -> tuple[dict[str, Record], list[str]]:
    """Read the records one by one.

    Returns
    -------
    records : dict of path to Record
        Those that can be read, in no particular order.
    problems : list of str
        Why each of the others cannot.
    """
    with container.opened() as file:
        names = layout.record_groups(file)
    records: dict[str, Record] = {}
    problems: list[str] = []
    for name in names:
        with _noting(f"/entry/{name}", problems):
            container.written(name)
            record = Record(container, name)
            records[record.path] = record
    return records, problems


def ledger_problems(file: h5py.File) -> list[str]:
    """Compare the records that are there with the ledger: names, order, last checksum."""
    return _collect(layout.LEDGER, _ledger(file))


def _ledger(file: h5py.File) -> Iterator[str]:
    ledger, entry = layout.read_ledger(file), file["entry"]
    names, listed = layout.record_groups(file), ledger["names"]
    yield from (f"/entry/{name}: removed, the ledger lists it" for name in listed if name not in names)
    yield from (f"/entry/{name}: added, the ledger does not list it" for name in names if name not in listed)
    for name in names:
        missing = [note for note in ("configuration", "result", "contents") if note not in entry[name]]
        yield from (f"/entry/{name}/{note}: is missing" for note in missing)
    for position, name in enumerate(listed, 1):
        if name in names:
            number = int(entry[name]["sequence_index"][()])
            if number != position:
                yield f"/entry/{name}: its sequence_index is {number}, in the ledger it is number {position}"
    content = combined(read_json(entry, "contents"))
    if ledger["content"] != content:
        yield f"{layout.CONTENTS}: is not what the ledger was made with"
    last = listed[-1] if listed else ""
    if last in names and ledger["checksum"] != read_text(entry, f"{last}/result/checksum"):
        yield f"{layout.LEDGER}: its checksum is not that of {last}"
    if not _as_written(file, layout.ledger_note(ledger)) or ledger["records"] != len(listed):
        yield f"{layout.LEDGER}: altered"


@contextmanager
def _noting(where: str, problems: list[str]) -> Iterator[None]:
    """Let the block end at the first thing that cannot be read, which is a problem."""
    try:
        yield
    except NxscatterError as error:
        problems.append(str(error))
    except DAMAGE as error:
        problems.append(f"{where}: cannot be read ({first_line(error)})")


def _collect(where: str, found: Iterator[str]) -> list[str]:
    """List problems up to the first thing that cannot be read, which is a problem too."""
    problems: list[str] = []
    with _noting(where, problems):
        problems.extend(found)
    return problems


def _problems(container: Container) -> Iterator[str]:
    with container.opened() as file:
        yield from _collect("/", _defaults(file))
        yield from _collect("/entry", _converted(file))
        yield from ledger_problems(file)
        for name in layout.record_groups(file):
            yield from _collect(f"/entry/{name}", _record(file, name, container.ledger))
    records, unreadable = readable_records(container)
    yield from unreadable
    for record in records.values():
        yield from _collect(record.path, _embedded(record))
    yield from _input_problems(container, records)


def _defaults(file: h5py.File) -> Iterator[str]:
    yield from (f"/{name}: added" for name in file if name != "entry")
    names = layout.read_ledger(file)["names"]
    for group, default in ((file, "entry"), (file["entry"], names[-1] if names else "data")):
        if group.attrs.get("default") != default:
            yield f"{group.name}: its default is '{group.attrs.get('default')}', not '{default}'"


def _converted(file: h5py.File) -> Iterator[str]:
    table = read_json(file, layout.CONTENTS)
    if _as_written(file, layout.contents_note("/entry", table)):
        yield from _compare("/entry", table, layout.content_hashes(file))
    else:
        yield f"{layout.CONTENTS}: altered"


def _record(file: h5py.File, name: str, ledger: Mapping[str, Any]) -> Iterator[str]:
    group = hdf5.read(file, f"entry/{name}")
    result, others = result_hashes(group), other_hashes(group)
    table = read_json(file, f"{group.path}/contents")
    found = [f"{moved.path}: its target attribute says {moved.attrs.get('target')}" for moved in _moved(group)]
    if _as_written(file, layout.contents_note(group.path, table)):
        found += _compare(group.path, table, others)
    else:
        found.append(f"{group.path}/contents: altered")
    if table.get("result/data") == others["result/data"]:
        found += _compare(group.path, read_json(file, f"{group.path}/result"), result)
    yield from found
    before = _checksum_before(file, name, ledger)
    if not found and before and group["result/checksum"].value != record_checksum(result, others, before):
        yield f"{group.path}/result/checksum: does not fit this record and the one before it"


def _checksum_before(file: h5py.File, name: str, ledger: Mapping[str, Any]) -> str:
    """Checksum that the hash chain goes on from at a record, "" where it cannot be told."""
    entry, listed = file["entry"], ["", *ledger["names"]]
    if name not in listed:
        return ""
    before = listed[listed.index(name) - 1]
    if not before:
        return str(ledger["content"])
    return read_text(entry, f"{before}/result/checksum") if before in entry else ""


def _moved(record: Group) -> Iterator[Group]:
    groups = [record, *(group for _, group in record.groups())]
    return (group for group in groups if group.attrs.get("target") != group.path)


def _as_written(file: h5py.File, note: Group) -> bool:
    """Whether a note is in the file as it would be written."""
    return tree_hashes(hdf5.read(file, note.path)) == tree_hashes(note)


def _compare(where: str, stored: Mapping[str, str], found: Mapping[str, str]) -> Iterator[str]:
    """Name what differs; of a group that is gone or new only the group itself."""
    named: set[str] = set()
    for path in sorted(stored.keys() | found.keys()):
        if stored.get(path) == found.get(path):
            continue
        what = "added" if path not in stored else "removed" if path not in found else "altered"
        place = path.removesuffix("/.") or "/"
        if what == "altered" or place.rpartition("/")[0] not in named:
            yield f"{'/' if place == '/' else where if place == '.' else f'{where}/{place}'}: {what}"
        if what != "altered":
            named.add(place)


def _embedded(record: Record) -> Iterator[str]:
    for parameter, files in record.attachments().items():
        given = record.parameters[parameter]
        for attachment, stated in zip(files, given if isinstance(given, list) else [given], strict=True):
            if attachment.sha256 != stated["sha256"]:
                yield f"{record.path}: embedded file {attachment.name} is not the one of parameter {parameter}"


def _input_problems(container: Container, records: Mapping[str, Record]) -> list[str]:
    present = cache(lambda argument, path: present_hash(container, argument, path))

    def of(record: Record) -> Iterator[str]:
        for argument, sources in record.inputs.items():
            for source in sources:
                origin = records.get(source.path)
                now = present(argument, source.path) if origin is None else origin.result_hash
                if now != source.checksum:
                    yield f"{record.path}: its input {source.path} is not the one that it was made from"
                if origin is not None and origin.sequence >= record.sequence:
                    yield f"{record.path}: its input {source.path} is not older than itself"

    return [problem for record in records.values() for problem in _collect(record.path, of(record))]

"""Containers and their records, for reading; writing is left to `nxscatter.store.writer`.

A container is append-only. A record is never changed or deleted; each one's checksum covers everything in its group
and the checksum of the record before it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nxscatter.errors import ContainerError, NxscatterError
from nxscatter.model import Attachment, Beam, Detector, Exposure, Origin, Sample
from nxscatter.store import layout
from nxscatter.store.access import StoredFile
from nxscatter.store.ledger import Written, read_record
from nxscatter.store.lineage import Lineage
from nxscatter.store.markup import Markup, element, facts, join, table
from nxscatter.store.nexus.codec import read_attachment, read_values
from nxscatter.store.nexus.frames import Hdf5Reader
from nxscatter.store.nexus.hashing import DAMAGE
from nxscatter.store.nexus.hdf5 import read_json, read_text
from nxscatter.store.record import Record, parameters
from nxscatter.store.summary import described

if TYPE_CHECKING:
    import h5py

    from nxscatter.results import Result


# Records that are read in one opening, which costs as much as reading a record or two: a recipe run on a container of
# hundreds of records needs the last few alone.
_TOGETHER = 32

D = TypeVar("D", Beam, Detector, Exposure)


class Container:
    """A nxscatter file (.nxs). Opening reads only what is asked for; nothing here writes.

    Parameters
    ----------
    path : path, or StoredFile
        Where it is; or how it is read, where a transaction has more of it than the disk.

    Raises
    ------
    ContainerError
        When the file is missing, is not HDF5, or is not one of ours.
    """

    def __init__(self, path: str | Path | StoredFile) -> None:
        self._file = path if isinstance(path, StoredFile) else StoredFile(Path(path).expanduser().resolve())
        self.path = self._file.path
        with self.opened() as file:
            layout.check_ours(file, self.path)

    def opened(self) -> AbstractContextManager[h5py.File]:
        """Open the file for reading, for as long as the block lasts."""
        return self._file.opened()

    def forget(self) -> None:
        """Read anew what was read before, when it is asked for next."""
        for name in [name for name, kind in vars(Container).items() if isinstance(kind, cached_property)]:
            vars(self).pop(name, None)

    def remember(self, written: Written, result: Result) -> Record:
        """Know the record that a transaction has just appended, without reading it."""
        self._written[written.name] = written
        record = Record(self, written.name, result)
        self.records = (*self.records, record)
        for name in ("ledger", "lineage", "_by_name"):
            vars(self).pop(name, None)
        return record

    def share(self, other: Container) -> None:
        """Know what another reader has read of the records, if they are the same: the ledger's checksum chains them."""
        if self.ledger == other.ledger:
            self._written.update(other._written)
            self.records = tuple(record.within(self) for record in other.records)

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """All records in the order in which they were made, as the ledger lists them."""
        with self.opened() as file:
            return tuple(Record(self, name) for name in layout.listed_records(file, self.ledger))

    @cached_property
    def ledger(self) -> dict[str, Any]:
        """The ledger, see `nxscatter.store.layout.read_ledger`."""
        return self._file.ledger()

    @cached_property
    def _written(self) -> dict[str, Written]:
        return {}

    def written(self, name: str) -> Written:
        """Return what a record says of itself; its neighbours are read at the same time.

        Raises
        ------
        ContainerError
            When it cannot be read.
        """
        if name not in self._written:
            names = list(self._by_name)
            first = names.index(name) // _TOGETHER * _TOGETHER if name in names else 0
            with self.opened() as file:
                self._written[name] = read_record(file, name)
                with suppress(NxscatterError, *DAMAGE):  # of a neighbour, which says so when it is asked for
                    for other in names[first : first + _TOGETHER]:
                        if other not in self._written:
                            self._written[other] = read_record(file, other)
        return self._written[name]

    @cached_property
    def lineage(self) -> Lineage:
        """Which record was made from which, and what is stale."""
        return Lineage(self._by_name, lambda name: self._by_name[name].input_names)

    @cached_property
    def _by_name(self) -> dict[str, Record]:
        return {record.name: record for record in self.records}

    def latest(self, name: str) -> Record:
        """Return the newest record called ``name``, or made by the step of that name.

        Raises
        ------
        ContainerError
            When there is none; the message lists what there is.
        """
        for record in reversed(self.records):
            if record.base == name:
                return record
        for record in reversed(self.records):
            if record.step == name:
                return record
        known = ", ".join(sorted({record.base for record in self.records})) or "none"
        raise ContainerError(f"{self.path}: has no record '{name}' (it has: {known}); run that step first")

    def record(self, name: str) -> Record:
        """Return the record of exactly this name (``caving_v2``), or the newest of this base name."""
        return self._by_name.get(name) or self.latest(name)

    @cached_property
    def title(self) -> str:
        """Title of the measurement."""
        with self.opened() as file:
            return read_text(file, "entry/title")

    @cached_property
    def instrument(self) -> str:
        """Name of the instrument."""
        with self.opened() as file:
            return read_text(file, "entry/instrument/name")

    @cached_property
    def source_name(self) -> str:
        """Name of the X-ray source."""
        with self.opened() as file:
            return read_text(file, "entry/instrument/source/name")

    @cached_property
    def source_type(self) -> str:
        """Type of the X-ray source."""
        with self.opened() as file:
            return read_text(file, "entry/instrument/source/type")

    @property
    def compression(self) -> str:
        """How images are compressed."""
        return str(self.ledger["compression"])

    @cached_property
    def start_time(self) -> datetime | None:
        """Start of the measurement, None when unknown."""
        with self.opened() as file:
            return layout.read_time(file, "start_time")

    @cached_property
    def end_time(self) -> datetime | None:
        """End of the measurement, None when unknown."""
        with self.opened() as file:
            return layout.read_time(file, "end_time")

    @cached_property
    def sample(self) -> Sample:
        """The sample; its field is NaN when unknown."""
        return layout.read_sample(self.part("sample"))

    @cached_property
    def beam(self) -> Beam:
        """The incident beam."""
        return self._described(Beam)

    @cached_property
    def detector(self) -> Detector:
        """The detector as the source described it."""
        return self._described(Detector)

    @cached_property
    def exposure(self) -> Exposure:
        """Times and monitors of the frames."""
        return self._described(Exposure)

    def _described(self, kind: type[D]) -> D:
        return read_values(self.part(f"{layout.DESCRIPTION}/{kind.__name__.lower()}"), kind)

    @cached_property
    def origin(self) -> Origin:
        """Where the scan came from."""
        with self.opened() as file:
            known = layout.DOUBTS_NOTE in file["entry"]
            doubts = read_json(file, f"/entry/{layout.DOUBTS_NOTE}") if known else []
        return layout.read_origin(self.part("source"), doubts)

    @property
    def masks(self) -> tuple[Attachment, ...]:
        """Masks that came with the scan."""
        return tuple(read_attachment(self.part(path)) for path in self.attachment_paths("mask"))

    @property
    def auxiliary(self) -> tuple[Attachment, ...]:
        """Further files that came with the scan (dark, flat field, window)."""
        return tuple(read_attachment(self.part(path)) for path in self.attachment_paths("auxiliary"))

    def attachment_paths(self, role: str) -> list[str]:
        """Return where in the entry the files of one role are that came with the scan: ``mask`` or ``auxiliary``."""
        with self.opened() as file:
            return layout.attachment_paths(file, role)

    def part(self, path: str) -> Any:
        """Return a part of the converted content, a `Group` or `Field`; ``path`` counts from the entry."""
        return self._file.part(path)

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """Number of frames, rows and columns."""
        with self.opened() as file:
            frames, rows, columns = file[layout.FRAMES].shape
        return int(frames), int(rows), int(columns)

    @property
    def raw(self) -> Hdf5Reader:
        """The raw frames, read one at a time."""
        return self._file.frames(self.shape)

    def nxroot(self) -> Any:
        """Return the file as a nexusformat tree, for NeXpy and its users."""
        from nexusformat.nexus import nxload

        return nxload(str(self.path))

    def __repr__(self) -> str:
        """File, sample, frames and records in one line."""
        frames, rows, columns = self.shape
        field = self.sample.magnetic_field
        at_field = "" if field != field else f", {field:g} mT"
        size = f"{frames} x {rows} x {columns}"
        return f"<Container {self.path.name}: {self.sample.name}{at_field}, {size}, {len(self.records)} records>"

    def _repr_html_(self) -> str:
        return container_html(self)


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
            "; ".join([*([f"stale: {record.why_stale}"] if record.stale else []), *record.notes]),
        )
        for record in container.records
    ]
    records = [table(head, lines)] if lines else [element("p", "no records yet")]
    return join([element("strong", container.path.name), facts(known), *records])


def _listed(texts: dict[str, str]) -> str:
    return ", ".join(f"{name} = {text}" for name, text in texts.items())

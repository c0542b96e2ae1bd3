"""One record of a container: a step that was run, its parameters, inputs and result."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from copy import deepcopy
from dataclasses import fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from nxscatter.errors import ContainerError, ParameterError
from nxscatter.model import Attachment, Doubt
from nxscatter.plain import Json
from nxscatter.results import Image, Result
from nxscatter.step import Step, get_step, make_step
from nxscatter.store.ledger import Source, Written
from nxscatter.store.lineage import Lineage, base_name
from nxscatter.store.markup import Markup, element, facts, join
from nxscatter.store.nexus import hdf5
from nxscatter.store.nexus.codec import read_attachment, read_result, result_groups
from nxscatter.store.nexus.hashing import combined
from nxscatter.store.nexus.tree import Group
from nxscatter.store.summary import as_text, source_name

if TYPE_CHECKING:
    import h5py


R = TypeVar("R", bound=Result)

_SMALL = 1 << 20  # bytes; a table or a few profiles, of which a session may keep hundreds


class RecordFile(Protocol):
    """What a record needs of the file that it lies in."""

    path: Path

    @property
    def records(self) -> Sequence[Record]:
        """All records in the order in which they were made."""

    @property
    def lineage(self) -> Lineage:
        """Which record was made from which."""

    def record(self, name: str) -> Record:
        """Return the record of this name."""

    def written(self, name: str) -> Written:
        """Return what the record of this name says of itself."""

    def opened(self) -> AbstractContextManager[h5py.File]:
        """Open the file for reading, for as long as the block lasts."""


class Record:
    """One step that was run: its parameters, inputs and result. Reading is lazy; a record never changes."""

    def __init__(self, container: RecordFile, name: str, result: Result | None = None) -> None:
        self.container = container
        self.name = name
        self._result = result if result is not None and _is_small(result) else None

    def within(self, container: RecordFile) -> Record:
        """Return the same record in another file that holds it."""
        return Record(container, self.name, self._result)

    @cached_property
    def _written(self) -> Written:
        return self.container.written(self.name)

    @property
    def sequence(self) -> int:
        """Its place in the order in which the records were made, from 1."""
        return self._written.sequence

    @property
    def date(self) -> str:
        """When it was made: ISO 8601 with the zone's offset."""
        return self._written.date

    @property
    def program_version(self) -> str:
        """Version of nxscatter that made it."""
        return self._written.program_version

    @property
    def configuration(self) -> dict[str, Json]:
        """Step, parameters, inputs, automatic values, notes and environment as they are stored."""
        return self._written.configuration

    @property
    def hashes(self) -> dict[str, str]:
        """Content hashes of the result, by path in the record."""
        return self._written.hashes

    @property
    def checksum(self) -> str:
        """Checksum of the whole record and of the one before it."""
        return self._written.checksum

    @property
    def path(self) -> str:
        """Path of the record in its container."""
        return f"/entry/{self.name}"

    @property
    def base(self) -> str:
        """Name without version: the step's, or the one that a recipe gave."""
        return base_name(self.name)

    @property
    def number(self) -> int:
        """Version of this name, from 1."""
        return int(self.name.rsplit("_v", 1)[1])

    @property
    def step(self) -> str:
        """Name of the step."""
        return str(self.configuration["step"])

    @property
    def step_version(self) -> int:
        """Version of the step's code."""
        return int(self.configuration["step_version"])

    @property
    def parameters(self) -> dict[str, Json]:
        """Parameters as JSON values."""
        return dict(self.configuration["parameters"])

    @property
    def auto(self) -> dict[str, Json]:
        """What the step chose by itself."""
        return dict(self.configuration["auto"])

    @property
    def notes(self) -> tuple[str, ...]:
        """Warnings in words."""
        return tuple(self.configuration["notes"])

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """What the result stands on that cannot be trusted, the gravest first."""
        return tuple(Doubt(**doubt) for doubt in self.configuration.get("doubts", ()))

    @property
    def environment(self) -> dict[str, str]:
        """Versions of the programs that made it."""
        return dict(self.configuration["environment"])

    @property
    def inputs(self) -> dict[str, list[Source]]:
        """Sources of each argument of the step."""
        found = self.configuration["inputs"].items()
        return {key: [Source(source["path"], source["checksum"]) for source in sources] for key, sources in found}

    @cached_property
    def input_names(self) -> tuple[str, ...]:
        """Names of what it was made from, records and parts of the converted content, in the order of its inputs."""
        sources = [source for sources in self.configuration["inputs"].values() for source in sources]
        return tuple(source["path"].removeprefix("/entry/") for source in sources)

    @property
    def result_hash(self) -> str:
        """Content hash of the result alone: equal for two runs that agree."""
        return combined(self.hashes)

    @property
    def parents(self) -> tuple[Record, ...]:
        """The records that this one was directly made from, in the order of its inputs."""
        return tuple(map(self.container.record, self.container.lineage.parents(self.name)))

    @property
    def ancestors(self) -> tuple[Record, ...]:
        """The records that this one stands on, in the order in which they were made."""
        return tuple(map(self.container.record, self.container.lineage.ancestors(self.name)))

    @property
    def lineage(self) -> set[str]:
        """Names of the records and steps that this one stands on, its own included; without versions."""
        return {name for record in (self, *self.ancestors) for name in (record.base, record.step)}

    @property
    def stale(self) -> bool:
        """Whether an input, or an input's input, has a newer version."""
        return self.container.lineage.stale(self.name)

    @property
    def why_stale(self) -> str:
        """Which newer records make it stale, in words; "" when none does."""
        return self.container.lineage.why_stale(self.name)

    def attachments(self) -> dict[str, tuple[Attachment, ...]]:
        """Read the embedded files, by parameter."""
        with self.container.opened() as file:
            group = file[self.path]
            names = self.configuration["attachments"].items()
            return {key: tuple(read_attachment(hdf5.read(group, name)) for name in listed) for key, listed in names}

    def make_step(self) -> Step:
        """Make the step again in the version that was run, from the stored parameters and embedded files.

        Raises
        ------
        UnknownStepError
            When the code of this version is not here.
        """
        parameters: dict[str, Any] = {**self.parameters}
        kinds = self.attachments()
        for key, files in kinds.items():
            parameters[key] = files if isinstance(parameters[key], list) else files[0]
        return make_step(self.step, parameters, self.step_version)

    def load(self) -> Result:
        """Read the result; a small one that was made just now is known already.

        Returns
        -------
        Result
            Of the class that the step declares; notes and automatic values included.
        """
        if self._result is not None:
            return replace(deepcopy(self._result), notes=self.notes, auto=self.auto, doubts=self.doubts)
        kind = get_step(self.step).output()
        content = Group(self.path)
        with self.container.opened() as file:
            content.members = {name: hdf5.read(file, f"{self.path}/{name}") for name in result_groups(kind)}
        result: Result = read_result(content, kind)
        return replace(result, notes=self.notes, auto=self.auto, doubts=self.doubts)

    def load_as(self, kind: type[R]) -> R:
        """Read the result, which is of this class.

        Raises
        ------
        ContainerError
            When the record's result is of another class.
        """
        result = self.load()
        if not isinstance(result, kind):
            raise ContainerError(
                f"{self.container.path}: {self.name} holds {type(result).__name__.lower()}, "
                f"not {kind.__name__.lower()}; choose a record of another step"
            )
        return result

    def __repr__(self) -> str:
        """Name and step in one line."""
        return f"<Record {self.name}: {self.step} version {self.step_version}, {self.date}>"

    def _repr_html_(self) -> str:
        return record_html(self)


def _is_small(result: Result) -> bool:
    """Tell whether a result may stay in memory with its record; images never do."""
    parts = [value for item in vars(result).values() for value in (item.values() if isinstance(item, dict) else [item])]
    return not isinstance(result, Image) and sum(getattr(part, "nbytes", 0) for part in parts) < _SMALL


def parameters(record: Record, *, chosen: bool = False) -> dict[str, str]:
    """Return the parameters as texts with units, those that have a value; only what is no default when ``chosen``."""
    try:
        declared = {item.name: item for item in fields(get_step(record.step, record.step_version))}
    except ParameterError:  # code that is not here: its record can be shown all the same
        declared = {}
    found = {}
    for name, value in record.parameters.items():
        item = declared.get(name)
        usual = item is not None and value == (list(item.default) if isinstance(item.default, tuple) else item.default)
        text, units = as_text(value), item.metadata["units"] if item is not None else ""
        if text and not (chosen and usual):
            found[name] = f"{text} {units}" if units else text
    return found


def automatic(record: Record) -> dict[str, str]:
    """Return what the step chose by itself, as texts."""
    return {name: as_text(value) for name, value in record.auto.items() if as_text(value)}


def record_html(record: Record) -> Markup:
    """Return what a record is: its step, parameters, what the step chose by itself, inputs and warnings."""
    inputs = [source_name(source.path) for sources in record.inputs.values() for source in sources]
    known = [
        ("step", f"{record.step} version {record.step_version}"),
        ("date", record.date),
        ("made from", ", ".join(dict.fromkeys(inputs))),
        ("stale", record.why_stale),
        *((f"parameter {name}", text) for name, text in parameters(record).items()),
        *((f"chosen by itself: {name}", text) for name, text in automatic(record).items()),
        *(("warning", note) for note in record.notes),
        ("checksum", record.checksum),
    ]
    return join([element("strong", record.name), facts(known)])

"""Containers and their records: reading anywhere, writing only inside a transaction.

A container is append-only. A record is never changed or deleted; each one's checksum covers everything in its group
and the checksum of the record before it.
"""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nxscatter import __version__, layout
from nxscatter.codec import (
    make_group,
    read_attachment,
    read_json,
    read_result,
    read_text,
    write_attachment,
    write_field,
    write_json,
    write_result,
)
from nxscatter.errors import ContainerError, NxscatterError
from nxscatter.hashing import DAMAGE, combined, first_line, group_hashes
from nxscatter.model import (
    Attachment,
    Beam,
    Detector,
    Exposure,
    Hdf5Frames,
    Json,
    Origin,
    Sample,
    Scan,
    canonical_json,
)
from nxscatter.rawcopy import Hdf5Reader
from nxscatter.step import Step, get_step, make_step
from nxscatter.transaction import LIBVER, Lock, Output, clone, disk_error, replacing

if TYPE_CHECKING:
    import h5py

    from nxscatter.results import Result

D = TypeVar("D", Beam, Detector, Exposure)
_RESULT_CHECKSUM = "result/checksum"


@dataclass(frozen=True)
class Source:
    """Where an input of a step came from: a path in the container, and the content hash it had."""

    path: str
    checksum: str


class Record:
    """One step that was run: its parameters, inputs and result. Reading is lazy; a record never changes."""

    def __init__(self, container: Container, name: str) -> None:
        self.container = container
        self.name = name
        with container.opened() as file:
            group = file["entry"][name]
            self.sequence = int(group["sequence_index"][()])
            self.date = read_text(group["date"])
            self.program_version = read_text(group["version"])
            self.configuration: dict[str, Json] = read_json(group["configuration"])
            self.hashes: dict[str, str] = read_json(group["result"])
            self.checksum = read_text(group[_RESULT_CHECKSUM])

    @property
    def path(self) -> str:
        """Path of the record in its container."""
        return f"/entry/{self.name}"

    @property
    def base(self) -> str:
        """Name without version: the step's, or the one that a recipe gave."""
        return self.name.rsplit("_v", 1)[0]

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
    def environment(self) -> dict[str, str]:
        """Versions of the programs that made it."""
        return dict(self.configuration["environment"])

    @property
    def inputs(self) -> dict[str, list[Source]]:
        """Sources of each argument of the step."""
        found = self.configuration["inputs"].items()
        return {key: [Source(one["path"], one["checksum"]) for one in sources] for key, sources in found}

    @property
    def result_hash(self) -> str:
        """Content hash of the result alone: equal for two runs that agree."""
        return combined(self.hashes)

    @property
    def parents(self) -> tuple[Record, ...]:
        """Return the records that this one was made from."""
        paths = [source.path for sources in self.inputs.values() for source in sources]
        records = {record.path: record for record in self.container.records}
        return tuple(records[path] for path in paths if path in records)

    @property
    def lineage(self) -> set[str]:
        """Base names of all records that this one stands on, its own included."""
        return {self.base}.union(*(parent.lineage for parent in self.parents))

    @property
    def stale(self) -> bool:
        """Whether an input, or an input's input, has a newer version."""
        return any(parent.stale or parent.name != self.container.latest(parent.base).name for parent in self.parents)

    def attachments(self) -> dict[str, tuple[Attachment, ...]]:
        """Read the embedded files, by parameter."""
        with self.container.opened() as file:
            group = file[self.path]
            names = self.configuration["attachments"].items()
            return {key: tuple(read_attachment(group[name]) for name in listed) for key, listed in names}

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
        """Read the result.

        Returns
        -------
        Result
            Of the class that the step declares; notes and automatic values included.
        """
        from dataclasses import replace

        with self.container.opened() as file:
            result: Result = read_result(file[self.path], get_step(self.step).output())
        return replace(result, notes=self.notes, auto=self.auto)

    def __repr__(self) -> str:
        """Name and step in one line."""
        return f"<Record {self.name}: {self.step} version {self.step_version}, {self.date}>"

    def _repr_html_(self) -> str:
        from nxscatter.notebook import record_html

        return record_html(self)


class Container:
    """A nxscatter file (.nxs). Opening reads only what is asked for; nothing here writes.

    Raises
    ------
    ContainerError
        When the file is missing, is not HDF5, or is not one of ours.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).expanduser().resolve()
        self._check()

    def _check(self) -> None:
        if not self.path.is_file():
            raise ContainerError(f"{self.path}: no such file; convert a raw file first")
        with self.opened() as file:
            layout.check_ours(file, self.path)

    @contextmanager
    def opened(self) -> Iterator[h5py.File]:
        """Open the file for reading, for as long as the block lasts."""
        with _reading(self.path), _open(self.path) as file:
            yield file

    @contextmanager
    def transaction(self) -> Iterator[Draft]:
        """Append records: all of the block, or nothing.

        Raises
        ------
        LockedError
            When another process is writing.
        ContainerError
            When the disk is full or the folder cannot be written; the old file is intact.
        """
        with Lock(self.path), replacing(self.path) as temporary:
            self._check()
            draft = Draft(self.path, temporary)
            try:
                yield draft
            except BaseException:
                draft.close(keep=False)
                raise
            draft.close(keep=True)
        self.__dict__.pop("records", None)

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """All records in the order in which they were made."""
        with self.opened() as file:
            names = record_names(file)
            return tuple(Record(self, name) for name in names)

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
        for record in self.records:
            if record.name == name:
                return record
        return self.latest(name)

    @property
    def title(self) -> str:
        """Title of the measurement."""
        with self.opened() as file:
            return read_text(file["entry/title"])

    @property
    def instrument(self) -> str:
        """Name of the instrument."""
        with self.opened() as file:
            return read_text(file["entry/instrument/name"])

    @property
    def start_time(self) -> datetime | None:
        """Start of the measurement, None when unknown."""
        with self.opened() as file:
            return layout.read_time(file, "start_time")

    @property
    def end_time(self) -> datetime | None:
        """End of the measurement, None when unknown."""
        with self.opened() as file:
            return layout.read_time(file, "end_time")

    @property
    def sample(self) -> Sample:
        """The sample; its field is NaN when unknown."""
        with self.opened() as file:
            return layout.read_sample(file)

    @property
    def beam(self) -> Beam:
        """The incident beam."""
        return self._described(Beam)

    @property
    def detector(self) -> Detector:
        """The detector as the source described it."""
        return self._described(Detector)

    @property
    def exposure(self) -> Exposure:
        """Times and monitors of the frames."""
        return self._described(Exposure)

    def _described(self, kind: type[D]) -> D:
        with self.opened() as file:
            return layout.read_description(file, kind)

    @property
    def origin(self) -> Origin:
        """Where the scan came from."""
        with self.opened() as file:
            return layout.read_origin(file)

    @property
    def masks(self) -> tuple[Attachment, ...]:
        """Masks that came with the scan."""
        with self.opened() as file:
            return layout.read_attachments(file, "mask")

    @property
    def auxiliary(self) -> tuple[Attachment, ...]:
        """Further files that came with the scan (dark, flat field, window)."""
        with self.opened() as file:
            return layout.read_attachments(file, "auxiliary")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of frames, rows and columns."""
        with self.opened() as file:
            frames, rows, columns = file[layout.FRAMES].shape
        return int(frames), int(rows), int(columns)

    @property
    def raw(self) -> Hdf5Reader:
        """The raw frames, read one at a time."""
        return Hdf5Reader(self.opened, layout.FRAMES, self.shape)

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
        from nxscatter.notebook import container_html

        return container_html(self)


class Draft(Container):
    """A container inside a transaction: everything that was appended so far can be read.

    The copy that is written to is made when the first record arrives.
    """

    def __init__(self, path: Path, temporary: Path) -> None:
        self.path = path
        self._temporary = temporary
        self._output: Output | None = None
        self._file: h5py.File | None = None

    @contextmanager
    def opened(self) -> Iterator[h5py.File]:
        """Give the file of this transaction."""
        if self._file is None:
            with super().opened() as file:
                yield file
            return
        with _reading(self.path):
            yield self._file

    def create(self, scan: Scan, compression: str = "bitshuffle") -> None:
        """Begin a new container with a scan, in place of whatever was there."""
        layout.write_scan(self._open("w"), scan, compression)
        self.__dict__.pop("records", None)

    def copy(self, source: Path) -> None:
        """Begin with everything that another container holds."""
        clone(source, self._temporary)
        self._open("r+")
        self.__dict__.pop("records", None)

    def _open(self, mode: str) -> h5py.File:
        import h5py

        self._output = Output(self._temporary, f"{mode.rstrip('+')}+b")
        self._file = h5py.File(self._output, mode, libver=LIBVER)
        return self._file

    def append(self, step: Step, name: str, inputs: Mapping[str, Sequence[Source]], result: Result) -> Record:
        """Append the record of a step that was run, and make it what viewers show."""
        if self._file is None:
            self.copy(self.path)
        assert self._file is not None
        file, entry = self._file, self._file["entry"]
        number = 1 + max((record.number for record in self.records if record.base == name), default=0)
        ledger = layout.read_ledger(file)
        group = make_group(entry, f"{name}_v{number}", "NXprocess")
        write_field(group, "program", "nxscatter")
        write_field(group, "version", __version__)
        write_field(group, "date", datetime.now(UTC).isoformat(timespec="milliseconds"))
        write_field(group, "sequence_index", ledger["records"] + 1)
        _write_parameters(group, step)
        attachments = _write_inputs(group, step, inputs)
        configuration = {
            "step": step.name,
            "step_version": step.version,
            "parameters": step.parameters,
            "attachments": attachments,
            "inputs": {key: [vars(source) for source in sources] for key, sources in inputs.items()},
            "auto": dict(result.auto),
            "notes": list(result.notes),
            "environment": environment(),
        }
        write_json(group, "configuration", configuration)
        group.attrs["default"] = write_result(group, result, ledger["compression"])
        note = make_group(group, "result", "NXnote")
        write_field(note, "type", "application/json")
        hashes = result_hashes(group)
        write_field(note, "data", canonical_json(hashes).encode())
        write_field(note, "algorithm", "sha256")
        others = other_hashes(group)
        layout.write_contents(group, others)
        checksum = record_checksum(hashes, others, ledger["checksum"])
        write_field(note, "checksum", checksum)
        names = [*ledger["names"], f"{name}_v{number}"]
        layout.write_ledger(file, {**ledger, "records": len(names), "names": names, "checksum": checksum})
        entry.attrs["default"] = f"{name}_v{number}"
        record = Record(self, names[-1])
        self.__dict__["records"] = (*self.records, record)
        return record

    def close(self, *, keep: bool) -> None:
        """Close the copy, to ``keep`` it or to throw it away.

        Raises
        ------
        ContainerError
            When it could not be written: this is then the cause of every other error, too.
        """
        file, output = self._file, self._output
        self._file = self._output = None
        if output is None:
            return
        try:
            if file is not None:
                file.close()
        except (OSError, RuntimeError) as error:
            if keep:
                raise disk_error(self.path, OSError(str(error))) from error
        finally:
            output.close()
        if output.lost is not None:
            raise disk_error(self.path, output.lost)


def create(path: str | Path, scan: Scan, compression: str = "bitshuffle", overwrite: bool = False) -> Container:
    """Write a scan as a new container.

    Raises
    ------
    ContainerError
        When ``path`` exists and ``overwrite`` is not set.
    """
    with creating(path, scan, compression, overwrite):
        pass
    return Container(path)


@contextmanager
def creating(
    path: str | Path, content: Scan | Container, compression: str = "bitshuffle", overwrite: bool = False
) -> Iterator[Draft]:
    """Write a scan, or a copy of a container, as a new one, and the records of the block with it: all or nothing."""
    target = Path(path).expanduser().resolve()
    if isinstance(content, Scan) and isinstance(content.frames, Hdf5Frames) and content.frames.path.resolve() == target:
        raise ContainerError(f"{target}: is the raw file itself; choose another name with -o")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(target, error) from error
    with Lock(target), replacing(target) as temporary:
        if target.exists() and not overwrite:
            raise ContainerError(f"{target}: exists already; use --overwrite to replace it")
        draft = Draft(target, temporary)
        try:
            if isinstance(content, Container):
                draft.copy(content.path)
            else:
                draft.create(content, compression)
            yield draft
        except BaseException:
            draft.close(keep=False)
            raise
        draft.close(keep=True)


def record_names(file: h5py.File) -> list[str]:
    """Return the names of all records, in order of their sequence index."""
    entry = file["entry"]
    return sorted(layout.record_groups(file), key=lambda name: (int(entry[name]["sequence_index"][()]), name))


def result_hashes(record: h5py.Group) -> dict[str, str]:
    """Content hashes of what a step returned, by path in the record."""
    hashes: dict[str, str] = {}
    for name in _result_groups(record):
        inside = group_hashes(record[name], skip_attributes=("target",))
        hashes.update({f"{name}/{path}": value for path, value in inside.items()})
    return hashes


def other_hashes(record: h5py.Group) -> dict[str, str]:
    """Content hashes of the rest of a record, by path: parameters, configuration, inputs, date, attributes."""
    return group_hashes(record, (*_result_groups(record), "contents", _RESULT_CHECKSUM))


def _result_groups(record: h5py.Group) -> list[str]:
    return [name for name in record if record[name].attrs.get("NX_class") in ("NXdata", "NXcollection")]


def record_checksum(result: Mapping[str, str], others: Mapping[str, str], previous: str) -> str:
    """Checksum of a record: everything in its group but the checksum itself, and the record before."""
    return combined({**result, **others}, previous)


@cache
def environment() -> dict[str, str]:
    """Versions of what computes here."""
    import h5py

    versions = {name: importlib.metadata.version(name) for name in ("numpy", "scipy", "pyFAI", "h5py")}
    return {
        **versions,
        "nxscatter": __version__,
        "python": platform.python_version(),
        "HDF5": h5py.version.hdf5_version,
        "platform": platform.platform(),
    }


def _open(path: Path) -> h5py.File:
    """Open a file without locks: it is never written in place."""
    import h5py

    try:
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        if "locking flag" not in str(error):
            raise
        return h5py.File(path, "r")  # this process has it open with locks, and HDF5 wants one way for all


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn the errors that a damaged file causes while it is read into one line that names it."""
    try:
        yield
    except NxscatterError:
        raise
    except DAMAGE as error:
        raise ContainerError(
            f"{path}: cannot be read ({first_line(error)}); it may be damaged or of another kind"
        ) from error


def _write_parameters(group: h5py.Group, step: Step) -> None:
    from dataclasses import fields

    parameters = make_group(group, "parameters", "NXparameters")
    for item in fields(step):
        value = getattr(step, item.name)
        if isinstance(value, Attachment) or item.name in step.attachments:
            files = step.attachments[item.name]
            value = tuple(attachment.name for attachment in files)
        elif isinstance(value, tuple) and value and isinstance(value[0], tuple):
            value = tuple(" ".join(f"{part:g}" for part in one) for one in value)
        if value is not None and value != ():
            write_field(parameters, item.name, int(value) if isinstance(value, bool) else value, item.metadata["units"])


def _write_inputs(group: h5py.Group, step: Step, inputs: Mapping[str, Sequence[Source]]) -> dict[str, list[str]]:
    import h5py

    number = 0
    for sources in inputs.values():
        for source in sources:
            number += 1
            note = make_group(group, f"input_{number}", "NXnote")
            write_field(note, "file_name", source.path)
            write_field(note, "checksum", source.checksum)
            write_field(note, "algorithm", "sha256")
            note["source"] = h5py.SoftLink(_viewable(group.file, source.path))
    names: dict[str, list[str]] = {}
    for key, files in step.attachments.items():
        for attachment in files:
            number += 1
            write_attachment(group, f"input_{number}", attachment)
            names.setdefault(key, []).append(f"input_{number}")
    return names


def _viewable(file: h5py.File, path: str) -> str:
    """Return the group that shows an input: validators take a link to an NXdata in an NXnote, not to a record."""
    if path == layout.FRAMES:
        return "/entry/data"
    default = file[path].attrs.get("default", "")
    return f"{path}/{default}" if default else path

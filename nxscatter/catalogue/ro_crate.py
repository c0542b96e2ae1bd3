"""RO-Crate 1.1 with the Process Run Crate 0.5 profile: a container and its history in words that machines share.

Every record is a CreateAction: its instrument is nxscatter in the version that ran, its objects are the inputs and the
parameters, its result is what it added to the container. Every number names its path in the container (propertyID).
"""

from __future__ import annotations

import mimetypes
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from nxscatter.catalogue.facts import Fact, about, facts, parameters
from nxscatter.errors import ContainerError
from nxscatter.plain import canonical_json, readable
from nxscatter.step import get_step
from nxscatter.store.nexus.hdf5 import read_text
from nxscatter.store.nexus.transaction import disk_error

if TYPE_CHECKING:
    from rocrate.rocrate import ROCrate

    from nxscatter.catalogue.profile import CrateProfile
    from nxscatter.store.container import Container
    from nxscatter.store.record import Record

Entity: TypeAlias = Any
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_HOME = "https://pypi.org/project/nxscatter/"
_LOOK_UP = "https://ror.org/search?query="  # finds an organisation by its name
_SPDX = re.compile(r"[A-Za-z][\w+.-]*-\d+(\.\d+)*[\w.-]*|MIT")
_METADATA = "ro-crate-metadata.json"
HDF5 = "application/x-hdf5"


def write_crate(container: Container, target: Path, profile: CrateProfile, exports: Mapping[str, Path]) -> Path:
    """Write a container and its exports as a crate.

    Parameters
    ----------
    container : Container
        Copied into the crate as it is.
    target : Path
        A folder, or a file that ends in ``.zip``. A crate that is there already is replaced.
    profile : CrateProfile
        Author, publisher and licence; the crate says so when no licence was stated.
    exports : mapping of str to Path
        Files to add, by their name in the crate; the first figure is the crate's picture.

    Raises
    ------
    ContainerError
        When ``target`` is there and is no crate, or cannot be written.
    """
    return save(_describe(container, profile, exports), target)


def save(crate: ROCrate, target: Path) -> Path:
    """Write a crate as a folder or a zip file, all or nothing."""
    if target.is_dir() and not (target / _METADATA).is_file():
        raise ContainerError(f"{target}: is there already and is no crate; choose another folder with -o")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as scratch:
            made = Path(scratch, target.name)
            if target.suffix == ".zip":
                crate.write_zip(made)
            else:
                crate.write(made)
                if target.is_dir():
                    target.replace(Path(scratch, "old"))
            made.replace(target)
    except OSError as error:
        raise disk_error(target, error) from error
    return target


def _describe(container: Container, profile: CrateProfile, exports: Mapping[str, Path]) -> ROCrate:
    from rocrate.rocrate import ROCrate

    known = facts(container)
    writer = Writer(ROCrate(version="1.1"), container)
    people = people_of(writer, profile)
    writer.crate.name = container.title
    writer.crate.description = f"{about(known)}, with its processing by nxscatter."
    main = writer.add_file(container.path, container.path.name, HDF5, "Frames, metadata, records and results.")
    actions = [writer.add_record(record, main, people.get("author")) for record in container.records]
    made = "Made from the records of the container."
    files = [writer.add_file(path, name, media(path), made, isBasedOn=main) for name, path in exports.items()]
    finish(writer, people, main, actions, files, known)
    return writer.crate


def finish(
    writer: Writer,
    people: Mapping[str, Entity],
    main: Entity,
    actions: Sequence[Entity],
    files: Sequence[Entity],
    known: Mapping[str, Fact],
) -> None:
    """Say in the crate's root what it is about."""
    figures = [file for file in files if file["encodingFormat"] == "image/png"]
    _set(
        writer.crate.root_dataset,
        **people,
        datePublished=datetime.now(UTC).date().isoformat(),
        conformsTo=writer.entity(_PROFILE, "CreativeWork", name="Process Run Crate", version="0.5"),
        mainEntity=main,
        mentions=list(actions),
        image=figures[:1],
        variableMeasured=[writer.number(f"#fact/{name}", name, fact) for name, fact in known.items()],
    )


def people_of(writer: Writer, profile: CrateProfile) -> dict[str, Entity]:
    """Return author, publisher and licence of the crate, as far as they are named; the licence always."""
    found = {"license": writer.licence(profile.licence)}
    if profile.publisher:
        found["publisher"] = writer.organisation("#publisher", profile.publisher)
    if profile.author or profile.orcid:
        institute = found.get("publisher")
        if profile.affiliation:
            institute = writer.organisation("#affiliation", profile.affiliation)
        found["author"] = writer.entity(
            profile.orcid or "#author", "Person", name=profile.author, affiliation=institute
        )
    return found


@dataclass
class Writer:
    """A crate that is being filled, and what its entities share; the container is the one whose records it tells."""

    crate: ROCrate
    container: Container | None = None
    made: dict[str, Entity] = field(default_factory=dict)

    def entity(self, ident: str, kind: str, **properties: Any) -> Entity:
        """Add a contextual entity, once."""
        from rocrate.model import ContextEntity

        if ident not in self.made:
            entity = self.crate.add(ContextEntity(self.crate, ident, {"@type": kind}))
            _set(entity, **properties)
            self.made[ident] = entity
        return self.made[ident]

    def add_file(self, path: Path, name: str, media: str, description: str, **properties: Any) -> Entity:
        """Add a file, copied when the crate is written."""
        file = self.crate.add_file(path, readable(name))
        size = str(path.stat().st_size)
        _set(
            file,
            name=readable(path.name),
            encodingFormat=media,
            contentSize=size,
            description=description,
            **properties,
        )
        return file

    def add_record(self, record: Record, main: Entity, agent: Entity | None) -> Entity:
        """Add the action that a record tells of."""
        meaning = (get_step(record.step).__doc__ or record.step).strip().splitlines()[0]
        return self.entity(
            f"#{record.name}",
            "CreateAction",
            name=record.name,
            description=" ".join([meaning, *(f"Note: {note}." for note in record.notes)]),
            endTime=record.date,
            actionStatus="http://schema.org/CompletedActionStatus",
            instrument=self.software(record.program_version),
            agent=agent,
            object=[*self._inputs(record, main), *self._parameters(record)],
            result=[main, self._result(record, main)],
        )

    def software(self, version: str) -> Entity:
        """Add this program, in the version that did something."""
        ident = f"{_HOME}{version}/"
        return self.entity(ident, "SoftwareApplication", name="nxscatter", softwareVersion=version, url=_HOME)

    def number(self, ident: str, name: str, fact: Fact) -> Entity:
        """Add a value with its unit and path; a list is JSON text, as JSON-LD would drop its gaps."""
        value = canonical_json(fact.value) if isinstance(fact.value, list | dict) else fact.value
        return self.entity(ident, "PropertyValue", name=name, value=value, unitText=fact.unit, propertyID=fact.path)

    def organisation(self, ident: str, text: str) -> Entity:
        """Add an organisation that is given by name or URL."""
        if _is_url(text):
            return self.entity(text, "Organization", name=text, url=text)
        return self.entity(ident, "Organization", name=text, url=f"{_LOOK_UP}{quote(text)}")

    def licence(self, text: str) -> Entity:
        """Add the licence, or the statement that there is none."""
        if not text:
            return self.entity(
                "#licence",
                "CreativeWork",
                name="no licence stated",
                description="No licence was stated for this data: ask its owner before using it.",
            )
        url = text if _is_url(text) else f"https://spdx.org/licenses/{text}" if _SPDX.fullmatch(text) else "#licence"
        return self.entity(url, "CreativeWork", name=text, description=f"Licence of this data: {text}")

    def _parameters(self, record: Record) -> Iterable[Entity]:
        files = record.configuration["attachments"]
        for name, fact in parameters(record).items():
            if name not in files:
                yield self.number(f"#{record.name}/{name}", name, fact)

    def _inputs(self, record: Record, main: Entity) -> Iterable[Entity]:
        """Give results of earlier records, the converted input file, and the files that a step used from outside."""
        assert self.container is not None
        records = {record.path: record for record in self.container.records}
        paths = {source.path for sources in record.inputs.values() for source in sources}
        yield from (self._result(records[path], main) for path in sorted(paths & set(records)))
        if paths - set(records):
            origin = self.container.origin
            yield self.entity(
                "#input",
                "CreativeWork",
                name=origin.file_name,
                encodingFormat=origin.type,
                identifier=f"sha256:{origin.sha256}",
                description="The file that was converted into the container.",
            )
        with self.container.opened() as file:
            for note in (note for notes in record.configuration["attachments"].values() for note in notes):
                group = file[f"{record.path}/{note}"]
                yield self.entity(
                    f"#{record.name}/{note}",
                    "CreativeWork",
                    name=read_text(group, "file_name"),
                    identifier=f"sha256:{read_text(group, 'checksum')}",
                    description=f"Embedded in the container at {group.name}.",
                    isPartOf=main,
                )

    def _result(self, record: Record, main: Entity) -> Entity:
        return self.entity(
            f"#{record.name}/result",
            "CreativeWork",
            name=f"result of {record.name}",
            identifier=f"sha256:{record.result_hash}",
            description=f"In the container at {record.path}.",
            isPartOf=main,
        )


def _set(entity: Entity, **properties: Any) -> None:
    """Set what is known; a list of one is its element, as RO-Crate recommends."""
    for name, value in properties.items():
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if value not in (None, "", []):
            entity[name] = value


def media(path: Path) -> str:
    """Return the media type that the name of a file stands for."""
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def _is_url(text: str) -> bool:
    return text.startswith(("https://", "http://"))

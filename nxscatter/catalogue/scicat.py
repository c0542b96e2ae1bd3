"""Records for SciCat: a container as a derived dataset, and the input file that it came from as a raw one.

Records are built with scitacean's upload models, whose fields have the names of the backend's JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nxscatter.catalogue.facts import (
    Fact,
    about,
    content_hash,
    facts,
    last_change,
    measured,
    modified,
    parameters,
    software,
)
from nxscatter.catalogue.profile import NOT_STATED, Profile
from nxscatter.errors import ParameterError
from nxscatter.plain import Json, canonical_json, readable

if TYPE_CHECKING:
    from pathlib import Path

    from scitacean import PID
    from scitacean.model import UploadDataFile, UploadDataset

    from nxscatter.catalogue.pictures import Picture
    from nxscatter.store.container import Container

CHECKSUM = "sha256"


@dataclass(frozen=True)
class SciCatRecord:
    """A dataset with its files and pictures, as SciCat takes them: one request each.

    Attributes
    ----------
    dataset : UploadDataset
        Checked by scitacean's model.
    key : str
        The keyword that finds the record again: same content, same key.
    files : tuple of UploadDataFile
        Sizes, times and SHA-256 checksums; names are relative to the dataset's folder.
    pictures : tuple of Picture
        Small pictures to show with the record.
    """

    dataset: UploadDataset
    key: str
    files: tuple[UploadDataFile, ...] = ()
    pictures: tuple[Picture, ...] = ()

    @property
    def name(self) -> str:
        """Name of the dataset."""
        return str(self.dataset.datasetName)

    def made_from(self, pid: PID) -> SciCatRecord:
        """Return the record with the identifier of its input where it names that by checksum only."""
        inputs = [pid if str(known).startswith(f"{CHECKSUM}:") else known for known in self.dataset.inputDatasets or ()]
        return replace(self, dataset=self.dataset.model_copy(update={"inputDatasets": inputs}))

    def to_json(self) -> Json:
        """Return the record as the backend answers it: files under origdatablocks, pictures under attachments."""
        record: dict[str, Json] = json.loads(self.dataset.model_dump_json(exclude_none=True))
        if self.files:
            listed = [json.loads(file.model_dump_json(exclude_none=True)) for file in self.files]
            size = sum(file.size for file in self.files)
            record["origdatablocks"] = [{"size": size, "chkAlg": CHECKSUM, "dataFileList": listed}]
        if self.pictures:
            owner = {key: record[key] for key in ("ownerGroup", "accessGroups") if key in record}
            record["attachments"] = [
                {"caption": picture.caption, "thumbnail": picture.data_uri, **owner} for picture in self.pictures
            ]
        return record


def derived_record(container: Container, profile: Profile, pictures: Sequence[Picture] = ()) -> SciCatRecord:
    """Describe a container as a derived dataset.

    Its input is named by the profile's ``input_pid``, else by the checksum of the input file.

    Raises
    ------
    ParameterError
        When the profile lacks owner, owner_group or contact_email, or scitacean refuses a value.
    """
    profile.require("scicat")
    known = facts(container)
    key = f"nxscatter-content:{content_hash(container)}"
    steps = [record.name for record in container.records]
    dataset = make_dataset(
        profile,
        known,
        type="derived",
        datasetName=container.title,
        description=f"{about(known)}; processed with nxscatter: {', '.join(steps) or 'converted only'}",
        creationTime=last_change(container),
        dataFormat="NeXus NXsas",
        inputDatasets=[input_pid(profile, container.origin.file_name, container.origin.sha256)],
        usedSoftware=list(software(container)),
        jobParameters={
            record.name: {name: quantity(fact) for name, fact in parameters(record).items()}
            for record in container.records
        },
        keywords=["nxscatter", key],
        scientificMetadata={name: quantity(fact) for name, fact in known.items()},
    )
    return SciCatRecord(dataset, key, (data_file(container.path),), tuple(pictures))


def raw_record(container: Container, profile: Profile) -> SciCatRecord:
    """Describe the input file of a container as a raw dataset.

    The file itself is not at hand, so the record names it with its checksum and lists no files.

    Raises
    ------
    ParameterError
        When the profile lacks what a raw dataset must have, or scitacean refuses a value.
    """
    known = measured(container)
    profile.require("scicat", "principal_investigator", *([] if _location(profile, known) else ["creation_location"]))
    origin = container.origin
    key = f"nxscatter-input:{origin.sha256}"
    dataset = make_dataset(
        profile,
        known,
        type="raw",
        datasetName=origin.file_name,
        description=about(known),
        creationTime=container.end_time or container.start_time or modified(container.path),
        dataFormat=origin.type,
        keywords=["nxscatter", key],
        scientificMetadata={name: quantity(fact) for name, fact in known.items()},
    )
    return SciCatRecord(dataset, key)


def make_dataset(profile: Profile, known: dict[str, Fact], **values: Any) -> UploadDataset:
    """Return a dataset with what the profile and the facts say, and these values; scitacean's model checks it."""
    from pydantic import ValidationError
    from scitacean.model import UploadDataset

    given = profile.scicat
    values |= {
        "owner": given.owner,
        "ownerGroup": given.owner_group,
        "contactEmail": given.contact_email,
        "accessGroups": list(given.access_groups) or None,
        "principalInvestigators": [given.principal_investigator] if given.principal_investigator else None,
        "creationLocation": _location(profile, known) or None,
        "sourceFolder": given.source_folder or NOT_STATED,
        "license": profile.ro_crate.licence or None,
        "startTime": known["start_time"].value if "start_time" in known else None,
        "endTime": known["end_time"].value if "end_time" in known else None,
    }
    try:
        return UploadDataset(**values)
    except ValidationError as error:
        problem = error.errors()[0]
        field = ".".join(map(str, problem["loc"]))
        raise ParameterError(
            f"{profile.source}: SciCat's {field} cannot be {problem['input']!r} ({problem['msg']}); mend [scicat]"
        ) from error


def quantity(fact: Fact) -> dict[str, Json]:
    """Return a value with its unit and path, as SciCat stores them."""
    return {"value": fact.value, "unit": fact.unit, "path": fact.path}


def _location(profile: Profile, known: dict[str, Fact]) -> str:
    places = [str(known[name].value) for name in ("source_name", "instrument") if name in known]
    return profile.scicat.creation_location or ":".join(places)


def input_pid(profile: Profile, file_name: str, checksum: str) -> str:
    """Return the identifier of an input file: the profile's, else its checksum."""
    given = profile.scicat.input_pid
    if isinstance(given, str):
        return given or f"{CHECKSUM}:{checksum}"
    if file_name not in given:
        raise ParameterError(f"{profile.source}: [scicat] input_pid has no entry for {file_name}; add one")
    return given[file_name]


def data_file(path: Path) -> UploadDataFile:
    """Describe a file with its size, time and checksum."""
    from scitacean.model import UploadDataFile

    with path.open("rb") as file:
        checksum = hashlib.file_digest(file, CHECKSUM).hexdigest()
    return UploadDataFile(path=readable(path.name), size=path.stat().st_size, time=modified(path), chk=checksum)


def write_json(record: SciCatRecord, path: Path) -> Path:
    """Write a record; equal records give equal bytes."""
    text = json.dumps(json.loads(canonical_json(record.to_json())), indent=2, ensure_ascii=False)
    path.write_text(text + "\n", "utf-8")
    return path

"""A series in catalogues: one entry, which names its members by file and content.

The members themselves stay where they are; what they hold has entries of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from nxscatter.catalogue.facts import Fact, modified, read_facts
from nxscatter.catalogue.profile import Profile
from nxscatter.errors import ContainerError, ParameterError
from nxscatter.store.nexus.hashing import DAMAGE, first_line
from nxscatter.version import __version__

if TYPE_CHECKING:
    from nxscatter.catalogue.pictures import Picture
    from nxscatter.catalogue.profile import CrateProfile
    from nxscatter.catalogue.scicat import SciCatRecord

_FACTS = {
    "title": "/entry/title",
    "start_time": "/entry/start_time",
    "axis": "/entry/series/parameters/axis",
    **{
        f"member_{name}": f"/entry/members/{name}"
        for name in ("file", "checksum", "source", "source_checksum", "sample", "magnetic_field", "time", "direction")
    },
    "S": "/entry/table/S",
    "S_error": "/entry/table/S_errors",
    **{
        f"S_{name}": f"/entry/table/{path}"
        for name, path in (("method", "S_method"), ("model", "model"), ("file", "file"), ("frame", "frame"))
    },
    **{f"S_{name}": f"/entry/table/{name}" for name in ("q", "hkl", "peak", "status")},
}


class MemberName(NamedTuple):
    """A container of the series, and the raw file that it came from."""

    file: str
    checksum: str
    source: str
    source_checksum: str


@dataclass(frozen=True)
class SeriesEntry:
    """What a series file says.

    Parameters
    ----------
    path : Path
        The file.
    """

    path: Path

    @cached_property
    def facts(self) -> dict[str, Fact]:
        """Its values with their units and paths; columns are lists."""
        import h5py

        try:
            with h5py.File(self.path, "r", locking=False) as file:
                found = dict(read_facts(file, _FACTS))
        except DAMAGE as error:
            raise ContainerError(f"{self.path}: cannot be read ({first_line(error)}); make the series again") from error
        for name in ("title", "axis", "member_sample", *(f"member_{name}" for name in MemberName._fields)):
            if name not in found:
                raise ContainerError(f"{self.path}: has no {_FACTS[name]}; make the series again")
        return found

    @property
    def title(self) -> str:
        """What the series is of."""
        return str(self.facts["title"].value)

    @property
    def members(self) -> list[MemberName]:
        """Its members, in order of time."""
        columns = [self.facts[f"member_{name}"].value for name in MemberName._fields]
        return [
            MemberName(*row)
            for row in zip(*(column if isinstance(column, list) else [column] for column in columns), strict=True)
        ]

    @property
    def beside(self) -> list[Path]:
        """The table and the figure that were written with it."""
        return [path for end in (".csv", ".png") if (path := self.path.with_suffix(end)).is_file()]


def series_record(entry: SeriesEntry, profile: Profile, pictures: Sequence[Picture] = ()) -> SciCatRecord:
    """Describe a series as a derived dataset, made from the raw files of its members."""
    from nxscatter.catalogue.scicat import SciCatRecord, data_file, input_pid, make_dataset, quantity

    profile.require("scicat")
    members = entry.members
    if len(members) > 1 and isinstance(profile.scicat.input_pid, str) and profile.scicat.input_pid:
        raise ParameterError(
            f"{profile.source}: [scicat] input_pid is one for {len(members)} members; "
            "write a table of input file name to PID"
        )
    key = f"nxscatter-content:{hashlib.sha256(entry.path.read_bytes()).hexdigest()}"
    dataset = make_dataset(
        profile,
        entry.facts,
        type="derived",
        datasetName=entry.title,
        description=f"{entry.title}: order parameters, gathered with nxscatter from {_listed(members)}",
        creationTime=modified(entry.path),
        dataFormat="NeXus",
        inputDatasets=[input_pid(profile, member.source, member.source_checksum) for member in members],
        usedSoftware=[f"nxscatter {__version__}"],
        jobParameters={"series": {"axis": quantity(entry.facts["axis"])}},
        keywords=["nxscatter", key],
        scientificMetadata={name: quantity(fact) for name, fact in entry.facts.items()},
    )
    files = tuple(data_file(path) for path in (entry.path, *entry.beside))
    return SciCatRecord(dataset, key, files, tuple(pictures))


def write_series_crate(entry: SeriesEntry, target: Path, profile: CrateProfile) -> Path:
    """Write a series with its table and figure as a crate; its members are named in it, not copied."""
    from rocrate.rocrate import ROCrate

    from nxscatter.catalogue.ro_crate import HDF5, Writer, finish, media, people_of, save

    writer = Writer(ROCrate(version="1.1"))
    people = people_of(writer, profile)
    writer.crate.name = entry.title
    writer.crate.description = f"{entry.title}: order parameters of a series, gathered by nxscatter."
    main = writer.add_file(entry.path, entry.path.name, HDF5, "Results of all members against field or time.")
    members = [
        writer.entity(
            f"#member/{number}",
            "CreativeWork",
            name=member.file,
            identifier=f"sha256:{member.checksum}",
            encodingFormat=HDF5,
            description=f"A container of the series, made from {member.source} (sha256:{member.source_checksum}).",
        )
        for number, member in enumerate(entry.members, 1)
    ]
    action = writer.entity(
        "#series",
        "CreateAction",
        name="series",
        description="Results of containers gathered in one table.",
        endTime=modified(entry.path).isoformat(),
        actionStatus="http://schema.org/CompletedActionStatus",
        instrument=writer.software(__version__),
        agent=people.get("author"),
        object=[*members, writer.number("#series/axis", "axis", entry.facts["axis"])],
        result=[main],
    )
    made = "Written with the series."
    files = [writer.add_file(path, path.name, media(path), made, isBasedOn=main) for path in entry.beside]
    finish(writer, people, main, [action], files, entry.facts)
    return save(writer.crate, target)


def write_series_icat(entry: SeriesEntry, path: Path, profile: Profile, dataset: str) -> Path:
    """Write the ICAT message of a series."""
    from nxscatter.catalogue.icat import PROGRAM, store

    start = entry.facts.get("start_time")
    samples = entry.facts["member_sample"].value
    names = list(dict.fromkeys(samples if isinstance(samples, list) else [samples]))
    fields: Mapping[str, object] = {
        "Sample_name": ", ".join(names),
        "Sample_description": entry.title,
        "startDate": modified(entry.path) if start is None else datetime.fromisoformat(str(start.value)),
        "endDate": modified(entry.path),
        "SAXS_comments": f"members: {_listed(entry.members)}",
        **PROGRAM,
    }
    return store(fields, path, profile, dataset)


def _listed(members: Sequence[MemberName]) -> str:
    return ", ".join(f"{member.file} (sha256:{member.checksum})" for member in members)

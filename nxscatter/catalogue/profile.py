"""The catalogue profile: what a catalogue needs and a container cannot know, from a small TOML file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from nxscatter.errors import ParameterError
from nxscatter.fields import checked_value, declared_fields, param
from nxscatter.plain import Json
from nxscatter.workflow.schema import type_schema

ORCID = "https://orcid.org/"
# An absolute place is demanded by SciCat and ICAT; this one says that nobody named it.
NOT_STATED = "/not-stated"


@dataclass(frozen=True)
class SciCatProfile:
    """Section ``[scicat]``. An empty text means not given."""

    owner: str = param("", "who owns the data, first and last name", default="")
    owner_group: str = param("", "group that owns the record", default="")
    contact_email: str = param("", "whom to ask", default="")
    principal_investigator: str = param("", "who led the measurement", default="")
    creation_location: str = param("", "where it was measured, such as ESRF:ID02", default="")
    access_groups: tuple[str, ...] = param("", "groups that may read the record", default=())
    input_pid: str | Mapping[str, str] = param(
        "", "PID of the input dataset, or a table of input file name to PID", default=""
    )
    source_folder: str = param("", "folder of the files on the facility's file server", default="")


@dataclass(frozen=True)
class CrateProfile:
    """Section ``[ro_crate]``."""

    author: str = param("", "first and last name of the author", default="")
    orcid: str = param("", "ORCID of the author", default="")
    affiliation: str = param("", "the author's institute, name or URL; the publisher when left out", default="")
    publisher: str = param("", "who publishes the crate, name or URL", default="")
    licence: str = param("", "SPDX name such as CC-BY-4.0, a URL, or a sentence", default="")


@dataclass(frozen=True)
class IcatProfile:
    """Section ``[icat]``."""

    beamline: str = param("", "beamline, such as id02", default="")
    proposal: str = param("", "proposal, such as sc1234", default="")
    dataset: str = param("", "name of the dataset", default="")
    path: str = param("", "folder of the processed dataset at the facility", default="")
    raw: str = param("", "folder of the input dataset at the facility", default="")


@dataclass(frozen=True)
class Profile:
    """All sections, and where they come from (for error messages)."""

    scicat: SciCatProfile = field(default_factory=SciCatProfile)
    ro_crate: CrateProfile = field(default_factory=CrateProfile)
    icat: IcatProfile = field(default_factory=IcatProfile)
    source: str = "no profile given"

    def require(self, section: str, *more: str) -> None:
        """Raise ParameterError when a section lacks what its catalogue needs, or ``more``; what they mean is said."""
        content, keys = getattr(self, section), (*_NEEDED[section], *more)
        missing = [item for item in fields(content) if item.name in keys and not getattr(content, item.name)]
        if missing:
            names = ", ".join(f"{item.name} ({item.metadata['doc']})" for item in missing)
            raise ParameterError(f"{self.source}: needs {names}; write them under [{section}] in --profile FILE.toml")

    def unstated(self, sections: Iterable[str]) -> list[str]:
        """Name the keys that give an absolute place in these sections and are left out."""
        return [
            f"[{name}] {key}" for name, key in _PLACES if name in sections and not getattr(getattr(self, name), key)
        ]


_PLACES = (("scicat", "source_folder"), ("icat", "path"), ("icat", "raw"))
_NEEDED = {
    "scicat": ("owner", "owner_group", "contact_email"),
    "ro_crate": (),
    "icat": ("beamline", "proposal", "dataset"),
}
_SECTIONS = {"scicat": SciCatProfile, "ro_crate": CrateProfile, "icat": IcatProfile}


def read_profile(path: str | Path | None) -> Profile:
    """Read a profile; None gives an empty one.

    Raises
    ------
    ParameterError
        When the file cannot be read, or has an unknown section or key or a value of the wrong type.
    """
    if path is None:
        return Profile()
    path = Path(path).expanduser()
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ParameterError(f"{path.name}: {error.strerror or error}; name a TOML file with --profile") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ParameterError(f"{path.name}: is not valid TOML ({error}); mend that line") from error
    _known(path.name, "a profile", content, list(_SECTIONS))
    sections = {name: _section(path.name, name, values) for name, values in content.items()}
    return Profile(**sections, source=path.name)


def schema() -> Json:
    """Return the JSON schema of a profile, for editors."""
    sections = {
        name: {
            item.name: {"description": item.metadata["doc"]}
            | type_schema(declared_fields(kind)[item.name], item.metadata)
            for item in fields(kind)
        }
        for name, kind in _SECTIONS.items()
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "nxscatter catalogue profile",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: {
                "type": "object",
                "additionalProperties": False,
                "required": list(_NEEDED[name]),
                "properties": properties,
            }
            for name, properties in sections.items()
        },
    }


def check_orcid(text: str) -> str:
    """Return an ORCID as its URL.

    The last digit is a checksum over the others (ISO 7064 MOD 11-2), so that a wrong digit is found.

    Raises
    ------
    ParameterError
        When the form or the checksum digit is wrong.
    """
    number = text.strip().removeprefix(ORCID).removeprefix("http://orcid.org/").upper()
    if not re.fullmatch(r"(\d{4}-){3}\d{3}[\dX]", number):
        raise ParameterError(f"ORCID '{text}': write sixteen digits as 0000-0002-1825-0097")
    total = 0
    for digit in number.replace("-", "")[:-1]:
        total = (total + int(digit)) * 2
    check = "0123456789X"[(12 - total % 11) % 11]
    if check != number[-1]:
        raise ParameterError(f"ORCID '{text}': its checksum digit would be {check}; look for a wrong digit")
    return ORCID + number


def _section(source: str, name: str, values: Any) -> Any:
    kind = _SECTIONS[name]
    if not isinstance(values, dict):
        raise ParameterError(f"{source}: {name} is no section; write [{name}] and its keys below")
    _known(source, f"[{name}]", values, [item.name for item in fields(kind)])
    declared = {item.name: (declared_fields(kind)[item.name], item.metadata) for item in fields(kind)}
    section = {key: checked_value(f"{source}: [{name}] {key}", value, *declared[key]) for key, value in values.items()}
    section = {key: value.strip() if isinstance(value, str) else value for key, value in section.items()}
    if section.get("orcid"):
        section["orcid"] = check_orcid(section["orcid"])
    return kind(**section)


def _known(source: str, owner: str, content: Mapping[str, Any], known: list[str]) -> None:
    for key in content:
        if key not in known:
            raise ParameterError(f"{source}: {owner} has no key '{key}'; use one of {', '.join(known)}")

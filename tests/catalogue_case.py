"""A small container and a profile for the tests of the catalogue, and the names that must never leave a machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import toy

from nxscatter.container import Container

ORCID = "0000-0002-1825-0097"
SCICAT = """
[scicat]
owner = "Ada Lovelace"
owner_group = "g1"
contact_email = "ada@example.org"
"""
CRATE = """
[ro_crate]
author = "Ada Lovelace"
publisher = "Analytical Society"
licence = "CC-BY-4.0"
"""
ICAT = """
[icat]
beamline = "ID02"
proposal = "SC1234"
dataset = "rods"
"""
USER, HOST = "nobodysuser17", "nobodyshost17"


@contextmanager
def toys() -> Iterator[None]:
    """Let the toy steps be known for as long as the block lasts."""
    with pytest.MonkeyPatch.context() as patch:
        toy.register(patch)
        yield


@contextmanager
def toy_container(folder: Path, *, records: bool = True) -> Iterator[Container]:
    """A container of the toy chain, made by a user and on a computer that are known by name."""
    with toys(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("USER", USER)
        patch.setenv("LOGNAME", USER)
        patch.setattr("socket.gethostname", lambda: HOST)
        patch.setattr("socket.getfqdn", lambda *_: HOST)
        patch.setattr("platform.node", lambda: HOST)
        yield toy.make(folder / "rods.nxs", records=records)


def write_profile(folder: Path, *sections: str) -> Path:
    """A profile with these sections."""
    path = folder / "profile.toml"
    path.write_text("".join(sections), "utf-8")
    return path

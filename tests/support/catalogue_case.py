"""A small container and a profile for the tests of the catalogue, and the names that must never leave a machine."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from nxscatter.store.container import Container
from support import toy

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
CONTEXT = "https://w3id.org/ro/crate/1.1/context"
USER, HOST = "nobodysuser17", "nobodyshost17"


@contextmanager
def toy_container(folder: Path, *, records: bool = True) -> Iterator[Container]:
    """A container of the toy chain, made by a user and on a computer that are known by name."""
    with pytest.MonkeyPatch.context() as patch:
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


@pytest.fixture
def validate(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, str, str], list[str]]:
    """The validator without a network: it gets the specification's context and nothing else."""
    requests = pytest.importorskip("requests")
    models = pytest.importorskip("rocrate_validator.models", reason="needs roc-validator")
    services = pytest.importorskip("rocrate_validator.services", reason="needs roc-validator")
    context = shared_data.parent / "recipes" / "ro_crate_context_1.1.jsonld"
    if not context.is_file():
        pytest.skip(f"no context of RO-Crate 1.1 here: {context} does not exist")
    content = context.read_bytes()

    def send(_: Any, request: Any, **__: Any) -> Any:
        assert request.url.split("?")[0] == CONTEXT, f"unexpected request to {request.url}"
        answer = requests.Response()
        answer.request, answer.url, answer.status_code = request, request.url, 200
        answer.headers["Content-Type"] = "application/ld+json"
        answer._content, answer.raw = content, io.BytesIO(content)
        return answer

    def check(crate: Path, profile: str, severity: str) -> list[str]:
        settings = services.ValidationSettings(
            rocrate_uri=str(crate),
            profile_identifier=profile,
            requirement_severity=models.Severity[severity],
            skip_availability_check=True,
            no_cache=True,
            validate_profile_checks=False,  # the profiles themselves are not ours to check
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of rdflib, in the validator's own code
            found = services.validate(settings)
        issues = [f"{one.check.identifier}: {one.message}" for one in found.get_issues()]
        assert found.passed() == (not issues)
        return issues

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    return check

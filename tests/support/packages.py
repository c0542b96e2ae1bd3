"""Packages of third parties, installed for one test."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from nxscatter import plugins
from nxscatter.readers import registry


def install(
    monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, points: Mapping[str, str], **modules: str
) -> None:
    """Install a package of version 2.0 as pip does, until the monkeypatch is undone.

    Parameters
    ----------
    folder : Path
        Where to; a package has one of its own.
    points : mapping
        ``{"group:name": "module:object"}``.
    modules : str
        The code of its modules, by their names.
    """
    about = folder / f"{name}-2.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.0\n")
    lines = []
    for point, value in points.items():
        group, _, key = point.partition(":")
        lines += [f"[{group}]", f"{key} = {value}"]
    (about / "entry_points.txt").write_text("\n".join(lines) + "\n")
    for module, code in modules.items():
        (folder / f"{module}.py").write_text(code)
    monkeypatch.syspath_prepend(folder)
    look_anew(monkeypatch)


def look_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let plug-ins be looked for anew, now and again when the monkeypatch is undone."""
    for module, name in ((plugins, "_installed"), (plugins, "_points"), (registry, "_installed")):
        monkeypatch.setattr(module, name, cache(getattr(module, name).__wrapped__))

"""Schemas: where they lie, and the JSON ones made from the declarations of the steps."""

from __future__ import annotations

from importlib import resources
from pathlib import Path


def schema_path(name: str) -> Path:
    """Return the path of a schema, for instance ``"nxdl/NXscatter.nxdl.xml"``.

    An installed package holds them; in a checkout they lie beside it.
    """
    package = Path(str(resources.files("nxscatter")))
    inside = package / "schemas" / name
    return inside if inside.exists() else package.parent / "schemas" / name

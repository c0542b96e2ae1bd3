"""Notes of a reader about what a file lacks, each with the option that supplies it."""

from __future__ import annotations

import re

_MISSING = re.compile(r"(?P<what>.*) \((?P<option>--[a-z][a-zA-Z-]*)\)", re.DOTALL)


def missing_note(what: str, option: str) -> str:
    """Write the note that ``what`` is missing and that ``option`` supplies it."""
    return f"{what} ({option})"


def split_note(note: str) -> tuple[str, str] | None:
    """Return what is missing and the option, or None for a note of another kind."""
    match = _MISSING.fullmatch(note)
    return None if match is None else (match["what"], match["option"])

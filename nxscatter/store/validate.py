"""Validation: a container against the NeXus definitions and against its own ledger."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

from nxscatter.store.access import is_series, open_unlocked
from nxscatter.store.container import Container
from nxscatter.store.nexus.hashing import DAMAGE, first_line
from nxscatter.store.verify import ledger_problems

NXDL = "nxdl/NXscatter.nxdl.xml"
Counts: TypeAlias = tuple[int, int] | None


@dataclass(frozen=True)
class Validation:
    """What the validators said.

    Attributes
    ----------
    errors, warnings : int
        Numbers of each. A check that could not run counts as an error.
    messages : list of str
        One line each, with the check that made it.
    """

    errors: int = 0
    warnings: int = 0
    messages: list[str] = field(default_factory=list)


def validate(path: str | Path) -> Validation:
    """Check a container against NXsas, the base classes, NXscatter, and its ledger; a series against the base classes.

    Raises
    ------
    ContainerError
        When the file cannot be read or is none of these.
    """
    path = Path(path).expanduser().resolve()
    lines = _base_classes(path) if is_series(path) else _container(path)
    levels = [level for level, _ in lines]
    return Validation(levels.count("error"), levels.count("warning"), [f"{level}: {text}" for level, text in lines])


def _container(path: Path) -> list[tuple[str, str]]:
    from nexusformat.nexus.validate import validate_application

    container = Container(path)
    name = str(container.path)
    stricter = str(schema_path(NXDL))
    lines = [
        *_run("NXsas", lambda: validate_application(name, application="NXsas")),
        *_base_classes(container.path),
        *_run("NXscatter", lambda: validate_application(name, application=stricter)),
    ]
    with container.opened() as file:
        return [*lines, *(("error", f"ledger: {problem}") for problem in ledger_problems(file))]


def _base_classes(path: Path) -> list[tuple[str, str]]:
    from nexusformat.nexus.validate import validate_file

    return _run("base classes", lambda: validate_file(str(path)))


def _run(check: str, validator: Callable[[], Counts]) -> list[tuple[str, str]]:
    """Run one validator and list its findings as (level, text)."""
    from nexusformat.nexus import NeXusError

    with _findings() as found, _reading_only():
        try:
            if validator() is None:
                found.append(("error", "this check did not run"))
        except (NeXusError, *DAMAGE) as error:
            found.append(("error", f"this check did not run ({first_line(error)})"))
    return [(level, f"{check}: {text}") for level, text in found]


class _Collector(logging.Handler):
    """Collect warnings and errors with the line above them that says where they were found."""

    def __init__(self, found: list[tuple[str, str]]) -> None:
        super().__init__()
        self._found = found
        self._above: list[tuple[int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a finding; remember any other line, which its depth of indentation makes a heading."""
        line = record.getMessage()
        text = line.strip()
        depth = len(line) - len(line.lstrip(" "))
        self._above = [heading for heading in self._above if heading[0] < depth]
        if record.levelno in (logging.WARNING, logging.ERROR):
            headings = [heading for _, heading in self._above]
            where = headings[-1:] if headings and "/" in headings[-1] else headings
            self._found.append((record.levelname.lower(), ": ".join([*where, text])))
        elif text:
            self._above.append((depth, text))


@contextmanager
def _findings() -> Iterator[list[tuple[str, str]]]:
    """Take what nexusformat's validators log, which would go to the terminal in colour."""
    from nexusformat.nexus.validate import logger

    found: list[tuple[str, str]] = []
    handlers, level = logger.handlers, logger.level
    logger.handlers = [_Collector(found)]
    logger.setLevel(logging.WARNING)
    try:
        yield found
    finally:
        logger.handlers = handlers
        logger.setLevel(level)


@contextmanager
def _reading_only() -> Iterator[None]:
    """Let nexusformat's validators open files for reading, without locks; by themselves they ask for writing."""
    from nexusformat.nexus import validate as validators

    usual = validators.nxopen
    validators.nxopen = _opened
    try:
        yield
    finally:
        validators.nxopen = usual


@contextmanager
def _opened(path: str | Path) -> Iterator[Any]:
    """Give the tree of a file, whose own ``with`` would open it for writing."""
    from nexusformat.nexus import nxload

    root = nxload(path, "r", locking=False)
    handle = root.nxfile

    def open_again(**_: Any) -> None:
        if not handle.is_open():
            handle._file = open_unlocked(Path(path))

    handle.open = open_again
    try:
        yield root
    finally:
        handle.close()


def schema_path(name: str) -> Path:
    """Return the path of a schema, for instance ``"nxdl/NXscatter.nxdl.xml"``.

    An installed package holds them; in a checkout they lie beside it.
    """
    package = Path(str(resources.files("nxscatter")))
    inside = package / "schemas" / name
    return inside if inside.exists() else package.parent / "schemas" / name

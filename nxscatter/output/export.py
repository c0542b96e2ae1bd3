"""The exporters: files made from the records of a container alone, one kind of output a module.

An exporter is a function that a package names in the entry-point group ``nxscatter.exporters``; its name there is the
format. What one file tells of several containers (a table, a plot against the field) is made by a summary, in the
group ``nxscatter.summaries`` under the name of its format. Both make the same bytes from the same records.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nxscatter.errors import ContainerError, ParameterError
from nxscatter.output.selection import Selection
from nxscatter.plugins import load_plugin, plugin_names

if TYPE_CHECKING:
    from nxscatter.store.container import Container
    from nxscatter.store.record import Record

_EXPORTERS = "nxscatter.exporters"
_SUMMARIES = "nxscatter.summaries"


class Exporter(Protocol):
    """Writes the files of one container."""

    def __call__(self, container: Container, folder: Path, records: Sequence[Record]) -> list[Path]:
        """Write what ``records`` of ``container`` tell below ``folder`` and return the paths."""


class Summary(Protocol):
    """Writes the files that several containers share."""

    def __call__(self, selections: Sequence[Selection], folder: Path) -> list[Path]:
        """Write what the containers tell together below ``folder`` and return the paths."""


def available() -> tuple[str, ...]:
    """Return the formats that there are."""
    return plugin_names(_EXPORTERS)


def export(
    containers: Container | Iterable[Container],
    folder: str | Path | None = None,
    formats: Iterable[str] | None = None,
    record: str | None = None,
) -> list[Path]:
    """Write files from the records of containers.

    Parameters
    ----------
    containers : Container or iterable of Container
        What to export. Those that are given together share a table and a summary plot.
    folder : path, optional
        Where to write, made when absent; beside each container without it.
    formats : iterable of str, optional
        Some of the `available` ones; all without it.
    record : str, optional
        Only this record: ``"caving_v2"``, or ``"caving"`` for its newest version.

    Returns
    -------
    list of Path
        The files, in the order in which they were written. Files of the same names are replaced.

    Raises
    ------
    ParameterError
        For an unknown format.
    PluginError
        When a format is another package's, and cannot be loaded.
    ContainerError
        When there is no such record, a file cannot be written, or two containers make files of the same names.
    """
    chosen = _check_formats(available() if formats is None else tuple(formats))
    given = containers if isinstance(containers, Iterable) else [containers]
    groups: dict[Path, list[Selection]] = {}
    for container in {container.path: container for container in given}.values():
        where = container.path.parent if folder is None else Path(folder).expanduser()
        selection = Selection(container, None if record is None else container.record(record))
        groups.setdefault(where, []).append(selection)
    for selections in groups.values():
        _check_names(selections)
    written: list[Path] = []
    for where, selections in groups.items():
        for name in chosen:
            exporter: Exporter = load_plugin(_EXPORTERS, name)
            for selection in selections:
                written += exporter(selection.container, where, selection.records)
            if name in plugin_names(_SUMMARIES):
                summary: Summary = load_plugin(_SUMMARIES, name)
                written += summary(selections, where)
    return written


def _check_formats(names: tuple[str, ...]) -> tuple[str, ...]:
    known = available()
    for name in names:
        if name not in known:
            raise ParameterError(f"unknown format '{name}': use one of {', '.join(known)}")
    return names


def _check_names(selections: Sequence[Selection]) -> None:
    taken: dict[str, Path] = {}
    for selection in selections:
        path, shot = selection.container.path, selection.names.shot
        if shot in taken:
            raise ContainerError(
                f"{path} and {taken[shot]} make files of the same names ({shot}): export them into different folders"
            )
        taken[shot] = path

"""The containers of a series: what each one is, and their order in time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from nxscatter.output.table import Row, rows
from nxscatter.plain import readable
from nxscatter.store.container import Container

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Member:
    """One container of a series.

    Attributes
    ----------
    path : Path
        The container.
    checksum : str
        Its content hash: that of its last record, which covers everything before it.
    source, source_checksum : str
        Name and hash of the raw file.
    sample : str
        Sample name.
    field : float
        Magnetic field in mT, NaN unknown.
    start : datetime or None
        Start of the measurement, None unknown.
    frames : int
        Number of frames.
    rows : tuple of rows
        Its table of results, the newest version of each record.
    """

    path: Path
    checksum: str
    source: str
    source_checksum: str
    sample: str
    field: float
    start: datetime | None
    frames: int
    rows: tuple[Row, ...]


def read_member(path: Path | str) -> Member:
    """Read a container as a member of a series.

    Raises
    ------
    ContainerError
        When it cannot be read.
    """
    container = Container(path)
    sample, origin = container.sample, container.origin
    return Member(
        path=container.path,
        checksum=str(container.ledger["checksum"]),
        source=origin.file_name,
        source_checksum=origin.sha256,
        sample=sample.name,
        field=sample.magnetic_field,
        start=container.start_time,
        frames=container.shape[0],
        rows=tuple(rows(container)),
    )


def in_order(members: Iterable[Member]) -> tuple[Member, ...]:
    """Return each container once, in the order of their times, those without a time last; then by name."""
    once = {member.path: member for member in members}.values()
    return tuple(sorted(once, key=lambda member: (member.start or _NEVER, str(member.path))))


def names_of(members: Sequence[Member]) -> list[str]:
    """Return the name of each file, with as many of its folders as it takes to tell them apart."""
    for parts in range(1, 1 + max((len(member.path.parts) for member in members), default=0)):
        names = [readable("/".join(member.path.parts[-parts:])) for member in members]
        if len(set(names)) == len(names):
            return names
    return []


def directions(members: Sequence[Member]) -> list[str]:
    """Return whether the field was going "up" or "down" when each member was measured, "" where that is not known.

    Members are in order of time; each sample has its own sweeps. A turning point belongs to the sweep that led to it.
    Where the field stands still, what it does next decides; after its last change, what it did before.
    """
    found = [""] * len(members)
    for sample in {member.sample for member in members}:
        known = [
            number
            for number, member in enumerate(members)
            if member.sample == sample and member.start is not None and np.isfinite(member.field)
        ]
        fields = [members[number].field for number in known]
        moves = np.sign(np.diff(fields, prepend=fields[:1])).tolist()
        for place, number in enumerate(known):
            move = next((step for step in (*moves[place:], *reversed(moves[:place])) if step), 0)
            found[number] = {1: "up", -1: "down", 0: ""}[int(move)]
    return found


def sweeps(members: Sequence[Member]) -> list[int]:
    """Return the number of the sweep that each member belongs to, from 1 for each sample; 0 where it is not known."""
    found: list[int] = []
    seen: dict[str, tuple[int, str]] = {}
    for member, direction in zip(members, directions(members), strict=True):
        number, current = seen.get(member.sample, (0, ""))
        if direction and direction != current:
            number += 1
            seen[member.sample] = number, direction
        found.append(number if direction else 0)
    return found

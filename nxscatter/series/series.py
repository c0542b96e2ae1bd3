"""Series: many containers as one table against field or time.

A series is keyed by file, never by field: the same field on the way up and on the way down are two points. It is made
from the containers alone and holds neither a date nor a path, so that the same containers give the same file, in
whatever order they are named.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from nxscatter.errors import ParameterError
from nxscatter.output import table
from nxscatter.output.table import Row
from nxscatter.series.members import Member, directions, in_order, names_of, read_member, sweeps

AXES = {"field": "field_mT", "time": "time_s"}


@dataclass(frozen=True)
class Series:
    """Containers in order of time, and what they tell together.

    Parameters
    ----------
    members : tuple of Member
        In order of time.
    axis : str
        ``"field"`` or ``"time"``: what the results are drawn against.
    """

    members: tuple[Member, ...]
    axis: str

    @cached_property
    def names(self) -> list[str]:
        """Name of each member."""
        return names_of(self.members)

    @cached_property
    def times(self) -> list[float]:
        """Start of each member in s after the first one, NaN unknown."""
        starts = [member.start for member in self.members]
        known = [start for start in starts if start is not None]
        return [float("nan") if start is None else (start - min(known)).total_seconds() for start in starts]

    @cached_property
    def directions(self) -> list[str]:
        """Whether the field was going "up" or "down", "" unknown."""
        return directions(self.members)

    @cached_property
    def sweeps(self) -> list[int]:
        """Number of the sweep of each member, from 1 for each sample; 0 unknown."""
        return sweeps(self.members)

    @cached_property
    def rows(self) -> list[Row]:
        """The table: the rows of `nxscatter.output.table.rows` of all members, with time, direction and sweep.

        ``time_s`` is the start of the file, or of the frame, in s after the first file's start.
        """
        found = []
        about = zip(self.members, self.names, self.times, self.directions, self.sweeps, strict=True)
        for member, name, time, direction, sweep in about:
            for row in member.rows:
                at = None if np.isnan(time) else time + (row["elapsed_s"] or 0.0)
                start = None if member.start is None else member.start.isoformat()
                known = {"start_time": start, "time_s": at, "direction": direction or None, "sweep": sweep or None}
                found.append({**row, **known, "file": name})
        return found


def columns(rows: Iterable[Row] = ()) -> tuple[str, ...]:
    """Return the names of the columns of the table of a series, in order, as `nxscatter.output.table.columns` does."""
    first = ("file", "start_time", "time_s", "direction", "sweep")
    return (*first, *(name for name in table.columns(rows) if name not in first))


def collect(paths: Iterable[Path | str], axis: str | None = None) -> Series:
    """Read containers as a series.

    Parameters
    ----------
    paths : iterable of path
        Containers, in any order.
    axis : {"field", "time"}, optional
        What the results are drawn against; by default the field where it varies, else time.

    Raises
    ------
    ContainerError
        When one cannot be read.
    ParameterError
        When no container knows what is to be the axis.
    """
    return make_series([read_member(path) for path in paths], axis)


def make_series(members: Sequence[Member], axis: str | None = None) -> Series:
    """Put members in order, and choose the axis as `collect` does."""
    ordered = in_order(members)
    fields = {member.field for member in ordered if np.isfinite(member.field)}
    timed = any(member.start is not None for member in ordered)
    if axis is None and not fields and not timed:
        raise ParameterError("no file says its field or its time: give --field-mT when you convert the raw files")
    if axis is None:
        axis = "field" if len(fields) > 1 or not timed else "time"
    elif axis not in AXES:
        raise ParameterError(f"axis = '{axis}': use one of {', '.join(AXES)}")
    elif not (fields if axis == "field" else timed):
        raise ParameterError(f"--axis {axis}: no file says its {axis}; leave --axis out")
    return Series(ordered, axis)

"""What is exported of a container: which records, the rows of their table, the names of their files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from nxscatter.output.names import Names
from nxscatter.output.table import Row, rows
from nxscatter.output.views import view_of
from nxscatter.steps.views import Naming, View
from nxscatter.store.selection import newest

if TYPE_CHECKING:
    from nxscatter.store.container import Container
    from nxscatter.store.record import Record


@dataclass(frozen=True)
class Selection:
    """What is exported of a container: one record, or (None) the newest version of each."""

    container: Container
    record: Record | None = None

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """The records, in the order in which they were made."""
        return tuple(newest(self.container.records)) if self.record is None else (self.record,)

    @cached_property
    def rows(self) -> list[Row]:
        """The table of their fits and order parameters."""
        return rows(self.container, record=self.record)

    @cached_property
    def names(self) -> Names:
        """Names of the files."""
        return Names.of(self.container)


def shown_rows(selection: Selection) -> Iterator[tuple[Naming, list[Row]]]:
    """Give the rows of the table that belong to each name of a record, with the view of it.

    In a series against time, ``elapsed_s`` counts from the first measurement of the series.
    """
    by_base: dict[str, list[Row]] = {}
    for row in selection.rows:
        by_base.setdefault(row["record"].rsplit("_v", 1)[0], []).append(row)
    for base, shown in by_base.items():
        view = view_of(selection.container, base)
        if view.time is not None:
            shown = [{**row, "elapsed_s": view.time + (row["elapsed_s"] or 0.0)} for row in shown]
        yield view, shown


def accepted(view: Naming, rows: list[Row]) -> list[Row]:
    """Return the rows that enter a summary: fits of less than the R2 asked for do not."""
    least = view.r2_threshold if isinstance(view, View) else None
    return [row for row in rows if least is None or row["R2"] is None or row["R2"] >= least]

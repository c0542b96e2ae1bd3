"""An exporter: S of each row in a text file, as our logbook takes it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nxscatter.output.files import write_file
from nxscatter.output.table import rows
from nxscatter.store.container import Container
from nxscatter.store.record import Record


def export(container: Container, folder: Path, records: Sequence[Record]) -> list[Path]:
    """Write ``<container>.txt``: a line for each order parameter, with its error and status."""
    shown = {record.name for record in records}
    lines = [
        f"{row['sample']} q = {row['q']:.4g} 1/angstrom: "
        f"S({row['S_method']}) = {row['S']:.4f} +- {row['S_error']:.4f}, {row['status']}\n"
        for row in rows(container)
        if row["record"] in shown and row["S"] is not None
    ]
    return [write_file(folder / f"{container.path.stem}.txt", "".join(lines).encode())]

"""The curves I(q) of a container: of all azimuths together, and of each sector and frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nxscatter.model import Floats
from nxscatter.output.formats.few_counts import curve_errors
from nxscatter.output.names import Names, frame_suffix, record_suffix
from nxscatter.results import Rings, Sectors
from nxscatter.store.selection import of_kind

if TYPE_CHECKING:
    from nxscatter.store.record import Record


@dataclass(frozen=True, eq=False)
class Curve:
    """Intensity against q.

    Attributes
    ----------
    record : Record
        Where it comes from.
    file : Path
        File of its CSV table, relative to the folder of the export: others are named after it.
    label : str
        What it is, for people.
    q, intensity, errors : ndarray (bin,)
        q in 1/angstrom; NaN without data, an error also where no pixel was measured.
    units : str
        Of the intensity.
    """

    record: Record
    file: Path
    label: str
    q: Floats
    intensity: Floats
    errors: Floats
    units: str


def radial_curves(names: Names, records: Sequence[Record]) -> Iterator[Curve]:
    """Give the curves of all radial profiles and sectors among the records."""
    for record in of_kind(records, Rings):
        rings = record.load_as(Rings)
        file = names.shown(record).radial_profile("full", record_suffix(record, Rings))
        errors = curve_errors(rings.intensity, rings.intensity_errors)
        yield Curve(record, file, "all azimuths", rings.radial_q, rings.intensity, errors, rings.units)
    for record in of_kind(records, Sectors):
        sectors = record.load_as(Sectors)
        suffix, mean = record_suffix(record, Sectors), sectors.intensity.ndim == 2
        for frame, sector in np.ndindex(sectors.stack.shape[:2]):
            part = suffix + frame_suffix(None if mean else frame)
            file = names.shown(record).radial_profile(f"sector{sector + 1:02d}", part)
            label = sectors.label(sector) + ("" if mean else f", frame {frame}")
            values, errors = sectors.stack[frame, sector], sectors.stack_errors[frame, sector]
            yield Curve(record, file, label, sectors.q, values, curve_errors(values, errors), sectors.units)

"""NumPy files of the images in q space: ``Qx`` and ``QZ`` in 1/angstrom, and the intensity ``Z``."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nxscatter.model import Floats
from nxscatter.output.files import writing
from nxscatter.output.formats.q_images import image_suffix, placed_images, q_image
from nxscatter.output.names import Names, record_suffix
from nxscatter.output.views import map_views, viewed
from nxscatter.results import QMap
from nxscatter.store.selection import of_kind

if TYPE_CHECKING:
    from nxscatter.store.container import Container
    from nxscatter.store.record import Record


def export(container: Container, folder: Path, records: Sequence[Record]) -> list[Path]:
    """Write the last images, whose ``Qx``, ``QZ`` and ``Z`` are (rows, columns), and the maps on a regular grid.

    Where somebody asked for a map, its image takes the place of the last one.

    A map has one ``Qx`` a column and one ``QZ`` a row. ``Z`` is NaN where there is no data.
    """
    names = Names.of(container)
    written = []
    views = [viewed(record) for record in map_views(records) if record.parameters["kind"] == "map"]
    for record, image, geometry in placed_images(container, views or records):
        found = q_image(image, geometry)
        path = folder / names.shown(record).map_arrays("" if views else image_suffix(record))
        written.append(_write(path, {"Qx": found.qx, "QZ": found.qz, "Z": found.intensity}))
    for record in of_kind(records, QMap):
        grid = record.load_as(QMap)
        path = folder / names.map_arrays(f"_qmap{record_suffix(record, QMap)}")
        written.append(_write(path, {"Qx": grid.q_parr, "QZ": grid.q_perp, "Z": grid.intensity}))
    return written


def _write(path: Path, arrays: Mapping[str, Floats]) -> Path:
    """Write what ``numpy.savez`` writes, with one date for all entries: equal arrays give equal bytes."""
    with writing(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            with archive.open(entry, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.ascontiguousarray(array), allow_pickle=False)
    return path

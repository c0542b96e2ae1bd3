"""Which images of a container are exported, where their pixels lie in q space, and what their files are called."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nxscatter.model import Floats
from nxscatter.output.formats.few_counts import image_errors
from nxscatter.output.names import record_suffix
from nxscatter.results import Geometry, Image
from nxscatter.science.geometry import qspace
from nxscatter.store.selection import newest, of_kind

if TYPE_CHECKING:
    from nxscatter.store.container import Container
    from nxscatter.store.record import Record

_log = logging.getLogger("nxscatter")


@dataclass(frozen=True, eq=False)
class QImage:
    """An image pixel by pixel in q space, turned so that q_x grows along each row and q_z from row to row.

    All arrays are (rows, columns). Nothing is interpolated: each pixel has its own q.
    """

    qx: Floats
    qz: Floats
    intensity: Floats
    errors: Floats


def q_image(image: Image, geometry: Geometry) -> QImage:
    """Return an image with the q (1/angstrom) of its pixels and the standard error of its intensity.

    The error is that of `few_counts.image_errors`: NaN for an invalid pixel, and for a filled one; never 0.
    """
    place = qspace.pixels(geometry)
    shape = geometry.shape
    errors = image_errors(image)
    maps = [np.broadcast_to(place.qx, shape), np.broadcast_to(place.qz, shape), image.intensity, errors]
    qx, qz = maps[:2]
    if abs(qx[0, -1] - qx[0, 0]) < abs(qx[-1, 0] - qx[0, 0]):
        maps, qx, qz = [pixels.T for pixels in maps], qx.T, qz.T
    across = slice(None, None, 1 if qx[0, -1] >= qx[0, 0] else -1)
    down = slice(None, None, 1 if qz[-1, 0] >= qz[0, 0] else -1)
    return QImage(*(pixels[down, across] for pixels in maps))


def last_images(records: Sequence[Record]) -> list[Record]:
    """Return the images that no other of these records was made from by an image step."""
    images = of_kind(records, Image)
    before = {ancestor.name for record in images for ancestor in record.ancestors}
    return [record for record in images if record.name not in before]


def placed_images(container: Container, records: Sequence[Record]) -> Iterator[tuple[Record, Image, Geometry]]:
    """Give the `last_images` with the geometry of their own pixels; one without a geometry is left out, and logged."""
    for record in last_images(records):
        geometries = of_kind(record.ancestors, Geometry) or newest(of_kind(container.records, Geometry))
        if not geometries:
            _log.warning("%s: %s has no map in q space without a geometry record", container.path, record.name)
            continue
        image, geometry = record.load_as(Image), geometries[-1].load_as(Geometry)
        yield record, image, geometry.binned(image.binning)


def image_suffix(record: Record) -> str:
    """Return what tells the files of several images apart: the last one needs no name of its own."""
    last = last_images(newest(record.container.records))
    return "" if [image.name for image in last] == [record.name] else record_suffix(record, Image, plain="")

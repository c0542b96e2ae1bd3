"""Text files that SasView loads: images with their errors as 2-D data, curves I(q) as 1-D data.

SasView leaves out a pixel or bin whose intensity or error is NaN, so one that was filled from its partner, which has
no error of its own, is shown here and never fitted there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nxscatter.output.files import write_file, writing
from nxscatter.output.formats.digits import text_rows
from nxscatter.output.formats.few_counts import STATEMENT
from nxscatter.output.formats.q_images import QImage, image_suffix, placed_images, q_image
from nxscatter.output.formats.radial_curves import Curve, radial_curves
from nxscatter.output.names import Names

if TYPE_CHECKING:
    from nxscatter.store.container import Container
    from nxscatter.store.record import Record

FOLDER = Path("SasView")
# without the line "ASCII data" SasView takes the file for 1-D data, without an error
_HEADER = f"Data columns are Qx - Qy - I(Qx,Qy) - err(I)\n{STATEMENT}\nASCII data\n\n"
_BLOCK = 1 << 15  # pixels turned into text at a time, few enough for the processor's cache


def export(container: Container, folder: Path, records: Sequence[Record]) -> list[Path]:
    """Write the last images as ``.dat``, and radial profiles and sectors as ``.txt``."""
    names = Names.of(container)
    written = []
    for record, image, geometry in placed_images(container, records):
        path = folder / FOLDER / f"{names.shot}{image_suffix(record)}.dat"
        written.append(write_image(path, q_image(image, geometry)))
    for curve in radial_curves(names, records):
        path = folder / FOLDER / curve.file.with_suffix(".txt").name
        written.append(write_file(path, _curve_text(curve).encode()))
    return written


def write_image(path: Path, image: QImage) -> Path:
    """Write an image as the whole raster, row by row: q_x, q_z, intensity and its error, to nine digits."""
    with writing(path) as temporary, temporary.open("wb") as file:
        file.write(_HEADER.encode())
        file.writelines(_blocks(image))
    return path


def _blocks(image: QImage) -> Iterator[bytes]:
    rows, columns = image.intensity.shape
    step = max(1, _BLOCK // columns)
    for row in range(0, rows, step):
        part = slice(row, row + step)
        maps = (image.qx, image.qz, image.intensity, image.errors)
        yield text_rows([pixels[part].reshape(-1) for pixels in maps])


def _curve_text(curve: Curve) -> str:
    lines = [
        f"# {curve.label}, record {curve.record.name}",
        f"# {STATEMENT}",
        f"# Q (1/angstrom)  I ({curve.units})  dI ({curve.units})",
    ]
    columns = (curve.q.tolist(), curve.intensity.tolist(), curve.errors.tolist())
    lines += [f"{q!r}  {value!r}  {error!r}" for q, value, error in zip(*columns, strict=True)]
    return "\n".join(lines) + "\n"

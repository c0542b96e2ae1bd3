"""Exported files that go with a record, and small pictures made from the figures among them."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nxscatter.store.container import Container

_FORMATS = ("csv", "png", "report")  # the others repeat the pixels, which the container holds
_LARGEST = (320, 320)  # pixels; catalogues show thumbnails and limit their size
_MOST = 4  # thumbnails; a catalogue shows a few beside an entry


@dataclass(frozen=True)
class Picture:
    """A small PNG with its caption."""

    caption: str
    png: bytes

    @property
    def data_uri(self) -> str:
        """The picture as text."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode()}"


def exported(container: Container, folder: Path) -> list[Path]:
    """Write tables, figures and the report of a container below ``folder``, and return the paths, sorted."""
    from nxscatter.output.export import available, export

    return sorted(export(container, folder, [name for name in _FORMATS if name in available()]))


def thumbnails(files: Sequence[Path]) -> tuple[Picture, ...]:
    """Scale the first few figures among ``files`` down to thumbnails."""
    figures = [path for path in files if path.suffix == ".png"][:_MOST]
    return tuple(Picture(path.stem.replace("_", " "), _scaled(path)) for path in figures)


def _scaled(path: Path) -> bytes:
    from PIL import Image

    with Image.open(path) as figure:
        figure.thumbnail(_LARGEST)
        small = io.BytesIO()
        figure.save(small, "PNG", optimize=True)
    return small.getvalue()

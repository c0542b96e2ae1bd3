"""What all readers do about the geometry: a detector not placed yet, the orientation, a PONI file in its place."""

from __future__ import annotations

import math

from nxscatter.errors import ReadError
from nxscatter.model import Attachment, Detector
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.headers.poni import read_poni


def unplaced_detector(name: str, image: tuple[int, int], options: ReadOptions) -> Detector:
    """Return a detector of which only shape and orientation are known; everything else is NaN."""
    nan = math.nan
    orientation = 1 if options.orient is None else checked_orientation(options.orient, "--orient")
    return Detector(name, *image, nan, nan, nan, nan, nan, orientation=orientation)


def place_by_poni(detector: Detector, options: ReadOptions) -> tuple[Detector, float, tuple[Attachment, ...]]:
    """Return the detector where the user's PONI file puts it, the file's wavelength and the file itself.

    Without a PONI file the detector comes back as it is. The wavelength is in angstrom, NaN when unknown.
    """
    if options.poni is None:
        return detector, math.nan, ()
    poni = read_poni(options.poni)
    return poni.place(detector, keep_orientation=options.orient is not None), poni.wavelength, (poni.attachment,)


def checked_orientation(value: int | str, label: str) -> int:
    """Return a RasterOrientation as a number; ReadError with the legal range when it is none."""
    text = str(value).strip()
    if text not in set("12345678"):
        raise ReadError(f"{label} = {text}: must be 1 to 8; give one with --orient")
    return int(text)

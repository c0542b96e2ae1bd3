"""What headers of plain images tell beside their pixels: detector, exposure, date, pixel sizes, wavelength.

Detectors of Dectris write lines of ``# Key value`` into the header of CBF files and the description of TIFF files
(the mini CBF header), with units behind the numbers; EDF and TIFF files have keys of their own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nxscatter.errors import ReadError
from nxscatter.plain import Json, header_value
from nxscatter.readers.headers.dates import is_date
from nxscatter.readers.headers.keywords import Keywords
from nxscatter.readers.headers.units import factor, scaled

_LINE = re.compile(r"#\s*(?P<key>[A-Za-z]\w*)\s*[:=]?\s+(?P<value>.*\S)")
_PIXELS = re.compile(r"(?P<x>[-+.\deE]+)\s*(?P<unit_x>\w+)\s*x\s*(?P<y>[-+.\deE]+)\s*(?P<unit_y>\w+)")
_DATE = "Line_with_date"  # stands for no key in the file
_NAMES = ("Detector", "Model", "DetectorName", "DetectorInfo", "camera_name")
_EXPOSURES = ("Exposure_time", "ExposureTime", "count_time", "acq_expo_time", "exposure")
_DATES = (_DATE, "DateTime", "Date", "Time", "time_of_day")


@dataclass(frozen=True)
class ImageHeader:
    """What a header tells; NaN, "" and None: nothing.

    Attributes
    ----------
    detector : str
        Name of the detector.
    exposure_time : float or None
        In s.
    date : datetime or None
        Of the image, in UTC.
    pixel_size_y, pixel_size_x : float
        m.
    wavelength : float
        Angstrom.
    """

    detector: str
    exposure_time: float | None
    date: datetime | None
    pixel_size_y: float
    pixel_size_x: float
    wavelength: float


def read_image_header(file: str, header: Mapping[str, Any], notes: list[str]) -> ImageHeader:
    """Return what the header of an image tells; what cannot be read is a note."""
    keys = Keywords(file, _lines(header) | dict(header), notes)
    names = (keys.text(key) for key in _NAMES)
    size_y, size_x = _pixel_sizes(keys.text("Pixel_size"))
    wavelength = _number(keys, "Wavelength", "length")
    return ImageHeader(
        detector=next((name for name in names if name and not name.isdecimal()), ""),
        exposure_time=next((time for key in _EXPOSURES if (time := _number(keys, key, "time"))), None),
        date=keys.time(*_DATES),
        pixel_size_y=size_y,
        pixel_size_x=size_x,
        # a length with its unit, or in angstrom as people write it
        wavelength=scaled(wavelength, 1e10) if wavelength and wavelength < 1e-6 else wavelength or math.nan,
    )


def _lines(header: Mapping[str, Any]) -> dict[str, Json]:
    """Return keys and values of the lines that begin with ``#``, in whatever value of a header they stand."""
    found: dict[str, Json] = {}
    for value in header.values():
        text = header_value(value)
        for line in text.splitlines() if isinstance(text, str) and "#" in text else ():
            match = _LINE.match(line.strip())
            if match is not None:
                found.setdefault(match["key"], match["value"])
            elif line.startswith("#") and is_date(line[1:]):
                found.setdefault(_DATE, line[1:].strip())
    return found


def _number(keys: Keywords, key: str, kind: str) -> float | None:
    """Return a number above 0; None, with a note when it is none, as 0 stands for what was never set."""
    try:
        number = keys.number(key, kind)
    except ReadError as error:
        keys.notes.append(str(error))
        return None
    return number if number is not None and number > 0 else None


def _pixel_sizes(text: str) -> tuple[float, float]:
    """Return pixel sizes along y and x, m."""
    match = _PIXELS.match(text)
    scales = (None, None) if match is None else tuple(factor(match[unit], "length") for unit in ("unit_y", "unit_x"))
    if match is None or scales[0] is None or scales[1] is None:
        return math.nan, math.nan
    return scaled(float(match["y"]), scales[0]), scaled(float(match["x"]), scales[1])

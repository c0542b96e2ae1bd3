"""PONI files, the calibrations that pyFAI writes."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path

from nxscatter.errors import ReadError
from nxscatter.model import Attachment, Detector
from nxscatter.readers.headers.units import scaled

_LARGEST = 2**20  # bytes
# pyFAI names the corner in which the image begins, seen from behind the detector; SaxsKeyword orientations
# 1..4 name the axes that run backwards: none, columns, rows, both
_RASTER = {0: 1, 3: 1, 4: 2, 2: 3, 1: 4}


@dataclass(frozen=True)
class Poni:
    """A calibration.

    Attributes
    ----------
    distance, poni1, poni2 : float
        Distance and point of normal incidence along pyFAI's axes 1 (rows) and 2 (columns), m.
    rot1, rot2, rot3 : float
        Rotations, degrees.
    wavelength : float
        Angstrom, NaN when the file has none.
    pixel1, pixel2 : float
        Pixel sizes along rows and columns, m.
    orientation : int
        RasterOrientation 1..4.
    attachment : Attachment
        The text of the file.
    """

    distance: float
    poni1: float
    poni2: float
    rot1: float
    rot2: float
    rot3: float
    wavelength: float
    pixel1: float
    pixel2: float
    orientation: int
    attachment: Attachment

    def place(self, detector: Detector, keep_orientation: bool = False) -> Detector:
        """Return the detector with this geometry in place of its own.

        pyFAI counts pixels along its axes, so from the other end of an image axis that runs backwards; the
        centre is counted from the first stored pixel.
        """
        center_y, center_x = self.poni1 / self.pixel1, self.poni2 / self.pixel2
        return replace(
            detector,
            distance=self.distance,
            pixel_size_y=self.pixel1,
            pixel_size_x=self.pixel2,
            center_y=detector.rows - center_y if self.orientation in (3, 4) else center_y,
            center_x=detector.columns - center_x if self.orientation in (2, 4) else center_x,
            offset_y=0.0,
            offset_x=0.0,
            rot1=self.rot1,
            rot2=self.rot2,
            rot3=self.rot3,
            orientation=detector.orientation if keep_orientation else self.orientation,
        )


def read_poni(path: Path) -> Poni:
    """Read a PONI file of version 1 or 2.

    Raises
    ------
    ReadError
        When a value is missing or impossible, or the detector needs a file of its own (spline, NeXus).
    """
    if not path.is_file():
        raise ReadError(f"{path}: no such PONI file; check --poni")
    if path.stat().st_size > _LARGEST:
        raise ReadError(f"{path.name}: is too large for a PONI file; check --poni")
    text = path.read_text("utf-8", "replace")
    values: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon and not key.startswith("#"):
            values[key.strip().lower()] = value.strip()
    pixel1, pixel2, orientation = _detector(path, values)
    if orientation not in _RASTER:
        raise ReadError(f"{path.name}: detector orientation {orientation} is not one that pyFAI supports; use 1 to 4")
    return Poni(
        distance=_number(path, values, "distance", above=0.0),
        poni1=_number(path, values, "poni1"),
        poni2=_number(path, values, "poni2"),
        rot1=math.degrees(_number(path, values, "rot1")),
        rot2=math.degrees(_number(path, values, "rot2")),
        rot3=math.degrees(_number(path, values, "rot3")),
        wavelength=scaled(_number(path, values, "wavelength", above=0.0), 1e10)
        if _given(values, "wavelength")
        else math.nan,
        pixel1=pixel1,
        pixel2=pixel2,
        orientation=_RASTER[orientation],
        attachment=Attachment(path.name, text, "poni"),
    )


def _detector(path: Path, values: dict[str, str]) -> tuple[float, float, int]:
    """Return pixel sizes and pyFAI's orientation."""
    if _given(values, "splinefile"):
        raise ReadError(f"{path.name}: SplineFile is not supported; correct the image for distortion first")
    if _given(values, "pixelsize1"):
        return _number(path, values, "pixelsize1", above=0.0), _number(path, values, "pixelsize2", above=0.0), 0
    try:
        config = json.loads(values.get("detector_config") or "{}")
        orientation = int(config.get("orientation") or 0)
    except (ValueError, TypeError, AttributeError) as error:
        raise ReadError(f"{path.name}: Detector_config is not readable ({error}); write the file again") from error
    if _given(config, "splineFile"):
        raise ReadError(f"{path.name}: splineFile is not supported; correct the image for distortion first")
    if _given(config, "pixel1"):
        return _number(path, config, "pixel1", above=0.0), _number(path, config, "pixel2", above=0.0), orientation
    from pyFAI.detectors import ALL_DETECTORS  # costs a second, and only detectors known by name need it

    name = values.get("detector", "").lower()
    if name not in ALL_DETECTORS:
        raise ReadError(f"{path.name}: Detector '{name}' is not known and no PixelSize1 is given; add PixelSize1 and 2")
    made = ALL_DETECTORS[name]()
    if not made.pixel1 or not made.pixel2:
        raise ReadError(f"{path.name}: Detector '{name}' has no fixed pixel size; add PixelSize1 and PixelSize2")
    return float(made.pixel1), float(made.pixel2), orientation


def _given(values: dict[str, str], key: str) -> bool:
    return str(values.get(key) or "none").lower() != "none"


def _number(path: Path, values: dict[str, str], key: str, above: float = -math.inf) -> float:
    text = values.get(key)
    try:
        number = float(text) if text is not None else math.nan
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ReadError(f"{path.name}: {key} = {text} is not a number; write the PONI file again")
    if number <= above:
        raise ReadError(f"{path.name}: {key} = {number:g} must be above {above:g}; write the PONI file again")
    return number

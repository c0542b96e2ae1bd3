"""PONI files, the calibrations that pyFAI writes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

from nxscatter.errors import ReadError
from nxscatter.model import RASTER_AXES, Attachment, Detector, Doubt
from nxscatter.readers.headers.plausible import impossible
from nxscatter.readers.headers.poni_detector import PoniDetector, poni_detector
from nxscatter.readers.headers.poni_text import PoniValues, read_values
from nxscatter.readers.headers.units import scaled

# pyFAI names the corner in which the image begins, seen from behind the detector; SaxsKeyword orientations
# 1..4 name the axes that run backwards: none, columns, rows, both
_RASTER = {0: 1, 3: 1, 4: 2, 2: 3, 1: 4}
_FARTHEST = 1e5  # pixels from the image's corner to the point of normal incidence; beyond it is no length in m
_LEAST_SHIFT = 0.1  # pixels that the depth of the sensor moves a ring by, below which nobody needs to know


@dataclass(frozen=True)
class PlacedByPoni:
    """A detector where a calibration puts it, what was done about it, and what was left out."""

    detector: Detector
    notes: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()


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
    sensor : PoniDetector
        The detector that was calibrated.
    orientation : int
        RasterOrientation 1..4.
    parallax : bool
        Whether the calibration accounts for the depth in which the sensor absorbs.
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
    sensor: PoniDetector
    orientation: int
    parallax: bool
    attachment: Attachment

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.attachment.name

    def place(self, detector: Detector, orientation: int | None = None, rebin: bool = False) -> PlacedByPoni:
        """Return the detector with this geometry in place of its own.

        pyFAI counts pixels along its axes, so from the other end of an image axis that runs backwards; the
        centre is counted from the first stored pixel.

        Parameters
        ----------
        detector : Detector
            Its rows and columns are those of the frames.
        orientation : int, optional
            RasterOrientation 1..8 of the frames against the calibrated ones, in place of the file's.
        rebin : bool
            Scale the pixels to frames that were binned by another whole factor.

        Raises
        ------
        ReadError
            When the frames have another shape than the calibrated detector.
        """
        orientation = orientation or self.orientation
        columns, rows = RASTER_AXES[orientation]
        # along pyFAI's axes 1 and 2, which lie along the frames' rows and columns, or the other way round
        upright = abs(rows) == 2
        shape = (detector.rows, detector.columns) if upright else (detector.columns, detector.rows)
        bins = self.sensor.bins(shape, self.name, rebin)
        pixel = (self.sensor.pixel1 * bins[0], self.sensor.pixel2 * bins[1])
        along = {2: (self.poni1 / pixel[0], pixel[0], shape[0]), 1: (self.poni2 / pixel[1], pixel[1], shape[1])}
        center_y, size_y, count_y = along[abs(rows)]
        center_x, size_x, count_x = along[abs(columns)]
        placed = replace(
            detector,
            distance=self.distance,
            pixel_size_y=size_y,
            pixel_size_x=size_x,
            center_y=count_y - center_y if rows < 0 else center_y,
            center_x=count_x - center_x if columns < 0 else center_x,
            offset_y=0.0,
            offset_x=0.0,
            rot1=self.rot1,
            rot2=self.rot2,
            rot3=self.rot3,
            orientation=orientation,
        )
        notes = (
            (f"{self.name} is scaled to pixels of {size_x * 1e6:.6g} x {size_y * 1e6:.6g} um",)
            if bins != (1, 1)
            else ()
        )
        shift, doubts = self._parallax(placed)
        return PlacedByPoni(placed, (*notes, *shift), (*self.sensor.doubts(self.name), *doubts))

    def _parallax(self, placed: Detector) -> tuple[tuple[str, ...], tuple[Doubt, ...]]:
        """Tell what it changes that the depth of the sensor is left out: a ray moves by up to depth times tangent."""
        if not self.parallax:
            return (), ()
        reach = math.hypot(
            max(abs(placed.center_x), abs(placed.columns - placed.center_x)) * placed.pixel_size_x,
            max(abs(placed.center_y), abs(placed.rows - placed.center_y)) * placed.pixel_size_y,
        )
        pixels = self.sensor.depth * reach / placed.distance / min(placed.pixel_size_x, placed.pixel_size_y)
        what = f"{self.name}: Parallax is True, and the depth of the sensor is not accounted for here"
        if not pixels > _LEAST_SHIFT:
            return (f"{what}: it moves no ring by more than {pixels:.2g} pixels",), ()
        remedy = "calibrate without parallax"
        return (), (Doubt("off_geometry", f"{what}: it moves rings by up to {pixels:.2g} pixels; {remedy}"),)


def read_poni(path: Path) -> Poni:
    """Read a PONI file of version 1, 2 or 3; of several calibrations in one file the last one counts.

    Raises
    ------
    ReadError
        When it is no PONI file, a value is missing or impossible, or the detector needs a file of its own (spline,
        NeXus).
    """
    values = read_values(path)
    sensor, orientation = poni_detector(values)
    if orientation not in _RASTER:
        raise ReadError(f"{path.name}: detector orientation {orientation} is not one that pyFAI supports; use 1 to 4")
    wavelength = values.number("wavelength", above=0.0) if values.given("wavelength") else math.nan
    distance = values.number("distance", above=0.0)
    for key, kind, value in (("wavelength", "wavelength", wavelength), ("distance", "distance", distance)):
        if problem := impossible(kind, value):
            raise values.wrong(f"{key} = {value:g} {problem}; a PONI file has m")
    return Poni(
        distance=distance,
        poni1=_point(values, "poni1", sensor.pixel1),
        poni2=_point(values, "poni2", sensor.pixel2),
        rot1=_rotation(values, "rot1"),
        rot2=_rotation(values, "rot2"),
        rot3=_rotation(values, "rot3"),
        wavelength=scaled(wavelength, 1e10),
        sensor=sensor,
        orientation=_RASTER[orientation],
        parallax=values.text("parallax").lower() == "true",
        attachment=Attachment(path.name, values.all, "poni"),
    )


def _point(values: PoniValues, key: str, pixel: float) -> float:
    value = values.number(key)
    if abs(value) > _FARTHEST * pixel:
        raise values.wrong(f"{key} = {value:g} cannot be in m, it looks like pixels; a PONI file has m")
    return value


def _rotation(values: PoniValues, key: str) -> float:
    """Return a rotation in degrees."""
    value = values.number(key)
    if abs(value) > 2 * math.pi:
        raise values.wrong(f"{key} = {value:g} cannot be in rad, it looks like degrees; a PONI file has rad")
    return math.degrees(value)

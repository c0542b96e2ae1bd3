"""The detector that a PONI file was calibrated for: its pixels, its shape, and whether frames can be of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from nxscatter.errors import ReadError
from nxscatter.model import Doubt
from nxscatter.readers.headers.plausible import impossible
from nxscatter.readers.headers.poni_text import PoniValues

_GENERIC = ("", "detector")  # names of no detector in particular
_THICKEST = 1e-3  # m, of a sensor whose thickness is not told


@dataclass(frozen=True)
class PoniDetector:
    """A calibrated detector.

    Attributes
    ----------
    pixel1, pixel2 : float
        Pixel sizes along rows and columns, m.
    shape : tuple of int, optional
        Rows and columns, None when neither the file nor pyFAI's registry of detectors tells them.
    name : str
        Its name in pyFAI, "" for none in particular.
    depth : float
        Thickness of the sensor, m.
    regular : bool
        Whether it is flat and all of its pixels have one size.
    """

    pixel1: float
    pixel2: float
    shape: tuple[int, int] | None = None
    name: str = ""
    depth: float = _THICKEST
    regular: bool = True

    def bins(self, frame: tuple[int, int], file: str, rebin: bool) -> tuple[float, float]:
        """Return how many of its pixels make one of a frame, along rows and columns.

        Parameters
        ----------
        frame : tuple of int
            Rows and columns of the frames, along the calibration's axes.
        file : str
            Name of the PONI file.
        rebin : bool
            Accept whole factors other than 1.

        Raises
        ------
        ReadError
            When the frames have another shape.
        """
        if self.shape is None or self.shape == frame:
            return 1, 1
        named = f" ({self.name})" if self.name else ""
        what = (
            f"{file}: is a calibration of {self.shape[0]} x {self.shape[1]} pixels{named}, "
            f"the frames have {frame[0]} x {frame[1]}"
        )
        factors = tuple(map(_factor, self.shape, frame))
        if None not in factors:
            if rebin:
                return factors  # type: ignore[return-value]
            y, x = factors
            raise ReadError(f"{what}; if these are only binned {_ratio(y)} x {_ratio(x)} give --rebin-poni")
        if self.shape == frame[::-1]:
            raise ReadError(f"{what}; if these are only transposed give --orient 5 (or 6, 7, 8: flipped besides)")
        raise ReadError(f"{what}; give a calibration of such frames with --poni")

    def doubts(self, file: str) -> tuple[Doubt, ...]:
        """Return the doubt that pixels are taken as equal and in a plane, where they are not."""
        if self.regular:
            return ()
        why = f"{file}: the pixels of {self.name} differ in size or lie in no plane, and are taken as equal and flat"
        return (Doubt("off_geometry", f"{why}; correct the image for distortion first"),)


def poni_detector(values: PoniValues) -> tuple[PoniDetector, int]:
    """Return the detector of a calibration and pyFAI's orientation of its image.

    Raises
    ------
    ReadError
        When it needs a file of its own, or pyFAI knows no detector of the name.
    """
    if values.given("splinefile"):
        raise ReadError(f"{values.file}: SplineFile is not supported; correct the image for distortion first")
    name = values.text("detector")
    sizes: tuple[float, float] | None = None
    if values.given("pixelsize1"):
        sizes = (values.number("pixelsize1", 0.0), values.number("pixelsize2", 0.0))
        return _checked(values, _registered(values, name, {}, sizes), ("pixelsize1", "pixelsize2")), 0
    config = _config(values)
    try:
        orientation = int(config.get("orientation") or 0)
        rows, columns = config.get("max_shape") or (0, 0)
        shape = (int(rows), int(columns)) if rows and columns else None
    except (ValueError, TypeError) as error:
        raise ReadError(
            f"{values.file}: Detector_config is not readable ({error}); write the PONI file again"
        ) from error
    if config.get("pixel1") is not None:
        sizes = (
            values.checked("pixel1", config.get("pixel1"), 0.0),
            values.checked("pixel2", config.get("pixel2"), 0.0),
        )
    found = PoniDetector(*sizes, shape) if sizes and shape else _registered(values, name, config, sizes)
    return _checked(values, _with_sensor(found, config), ("pixel1", "pixel2")), orientation


def _config(values: PoniValues) -> Mapping[str, Any]:
    try:
        config = json.loads(values.text("detector_config") or "{}")
    except ValueError as error:
        raise ReadError(
            f"{values.file}: Detector_config is not readable ({error}); write the PONI file again"
        ) from error
    if not isinstance(config, dict):
        raise ReadError(f"{values.file}: Detector_config is not readable (no object); write the PONI file again")
    for key in ("splineFile", "filename", "x_offset_file"):
        if str(config.get(key) or "none").lower() != "none":
            raise ReadError(f"{values.file}: {key} is not supported; correct the image for distortion first")
    return config


def _registered(
    values: PoniValues, name: str, config: Mapping[str, Any], sizes: tuple[float, float] | None
) -> PoniDetector:
    """Return a detector that pyFAI knows by name, with its own pixel sizes or the ones given."""
    if sizes and name.lower() in _GENERIC:
        return PoniDetector(*sizes)
    from pyFAI.detectors import ALL_DETECTORS  # costs a second, and only detectors known by name need it

    kind = ALL_DETECTORS.get(name.lower().replace(" ", "_"))
    if kind is None and sizes:
        return PoniDetector(*sizes, name=name)
    if kind is None:
        raise ReadError(
            f"{values.file}: Detector '{name}' is not known and no PixelSize1 is given; add PixelSize1 and 2"
        )
    try:
        made = kind(pixel1=sizes[0], pixel2=sizes[1]) if sizes is not None and kind.force_pixel else kind()
    except ZeroDivisionError as error:  # pixels smaller than the detector has
        raise values.wrong(f"Detector '{name}' has no pixels of {sizes} m") from error
    pixels = sizes or (made.pixel1, made.pixel2)
    if not pixels[0] or not pixels[1]:
        raise ReadError(f"{values.file}: Detector '{name}' has no fixed pixel size; add PixelSize1 and PixelSize2")
    shape = config.get("max_shape") or made.shape
    return PoniDetector(
        float(pixels[0]),
        float(pixels[1]),
        None if shape is None else (int(shape[0]), int(shape[1])),
        name if name.lower() not in _GENERIC else "",
        regular=bool(made.uniform_pixel and made.IS_FLAT),
    )


def _with_sensor(found: PoniDetector, config: Mapping[str, Any]) -> PoniDetector:
    sensor = config.get("sensor")
    thickness = sensor.get("thickness") if isinstance(sensor, dict) else None
    return replace(found, depth=float(thickness)) if isinstance(thickness, int | float) else found


def _checked(values: PoniValues, found: PoniDetector, keys: tuple[str, str]) -> PoniDetector:
    for key, size in zip(keys, (found.pixel1, found.pixel2), strict=True):
        if problem := impossible("pixel size", size):
            raise values.wrong(f"{key} = {size:g} {problem}; a PONI file has m")
    return found


def _factor(calibrated: int, frame: int) -> float | None:
    """Return how many calibrated pixels make one of the frame, a whole number or one over a whole number."""
    if frame and calibrated % frame == 0:
        return calibrated // frame
    return calibrated / frame if calibrated and frame % calibrated == 0 else None


def _ratio(factor: float | None) -> str:
    assert factor is not None
    return f"{factor:.0f}:1" if factor >= 1 else f"1:{1 / factor:.0f}"

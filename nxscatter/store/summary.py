"""A measurement in words: sample, times, detector and geometry, source; and the values of a record."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import numpy as np

from nxscatter.model import Beam, Detector, Exposure, Origin, Sample
from nxscatter.plain import Json

_KEV_ANGSTROM = 12.398419843  # h c: photon energy times wavelength


class Measurement(Protocol):
    """What is told of a measurement: of a container, or of the scan that it is made of."""

    @property
    def title(self) -> str:
        """Title of the measurement."""

    @property
    def instrument(self) -> str:
        """Name of the instrument."""

    @property
    def start_time(self) -> datetime | None:
        """Start of the measurement, None when unknown."""

    @property
    def end_time(self) -> datetime | None:
        """End of the measurement, None when unknown."""

    @property
    def sample(self) -> Sample:
        """The sample."""

    @property
    def beam(self) -> Beam:
        """The incident beam."""

    @property
    def detector(self) -> Detector:
        """The detector as the source described it."""

    @property
    def exposure(self) -> Exposure:
        """Times and monitors of the frames."""

    @property
    def origin(self) -> Origin:
        """Where the scan came from."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of frames, rows and columns."""


def described(measurement: Measurement) -> dict[str, str]:
    """Return what is known of a measurement as texts by name; what is not known says so."""
    sample, detector, origin = measurement.sample, measurement.detector, measurement.origin
    wavelength = measurement.beam.wavelength
    frames, rows, columns = measurement.shape
    return {
        "title": measurement.title,
        "sample": sample.name or "unknown",
        "magnetic field": _known(sample.magnetic_field, "mT"),
        "measured": _times(measurement.start_time, measurement.end_time),
        "instrument": measurement.instrument,
        "detector": detector.name or "unknown",
        "frames": f"{frames} of {rows} x {columns} pixels{_exposed(measurement.exposure)}",
        "wavelength": _known(wavelength, "Å") + (f" ({_KEV_ANGSTROM / wavelength:.5g} keV)" if wavelength > 0 else ""),
        "distance": _known(detector.distance, "m"),
        "pixel size": f"x {_known(detector.pixel_size_x * 1e6, 'µm')}, y {_known(detector.pixel_size_y * 1e6, 'µm')}",
        "beam centre": _centre(detector),
        "source": f"{origin.file_name}, reader {origin.reader}",
        "sha256 of the source": origin.sha256,
    }


def source_name(path: str) -> str:
    """Name an input of a record: another record, or a part of the converted content."""
    name = path.rsplit("/", 1)[-1]
    return {"data": "raw frames", "attachments": "files of the source"}.get(name, name)


def as_text(value: Json) -> str:
    """Write a parameter for people; a file by its name, nothing as ""."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        if "sha256" in value:
            return str(value["file"])
        return ", ".join(f"{key} {as_text(part)}" for key, part in value.items())
    if isinstance(value, list):
        if value and isinstance(value[0], list):
            return "; ".join(" ".join(map(as_text, row)) for row in value)
        return ", ".join(map(as_text, value))
    return str(value)


def _known(value: float, units: str) -> str:
    return f"{value:.6g} {units}" if np.isfinite(value) else "unknown"


def _times(start: datetime | None, end: datetime | None) -> str:
    if start is None:
        return "unknown"
    return " to ".join(moment.isoformat(" ", "seconds") for moment in (start, end) if moment is not None)


def _exposed(exposure: Exposure) -> str:
    times = np.unique(exposure.time[np.isfinite(exposure.time)])
    if not len(times):
        return ""
    return f", {times[0]:g} s each" if len(times) == 1 else f", {times[0]:g} to {times[-1]:g} s each"


def _centre(detector: Detector) -> str:
    turned = (detector.rot1, detector.rot2, detector.rot3)
    parts = [f"x {_known(detector.center_x, 'px')}, y {_known(detector.center_y, 'px')}"]
    if detector.offset_x or detector.offset_y:
        parts.append(f"offset x {detector.offset_x:g} px, y {detector.offset_y:g} px")
    if any(turned):
        parts.append(f"rotations {', '.join(f'{angle:g}' for angle in turned)} degrees")
    if detector.orientation != 1:
        parts.append(f"raster orientation {detector.orientation}")
    return ", ".join(parts)

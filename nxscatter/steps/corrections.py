"""Corrections: from counts to scattered intensity, on an absolute scale where the file knows one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from nxscatter.errors import ParameterError, StepError
from nxscatter.fields import param
from nxscatter.model import Attachment, Beam, Exposure, Floats
from nxscatter.plain import Json
from nxscatter.results import Geometry, Image, PixelFlag
from nxscatter.results.stages import Pixels
from nxscatter.science.pixels import normalization
from nxscatter.science.pixels.normalization import CorrectedStage, Correction, mean_counts
from nxscatter.steps.framewise import ImageStep

_MONITORS = {"intensity0": "Intensity0 (HSI0)", "intensity1": "Intensity1 (HSI1)"}
_SMALLEST, _LARGEST = 1e-37, 1e38  # numbers that float32 holds


@dataclass(frozen=True, eq=False)
class _Prepared:
    """What corrects an image, known without its counts.

    Attributes
    ----------
    correction : Correction
        Of each pixel.
    divisors : ndarray (frame,)
        Monitor times transmission times exposure time of each frame.
    pixels : Pixels
        The corrected image's.
    auto : mapping
        What was taken from the file.
    """

    correction: Correction
    divisors: Floats
    pixels: Pixels
    auto: dict[str, Json]


@dataclass(frozen=True)
class Corrections(ImageStep):
    """Each correction is off (false), takes the value that the file has (true), or takes the value given here.

    A pixel becomes ``scale / (flat * solid angle * polarization * thickness)`` times the difference of two terms:
    ``(counts - dark) / (monitor * transmission * time)`` of the sample, and the same of the background, with its own
    monitor, transmission and time, times ``background_share``. Those three are a frame's own; the mean of all frames
    is the sum of their counts over the sum of their divisors, as if they were one long frame.

    ESRF ID02 normalizes by ``dark = true, flat = true, solid_angle = "absolute", polarization = true, monitor =
    "intensity1", scale = true``: the monitor behind the sample counts the beam and its transmission in one.

    The variance is that of counting, of dark and background too; scale, flat field, monitors and thickness are taken
    as exact. Dark and background are frames of counts measured like the sample's (a stack is averaged), and their
    negative, saturated or non-finite pixels are invalid in the result, as are those with a flat field of 0.
    The units follow: counts, or a pure number with a monitor, over sr, s and m for the solid angle, time and thickness.
    """

    name = "corrections"
    version = 1
    dark: bool | Attachment = param("", "dark image to subtract, counts a frame", default=False)
    flat: bool | Attachment = param("", "flat field to divide by", default=False)
    solid_angle: str = param(
        "",
        "divide by a pixel's solid angle, relative to normal incidence or in sr",
        default="off",
        choices=("off", "relative", "absolute"),
    )
    polarization: bool | float = param(
        "", "horizontal minus vertical part of the beam", default=False, minimum=-1, maximum=1
    )
    monitor: str = param(
        "",
        "monitor to divide by, before or behind the sample",
        default="off",
        choices=("off", "intensity0", "intensity1"),
    )
    transmission: bool | float = param("", "of the sample; true: Intensity1/Intensity0", default=False, above=0)
    time: bool | float = param("s", "exposure time of a frame, if the monitor does not count", default=False, above=0)
    thickness: float | None = param("m", "of the sample", default=None, above=0)
    scale: bool | float = param("", "factor to absolute intensity; true: NormalizationFactor", default=False, above=0)
    background: Attachment | None = param("", "image of the empty cell or the solvent, counts a frame", default=None)
    background_monitor: float | None = param("", "monitor of a frame of the background", default=None, above=0)
    background_transmission: float | None = param("", "transmission of the background", default=None, above=0)
    background_time: float | None = param("s", "exposure time of a frame of the background", default=None, above=0)
    background_share: float = param("", "part of the background that the sample contains", default=1.0, minimum=0)

    def __post_init__(self) -> None:
        """Check what a single parameter's range cannot say."""
        super().__post_init__()
        if self.monitor == "intensity1" and self.transmission:
            raise ParameterError(
                f"{self.name}: intensity1 is measured behind the sample and holds its transmission already: "
                "set monitor = 'intensity0' or transmission = false"
            )
        for key in self._divided if self.background is not None else ():
            if getattr(self, f"background_{key}") is None:
                raise ParameterError(f"{self.name}.{key} needs the background's own: give {self.name}.background_{key}")

    def pixels(
        self, image: Pixels, geometry: Geometry, beam: Beam, exposure: Exposure, auxiliary: tuple[Attachment, ...]
    ) -> Pixels:
        """Return the pixels, without those that are no data in dark, flat field or background.

        Raises
        ------
        StepError
            As the step itself.
        """
        return self._prepare(image, geometry, beam, exposure, auxiliary).pixels

    def __call__(
        self, image: Image, geometry: Geometry, beam: Beam, exposure: Exposure, auxiliary: tuple[Attachment, ...]
    ) -> Image:
        """Return the corrected image.

        Raises
        ------
        StepError
            When the file lacks a value or an image that is asked for, a shape does not fit, or the image does not
            consist of measured counts any more.
        """
        if image.variance is not None:
            raise StepError(self._not_counts())
        known = self._prepare(image.pixels, geometry, beam, exposure, auxiliary)
        weight = float(1 / known.divisors.mean())
        variances = image.variance_at(slice(None)).reshape(image.intensity.shape)
        intensity, variance = known.correction.apply(image.intensity, variances, weight)
        gain = None
        if known.correction.subtracts:
            gain = _compact(np.broadcast_to(known.correction.factor * weight / image.frames, variance.shape))
        lost = np.count_nonzero(known.pixels.flags != image.flags)
        notes = [f"{lost} pixels are no data in dark, flat field or background"] if lost else []
        if known.auto.get("transmission", 0) > 1:
            notes.append(f"the transmission is {known.auto['transmission']:.4g}, which cannot be: check the monitors")
        return replace(
            image,
            intensity=_compact(intensity),
            flags=known.pixels.flags,
            variance=_compact(variance),
            gain=gain,
            stage=known.pixels.stage,
            notes=(*image.notes, *notes),
            auto=known.auto,
            units=self._units(),
        )

    def _not_counts(self) -> str:
        return f"{self.name} takes measured counts: put it before binning, median_filter and caving, and only once"

    def _prepare(
        self, pixels: Pixels, geometry: Geometry, beam: Beam, exposure: Exposure, auxiliary: tuple[Attachment, ...]
    ) -> _Prepared:
        """Find out everything that does not depend on the counts."""
        if np.any(pixels.flags & PixelFlag.FILLED) or pixels.binning != 1:
            raise StepError(self._not_counts())
        auto: dict[str, Json] = {}
        divisors = self._divisors(exposure, pixels, auto)
        correction = self._correction(pixels.flags.shape, geometry, beam, exposure, auxiliary, auto)
        weights = np.full(pixels.stack, np.nan)
        weights[pixels.kept] = 1 / divisors
        lost = pixels.valid & ~correction.known
        flags = np.where(lost, pixels.flags | np.uint16(PixelFlag.NOT_A_NUMBER), pixels.flags)
        stage = None if pixels.stage is None else CorrectedStage(pixels.stage, correction, weights)
        return _Prepared(correction, divisors, replace(pixels, flags=flags, stage=stage), auto)

    @property
    def _divided(self) -> list[str]:
        """Which of the divisors that a frame has of its own are on."""
        return [key for key in ("monitor", "transmission", "time") if getattr(self, key) not in ("off", False)]

    def _units(self) -> str:
        divisors = {"sr": self.solid_angle == "absolute", "s": bool(self.time), "m": self.thickness is not None}
        number = "counts" if self.monitor == "off" else "1"
        return "/".join([number, *(unit for unit, on in divisors.items() if on)])

    def _divisors(self, exposure: Exposure, pixels: Pixels, auto: dict[str, Json]) -> Floats:
        """Return monitor times transmission times exposure time of each frame that is averaged."""
        divisors = np.ones(pixels.frames)
        if self.monitor != "off":
            values = self._of_frames(
                getattr(exposure, self.monitor), _MONITORS[self.monitor], "monitor = 'off'", pixels
            )
            auto["monitor"] = float(values.mean())
            divisors *= values
        if self.transmission is True:
            remedy = f"{self.name}.transmission = VALUE"
            before = self._of_frames(exposure.intensity0, _MONITORS["intensity0"], remedy, pixels)
            behind = self._of_frames(exposure.intensity1, _MONITORS["intensity1"], remedy, pixels)
            auto["transmission"] = float((behind / before).mean())
            divisors *= behind / before
        elif self.transmission:
            divisors *= self.transmission
        if self.time is True:
            values = self._of_frames(exposure.time, "exposure time", f"{self.name}.time = VALUE (s)", pixels)
            auto["time"] = float(values.mean())
            divisors *= values
        elif self.time:
            divisors *= self.time
        return divisors

    def _of_frames(self, values: Floats, key: str, remedy: str, pixels: Pixels) -> Floats:
        if not len(values):
            raise StepError(f"{self.name}: the file has no {key}: give {remedy}")
        if len(values) != pixels.stack:
            raise StepError(
                f"{self.name}: the file has {len(values)} values of {key} for {pixels.stack} frames: give {remedy}"
            )
        bad = pixels.kept[~(values[pixels.kept] > 0)]
        if len(bad):
            raise StepError(f"{self.name}: {key} of frame {bad[0]} is {values[bad[0]]:g}, not above 0: give {remedy}")
        return values[pixels.kept]

    def _correction(
        self,
        shape: tuple[int, ...],
        geometry: Geometry,
        beam: Beam,
        exposure: Exposure,
        auxiliary: tuple[Attachment, ...],
        auto: dict[str, Json],
    ) -> Correction:
        factor = np.asarray(self._value("scale", exposure.normalization, "NormalizationFactor", auto) or 1.0)
        if self.thickness is not None:
            factor = factor / self.thickness
        if self.solid_angle != "off":
            absolute = self.solid_angle == "absolute"
            factor = factor / (normalization.solid_angle(geometry) if absolute else normalization.obliquity(geometry))
        polarization = self._value("polarization", beam.polarization, "polarization_factor", auto)
        if polarization is not None:
            factor = factor / normalization.polarization(geometry, polarization)
        flat = self._file("flat", auxiliary, auto)
        if flat is not None:
            sensitivity, _ = mean_counts(flat, shape)
            auto["flat_mean"] = float(np.nanmean(sensitivity))
            factor = factor / np.where(sensitivity > 0, sensitivity, np.nan)
        dark = mean_counts(self._file("dark", auxiliary, auto), shape)
        background = mean_counts(self.background, shape)
        share = 0.0
        if self.background is not None:
            share = self.background_share / float(
                np.prod([getattr(self, f"background_{key}") for key in self._divided])
            )
        return Correction(factor, *dark, *background, share)

    def _value(self, key: str, known: float, header: str, auto: dict[str, Json]) -> float | None:
        """Return the value of a correction that is a number, None when it is off."""
        given = getattr(self, key)
        if not isinstance(given, bool):
            return float(given)
        if not given:
            return None
        if not np.isfinite(known):
            raise StepError(f"{self.name}: the file has no {header}: give {self.name}.{key} = VALUE")
        auto[key] = known
        return known

    def _file(self, role: str, auxiliary: tuple[Attachment, ...], auto: dict[str, Json]) -> Attachment | None:
        """Return the image of a correction, None when it is off."""
        given: bool | Attachment = getattr(self, role)
        if not isinstance(given, bool):
            return given
        if not given:
            return None
        found = [attachment for attachment in auxiliary if attachment.role == role]
        if len(found) != 1:
            raise StepError(
                f"{self.name}: the file brings {len(found) or 'no'} {role} images: give {self.name}.{role} = FILE"
            )
        auto[role] = found[0].name
        return found[0]


def _compact(values: Floats) -> Floats:
    """Return float32 where it holds all values: its rounding is far below the noise of counting."""
    size = np.abs(values[np.isfinite(values) & (values != 0)])
    fits = not len(size) or (size.min() > _SMALLEST and size.max() < _LARGEST)
    return values.astype(np.float32) if fits else values

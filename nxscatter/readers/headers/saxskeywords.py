"""Beam and detector from a SaxsKeyword header (ESRF, Xenocs), or from a PONI file in its place.

Lengths are in m, centres in pixels with 0.5 in the middle of pixel 0. ``PSize`` and ``Center`` describe the
stored image, so ``BSize`` is recorded and never multiplied in. ``Dummy = 0`` means that there is no dummy value.
"""

from __future__ import annotations

import math

from nxscatter.errors import ReadError
from nxscatter.model import Attachment, Beam, Detector
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.headers.geometry import checked_orientation, place_by_poni
from nxscatter.readers.headers.keywords import Keywords
from nxscatter.readers.headers.missing import missing_note
from nxscatter.readers.headers.units import factor, parse_units, scaled

GEOMETRY_KEYS = ("SampleDistance", "WaveLength", "PSize_1", "PSize_2", "Center_1", "Center_2")
_LONGEST_WAVELENGTH = 1e-6  # m; a larger number is not in m


def read_geometry(
    keys: Keywords, shape: tuple[int, int], name: str, options: ReadOptions
) -> tuple[Beam, Detector, tuple[Attachment, ...]]:
    """Return beam and detector, and the PONI file where one was used.

    Parameters
    ----------
    keys : Keywords
        The header; its notes receive what is missing.
    shape : tuple of int
        Rows and columns of the stored image.
    name : str
        Name of the detector.
    options : ReadOptions
        ``poni``, ``units``, ``orient`` and ``skip_calibration`` are used.

    Raises
    ------
    ReadError
        When a key of the geometry is missing, no number, or zero or less where that cannot be.
    """
    own = dict.fromkeys(GEOMETRY_KEYS, math.nan)
    if options.poni is None:
        own = {key: _length(keys, key, options) for key in GEOMETRY_KEYS if key != "WaveLength"}
    offset_1, offset_2 = (keys.number(f"Offset_{axis}") or 0.0 for axis in (1, 2))
    rot1, rot2, rot3 = detector_rotations(keys)
    dummy = keys.number("Dummy") or math.nan  # 0 means none
    detector = Detector(
        name=name,
        rows=shape[0],
        columns=shape[1],
        distance=own["SampleDistance"],
        pixel_size_y=own["PSize_2"],
        pixel_size_x=own["PSize_1"],
        center_y=own["Center_2"],
        center_x=own["Center_1"],
        offset_y=offset_2,
        offset_x=offset_1,
        rot1=rot1,
        rot2=rot2,
        rot3=rot3,
        orientation=raster_orientation(keys, options),
        dummy=dummy,
        ddummy=0.0 if math.isnan(dummy) else keys.number("DDummy") or 0.0,
        binning_y=keys.integer("BSize_2", 1),
        binning_x=keys.integer("BSize_1", 1),
    )
    detector, wavelength, poni = place_by_poni(detector, options)
    if math.isnan(wavelength):
        wavelength = _wavelength(keys, options)
    return Beam(wavelength, _polarization(keys)), detector, poni


def detector_rotations(keys: Keywords) -> tuple[float, float, float]:
    """Translate ``DetectorRotation_1..3`` (rad) to pyFAI's ``rot1..3`` in degrees.

    SaxsKeyword axes 1, 2, 3 are the fast image axis, the slow one and the beam; pyFAI's axes 1, 2, 3 are the
    slow one, the fast one and the beam. Hence ``rot1 = DetectorRotation_2``, ``rot2 = DetectorRotation_1`` and
    ``rot3 = DetectorRotation_3``, all with their own sign, as pyFAI's ``Geometry.rotation_matrix`` relates the
    two systems and as ESRF's processing of ID02 data (ewoksid02) does. The order of rotations is pyFAI's: 1, 2,
    3 of *its* axes. The header's own order differs when both tilts are there, by their product (1e-4 rad for
    two tilts of 0.6 degrees).
    """
    rot1, rot2, rot3 = (keys.number(f"DetectorRotation_{axis}", "angle") or 0.0 for axis in (2, 1, 3))
    return math.degrees(rot1), math.degrees(rot2), math.degrees(rot3)


def raster_orientation(keys: Keywords, options: ReadOptions) -> int:
    """Return the RasterOrientation 1..8 of the option or the header; 1 when neither says any."""
    if options.orient is not None:
        return checked_orientation(options.orient, "--orient")
    return checked_orientation(keys.integer("RasterOrientation", 1), f"{keys.file}: header key RasterOrientation")


def normalization_factor(keys: Keywords) -> float:
    """Return ``NormalizationFactor``, by which normalized intensity becomes absolute; NaN when the header has none."""
    value = keys.number("NormalizationFactor")
    return math.nan if value is None else value


def _length(keys: Keywords, key: str, options: ReadOptions) -> float:
    value = keys.number(key, "" if key.startswith("Center") else "length")
    if value is None:
        return _unknown(keys, f"header key {key} is missing", "--poni", options)
    if value <= 0 and not key.startswith("Center"):
        return _unknown(keys, f"header key {key} = {value:g} must be above 0", "--poni", options)
    return value


def _wavelength(keys: Keywords, options: ReadOptions) -> float:
    """Return the wavelength in angstrom."""
    value = keys.number("WaveLength", "length")
    if value is None:
        return _unknown(keys, "header key WaveLength is missing", "--poni", options)
    if value <= 0:
        return _unknown(keys, f"header key WaveLength = {value:g} must be above 0", "--poni", options)
    scale = factor(parse_units(options.units).get("wavelength", "m"), "length") or 1.0
    if value * scale > _LONGEST_WAVELENGTH:
        what = f"header key WaveLength = {value:g} cannot be in m, name its unit as in --units wavelength=angstrom"
        return _unknown(keys, what, "--units", options)
    return scaled(value, scale * 1e10)


def _polarization(keys: Keywords) -> float:
    value = keys.number("polarization_factor")
    return math.nan if value is None else value


def _unknown(keys: Keywords, what: str, option: str, options: ReadOptions) -> float:
    if not options.skip_calibration:
        raise ReadError(f"{keys.file}: {what}; supply it with {option}")
    keys.notes.append(missing_note(what, option))
    return math.nan

"""Beam and detector from a SaxsKeyword header (ESRF, Xenocs), or from a PONI file in its place.

Lengths are in m, centres in pixels with 0.5 in the middle of pixel 0. ``PSize`` and ``Center`` describe the
stored image, so ``BSize`` is recorded and never multiplied in. ``Dummy = 0`` means that there is no dummy value.
"""

from __future__ import annotations

import math
from dataclasses import replace

from nxscatter.errors import ReadError
from nxscatter.model import Beam, Detector
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.headers.geometry import Placed, checked_orientation, place, raster_number
from nxscatter.readers.headers.keywords import Keywords
from nxscatter.readers.headers.missing import missing_note
from nxscatter.readers.headers.plausible import impossible
from nxscatter.readers.headers.units import chosen_unit, factor, same_unit, scaled

GEOMETRY_KEYS = ("SampleDistance", "WaveLength", "PSize_1", "PSize_2", "Center_1", "Center_2")
# what each length is, and the names under which --units can give its unit
_LENGTHS = {
    "SampleDistance": ("distance", ("distance",)),
    "PSize_1": ("pixel size", ("pixel_size", "x_pixel_size")),
    "PSize_2": ("pixel size", ("pixel_size", "y_pixel_size")),
    "WaveLength": ("wavelength", ("wavelength",)),
}


def read_geometry(keys: Keywords, shape: tuple[int, int], name: str, options: ReadOptions) -> tuple[Beam, Placed]:
    """Return the beam, and where the detector stands.

    Parameters
    ----------
    keys : Keywords
        The header; its notes receive what is missing and what was done.
    shape : tuple of int
        Rows and columns of the stored image.
    name : str
        Name of the detector.
    options : ReadOptions
        ``poni``, ``rebin_poni``, ``units``, ``orient``, ``swap_center`` and ``skip_calibration`` are used.

    Raises
    ------
    ReadError
        When a key of the geometry is missing, no number, or zero or less where that cannot be.
    """
    read = _length if options.poni is None else _told
    own = {key: read(keys, key, options) for key in GEOMETRY_KEYS}
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
    wavelength = scaled(own["WaveLength"], 1e10)
    placed = place(detector, options, wavelength)
    keys.notes.extend(placed.notes)
    if math.isnan(placed.wavelength) and options.poni is not None:
        wavelength = scaled(_length(keys, "WaveLength", options), 1e10)
    return Beam(wavelength if math.isnan(placed.wavelength) else placed.wavelength, _polarization(keys)), placed


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
    given = raster_number(options)
    if given is not None:
        return given
    return checked_orientation(keys.integer("RasterOrientation", 1), f"{keys.file}: header key RasterOrientation")


def normalization_factor(keys: Keywords) -> float:
    """Return ``NormalizationFactor``, by which normalized intensity becomes absolute; NaN when the header has none."""
    value = keys.number("NormalizationFactor")
    return math.nan if value is None else value


def _length(keys: Keywords, key: str, options: ReadOptions) -> float:
    """Return a length in m, or a centre in pixels; NaN with a note when the geometry may be missing."""
    if key.startswith("Center"):
        found = keys.number(key)
        return _unknown(keys, f"header key {key} is missing", "--poni", options) if found is None else found
    kind, names = _LENGTHS[key]
    number, unit = keys.measured(key, "length")
    if number is None:
        return _unknown(keys, f"header key {key} is missing", "--poni", options)
    if number <= 0:
        return _unknown(keys, f"header key {key} = {number:g} must be above 0", "--poni", options)
    chosen = chosen_unit(options.units, *names)
    if unit and chosen.named and not same_unit(unit, chosen.named):
        raise ReadError(
            f"{keys.file}: header key {key} is in '{unit}', --units says '{chosen.named}'; leave {names[-1]} out of it"
        )
    # a header without units has m; the one unit for all lengths of other files is not for what is m already
    fallback = chosen.every if chosen.every and impossible(kind, number) else "m"
    unit = unit or chosen.named or fallback
    if problem := impossible(kind, number, unit):
        what = f"header key {key} = {keys.text(key)} {problem}, name its unit as in --units {names[0]}="
        return _unknown(keys, what + ("angstrom" if kind == "wavelength" else "mm"), "--units", options)
    return scaled(number, factor(unit, "length") or 1.0)


def _told(keys: Keywords, key: str, options: ReadOptions) -> float:
    """Return a length that is only compared with a PONI file's: NaN when there is none that can be read."""
    try:
        return _length(Keywords(keys.file, keys.header), key, replace(options, skip_calibration=True))
    except ReadError:
        return math.nan


def _polarization(keys: Keywords) -> float:
    value = keys.number("polarization_factor")
    return math.nan if value is None else value


def _unknown(keys: Keywords, what: str, option: str, options: ReadOptions) -> float:
    if not options.skip_calibration:
        raise ReadError(f"{keys.file}: {what}; supply it with {option}")
    keys.notes.append(missing_note(what, option))
    return math.nan

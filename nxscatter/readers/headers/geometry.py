"""What all readers do about the geometry: a detector not placed yet, a PONI file in its place, the user's changes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from nxscatter.errors import ReadError
from nxscatter.model import RASTER_AXES, Attachment, Detector, Doubt, Floats, rotation_angles
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.headers.poni import read_poni

_DIFFERENT = 0.005  # relative, between what a calibration and a header say; nominal values are rounded
_FLIPS = {"flip-x": (True, False), "flip-y": (False, True), "flip-xy": (True, True)}


@dataclass(frozen=True)
class Placed:
    """A detector where the file, or a PONI file in its place, and the user's options put it.

    Attributes
    ----------
    detector : Detector
        The detector.
    wavelength : float
        That of the PONI file in angstrom, NaN when there is none.
    files : tuple of Attachment
        The PONI file.
    notes : tuple of str
        What was done, in words.
    doubts : tuple of Doubt
        What the geometry leaves out.
    """

    detector: Detector
    wavelength: float = math.nan
    files: tuple[Attachment, ...] = ()
    notes: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()


def unplaced_detector(name: str, image: tuple[int, int], options: ReadOptions) -> Detector:
    """Return a detector of which only shape and orientation are known; everything else is NaN."""
    nan = math.nan
    return Detector(name, *image, nan, nan, nan, nan, nan, orientation=raster_number(options) or 1)


def place(detector: Detector, options: ReadOptions, wavelength: float = math.nan, turn: Floats | None = None) -> Placed:
    """Return the detector where the user's PONI file puts it, or where it was, with the changes that options ask for.

    Parameters
    ----------
    detector : Detector
        As the file describes it.
    options : ReadOptions
        ``poni``, ``rebin_poni``, ``orient`` and ``swap_center`` are used.
    wavelength : float
        The file's own wavelength in angstrom, NaN when it is not known.
    turn : ndarray (3, 3), optional
        How the detector is turned about the point where the direct beam meets it, in the laboratory's axes
        (`nxscatter.model.rotation_matrix`). ``detector`` then has the direct beam as its centre and the distance along
        the beam.

    Raises
    ------
    ReadError
        When the PONI file is no such file, or belongs to frames of another shape.
    """
    placed = Placed(detector)
    if options.poni is not None:
        poni = read_poni(options.poni)
        found = poni.place(detector, raster_number(options), options.rebin_poni)
        doubts = (*found.doubts, *_contradictions(poni.name, found.detector, poni.wavelength, detector, wavelength))
        placed = Placed(found.detector, poni.wavelength, (poni.attachment,), found.notes, doubts)
    detector = placed.detector
    if options.swap_center:
        detector = swapped(detector)
    if turn is not None and options.poni is None:
        detector = turned(detector, turn)
    return replace(placed, detector=_flipped(detector, options))


def swapped(detector: Detector) -> Detector:
    """Exchange the coordinates of the centre, which keep their lengths where pixels are oblong."""
    y = (detector.center_y - detector.offset_y) * detector.pixel_size_y
    x = (detector.center_x - detector.offset_x) * detector.pixel_size_x
    return replace(
        detector,
        center_y=x / detector.pixel_size_y + detector.offset_y,
        center_x=y / detector.pixel_size_x + detector.offset_x,
    )


def turned(detector: Detector, turn: Floats) -> Detector:
    """Turn a detector about the point where the direct beam meets it.

    Parameters
    ----------
    detector : Detector
        Across the beam: its centre is the direct beam, its distance that along the beam.
    turn : ndarray (3, 3)
        From the detector's axes (1 vertical, 2 horizontal, 3 along its normal) to the laboratory's.

    Returns
    -------
    Detector
        Its centre is the point of normal incidence, its distance that along the normal.
    """
    rot1, rot2, rot3 = (round(angle, 12) + 0.0 for angle in rotation_angles(turn))  # no dust, and no -0
    # where the beam, at the distance along it, is in the detector's own axes
    beam = {2: detector.distance * turn[2, 0], 1: detector.distance * turn[2, 1]}
    columns, rows = RASTER_AXES[detector.orientation]
    return replace(
        detector,
        distance=float(detector.distance * turn[2, 2]),
        center_y=float(detector.center_y - math.copysign(1, rows) * beam[abs(rows)] / detector.pixel_size_y),
        center_x=float(detector.center_x - math.copysign(1, columns) * beam[abs(columns)] / detector.pixel_size_x),
        rot1=rot1,
        rot2=rot2,
        rot3=rot3,
    )


def _contradictions(
    name: str, placed: Detector, poni_wavelength: float, own: Detector, own_wavelength: float
) -> Iterator[Doubt]:
    """Tell what a PONI file and the file of the frames say differently."""
    for what, calibrated, told, scale, units in (
        ("pixels of", placed.pixel_size_x, own.pixel_size_x, 1e6, "um along x"),
        ("pixels of", placed.pixel_size_y, own.pixel_size_y, 1e6, "um along y"),
        ("a wavelength of", poni_wavelength, own_wavelength, 1, "angstrom"),
    ):
        if abs(calibrated / told - 1) > _DIFFERENT:
            reason = f"{name} has {what} {calibrated * scale:.5g} {units}, the frames' file {told * scale:.5g}"
            yield Doubt("off_geometry", f"{reason}; give the calibration of these frames with --poni")


def raster_number(options: ReadOptions) -> int | None:
    """Return the RasterOrientation that the user gives; None for none, or for a flip."""
    if options.orient is None or str(options.orient).strip().lower() in _FLIPS:
        return None
    return checked_orientation(options.orient, "--orient")


def checked_orientation(value: int | str, label: str) -> int:
    """Return a RasterOrientation as a number; ReadError with the legal range when it is none."""
    text = str(value).strip()
    if text not in set("12345678"):
        raise ReadError(f"{label} = {text}: must be 1 to 8; give one, or {', '.join(_FLIPS)}, with --orient")
    return int(text)


def _flipped(detector: Detector, options: ReadOptions) -> Detector:
    """Return a detector whose image is stored the other way round than its geometry tells."""
    flip_x, flip_y = _FLIPS.get(str(options.orient).strip().lower(), (False, False))
    columns, rows = RASTER_AXES[detector.orientation]
    axes = (-columns if flip_x else columns, -rows if flip_y else rows)
    return replace(
        detector,
        center_x=detector.columns + 2 * detector.offset_x - detector.center_x if flip_x else detector.center_x,
        center_y=detector.rows + 2 * detector.offset_y - detector.center_y if flip_y else detector.center_y,
        orientation=next(number for number, known in RASTER_AXES.items() if known == axes),
    )

"""Where the detector stands: the header's values checked, replaced where the user knows better, or refined."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite

from nxscatter.errors import ParameterError, StepError
from nxscatter.fields import param
from nxscatter.model import Beam, Detector
from nxscatter.results import Geometry, Rings
from nxscatter.science.geometry import qspace
from nxscatter.science.geometry.calibrant import calibrant_angles, fit_distance
from nxscatter.science.pixels.center_check import compared
from nxscatter.science.pixels.radial import pixel_size
from nxscatter.science.pixels.ring_center import RingCenter
from nxscatter.step import Step

_LARGEST_TILT = 1.0  # degrees, up to which radii scale with the distance
_WELL_KNOWN = 0.5  # pixels, standard error of a centre that takes the header's place unasked


@dataclass(frozen=True)
class DetectorGeometry(Step):
    """Geometry of the stored image, from the header, from values given here, or refined on rings.

    The result's centre is the header's without its offset: pixel ``index`` has its middle at ``index + 0.5``. With
    ``center = "refine"`` it is the common centre of the rings that were found with an earlier geometry, with
    ``"auto"`` only where these determine it well and it is another one, which a note then says; with a
    ``calibrant`` the distance is the one at which these rings have its d-spacings. The header's values are recorded
    beside the refined ones.
    """

    name = "geometry"
    version = 1
    center_x: float | None = param("pixel", "Center_1 (column) in place of the header's", default=None)
    center_y: float | None = param("pixel", "Center_2 (row) in place of the header's", default=None)
    distance: float | None = param("m", "sample to detector, in place of the header's", default=None, above=0)
    wavelength: float | None = param("angstrom", "wavelength in place of the header's", default=None, above=0)
    center: str = param(
        "", "the header's centre or the rings' own", default="header", choices=("header", "refine", "auto")
    )
    calibrant: str | None = param(
        "", "what the rings are of, to refine the distance on (AgBh, LaB6, ...)", default=None
    )

    def __post_init__(self) -> None:
        """Refuse to refine a value that is given."""
        super().__post_init__()
        given = [key for key in ("center_x", "center_y") if getattr(self, key) is not None]
        if self.center == "refine" and given:
            raise ParameterError(f"{self.name}.{given[0]} and center = 'refine' exclude each other: give one")
        if self.calibrant is not None and self.distance is not None:
            raise ParameterError(
                f"{self.name}.distance and calibrant = '{self.calibrant}' exclude each other: give one"
            )

    def __call__(self, beam: Beam, detector: Detector, rings: Rings | None = None) -> Geometry:
        """Return the geometry.

        Raises
        ------
        StepError
            When a value is missing, zero or negative, an orientation is none of 1 to 8, or there are no rings to
            refine on.
        """
        center_x = self._known("center_x", self.center_x, detector.center_x)
        center_y = self._known("center_y", self.center_y, detector.center_y)
        if detector.orientation not in range(1, 9):
            raise StepError(f"RasterOrientation = {detector.orientation}: an orientation is one of 1 to 8")
        geometry = Geometry(
            wavelength=self._positive("wavelength", self.wavelength, beam.wavelength),
            distance=self._positive("distance", self.distance, detector.distance),
            pixel_size_y=self._positive("pixel_size_y", None, detector.pixel_size_y),
            pixel_size_x=self._positive("pixel_size_x", None, detector.pixel_size_x),
            center_y=center_y - detector.offset_y,
            center_x=center_x - detector.offset_x,
            rows=detector.rows,
            columns=detector.columns,
            rot1=detector.rot1,
            rot2=detector.rot2,
            rot3=detector.rot3,
            orientation=detector.orientation,
        )
        if self.center == "auto" and rings is not None and (self.center_x, self.center_y) == (None, None):
            geometry = self._centred_if_clear(geometry, rings)
        if self.center == "refine":
            geometry = self._centred(geometry, self._rings(rings))
        return geometry if self.calibrant is None else self._calibrated(geometry, self._rings(rings), self.calibrant)

    def _rings(self, rings: Rings | None) -> Rings:
        if rings is None:
            raise StepError(
                f"{self.name}: no rings to refine on: put this step after a rings step of the same recipe, "
                "with a name of its own (as = 'refined')"
            )
        return rings

    def _centred(self, geometry: Geometry, rings: Rings) -> Geometry:
        if not isfinite(rings.center_y) or not isfinite(rings.center_x):
            raise StepError(
                f"{self.name}: the rings' own centre is unknown: use center = 'header', or give center_x and center_y"
            )
        return replace(
            geometry,
            center_y=rings.center_y,
            center_x=rings.center_x,
            center_y_error=rings.center_y_error,
            center_x_error=rings.center_x_error,
            auto=_beside(geometry, rings, "center_y", "center_x"),
        )

    def _centred_if_clear(self, geometry: Geometry, rings: Rings) -> Geometry:
        errors = rings.center_y_error, rings.center_x_error
        if not all(isfinite(error) and error < _WELL_KNOWN for error in errors):
            return geometry
        check = compared(RingCenter(rings.center_y, rings.center_x, *errors), geometry)
        if not check.differs:
            return geometry
        note = (
            f"profiles are about the rings' own centre ({rings.center_x:.1f}, {rings.center_y:.1f}), "
            f"{check.shift:.1f} pixels from the header's ({geometry.center_x:.1f}, {geometry.center_y:.1f})"
        )
        return replace(self._centred(geometry, rings), notes=(*geometry.notes, note))

    def _calibrated(self, geometry: Geometry, rings: Rings, calibrant: str) -> Geometry:
        tilt = qspace.tilt(geometry)
        if tilt > _LARGEST_TILT:
            raise StepError(
                f"{self.name}: a detector tilted by {tilt:.2f} degrees cannot be calibrated by its distance alone: "
                "calibrate it with pyFAI-calib2 and give --poni FILE"
            )
        if rings.radius is None:
            raise StepError(f"{self.name}: the rings have no radius: run the rings step again")
        angles = calibrant_angles(calibrant, geometry.wavelength)
        found = fit_distance(rings.radius * pixel_size(geometry), angles, geometry.distance)
        refined = replace(geometry, distance=found.distance, distance_error=found.error)
        strange = [f"{q:.4g}" for q, line in zip(rings.q, found.lines, strict=True) if not line]
        notes = (f"the rings at q = {', '.join(strange)} 1/angstrom are none of {calibrant}'s",) if strange else ()
        return replace(
            refined,
            notes=notes,
            auto={**geometry.auto, **_beside(geometry, refined, "distance"), "lines": found.lines.tolist()},
        )

    def _known(self, key: str, given: float | None, header: float) -> float:
        value = header if given is None else given
        if not isfinite(value):
            raise StepError(f"the file has no {_KEYS[key]}: {self._remedy(key)}")
        return value

    def _positive(self, key: str, given: float | None, header: float) -> float:
        value = self._known(key, given, header)
        if value <= 0:
            raise StepError(f"the file's {_KEYS[key]} is {value:g}, which cannot be: {self._remedy(key)}")
        return value

    def _remedy(self, key: str) -> str:
        units = {"wavelength": "angstrom", "distance": "m", "center_x": "px", "center_y": "px"}.get(key)
        return f"give --set {self.name}.{key}=VALUE ({units}) or --poni FILE" if units else "give --poni FILE"


def _beside(header: Geometry, refined: Geometry | Rings, *keys: str) -> dict[str, float]:
    """Return refined values with the header's beside them."""
    values = [
        (f"{key}{suffix}", getattr(source, key))
        for key in keys
        for suffix, source in (("", refined), ("_header", header))
    ]
    return {key: float(value) for key, value in values}


_KEYS = {
    "wavelength": "wavelength (WaveLength)",
    "distance": "sample to detector distance (SampleDistance)",
    "pixel_size_y": "pixel size along y (PSize_2)",
    "pixel_size_x": "pixel size along x (PSize_1)",
    "center_y": "beam centre along y (Center_2)",
    "center_x": "beam centre along x (Center_1)",
}

"""Where the detector stands: the header's values checked, and replaced where the user knows better."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from nxscatter.errors import StepError
from nxscatter.model import Beam, Detector, param
from nxscatter.results import Geometry
from nxscatter.step import Step


@dataclass(frozen=True)
class DetectorGeometry(Step):
    """Geometry of the stored image, from the header or from values given here.

    The result's centre is the header's without its offset: pixel ``index`` has its middle at ``index + 0.5``.
    """

    name = "geometry"
    version = 1
    center_x: float | None = param("pixel", "Center_1 (column) in place of the header's", default=None)
    center_y: float | None = param("pixel", "Center_2 (row) in place of the header's", default=None)
    distance: float | None = param("m", "sample to detector, in place of the header's", default=None, above=0)
    wavelength: float | None = param("angstrom", "wavelength in place of the header's", default=None, above=0)

    def __call__(self, beam: Beam, detector: Detector) -> Geometry:
        """Return the geometry.

        Raises
        ------
        StepError
            When a value is missing, zero or negative, or an orientation is none of 1 to 8.
        """
        center_x = self._known("center_x", self.center_x, detector.center_x)
        center_y = self._known("center_y", self.center_y, detector.center_y)
        if detector.orientation not in range(1, 9):
            raise StepError(f"RasterOrientation = {detector.orientation}: an orientation is one of 1 to 8")
        return Geometry(
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


_KEYS = {
    "wavelength": "wavelength (WaveLength)",
    "distance": "sample to detector distance (SampleDistance)",
    "pixel_size_y": "pixel size along y (PSize_2)",
    "pixel_size_x": "pixel size along x (PSize_1)",
    "center_y": "beam centre along y (Center_2)",
    "center_x": "beam centre along x (Center_1)",
}

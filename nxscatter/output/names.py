"""Names of exported files and folders: sample, field, image number and ring, sanitised to what is safe in a name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nxscatter.output.views import view_of
from nxscatter.store.selection import of_kind

if TYPE_CHECKING:
    from nxscatter.model import Beam, Detector
    from nxscatter.results import Result
    from nxscatter.steps.views import Naming
    from nxscatter.store.container import Container
    from nxscatter.store.record import Record

_LONGEST = 80  # bytes of one part; file systems allow 255 for the whole name
_IMAGE_NUMBER = (
    re.compile(r"_(\d+)_raw$"),  # LIMA at ID02
    re.compile(r"_(\d{5})_\d{2}$"),  # LIMA's own: number of the collection, then of the file
    re.compile(r"_(\d+)(?:-\d+)?$"),  # Xeuss; of a composite the first frame
)
_USAXS_BELOW, _WAXS_ABOVE = 0.03, 1.0  # largest q on the detector, 1/angstrom


@dataclass(frozen=True)
class Names:
    """Names of the files of one measurement, relative to the folder of the export.

    Parameters
    ----------
    prefix : str
        SAXS, WAXS or USAXS, or what a view says.
    sample : str
        Sample name, safe.
    field : str
        Magnetic field as ``"100mT"``, or time in a series as ``"120s"``; "" when unknown.
    image : str
        Image number, five digits; the stem of the source's file name when it has none.
    """

    prefix: str
    sample: str
    field: str
    image: str

    @classmethod
    def of(cls, container: Container) -> Names:
        """Take the names from what the container says of its source, sample and detector."""
        sample, source = container.sample, container.origin.file_name
        number = image_number(source)
        return cls(
            prefix=station(source, container.detector, container.beam),
            sample=safe_name(sample.name),
            field=_state(sample.magnetic_field, "mT"),
            image=safe_name(Path(source).stem) if number is None else f"{number:05d}",
        )

    def shown(self, record: Record) -> Names:
        """Return the names that the files of a record have by the view of it."""
        return self.by(view_of(record.container, record.base))

    def by(self, view: Naming) -> Names:
        """Return the names with the prefix of a view, and its time in place of the field."""
        return replace(
            self,
            prefix=safe_name(view.prefix) if view.prefix else self.prefix,
            field=self.field if view.time is None else _state(view.time, "s"),
        )

    @property
    def measurement(self) -> str:
        """Sample and field."""
        return f"{self.sample}_{self.field}" if self.field else self.sample

    @property
    def shot(self) -> str:
        """Sample, field and image number."""
        return f"{self.measurement}_Img{self.image}"

    def azimuthal_profile(self, ring: str, suffix: str = "") -> Path:
        """CSV file of the azimuthal profile of a ring."""
        return Path("Azimuthal_Profiles", f"file_{self.image}_{self.measurement}_{ring}{suffix}.csv")

    def radial_profile(self, part: str, suffix: str = "") -> Path:
        """CSV file of a radial profile; ``part`` names its sector (``"sector01"``)."""
        return Path(f"Radial_Profiles_{self.prefix}", f"{self.measurement}_{part}_Img{self.image}{suffix}.csv")

    def fit_figure(self, ring: str, suffix: str = "") -> Path:
        """Figure of the fit of a ring."""
        return Path("Azim_Profile_Fittings", f"{self.shot}_{ring}{suffix}.png")

    def map_figure(self, suffix: str = "") -> Path:
        """Figure of the map in q space."""
        return Path("png_images", f"{self.shot}{suffix}.png")

    def data_figure(self) -> Path:
        """Figure of the map that begins with the prefix, in the export's folder itself."""
        return Path(f"{self.prefix}_{self.shot}.png")

    def zoom_figure(self) -> Path:
        """Figure of the part of the map around the beam."""
        return Path("png_images", f"{self.prefix}_{self.shot}_zoom.png")

    def map_arrays(self, suffix: str = "") -> Path:
        """NPZ file of the map in q space."""
        return Path("png_images", f"{self.prefix}_{self.shot}{suffix}.npz")

    @property
    def refinements(self) -> Path:
        """CSV file of all fit parameters."""
        return Path(f"{self.prefix}_azim_profiles_refinements.csv")

    @property
    def fitting_results(self) -> Path:
        """Figure that sums up the fits."""
        return Path(f"{self.prefix}_Fitting_results.png")

    @property
    def azimuthal_comparison(self) -> Path:
        """Figure of the azimuthal profiles of a series."""
        return Path("Azimuthal_Profiles", f"{self.prefix}_azim_profiles.png")

    @property
    def radial_comparison(self) -> Path:
        """Figure of the radial profiles of a series."""
        return Path(f"Radial_Profiles_{self.prefix}", f"{self.prefix}_sectors.png")


def image_number(file_name: str) -> int | None:
    """Return the number of an image from its file name, None when it has none.

    Examples
    --------
    >>> image_number("LPCNOsaxs_eiger2_00376_raw.h5")
    376
    >>> image_number("collection_eiger2_00012_00.h5")
    12
    """
    stem = file_name.rsplit(".", 1)[0]
    for pattern in _IMAGE_NUMBER:
        match = pattern.search(stem)
        if match is not None:
            return int(match[1])
    return None


def station(file_name: str, detector: Detector, beam: Beam) -> str:
    """Return SAXS, WAXS or USAXS.

    The word in the file's name decides, then a detector that calls itself waxs, then the largest q on the detector:
    USAXS below 0.03, WAXS above 1 1/angstrom. SAXS when nothing is known.
    """
    for word in ("usaxs", "waxs", "saxs"):
        if word in file_name.lower():
            return word.upper()
    # a detector called saxs serves USAXS too, at a longer distance
    if "waxs" in detector.name.lower():
        return "WAXS"
    largest = _largest_q(detector, beam)
    return "USAXS" if largest < _USAXS_BELOW else "WAXS" if largest > _WAXS_ABOVE else "SAXS"


def safe_name(text: str) -> str:
    """Reduce a text to letters, digits and ``+ - . _``, so that it is one part of a file name and nothing else."""
    name = re.sub(r"[^\w.+-]+", "_", unicodedata.normalize("NFC", text)).strip("._-")
    return name.encode()[:_LONGEST].decode(errors="ignore") or "unknown"


def _state(value: float, unit: str) -> str:
    return f"{np.format_float_positional(value, trim='-')}{unit}" if np.isfinite(value) else ""


def ring_names(q: Sequence[float], hkl: Sequence[str]) -> list[str]:
    """Return a name for each ring, each different: the reflection, or q with as many digits as that takes."""
    digits = 4
    while len({f"{value:.{digits}g}" for value in q}) < len(set(q)) and digits < 17:
        digits += 1
    names = [_reflection(label) if label else f"{value:.{digits}g}" for value, label in zip(q, hkl, strict=True)]
    return [f"{name}_ring{ring}" if names.count(name) > 1 else name for ring, name in enumerate(names, 1)]


def record_suffix(record: Record, kind: type[Result], plain: str | None = None) -> str:
    """Return what tells apart the files of several records of one kind, so that a later one renames none.

    It is nothing for the first name of records (or the one called ``plain``), the name without version for others, and
    the name with version for a record that is not the newest of its name.
    """
    alike = of_kind(record.container.records, kind)
    if record.number < max(other.number for other in alike if other.base == record.base):
        return f"_{record.name}"
    return "" if record.base == (alike[0].base if plain is None else plain) else f"_{record.base}"


def frame_suffix(frame: int | None) -> str:
    """Return what tells apart the files of the frames of a stack, nothing for the mean (None)."""
    return "" if frame is None else f"_frame{frame:05d}"


def _reflection(label: str) -> str:
    """``"1 1 0"`` becomes ``110``; indices that need more than a digit stay apart."""
    indices = label.split()
    return safe_name("".join(indices) if all(len(index) == 1 for index in indices) else "_".join(indices))


def _largest_q(detector: Detector, beam: Beam) -> float:
    y = max(detector.center_y - detector.offset_y, detector.rows - detector.center_y + detector.offset_y)
    x = max(detector.center_x - detector.offset_x, detector.columns - detector.center_x + detector.offset_x)
    two_theta = np.arctan(np.hypot(y * detector.pixel_size_y, x * detector.pixel_size_x) / detector.distance)
    return float(4 * np.pi * np.sin(two_theta / 2) / beam.wavelength)

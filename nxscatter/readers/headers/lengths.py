"""Lengths in HDF5 files: converted by their units, and never guessed without one."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nxscatter.errors import ReadError
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.files.hdf5 import Hdf5Source
from nxscatter.readers.files.hdf5_values import attribute
from nxscatter.readers.headers.keywords import Keywords
from nxscatter.readers.headers.missing import missing_note
from nxscatter.readers.headers.units import factor, parse_units, scaled

if TYPE_CHECKING:
    import h5py

_DESCRIPTIONS = ("NDAttrDescription", "description", "long_name")


@dataclass(frozen=True)
class Lengths:
    """Datasets read as lengths, by the rules of one file and one user.

    The unit is the dataset's ``units``, else the one of ``--units``, else one that its description names at the
    end ("detector distance, mm"), else ``default``; with none of these it is an error.
    """

    source: Hdf5Source
    options: ReadOptions
    notes: list[str]

    def read(self, group: h5py.Group | None, name: str, default: str = "") -> float:
        """Return a length above 0 in m; NaN with a note when the geometry may be missing."""
        value, unit = self._value(group, name, default)
        scale = factor(unit, "length") if unit else 1.0
        if scale is None:
            return self._unknown(f"dataset {name} has the unit '{unit}', which is no length", "--poni")
        if not math.isnan(value) and value <= 0:
            return self._unknown(f"dataset {name} = {value:g} must be above 0", "--poni")
        return scaled(value, scale)

    def center(self, group: h5py.Group | None, name: str, pixel_size: float, default: str = "") -> float:
        """Return a coordinate in pixels, from pixels or from a length measured from the image's edge."""
        value, unit = self._value(group, name, default)
        if not unit or factor(unit, "pixel") is not None:
            return value
        scale = factor(unit, "length")
        if scale is None:
            return self._unknown(f"dataset {name} has the unit '{unit}', which is no length", "--poni")
        return scaled(value, scale / pixel_size)

    def _value(self, group: h5py.Group | None, name: str, default: str) -> tuple[float, str]:
        """Return number and unit; NaN and "" when one is missing and that is allowed."""
        dataset = None if group is None else self.source.dataset(name, group)
        if dataset is None:
            return self._unknown(f"dataset {name} is missing", "--poni"), ""
        keys = Keywords(self.source.path.name, {name: self.source.value(name, group)}, self.notes)
        value = keys.number(name)
        if value is None:
            return self._unknown(f"dataset {name} is empty", "--poni"), ""
        unit = attribute(dataset, "units") or self._chosen(name) or self._described(dataset, name) or default
        if not unit:
            return self._unknown(f"dataset {name} = {value:g} has no units", "--units"), ""
        return value, unit

    def _chosen(self, name: str) -> str:
        chosen = parse_units(self.options.units)
        # the unit for all lengths is that of the set-up, not of the wavelength
        return chosen.get(name) or ("" if name == "wavelength" else chosen.get("", ""))

    def _described(self, dataset: h5py.Dataset, name: str) -> str:
        for key in _DESCRIPTIONS:
            match = re.search(r"[,(\[] *([A-Za-zµμÅ]+) *[)\]]?$", attribute(dataset, key))
            if match and (factor(match[1], "length") or factor(match[1], "pixel")):
                self.notes.append(f"dataset {name} has no units; '{match[1]}' is taken from its {key}")
                return match[1]
        return ""

    def _unknown(self, what: str, option: str) -> float:
        if not self.options.skip_calibration:
            raise ReadError(f"{self.source.path.name}: {what}; supply it with {option}")
        self.notes.append(missing_note(what, option))
        return math.nan

"""Lengths in HDF5 files: converted by their units, and never guessed without one."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nxscatter.errors import ReadError
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.files.hdf5 import Hdf5Source
from nxscatter.readers.files.hdf5_values import attribute
from nxscatter.readers.headers.keywords import Keywords
from nxscatter.readers.headers.missing import missing_note
from nxscatter.readers.headers.plausible import impossible
from nxscatter.readers.headers.units import chosen_unit, factor, same_unit, scaled

if TYPE_CHECKING:
    import h5py

_KINDS = {"distance": "distance", "pixel_size": "pixel size", "wavelength": "wavelength"}
_DESCRIPTIONS = ("NDAttrDescription", "description", "long_name")


def described_unit(dataset: h5py.Dataset, *kinds: str) -> tuple[str, str]:
    """Return the unit, of any of these kinds, at the end of a dataset's description, and the attribute that has it."""
    for key in _DESCRIPTIONS:
        match = re.search(r"[,(\[] *([A-Za-zµμÅ°]+) *[)\]]?$", attribute(dataset, key))
        if match and any(factor(match[1], kind) is not None for kind in kinds):
            return match[1], key
    return "", ""


@dataclass(frozen=True)
class Lengths:
    """Datasets read as lengths, by the rules of one file and one user.

    The unit is the dataset's ``units``, else one that its description names at the end ("detector distance, mm"),
    else the one of ``--units``, else ``default``; with none of these it is an error. So is a unit that ``--units``
    gives to a dataset which has another one.
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
        kind = next((kind for part, kind in _KINDS.items() if part in name), "")
        if kind and (problem := impossible(kind, value, unit or "m")):
            what = f"dataset {name} = {value:g} {problem}"
            return self._unknown(what, "--poni" if self._own(group, name) else "--units")
        return scaled(value, scale)

    def optional(self) -> Lengths:
        """Return the same for lengths that may be missing, without a note about them."""
        return Lengths(self.source, replace(self.options, skip_calibration=True), [])

    def told(self, group: h5py.Group | None, name: str, default: str = "") -> float:
        """Return a length (m) that is only compared with another one: NaN when there is none that can be read."""
        try:
            return self.optional().read(group, name, default)
        except ReadError:
            return math.nan

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
        own, chosen = self._own(group, name), chosen_unit(self.options.units, name)
        if own and chosen.named and not same_unit(own, chosen.named):
            raise ReadError(
                f"{self.source.path.name}: dataset {name} is in '{own}', --units says '{chosen.named}'; "
                f"leave {name} out of it"
            )
        unit = own or chosen.named or chosen.every or default
        if not unit:
            return self._unknown(f"dataset {name} = {value:g} has no units", "--units"), ""
        return value, unit

    def _own(self, group: h5py.Group | None, name: str) -> str:
        """Return the unit that the file itself tells, "" for none."""
        dataset = None if group is None else self.source.dataset(name, group)
        return "" if dataset is None else attribute(dataset, "units") or self._described(dataset, name)

    def _described(self, dataset: h5py.Dataset, name: str) -> str:
        unit, key = described_unit(dataset, "length", "pixel")
        note = f"dataset {name} has no units; '{unit}' is taken from its {key}"
        if unit and note not in self.notes:
            self.notes.append(note)
        return unit

    def _unknown(self, what: str, option: str) -> float:
        if not self.options.skip_calibration:
            raise ReadError(f"{self.source.path.name}: {what}; supply it with {option}")
        self.notes.append(missing_note(what, option))
        return math.nan

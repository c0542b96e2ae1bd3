"""Units of input files."""

from __future__ import annotations

import math

import pytest

from nxscatter.errors import ParameterError
from nxscatter.readers.headers.plausible import impossible
from nxscatter.readers.headers.units import chosen_unit, factor, parse_units, same_unit, scaled


@pytest.mark.parametrize(
    ("unit", "kind", "value"),
    [
        ("m", "length", 1.0),
        ("mm", "length", 1e-3),
        ("Millimetres", "length", 1e-3),
        ("µm", "length", 1e-6),
        ("Angstroms", "length", 1e-10),
        ("A", "length", 1e-10),
        ("deg", "angle", math.pi / 180),
        ("rad", "angle", 1.0),
        ("minutes", "time", 60.0),
        ("T", "field", 1000.0),
        ("millitesla", "field", 1.0),
        ("px", "pixel", 1.0),
        ("Pixels", "pixel", 1.0),
    ],
)
def test_units_are_known_as_files_spell_them(unit: str, kind: str, value: float) -> None:
    assert factor(unit, kind) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(("unit", "kind"), [("ms", "length"), ("furlong", "length"), ("", "length"), ("mm", "time")])
def test_a_unit_of_another_kind_is_none(unit: str, kind: str) -> None:
    assert factor(unit, kind) is None


def test_scaling_leaves_no_binary_dust() -> None:
    assert scaled(0.172, 1e-3) == 0.000172
    assert scaled(1 / 3, 1.0) == 1 / 3


def test_the_option_names_one_unit_or_several() -> None:
    assert parse_units("mm") == {"": "mm"}
    assert parse_units("distance=mm, wavelength=nm") == {"distance": "mm", "wavelength": "nm"}
    assert parse_units(None) == {}
    with pytest.raises(ParameterError, match=r"--units parsec.*angstrom"):
        parse_units("parsec")


@pytest.mark.parametrize(
    ("kind", "number", "unit", "message"),
    [
        ("wavelength", 1.54, "angstrom", ""),
        ("wavelength", 1.54, "m", "cannot be a wavelength in m, it looks like angstrom"),
        ("wavelength", 1e9, "m", "cannot be a wavelength in m"),
        ("distance", 31.0, "m", ""),
        ("distance", 3000.0, "m", "cannot be a distance in m, it looks like mm"),
        ("distance", 0.3, "mm", "cannot be a distance in mm, it looks like cm"),
        ("pixel size", 172, "um", ""),
        ("pixel size", 172, "m", "cannot be a pixel size in m, it looks like um"),
        ("pixel size", 0.172, "m", "cannot be a pixel size in m, it looks like mm"),
        ("pixel size", math.nan, "m", ""),
    ],
)
def test_lengths_that_cannot_be_are_told(kind: str, number: float, unit: str, message: str) -> None:
    assert impossible(kind, number, unit) == message


def test_units_are_chosen_by_any_name_of_a_quantity() -> None:
    assert chosen_unit("mm,wavelength=nm", "wavelength") == ("nm", "")
    assert chosen_unit("mm", "wavelength") == ("", "")
    assert chosen_unit("mm,distance=cm", "distance") == ("cm", "mm")
    assert chosen_unit("pixel_size=um", "pixel_size", "x_pixel_size") == ("um", "")
    assert same_unit("px", "Pixels")
    assert same_unit("millimetre", "mm")
    assert not same_unit("mm", "px")

"""What scripts rely on: names, arguments, defaults, attributes, and the shapes of what comes back."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nxscatter
from nxscatter import BatchAzimProfileExtraction, Mapping
from nxscatter.mapping import BESIDE
from nxscatter.simulate import Simulated

# Everything below is written from the manual, with its defaults; "*" ends what it knows, "container" is ours.
REQUIRED = inspect.Parameter.empty
FIT = {
    "beta_target": None,
    "plotflag": False,
    "printResults": False,
    "method": None,
    "prefix": "WAXS",
    "kinetic": False,
    "time": 0,
}
FIT_ALL = {"beta_target": None, "plot": True, "r2_threshold": 0.85, "prefix": "WAXS", "method": None}
RING = {"reflection": None, "qvalue": None}
SECTORS = {
    "nb_azim": 2,
    "offset": 0,
    "delta": 90,
    "width": 10,
    "prefix": "SAXS",
    "plot": True,
    "kinetic": False,
}
ZOOM = {"prefix": "WAXS", "vmin": None, "vmax": None, "qvalue": None, "zoom_factor": 4, "kinetic": False}

MAPPING = {
    "__init__": {
        "file": None,
        "cif_file": None,
        "instrument": "ID02",
        "reflections": None,
        "qvalues": None,
        "threshold": 0.0001,
        "binning": 2,
        "mask": None,
        "skipcalib": False,
        "mapping": False,
        "*": None,
        "container": BESIDE,
    },
    "plot2D": {"qcircle": 0.068, "plotqcircle": False, "vmin": 1, "vmax": 5},
    "plot2d_vsq": {
        "prefix": "SAXS",
        "qmin": 0,
        "qmax": 0.1,
        "vmin": -3,
        "vmax": 0,
        "qcircles": None,
        "show": False,
        "rotate": False,
        "cmap": "jet",
        "time": None,
    },
    "plotcomponents": {},
    "plot_savedata": {"path": REQUIRED, "vmin": 0, "vmax": 5, "prefix": "WAXS", "qvalue": None},
    "compute_datavsbeta": RING,
    "pixelindexes_constantq": RING,
    "pyFAI_extract_azimprofiles": {"qvalue": REQUIRED},
    "azim_profile_fit": FIT,
    "azim_profile_fit_MS": FIT,
    "caving": {"max_iter": 10},
    "export2sasview": {},
    "d_hkl": {"reflection": REQUIRED},
    "theta_hkl": {"reflection": REQUIRED},
    "q_hkl": {"reflection": REQUIRED},
    "save_radialprofiles": SECTORS,
    # named with the methods of the class, without arguments of their own in the manual
    "plot_azim_profiles": {"prefix": "WAXS", "method": None},
    "plot_savedata_zoom": ZOOM,
}
ATTRIBUTES = {
    *("wl", "D", "x_center", "z_center", "pixel_size_x", "pixel_size_z", "B", "samplename", "epoch"),
    *("data", "q_parr", "q_perp", "qx", "qy", "qz", "norm_Q", "thetaB", "beta", "phi"),
    *("lattice_parameters", "a", "b", "c", "alpha", "beta_lattice", "gamma", "atom_positions", "atom_elements"),
}
BATCH = {
    "__init__": {
        "path": REQUIRED,
        "cif": None,
        "reflections": None,
        "qvalues": None,
        "instrument": "ID02",
        "file_filter": "*_waxs*_raw.h5",
        "threshold": 0.0001,
        "binning": 2,
        "plotflag": False,
        "mask": None,
        "skipcalib": False,
        "mapping": False,
        "*": None,
        "container": BESIDE,
    },
    "fit_azimprofiles": FIT_ALL,
    "fit_azimprofiles_MS": FIT_ALL,
    "fit_azimprofiles_vs_time": FIT_ALL,
    "plot_save_azim_profiles_vs_B": {"prefix": "WAXS", "method": None},
    "plot_save_azim_profiles_vs_time": {"prefix": "WAXS", "method": None},
    "plot_savedata": {
        "prefix": "SAXS",
        "vmin": -3,
        "vmax": 0,
        "qmin": 0,
        "qmax": 0.15,
        "qcircles": None,
        "cmap": "jet",
        "kinetic": False,
    },
    "plot_savedata_zoom": ZOOM,
    "save_radialprofiles": SECTORS,
    "build_timearray": {},
    "extract_titles": {},
    # the fourth of a field and a time variant of either model
    "fit_azimprofiles_MS_vs_time": FIT_ALL,
}


def arguments(function: Callable[..., Any]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, item in inspect.signature(function).parameters.items():
        if item.kind is item.KEYWORD_ONLY:
            found.setdefault("*", None)
        if name != "self":
            found[name] = item.default
    return found


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        (kind, name, expected)
        for kind, table in ((Mapping, MAPPING), (BatchAzimProfileExtraction, BATCH))
        for name, expected in table.items()
    ],
)
def test_arguments_have_their_order_and_defaults(kind: type, name: str, expected: dict[str, object]) -> None:
    found = arguments(getattr(kind, name))
    assert list(found.items()) == list(expected.items())
    assert [type(default) for default in found.values()] == [type(default) for default in expected.values()]


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def test_the_classes_have_these_names_and_no_others() -> None:
    assert public(Mapping) == {name for name in MAPPING if name != "__init__"} | ATTRIBUTES | {"container"}
    assert public(BatchAzimProfileExtraction) == {name for name in BATCH if name != "__init__"}
    assert {"Mapping", "BatchAzimProfileExtraction"} <= set(nxscatter.__all__)


@pytest.mark.parametrize("kind", [Mapping, BatchAzimProfileExtraction])
def test_every_name_says_what_it_is(kind: type) -> None:
    assert [name for name in public(kind) if not inspect.getdoc(getattr(kind, name))] == []


@pytest.fixture(scope="module")
def data(id02_file: Simulated) -> Mapping:
    return Mapping(id02_file.path, qvalues=[0.05, 0.068], binning=4, container=None)


def test_maps_have_the_shape_of_the_data(data: Mapping) -> None:
    assert data.data.shape == (128, 120)
    for name in ("q_parr", "q_perp", "qx", "qy", "qz", "norm_Q", "thetaB", "beta", "phi"):
        values = getattr(data, name)
        assert values.shape == data.data.shape, name
        assert np.isfinite(values).all(), name


def test_numbers_are_plain_numbers(data: Mapping) -> None:
    for name in ("wl", "D", "x_center", "z_center", "pixel_size_x", "pixel_size_z", "B", "epoch"):
        assert type(getattr(data, name)) is float, name
    assert type(data.samplename) is str


def test_without_a_crystal_its_attributes_are_none(data: Mapping) -> None:
    names = ("lattice_parameters", "a", "b", "c", "alpha", "beta_lattice", "gamma", "atom_positions", "atom_elements")
    assert [getattr(data, name) for name in names] == [None] * 9


@pytest.mark.parametrize(("method", "length"), [("azim_profile_fit", 9), ("azim_profile_fit_MS", 8)])
def test_fits_are_lists_of_numbers_by_ring(data: Mapping, method: str, length: int) -> None:
    found = getattr(data, method)()
    assert list(found) == ["0.05", "0.068"]
    for values in found.values():
        assert [type(value) for value in values] == [float] * length


def test_profiles_are_pairs_of_arrays(data: Mapping) -> None:
    beta, intensity = data.compute_datavsbeta(qvalue=0.05)
    index = data.pixelindexes_constantq(qvalue=0.05)
    assert beta.ndim == 1
    assert beta.shape == intensity.shape
    assert index.shape == (len(beta), 2)
    assert index.dtype.kind == "i"
    chi, intensity = data.pyFAI_extract_azimprofiles(0.05)
    assert chi.shape == intensity.shape == (360,)


@pytest.mark.slow
def test_methods_that_write_or_draw_return_nothing_but_the_map_its_path(id02_file: Simulated, tmp_path: Path) -> None:
    data = Mapping(id02_file.path, qvalues=0.05, binning=4, container=tmp_path)
    png = data.plot2d_vsq()
    assert type(png) is str
    assert Path(png).is_file()
    for name in ("plot2D", "plotcomponents", "plot_azim_profiles", "caving", "save_radialprofiles", "export2sasview"):
        assert getattr(data, name)() is None, name
    for name, values in (("plot_savedata", (tmp_path,)), ("plot_savedata_zoom", ())):
        assert getattr(data, name)(*values) is None, name

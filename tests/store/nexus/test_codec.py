"""Every kind of result comes back from the file as it was."""

import dataclasses
import hashlib
import typing
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nxscatter import results
from nxscatter.model import Attachment, Beam, Detector, Exposure, Sample
from nxscatter.results import Result
from nxscatter.science.fitting.models import models
from nxscatter.store.nexus import hdf5
from nxscatter.store.nexus.codec import (
    read_attachment,
    read_result,
    read_values,
    write_attachment,
    write_json,
    write_result,
    write_values,
)
from nxscatter.store.nexus.tree import Group

CLASSES = [kind for kind in vars(results).values() if isinstance(kind, type) and issubclass(kind, Result)]
KINDS = [kind for kind in CLASSES if not kind.__subclasses__()]
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
PLACES = ("q", "q_width", "radial_q", "bins", "theta_bragg")  # where something was measured: always known
NUMBERS = st.floats(width=64) | st.integers(-5, 5).map(float)
SETTINGS = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


def compare(one, other):
    """Equality of field values, NaN equal to NaN, dtype kept."""
    if isinstance(one, np.ndarray):
        other = np.asarray(other)
        assert one.dtype.kind == other.dtype.kind
        assert one.shape == other.shape
        np.testing.assert_array_equal(one, other)
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            compare(one[key], other[key])
    elif isinstance(one, float) and np.isnan(one):
        assert np.isnan(other)
    else:
        assert type(one) is type(other)
        assert one == other


def record_of(result, **options):
    """A record with a result, and the name of what it shows first."""
    record = Group("/record", NX_class="NXprocess")
    return record, write_result(record, result, **options)


def through_file(group, path="memory", **options):
    """What comes back when a group was written into a file."""
    with h5py.File(path, "w", **(options or {"driver": "core", "backing_store": False})) as file:
        hdf5.write(file, group.path.strip("/"), group)
        return hdf5.read(file, group.path)


def stored(kind):
    return [item for item in dataclasses.fields(kind) if item.metadata.get("stored", False)]


@st.composite
def result_of(draw, kind):
    """Any value of a result class: sizes, optional parts and the frame axis included."""
    hints = typing.get_type_hints(kind)
    sizes = {name: draw(st.integers(0, 3)) for name in ("row", "ring", "pixel", "peak")}
    sizes["curve"] = sizes["row"]  # of a table with one row a ring
    sizes |= {name: draw(st.integers(1, 4)) for name in ("bin", "x", "y", "radial_q", "frame", "sector")}
    if any(item.metadata["name"] == "{angle}" for item in stored(kind)):
        sizes["ring"] = max(1, sizes["ring"])
    stack = draw(st.booleans())
    names = draw(st.lists(st.sampled_from(["y0", "I", "kappa", "slope"]), unique=True))
    values: dict[str, Any] = {}
    for item in stored(kind):
        hint = hints[item.name]
        shape = tuple(
            sizes.setdefault(dim.rstrip("?"), draw(st.integers(1, 3)))
            for dim in item.metadata["dims"]
            if stack or not dim.endswith("?")
        )
        options = typing.get_args(hint)
        if type(None) in options and draw(st.booleans()):
            values[item.name] = None
            continue
        if item.name in ("angle", "units"):
            values[item.name] = draw(st.sampled_from({"angle": ["chi", "beta"], "units": ["counts"]}[item.name]))
        elif typing.get_origin(hint) is tuple:
            values[item.name] = tuple(draw(st.lists(TEXTS, min_size=shape[0], max_size=shape[0])))
        elif item.name in ("ring", "frame", "peak"):
            values[item.name] = np.arange(shape[0]) + 1
        elif item.name in PLACES:
            values[item.name] = draw(hnp.arrays(float, shape, elements=st.floats(0, 100)))
        elif item.name in ("values", "errors"):
            values[item.name] = {name: draw(hnp.arrays(float, shape, elements=NUMBERS)) for name in ["x0", *names]}
        elif hint in (int, float, str, bool):
            number = st.floats(0.1, 100) if kind is results.Geometry else NUMBERS
            values[item.name] = draw({int: st.integers(1, 9), float: number, str: TEXTS, bool: st.booleans()}[hint])
        elif "numpy.integer" in str(hint):
            values[item.name] = draw(hnp.arrays(draw(st.sampled_from([np.uint16, np.int64])), shape))
        else:
            kinds = st.sampled_from([np.float32, np.float64])
            values[item.name] = draw(hnp.arrays(draw(kinds), shape, elements=st.floats(width=32)))
    return kind(**values)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_result_comes_back(kind):
    @SETTINGS
    @given(result=result_of(kind))
    def round_trip(result):
        record, default = record_of(result)
        assert record[default].attrs["NX_class"] == "NXdata"
        back = read_result(through_file(record), kind)
        for item in stored(kind):
            compare(getattr(result, item.name), getattr(back, item.name))

    round_trip()


def test_all_results_are_tried():
    names = {"Geometry", "Image", "Rings", "Profiles", "PixelProfiles", "Fits", "Orientation"}
    assert names <= {kind.__name__ for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_number_in_the_file_has_the_declared_units(kind):
    declared = {item.name: item.metadata["units"] for item in stored(kind)}

    @settings(SETTINGS, max_examples=3)
    @given(result=result_of(kind))
    def units(result):
        record, _ = record_of(result)
        for group in filter(None, (record.get("details"), record.get(kind.group))):
            for name, field in group.members.items():
                if declared.get(name):
                    assert field.attrs["units"] == declared[name]

    units()


@pytest.mark.parametrize(("model", "expected"), [("pseudo_voigt", "counts*degree"), ("maier_saupe", "counts")])
def test_a_fitted_intensity_has_the_units_of_its_line(model, expected):
    @settings(SETTINGS, max_examples=1)
    @given(result=result_of(results.Fits))
    def check(result):
        columns = {name: np.zeros(len(result.frame)) for name in ("I", "x0", "kappa")}
        units = models()[model].units
        fits = dataclasses.replace(result, model=model, values=columns, errors=columns, parameter_units=units)
        for scale in ("counts", "1/m"):
            record, _ = record_of(dataclasses.replace(fits, units=scale))
            for name in ("I", "I_errors"):
                assert record["table"][name].attrs["units"] == expected.replace("counts", scale)
            assert record["table"]["x0"].attrs["units"] == "degree"
            assert "units" not in record["table"]["kappa"].attrs

    check()


def test_large_images_and_tables_come_back(tmp_path):
    image = np.random.default_rng(0).normal(size=(300, 301)).astype(np.float32)
    image[5] = np.nan
    for compression in ("bitshuffle", "gzip"):
        made = results.Image(intensity=image, flags=np.isnan(image).astype(np.uint16), frames=3)
        record, _ = record_of(made, compression=compression)
        with h5py.File(tmp_path / f"{compression}.h5", "w") as file:
            hdf5.write(file, "record", record)
            back = read_result(hdf5.read(file, "record"), results.Image)
            assert (file["record/image/intensity"].compression == "gzip") == (compression == "gzip")
        np.testing.assert_array_equal(back.intensity, image)
        np.testing.assert_array_equal(back.flags, made.flags)
        assert (back.frames, back.variance, back.stage) == (3, None, None)


@pytest.mark.parametrize(
    "value",
    [
        Beam(1.0),
        Beam(0.77, 0.95),
        Detector("eiger Å", 20, 30, 1.5, 1e-4, 2e-4, 3.5, float("nan"), dummy=-1.0, orientation=3),
        Sample("Co12"),
        Exposure(time=np.array([0.5, 0.5]), elapsed=np.array([0, 2.0])),
        Exposure(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_model_values_come_back(value):
    group = Group("/g")
    write_values(group, value)
    back = read_values(through_file(group), type(value))
    for item in dataclasses.fields(value):
        compare(getattr(value, item.name), getattr(back, item.name))


@pytest.mark.parametrize(
    "attachment",
    [
        Attachment("mask.edf", np.eye(7, 5, dtype=np.uint8), "mask"),
        Attachment("stack.h5", np.arange(24.0, dtype=np.float32).reshape(2, 3, 4), "dark"),
        Attachment("x.cif", "data_x\n_cell_length_a 5.43(1) # Å\n", "cif"),
        Attachment("empty.txt", "", ""),
    ],
    ids=lambda attachment: attachment.name,
)
@pytest.mark.parametrize("compression", ["bitshuffle", "gzip"])
def test_embedded_files_come_back(attachment, compression):
    home = Group("/home")
    write_attachment(home, "note", attachment, compression)
    note = through_file(home)["note"]
    assert note["checksum"].value == attachment.sha256
    assert read_attachment(note) == attachment


def test_json_notes_come_back_with_their_hash(tmp_path):
    value = {"b": [1, 2.5, None], "a": "Å"}
    home = Group("/home")
    write_json(home, "note", value)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        hdf5.write(file, "home", home)
        assert hdf5.read_json(file, "home/note") == value
        assert hdf5.read_text(file, "home/note/data") == '{"a":"Å","b":[1,2.5,null]}'
        assert file["home/note/checksum"].asstr()[()] == hashlib.sha256(file["home/note/data"][()]).hexdigest()

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from nxscatter.catalogue.facts import Fact, about, content_hash, facts, last_change, measured, parameters, software
from nxscatter.store.container import Container
from nxscatter.store.writer import creating
from nxscatter.workflow import runner
from support import toy
from support.catalogue_case import toy_container


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    with toy_container(tmp_path_factory.mktemp("facts")) as container:
        yield container


def in_file(box: Container, path: str) -> object:
    """What stands at a path, read without the package."""
    with h5py.File(box.path) as file:
        value = file[path][()]
    if isinstance(value, bytes):
        return value.decode()
    values = [item.decode() if isinstance(item, bytes) else item for item in np.ravel(value).tolist()]
    return values[0] if len(values) == 1 else values


def test_every_value_is_the_one_at_its_path(box: Container) -> None:
    known = facts(box)
    assert len(known) > 20
    for name, fact in known.items():
        if name == "frames":
            with h5py.File(box.path) as file:
                assert fact.value == len(file[fact.path])
        elif name == "count_time":
            assert in_file(box, fact.path) == [fact.value] * toy.FRAMES
        else:
            assert fact.value == in_file(box, fact.path), name


def test_values_and_units_of_the_known_measurement(box: Container) -> None:
    known = {name: (fact.value, fact.unit) for name, fact in facts(box).items()}
    expected = {
        "wavelength": (1.0, "angstrom"),
        "distance": (3.0, "m"),
        "pixel_size_x": (1e-4, "m"),
        "center_x": (15.0, "pixel"),
        "center_y": (12.0, "pixel"),
        "sample_name": ("Co", ""),
        "magnetic_field": (100.0, "mT"),
        "count_time": (1.0, "s"),
        "frames": (3, ""),
        "S": ([0.1, 0.2], ""),
        "S_error": ([0.01, 0.02], ""),
        "S_q": ([0.05, 0.07], "1/angstrom"),
        "S_status": (["ok", "isotropic"], ""),
        "input_sha256": ("ab" * 32, ""),
    }
    assert {name: known[name] for name in expected} == expected


def test_what_is_unknown_is_absent(box: Container) -> None:
    known = facts(box)
    assert not {"end_time", "instrument", "source_name", "P4", "center_x_error"} & set(known)


def test_the_geometry_of_a_record_replaces_that_of_the_source(box: Container) -> None:
    assert facts(box)["distance"].path == "/entry/toy_geometry_v1/details/distance"
    assert measured(box)["distance"].path == "/entry/instrument/detector/distance"
    assert {"beam_center_x", "beam_center_y"} <= set(measured(box))
    assert not {"beam_center_x", "beam_center_y", "S"} & (set(facts(box)) - {"S"})


def test_parameters_carry_units_and_paths(box: Container) -> None:
    path = "/entry/toy_profiles_v1/parameters/q"
    assert parameters(box.record("toy_profiles_v1")) == {"q": Fact([0.05, 0.07], "1/angstrom", path)}


def test_what_a_step_chose_by_itself_is_marked(box: Container) -> None:
    known = parameters(box.record("toy_masking_v1"))
    chosen = known["auto_threshold"]
    assert known["threshold"].value == 1e9
    assert chosen.value == np.mean(np.asarray(toy.scan().frames), axis=0).max()
    assert chosen.unit == "counts"
    assert f'"threshold":{chosen.value}' in str(in_file(box, chosen.path))


def test_order_parameters_of_a_record_with_a_name_of_its_own_start_with_it(tmp_path: Path) -> None:
    box = toy.make(tmp_path / "rods.nxs")
    runner.run(box, toy.ToyOrder(), name="inner")
    known = facts(box)
    assert known["inner_S"].path == "/entry/inner_v1/table/S"
    assert known["S"].path == "/entry/toy_order_v1/table/S"


def test_the_newest_version_of_a_record_speaks(tmp_path: Path) -> None:
    box = toy.make(tmp_path / "rods.nxs")
    runner.run(box, toy.ToyOrder(), force=True)
    assert facts(box)["S"].path == "/entry/toy_order_v2/table/S"


def test_programs_are_named_with_their_versions(box: Container) -> None:
    environment = box.records[0].environment
    listed = software(box)
    assert listed[0] == f"nxscatter {environment['nxscatter']}"
    assert f"numpy {environment['numpy']}" in listed
    assert not any(environment["platform"] in one for one in listed)


def test_without_records_the_converter_is_the_program(tmp_path: Path) -> None:
    box = toy.make(tmp_path / "rods.nxs", records=False)
    assert len(software(box)) == 1
    assert software(box)[0].startswith("nxscatter ")
    assert last_change(box).timestamp() == pytest.approx(box.path.stat().st_mtime, abs=1e-3)


def test_a_measurement_in_words(box: Container) -> None:
    known = facts(box)
    assert about(known) == "X-ray scattering of Co at 100 mT"
    del known["magnetic_field"]
    assert about(known) == "X-ray scattering of Co"


def test_the_content_hash_tells_content_from_dates(tmp_path: Path) -> None:
    first, second = toy.make(tmp_path / "a.nxs"), toy.make(tmp_path / "b.nxs")
    assert [one.date for one in first.records] != [one.date for one in second.records]
    assert content_hash(first) == content_hash(second)
    with creating(tmp_path / "c.nxs", toy.scan()) as writer:
        steps = [(step, name, chosen) for step, name, chosen in toy.chain() if name != "toy_caving"]
        runner.run_steps(writer, [*steps[:2], (toy.ToyCaving(fill=8.0), "toy_caving", {}), *steps[2:]])
    assert content_hash(Container(tmp_path / "c.nxs")) != content_hash(first)
    assert content_hash(toy.make(tmp_path / "d.nxs", seed=1)) != content_hash(first)
    assert content_hash(toy.make(tmp_path / "e.nxs", records=False)) != content_hash(first)

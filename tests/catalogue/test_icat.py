from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from support.catalogue_case import HOST, ICAT, toy_container, write_profile

pytest.importorskip("pyicat_plus", reason="needs the extra 'icat'")

from nxscatter.catalogue.facts import facts
from nxscatter.catalogue.plan import catalogue
from nxscatter.catalogue.profile import NOT_STATED
from nxscatter.errors import ParameterError
from nxscatter.store.container import Container

NAMESPACE = "{http://www.esrf.fr/icat}"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    with toy_container(tmp_path_factory.mktemp("icat")) as container:
        yield container


@pytest.fixture(scope="module")
def message(box: Container, tmp_path_factory: pytest.TempPathFactory) -> ElementTree.Element:
    folder = tmp_path_factory.mktemp("message")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("socket.getfqdn", lambda *_: HOST)
        (path,) = catalogue([box.path], folder, ["icat"], write_profile(folder, ICAT))
    assert HOST not in path.read_text("utf-8")
    return ElementTree.fromstring(path.read_bytes())


def fields(message: ElementTree.Element) -> dict[str, str]:
    found = {}
    for one in message.iter(f"{NAMESPACE}parameter"):
        found[one.findtext(f"{NAMESPACE}name", "")] = one.findtext(f"{NAMESPACE}value", "")
    return found


def test_the_message_says_where_it_belongs(message: ElementTree.Element, box: Container) -> None:
    texts = {one.tag.removeprefix(NAMESPACE): one.text for one in message}
    assert (texts["investigation"], texts["instrument"], texts["name"]) == ("sc1234", "id02", "rods")
    assert texts["location"] == NOT_STATED
    assert texts["startDate"] == "2026-01-02T03:04:05Z"
    assert str(texts["endDate"]).removesuffix("Z") == box.records[-1].date.removesuffix("+00:00")


def test_only_fields_of_the_definitions_are_used(message: ElementTree.Element) -> None:
    from pyicat_plus.metadata.definitions import load_icat_fields

    known = {field.field_name for field in load_icat_fields().iter_fields()}
    assert set(fields(message)) <= known


def test_numbers_are_those_of_the_container_in_the_units_of_the_definitions(
    message: ElementTree.Element, box: Container
) -> None:
    found, known = fields(message), facts(box)
    assert float(found["InstrumentDetector01_x_pixel_size"]) == pytest.approx(known["pixel_size_x"].value * 1e6)
    assert float(found["InstrumentDetector01_distance"]) == known["distance"].value == 3.0
    assert float(found["InstrumentDetector01_beam_center_x"]) == pytest.approx(15 * 1e-4)
    assert float(found["InstrumentDetector01_beam_center_y"]) == pytest.approx(12 * 1e-4)
    assert found["SAXS_waveLength"] == "1.0 angstrom"
    assert found["SAXS_numberFrames"] == "3"
    assert found["SAXS_timePerFrame"] == "1.0 s"
    assert found["Sample_name"] == "Co"
    assert found["SAXS_comments"] == (
        "order parameter S = [0.1,0.2] (/entry/toy_order_v1/table/S), "
        "S_error = [0.01,0.02] (/entry/toy_order_v1/table/S_errors)"
    )


def test_folders_at_the_facility_come_from_the_profile(box: Container, tmp_path: Path) -> None:
    profile = write_profile(tmp_path, ICAT, 'path = "/data/visitor/sc1234/p"\nraw = "/data/visitor/sc1234/r"\n')
    (path,) = catalogue([box.path], tmp_path, ["icat"], profile)
    found = fields(ElementTree.fromstring(path.read_bytes()))
    assert (found["location"], found["input_datasets"]) == ("/data/visitor/sc1234/p", "/data/visitor/sc1234/r")


def test_a_folder_that_is_not_absolute_is_refused(box: Container, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"profile\.toml: ICAT refuses a value .*absolute"):
        catalogue([box.path], tmp_path, ["icat"], write_profile(tmp_path, ICAT, 'path = "data"\n'))
    assert not (tmp_path / "rods_icat.xml").exists()


def test_what_is_missing_is_named(box: Container, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"proposal \(proposal, such as sc1234\), dataset"):
        catalogue([box.path], tmp_path, ["icat"], write_profile(tmp_path, '[icat]\nbeamline = "id02"\n'))


def test_several_files_have_names_of_their_own(box: Container, tmp_path: Path) -> None:
    second = tmp_path / "second.nxs"
    second.write_bytes(box.path.read_bytes())
    written = catalogue([box.path, second], tmp_path, ["icat"], write_profile(tmp_path, ICAT))
    names = [fields(ElementTree.fromstring(path.read_bytes()))["datasetName"] for path in written]
    assert names == ["rods_rods", "rods_second"]

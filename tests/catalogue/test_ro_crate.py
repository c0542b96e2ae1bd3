import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import h5py
import numpy as np
import pytest

from support import toy
from support.catalogue_case import CONTEXT, CRATE, HOST, ORCID, SCICAT, USER, toy_container, validate, write_profile

pytest.importorskip("rocrate", reason="needs the extra 'catalogue'")

from nxscatter.catalogue import pictures
from nxscatter.catalogue.plan import catalogue
from nxscatter.catalogue.profile import CrateProfile
from nxscatter.catalogue.ro_crate import write_crate
from nxscatter.errors import ContainerError, ParameterError
from nxscatter.store.container import Container

Graph = dict[str, dict[str, Any]]
__all__ = ["validate"]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    with toy_container(tmp_path_factory.mktemp("crate")) as container:
        yield container


@pytest.fixture(scope="module")
def full(box: Container, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A crate with everything: exports, author, publisher and licence."""
    folder = tmp_path_factory.mktemp("full")
    (crate,) = catalogue([box.path], folder, ["ro-crate"], write_profile(folder, CRATE), author=ORCID)
    return crate


@pytest.fixture(scope="module")
def graph(full: Path) -> Graph:
    return graph_of(full)


@pytest.fixture(scope="module")
def plain(box: Container, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A crate without any profile."""
    return write_crate(box, tmp_path_factory.mktemp("plain") / "crate", CrateProfile(), {})


def graph_of(crate: Path) -> Graph:
    content = json.loads((crate / "ro-crate-metadata.json").read_text("utf-8"))
    assert content["@context"] == CONTEXT
    return {one["@id"]: one for one in content["@graph"]}


def ids(value: Any) -> list[str]:
    return [one["@id"] for one in (value if isinstance(value, list) else [value])]


PROFILES = ("ro-crate-1.1", "process-run-crate-0.5")


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
def test_a_crate_without_a_profile_has_all_that_is_required(
    plain: Path, validate: Callable[[Path, str, str], list[str]], profile: str
) -> None:
    assert validate(plain, profile, "REQUIRED") == []


@pytest.mark.slow
@pytest.mark.parametrize("profile", PROFILES)
def test_a_crate_with_a_profile_has_all_that_is_recommended(
    full: Path, validate: Callable[[Path, str, str], list[str]], profile: str
) -> None:
    assert validate(full, profile, "RECOMMENDED") == []


@pytest.mark.slow
def test_the_validator_of_these_tests_finds_what_is_missing(
    plain: Path, validate: Callable[[Path, str, str], list[str]], tmp_path: Path
) -> None:
    assert any("author" in one for one in validate(plain, PROFILES[0], "RECOMMENDED"))
    content = (plain / "ro-crate-metadata.json").read_text("utf-8")
    (tmp_path / "ro-crate-metadata.json").write_text(content.replace('"license"', '"licence"'), "utf-8")
    (tmp_path / "rods.nxs").write_bytes(b"")
    assert any("license" in one for one in validate(tmp_path, PROFILES[0], "REQUIRED"))


@pytest.mark.slow
def test_a_crate_without_records_is_valid_too(tmp_path: Path, validate: Callable[[Path, str, str], list[str]]) -> None:
    crate = write_crate(toy.make(tmp_path / "rods.nxs", records=False), tmp_path / "crate", CrateProfile(), {})
    assert validate(crate, PROFILES[0], "REQUIRED") == []


def test_the_crate_holds_the_container_as_it_is(full: Path, box: Container, graph: Graph) -> None:
    assert (full / "rods.nxs").read_bytes() == box.path.read_bytes()
    assert ids(graph["./"]["mainEntity"]) == ["rods.nxs"]
    assert graph["rods.nxs"]["contentSize"] == str(box.path.stat().st_size)
    assert all((full / one).is_file() for one in ids(graph["./"]["hasPart"]))


def test_every_record_is_an_action(box: Container, graph: Graph) -> None:
    assert ids(graph["./"]["mentions"]) == [f"#{record.name}" for record in box.records]
    for record in box.records:
        action = graph[f"#{record.name}"]
        (instrument,) = ids(action["instrument"])
        assert action["@type"] == "CreateAction"
        assert action["endTime"] == record.date
        assert graph[instrument]["@type"] == "SoftwareApplication"
        assert graph[instrument]["softwareVersion"] == record.program_version
        assert ids(action["agent"]) == [f"https://orcid.org/{ORCID}"]
        assert ids(action["result"]) == ["rods.nxs", f"#{record.name}/result"]
        assert graph[f"#{record.name}/result"]["identifier"] == f"sha256:{record.result_hash}"


def test_the_chain_of_records_is_the_chain_of_actions(graph: Graph) -> None:
    assert ids(graph["#toy_geometry_v1"]["object"]) == ["#input"]
    assert "#toy_masking_v1/result" in ids(graph["#toy_caving_v1"]["object"])
    assert {"#toy_caving_v1/result", "#toy_geometry_v1/result"} < set(ids(graph["#toy_profiles_v1"]["object"]))
    assert graph["#input"]["name"] == "a_raw.h5"
    assert graph["#input"]["identifier"] == f"sha256:{'ab' * 32}"


def test_a_file_that_a_step_used_is_named_with_its_checksum(graph: Graph) -> None:
    inputs = [graph[one] for one in ids(graph["#toy_masking_v1"]["object"])]
    (mask,) = [one for one in inputs if one["name"] == "mask.edf"]
    assert mask["@type"] == "CreativeWork"
    assert mask["identifier"] == f"sha256:{toy.MASK.sha256}"


def test_notes_of_a_step_are_in_its_action(graph: Graph) -> None:
    assert graph["#toy_masking_v1"]["description"].endswith("Note: careful.")


def test_every_number_is_the_one_at_its_path(box: Container, graph: Graph) -> None:
    numbers = [one for one in graph.values() if one["@type"] == "PropertyValue"]
    assert len(numbers) > 25
    with h5py.File(box.path) as file:
        for one in numbers:
            dataset = file[one["propertyID"]]
            if one["name"] == "frames":
                assert one["value"] == len(dataset)
                continue
            stored = dataset[()]
            if one["name"].startswith("auto_"):
                configuration = json.loads(stored)
                assert one["value"] == configuration["auto"][one["name"].removeprefix("auto_")]
                continue
            texts = [item.decode() if isinstance(item, bytes) else item for item in np.ravel(stored).tolist()]
            value = one["value"]
            if isinstance(value, str) and value.startswith("["):
                assert json.loads(value) == texts
            else:
                assert [value] * len(texts) == texts
            assert one.get("unitText", "") == dataset.attrs.get("units", "")


def test_tables_and_a_picture_go_with_it(full: Path, graph: Graph) -> None:
    (picture,) = ids(graph["./"]["image"])
    assert (full / picture).read_bytes().startswith(b"\x89PNG")
    kinds = {graph[one]["encodingFormat"] for one in ids(graph["./"]["hasPart"])}
    assert {"text/csv", "image/png", "application/x-hdf5"} <= kinds


def test_author_publisher_and_licence_come_from_the_profile(graph: Graph) -> None:
    root = graph["./"]
    (author,), (publisher,), (licence,) = ids(root["author"]), ids(root["publisher"]), ids(root["license"])
    assert graph[author]["name"] == "Ada Lovelace"
    assert ids(graph[author]["affiliation"]) == [publisher]
    assert graph[publisher]["name"] == "Analytical Society"
    assert licence == "https://spdx.org/licenses/CC-BY-4.0"


def test_without_a_licence_the_crate_says_so_and_names_nobody(plain: Path) -> None:
    found = graph_of(plain)
    (licence,) = ids(found["./"]["license"])
    assert found[licence]["@type"] == "CreativeWork"
    assert "No licence was stated" in found[licence]["description"]
    assert not {"Person", "Organization"} & {str(one["@type"]) for one in found.values()}


@pytest.mark.parametrize(
    ("text", "ident"),
    [
        ("CC0-1.0", "https://spdx.org/licenses/CC0-1.0"),
        ("MIT", "https://spdx.org/licenses/MIT"),
        ("https://example.org/terms", "https://example.org/terms"),
        ("Ask the owner.", "#licence"),
        ("proprietary", "#licence"),
    ],
)
def test_licences_by_name_url_or_sentence(box: Container, tmp_path: Path, text: str, ident: str) -> None:
    found = graph_of(write_crate(box, tmp_path / "crate", CrateProfile(licence=text), {}))
    assert ids(found["./"]["license"]) == [ident]
    assert found[ident]["name"] == text


def test_organisations_by_url(box: Container, tmp_path: Path) -> None:
    profile = CrateProfile(author="Ada Lovelace", publisher="https://ror.org/02550n020", affiliation="Home")
    found = graph_of(write_crate(box, tmp_path / "crate", profile, {}))
    assert found["https://ror.org/02550n020"]["url"] == "https://ror.org/02550n020"
    assert ids(found["#author"]["affiliation"]) == ["#affiliation"]


def test_a_crate_as_zip_by_option_and_by_name(box: Container, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "_FORMATS", ())
    written = [
        *catalogue([box.path], tmp_path / "by option", ["ro-crate"], zipped=True),
        *catalogue([box.path], tmp_path / "by name" / "mine.zip", ["ro-crate"]),
    ]
    assert [path.name for path in written] == ["rods_ro_crate.zip", "mine.zip"]
    for path in written:
        with zipfile.ZipFile(path) as crate:
            assert {"ro-crate-metadata.json", "rods.nxs"} == set(crate.namelist())
            assert crate.read("rods.nxs") == box.path.read_bytes()
    with pytest.raises(ParameterError, match="name a folder"):
        catalogue([box.path], tmp_path / "two.zip", ["ro-crate", "scicat"], write_profile(tmp_path, SCICAT))


def test_a_crate_is_replaced_whole_and_nothing_else_is(box: Container, tmp_path: Path) -> None:
    crate = tmp_path / "crate"
    write_crate(box, crate, CrateProfile(), {"exports/old.csv": write_profile(tmp_path).rename(tmp_path / "old.csv")})
    write_crate(box, crate, CrateProfile(), {})
    assert not (crate / "exports").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    with pytest.raises(ContainerError, match="is no crate"):
        write_crate(box, tmp_path / "mine", CrateProfile(), {})
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years"


def test_a_place_that_cannot_be_written_is_named(box: Container, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ContainerError, match=r"file/crate: cannot be written"):
        write_crate(box, tmp_path / "file" / "crate", CrateProfile(), {})


def test_names_with_spaces_and_letters_of_any_alphabet(box: Container, tmp_path: Path) -> None:
    odd = tmp_path / "fil d'or µ {1}.nxs"
    odd.write_bytes(box.path.read_bytes())
    (tmp_path / "é à.csv").write_text("q\n")
    crate = write_crate(Container(odd), tmp_path / "crate", CrateProfile(), {"exports/é à.csv": tmp_path / "é à.csv"})
    assert (crate / odd.name).read_bytes() == odd.read_bytes()
    assert (crate / "exports" / "é à.csv").is_file()
    assert graph_of(crate)[quote(odd.name)]["name"] == odd.name


def test_nothing_personal_is_in_the_crate_and_its_exports(full: Path, box: Container) -> None:
    files = [path for path in full.rglob("*") if path.is_file()]
    assert len(files) > 5
    private = (USER, HOST, str(box.path.parent), str(full.parent), str(Path.home()) + "/", str(Path.cwd()))
    found = [(text, path.name) for path in files for text in private if text.encode() in path.read_bytes()]
    assert found == []


def test_a_crate_is_described_the_same_way_again(box: Container, plain: Path, tmp_path: Path) -> None:
    again, before = graph_of(write_crate(box, tmp_path / "crate", CrateProfile(), {})), graph_of(plain)
    for found in (again, before):
        del found["./"]["datePublished"]
    assert list(again.items()) == list(before.items())

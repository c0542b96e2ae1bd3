import importlib.util
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from support.catalogue_case import CRATE, HOST, ICAT, ORCID, SCICAT, USER, toy_container, write_profile

pytest.importorskip("scitacean", reason="needs the extra 'catalogue'")
pytest.importorskip("rocrate", reason="needs the extra 'catalogue'")

from nxscatter.catalogue import pictures
from nxscatter.catalogue.pictures import thumbnails
from nxscatter.catalogue.plan import catalogue, plan
from nxscatter.cli import run
from nxscatter.errors import CatalogueError, ContainerError, ParameterError
from nxscatter.store.container import Container


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    with toy_container(tmp_path_factory.mktemp("catalogue")) as container:
        yield container


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No exports: figures take their time."""
    monkeypatch.setattr(pictures, "_FORMATS", ())


@pytest.mark.usefixtures("quick")
def test_one_call_writes_all_formats(box: Container, tmp_path: Path) -> None:
    written = catalogue([box.path], tmp_path / "new", profile=write_profile(tmp_path, SCICAT, CRATE))
    assert [path.name for path in written] == ["rods_scicat.json", "rods_ro_crate"]
    assert all(path.exists() for path in written)


def test_thumbnails_of_the_first_figures_are_small_pictures(tmp_path: Path) -> None:
    files = [tmp_path / f"fit_of_ring_{number}.png" for number in range(1, 7)]
    for path in files:
        Image.new("RGB", (1200, 600), "white").save(path)
    made = thumbnails([tmp_path / "table.csv", *files])
    assert [one.caption for one in made] == [f"fit of ring {number}" for number in range(1, 5)]
    for one in made:
        with Image.open(io.BytesIO(one.png)) as picture:
            assert picture.size == (320, 160)


@pytest.mark.parametrize(
    ("formats", "words"),
    [(["zenodo"], ("zenodo", "scicat, ro-crate, icat")), (["scicat"], ("owner_group", "--profile"))],
)
def test_nothing_is_written_when_something_is_missing(
    box: Container, tmp_path: Path, formats: list[str], words: tuple[str, ...]
) -> None:
    with pytest.raises(ParameterError) as caught:
        catalogue([box.path], tmp_path / "new", formats)
    assert all(word in str(caught.value) for word in words)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [("scicat", "scitacean", "catalogue"), ("ro-crate", "rocrate", "catalogue"), ("icat", "pyicat_plus", "icat")],
)
def test_a_package_that_is_not_installed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str, extra: str
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda one: None if one == package else True)
    with pytest.raises(ParameterError) as caught:
        plan([], tmp_path, [name])
    assert str(caught.value) == f'format {name} needs {package}: pip install "nxscatter[{extra}]"'


def test_records_of_the_same_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="same name"):
        plan([tmp_path / "a" / "x.nxs", tmp_path / "b" / "x.nxs"], tmp_path, ["ro-crate"])


def test_upload_sends_scicat_records_only(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="add scicat to --format"):
        plan([tmp_path / "x.nxs"], tmp_path, ["ro-crate"], upload="https://scicat.example.org")


def test_places_that_are_not_given_are_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    plan([tmp_path / "x.nxs"], tmp_path, ["scicat"], write_profile(tmp_path, SCICAT))
    (warning,) = caplog.messages
    assert warning == "profile.toml: [scicat] source_folder is not given, the record says /not-stated"
    caplog.clear()
    plan([tmp_path / "x.nxs"], tmp_path, ["scicat"], write_profile(tmp_path, SCICAT, 'source_folder = "/data"\n'))
    assert caplog.messages == []


def test_options_replace_the_profile(tmp_path: Path) -> None:
    made = plan([], tmp_path, ["ro-crate"], write_profile(tmp_path, CRATE), author=ORCID, licence="CC0-1.0")
    assert made.profile.ro_crate.orcid == f"https://orcid.org/{ORCID}"
    assert made.profile.ro_crate.licence == "CC0-1.0"
    assert made.profile.ro_crate.publisher == "Analytical Society"


def test_a_file_that_is_no_container_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.nxs").write_text("no HDF5")
    with pytest.raises(ContainerError, match=r"x\.nxs"):
        catalogue([tmp_path / "x.nxs"], tmp_path / "out", ["ro-crate"])


@pytest.mark.usefixtures("quick")
def test_nothing_personal_is_written(tmp_path: Path) -> None:
    formats = ["scicat", "ro-crate", *(["icat"] if importlib.util.find_spec("pyicat_plus") else [])]
    (tmp_path / "place").mkdir()
    with toy_container(tmp_path / "place") as box:
        profile = write_profile(tmp_path, SCICAT, 'principal_investigator = "C. B."\ncreation_location = "L"', ICAT)
        written = catalogue([box.path], tmp_path / "out", formats, profile, raw=True)
    files = [one for path in written for one in ([path] if path.is_file() else path.rglob("*")) if one.is_file()]
    assert len(files) >= 4
    private = (USER, HOST, str(tmp_path), str(Path.home()) + "/", str(Path.cwd()))
    found = [(text, path.name) for path in files for text in private if text.encode() in path.read_bytes()]
    assert found == []


@pytest.mark.usefixtures("quick")
def test_the_command_prints_what_it_wrote(box: Container, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["catalogue", str(box.path), "-o", str(tmp_path), "--format", "ro-crate", "--author", ORCID, "--zip"]
    assert run(arguments) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'rods_ro_crate.zip'}\n"


def test_the_command_names_what_is_missing(box: Container, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["catalogue", str(box.path), "-o", str(tmp_path), "--format", "scicat"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "owner_group" in error


@pytest.mark.usefixtures("quick")
def test_a_bad_file_among_several_does_not_stop_the_others(
    box: Container, tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    bad = tmp_path / "bad.nxs"
    bad.write_text("no HDF5")
    with caplog.at_level(logging.ERROR):
        code = run(["catalogue", str(bad), str(box.path), "-o", str(tmp_path / "out"), "--format", "ro-crate"])
    assert code == 1
    assert capsys.readouterr().out == f"{tmp_path / 'out' / 'rods_ro_crate'}\n"
    assert (tmp_path / "out" / "rods_ro_crate" / "ro-crate-metadata.json").is_file()


@pytest.mark.usefixtures("quick")
def test_a_server_that_refuses_leaves_the_records_and_fails(
    box: Container, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from nxscatter.catalogue.upload import Server

    def refuse(*_: object) -> None:
        raise CatalogueError("https://x.org: refuses the record")

    monkeypatch.setenv("NXSCATTER_SCICAT_TOKEN", "secret")
    monkeypatch.setattr(Server, "upload", refuse)
    profile = write_profile(tmp_path, SCICAT)
    arguments = ["catalogue", str(box.path), "-o", str(tmp_path), "--format", "scicat", "--profile", str(profile)]
    assert run([*arguments, "--upload", "https://x.org"]) == 2
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path / 'rods_scicat.json'}\n"
    assert "refuses the record" in captured.err
    assert json.loads((tmp_path / "rods_scicat.json").read_text("utf-8"))["type"] == "derived"

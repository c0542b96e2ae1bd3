import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import scicat_backend as backend_of
from support import toy
from support.catalogue_case import SCICAT, toy_container, write_profile

pytest.importorskip("scitacean", reason="needs the extra 'catalogue'")

from scitacean.testing.client import FakeClient

from nxscatter.catalogue import pictures
from nxscatter.catalogue import upload as sending
from nxscatter.catalogue.pictures import Picture
from nxscatter.catalogue.plan import catalogue, plan
from nxscatter.catalogue.profile import NOT_STATED, Profile, read_profile
from nxscatter.catalogue.scicat import SciCatRecord, derived_record, raw_record, write_json
from nxscatter.catalogue.upload import TOKEN, Server
from nxscatter.errors import CatalogueError, ParameterError
from nxscatter.store.container import Container

MORE = """
principal_investigator = "Charles Babbage"
creation_location = "ESRF:ID02"
"""
PICTURES = (Picture("fit of ring 1", b"\x89PNG 1"), Picture("fit of ring 2", b"\x89PNG 2"))


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    with toy_container(tmp_path_factory.mktemp("scicat")) as container:
        yield container


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return read_profile(write_profile(tmp_path_factory.mktemp("profile"), SCICAT, MORE))


@pytest.fixture(scope="module")
def record(box: Container, profile: Profile) -> SciCatRecord:
    return derived_record(box, profile, PICTURES)


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[backend_of.Backend]:
    monkeypatch.setenv(TOKEN, backend_of.TOKEN)
    with backend_of.serving() as running:
        yield running


@pytest.fixture
def server(backend: backend_of.Backend) -> Server:
    return Server(backend.url, Server.connect(backend.url).client, pause=lambda _: None)


def values_of(value: Any) -> Iterator[dict[str, Any]]:
    """Every object with a value, and a failure for a number that stands alone."""
    if isinstance(value, dict) and "value" in value:
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from values_of(one)
    else:
        raise AssertionError(f"{value!r} has no path")


def test_the_record_is_what_the_backend_takes(record: SciCatRecord) -> None:
    content = record.to_json()
    blocks, shown = content.pop("origdatablocks"), content.pop("attachments")
    assert backend_of.dataset_problems(content) == []
    assert backend_of.problems({**blocks[0], "datasetId": "x"}, backend_of.ORIG_DATABLOCK) == []
    assert all(backend_of.problems(one, backend_of.ATTACHMENT) == [] for one in shown)


def test_the_backend_of_these_tests_refuses_what_is_wrong(record: SciCatRecord) -> None:
    good = json.loads(record.dataset.model_dump_json(exclude_none=True))
    assert backend_of.dataset_problems(good) == []
    for changes in ({"owner_group": "g"}, {"keywords": "a"}, {"contactEmail": "ada"}, {"creationTime": "today"}):
        assert backend_of.dataset_problems({**good, **changes}) != []
    del good["sourceFolder"]
    assert backend_of.dataset_problems(good) == ["sourceFolder should not be empty"]


def test_the_record_tells_what_was_done(box: Container, record: SciCatRecord) -> None:
    content = record.to_json()
    assert content["type"] == "derived"
    assert content["datasetName"] == "Co_100mT"
    assert content["inputDatasets"] == [f"sha256:{'ab' * 32}"]
    assert content["owner"] == "Ada Lovelace"
    assert content["principalInvestigators"] == ["Charles Babbage"]
    assert content["sourceFolder"] == NOT_STATED
    assert set(content["jobParameters"]) == {one.name for one in box.records}
    assert content["jobParameters"]["toy_profiles_v1"]["q"] == {
        "value": [0.05, 0.07],
        "unit": "1/angstrom",
        "path": "/entry/toy_profiles_v1/parameters/q",
    }
    assert content["scientificMetadata"]["magnetic_field"]["value"] == 100.0
    assert content["scientificMetadata"]["magnetic_field"]["unit"] == "mT"
    assert content["scientificMetadata"]["S"]["value"] == [0.1, 0.2]
    assert any(one.startswith("nxscatter ") for one in content["usedSoftware"])


def test_every_number_names_its_path(record: SciCatRecord, box: Container) -> None:
    content = record.to_json()
    found = [*values_of(content["scientificMetadata"]), *values_of(content["jobParameters"])]
    assert len(found) > 20
    with box.opened() as file:
        assert all(one["path"] in file for one in found)


def test_files_have_sizes_and_checksums(record: SciCatRecord, box: Container) -> None:
    (block,) = record.to_json()["origdatablocks"]
    (file,) = block["dataFileList"]
    content = box.path.read_bytes()
    assert block["chkAlg"] == "sha256"
    assert (file["path"], file["size"]) == (box.path.name, len(content))
    assert file["chk"] == hashlib.sha256(content).hexdigest()
    assert not {"uid", "gid", "perm"} & set(file)


def test_pictures_are_in_the_record(record: SciCatRecord) -> None:
    shown = record.to_json()["attachments"]
    assert [one["caption"] for one in shown] == ["fit of ring 1", "fit of ring 2"]
    head, _, data = shown[0]["thumbnail"].partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data) == PICTURES[0].png


def test_equal_records_are_equal_files(box: Container, profile: Profile, tmp_path: Path) -> None:
    one, two = (write_json(derived_record(box, profile), tmp_path / name) for name in ("a", "b"))
    assert one.read_bytes() == two.read_bytes()


def test_inputs_by_identifier(box: Container, tmp_path: Path) -> None:
    def inputs(text: str) -> list[str]:
        path = write_profile(tmp_path, SCICAT, text)
        return list(derived_record(box, read_profile(path)).to_json()["inputDatasets"])

    assert inputs('input_pid = "20.500/raw-1"') == ["20.500/raw-1"]
    assert inputs('input_pid = { "a_raw.h5" = "20.500/raw-2" }') == ["20.500/raw-2"]
    with pytest.raises(ParameterError, match=r"no entry for a_raw\.h5"):
        inputs('input_pid = { "b.h5" = "20.500/raw-2" }')


def test_one_identifier_for_several_files_is_refused(tmp_path: Path) -> None:
    path = write_profile(tmp_path, SCICAT, 'input_pid = "20.500/raw-1"')
    with pytest.raises(ParameterError, match="one for 2 files"):
        plan([tmp_path / "a.nxs", tmp_path / "b.nxs"], tmp_path, ["scicat"], path)


def test_a_raw_record_describes_the_input(box: Container, profile: Profile) -> None:
    content = raw_record(box, profile).to_json()
    assert backend_of.dataset_problems(content) == []
    assert content["type"] == "raw"
    assert content["datasetName"] == "a_raw.h5"
    assert content["creationTime"] == "2026-01-02T03:04:05Z"
    assert content["scientificMetadata"]["input_sha256"]["value"] == "ab" * 32
    assert content["scientificMetadata"]["wavelength"]["path"] == "/entry/instrument/monochromator/wavelength"
    assert "S" not in content["scientificMetadata"]


def test_a_raw_record_asks_for_what_the_file_lacks(box: Container, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"principal_investigator .*creation_location"):
        raw_record(box, read_profile(write_profile(tmp_path, SCICAT)))


def test_a_value_that_scicat_refuses_is_named(box: Container, tmp_path: Path) -> None:
    path = write_profile(tmp_path, SCICAT.replace("ada@example.org", "ada"))
    with pytest.raises(ParameterError, match=r"profile\.toml: SciCat's contactEmail cannot be 'ada'"):
        derived_record(box, read_profile(path))


def test_upload_to_the_fake_client_is_idempotent(record: SciCatRecord, monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient.from_token(url="https://scicat.invalid", token="x")

    def query_datasets(fields: dict[str, Any]) -> list[Any]:  # the fake has no queries
        return [known for known in client.datasets.values() if set(fields["keywords"]) & set(known.keywords or ())]

    monkeypatch.setattr(client.scicat, "query_datasets", query_datasets)
    server = Server("https://scicat.invalid", client)
    pid = server.upload(record)
    assert server.upload(record) == pid
    (dataset,) = client.datasets.values()
    assert dataset.scientificMetadata == record.dataset.scientificMetadata
    assert (dataset.numberOfFiles, dataset.size) == (1, record.files[0].size)
    assert [one.caption for one in client.attachments[pid]] == ["fit of ring 1", "fit of ring 2"]


def test_upload_sends_everything_once(server: Server, backend: backend_of.Backend, record: SciCatRecord) -> None:
    pid = str(server.upload(record))
    assert str(server.upload(record)) == pid
    assert list(backend.datasets) == [pid]
    assert [block["datasetId"] for block in backend.blocks] == [pid]
    assert [one["relationships"][0]["targetId"] for one in backend.attachments] == [pid, pid]
    assert base64.b64decode(backend.attachments[0]["thumbnail"].partition(",")[2]) == PICTURES[0].png


def test_another_run_with_the_same_content_is_not_uploaded_again(
    server: Server, backend: backend_of.Backend, record: SciCatRecord, profile: Profile, tmp_path: Path
) -> None:
    again = derived_record(toy.make(tmp_path / "again.nxs"), profile)
    other = derived_record(toy.make(tmp_path / "other.nxs", seed=1), profile)
    assert server.upload(again) == server.upload(record)
    assert server.upload(other) != server.upload(record)
    assert len(backend.datasets) == 2


@pytest.mark.parametrize("carried_out", [False, True], ids=["not carried out", "carried out"])
@pytest.mark.parametrize("number", [0, 1, 2, 3], ids=["dataset", "files", "picture 1", "picture 2"])
def test_a_failure_that_passes_leaves_nothing_out_and_nothing_double(
    server: Server, backend: backend_of.Backend, record: SciCatRecord, number: int, carried_out: bool
) -> None:
    backend.fails = lambda post: (503, carried_out) if post == number else None
    pid = str(server.upload(record))
    assert list(backend.datasets) == [pid]
    assert len(backend.blocks) == 1
    assert [one["caption"] for one in backend.attachments] == ["fit of ring 1", "fit of ring 2"]


def test_a_repeat_goes_on_where_a_failure_stopped(
    server: Server, backend: backend_of.Backend, record: SciCatRecord
) -> None:
    backend.fails = lambda post: (500, False) if post > 0 else None
    with pytest.raises(CatalogueError):
        server.upload(record)
    (pid,) = backend.datasets
    assert not backend.blocks
    backend.fails = lambda _: None
    assert str(server.upload(record)) == pid
    assert len(backend.datasets) == len(backend.blocks) == 1
    assert len(backend.attachments) == 2


def test_a_server_that_fails_for_good_is_given_up_after_a_few_attempts(
    backend: backend_of.Backend, record: SciCatRecord
) -> None:
    waited: list[float] = []
    server = Server(backend.url, Server.connect(backend.url).client, pause=waited.append)
    backend.fails = lambda _: (500, False)
    with pytest.raises(CatalogueError) as caught:
        server.upload(record)
    assert waited == [1.0, 2.0, 4.0]
    assert backend.url in str(caught.value)
    assert "500" in str(caught.value)
    assert "same command again" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_refused_record_is_not_sent_again(backend: backend_of.Backend, server: Server, record: SciCatRecord) -> None:
    backend.post = lambda kind, body: (400, {"message": ["ownerGroup should not be empty"]})  # type: ignore[method-assign]
    with pytest.raises(CatalogueError, match=r"refuses the record \(400 Bad Request.*ownerGroup.*mend the profile"):
        server.upload(record)
    assert backend.posts == 1


def test_a_wrong_token_is_said_and_never_shown(
    backend: backend_of.Backend, record: SciCatRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN, "mistaken-token")
    with pytest.raises(CatalogueError, match=rf"refuses the token in {TOKEN} \(401") as caught:
        Server.connect(backend.url).upload(record)
    assert "mistaken-token" not in str(caught.value)


def test_a_server_that_is_not_there_loses_nothing(
    box: Container, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with backend_of.serving() as gone:
        url = gone.url
    monkeypatch.setenv(TOKEN, backend_of.TOKEN)
    monkeypatch.setattr(sending, "_PAUSES", ())
    monkeypatch.setattr(pictures, "_FORMATS", ())
    with pytest.raises(CatalogueError, match=r"does not answer.*same command again"):
        catalogue([box.path], tmp_path, ["scicat"], write_profile(tmp_path, SCICAT), upload=url)
    assert backend_of.dataset_problems(_plain(tmp_path / "rods_scicat.json")) == []


@pytest.mark.parametrize("answer", ["welcome", [1], {"datasets": 0}])
def test_an_answer_that_is_not_from_scicat_is_said(
    backend: backend_of.Backend, server: Server, record: SciCatRecord, answer: Any
) -> None:
    backend.get = lambda *_: (200, answer)  # type: ignore[method-assign]
    with pytest.raises(CatalogueError, match=f"{backend.url}: does not answer as a SciCat server"):
        server.upload(record)
    assert backend.posts == 0


def test_a_server_that_ignores_the_query_does_not_pass_off_another_record(
    backend: backend_of.Backend, server: Server, record: SciCatRecord
) -> None:
    other = {"pid": "20.500/other", "keywords": ["nxscatter"]}
    get = backend.get
    backend.get = lambda path, query: (200, [other]) if "fullquery" in path else get(path, query)  # type: ignore[method-assign]
    assert str(server.upload(record)) in backend.datasets


def test_one_command_writes_and_sends_the_input_first(
    box: Container, backend: backend_of.Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "_FORMATS", ())  # figures take their time
    profile = write_profile(tmp_path, SCICAT, MORE)
    for _ in range(2):
        written = catalogue([box.path], tmp_path, ["scicat"], profile, upload=backend.url, raw=True)
    assert [path.name for path in written] == ["rods_scicat.json", "rods_scicat_raw.json"]
    raw, derived = backend.datasets.values()
    assert (raw["type"], derived["type"]) == ("raw", "derived")
    assert derived["inputDatasets"] == [raw["pid"]]
    assert _plain(written[0])["inputDatasets"] == [f"sha256:{'ab' * 32}"]


@pytest.mark.parametrize(
    "url", ["http://scicat.example.org", "scicat.example.org", "https://", "https://[::1", "ftp://x"]
)
def test_an_unsafe_address_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "x")
    with pytest.raises(ParameterError, match="https://"):
        Server.connect(url)


def test_without_a_token_nothing_is_written(box: Container, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN, raising=False)
    with pytest.raises(ParameterError, match=TOKEN):
        catalogue([box.path], tmp_path / "out", ["scicat"], write_profile(tmp_path, SCICAT), upload="https://x.org")
    assert not (tmp_path / "out").exists()


def test_an_expired_token_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = base64.urlsafe_b64encode(b'{"exp": 1000000000}').decode().rstrip("=")
    monkeypatch.setenv(TOKEN, f"{payload}.{payload}.x")
    with pytest.raises(CatalogueError, match="expired"):
        Server.connect("https://scicat.example.org")


def _plain(path: Path) -> dict[str, Any]:
    """The dataset in a record's file, without its parts."""
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return {key: value for key, value in content.items() if key not in ("origdatablocks", "attachments")}

import json
import string
import tomllib
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscatter.catalogue.profile import Profile, check_orcid, read_profile, schema
from nxscatter.errors import ParameterError
from nxscatter.store.validate import schema_path
from support.catalogue_case import CRATE, ICAT, ORCID, write_profile


def test_all_sections_are_read(tmp_path: Path) -> None:
    more = '[scicat]\naccess_groups = ["a", "b"]\ninput_pid = { "a_raw.h5" = "20.5/x" }\n'
    profile = read_profile(write_profile(tmp_path, more, CRATE, ICAT))
    assert profile.scicat.access_groups == ("a", "b")
    assert profile.scicat.input_pid == {"a_raw.h5": "20.5/x"}
    assert profile.ro_crate.licence == "CC-BY-4.0"
    assert profile.icat.proposal == "SC1234"


def test_no_profile_is_an_empty_one() -> None:
    assert read_profile(None) == Profile()


def test_what_is_missing_is_named_with_its_meaning_and_the_remedy(tmp_path: Path) -> None:
    profile = read_profile(write_profile(tmp_path, '[scicat]\nowner = "Ada Lovelace"\n'))
    with pytest.raises(ParameterError) as caught:
        profile.require("scicat")
    message = str(caught.value)
    assert "owner_group (group that owns the record)" in message
    assert "contact_email" in message
    assert "owner (" not in message
    assert "[scicat]" in message
    assert "--profile" in message
    assert "\n" not in message


@pytest.mark.parametrize("section", ["scicat", "icat"])
def test_without_a_profile_everything_that_is_needed_is_named(section: str) -> None:
    needed = {"scicat": ("owner", "owner_group", "contact_email"), "icat": ("beamline", "proposal", "dataset")}
    with pytest.raises(ParameterError) as caught:
        Profile().require(section)
    assert all(f"{key} (" in str(caught.value) for key in needed[section])


def test_a_crate_needs_nothing() -> None:
    Profile().require("ro_crate")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[scicat]\nownr = 'x'\n", ("ownr", "owner_group", "profile.toml")),
        ("[zenodo]\nx = 1\n", ("zenodo", "ro_crate")),
        ("scicat = 3\n", ("[scicat]",)),
        ("[scicat]\nowner = 3\n", ("owner", "give a text")),
        ("[scicat]\naccess_groups = 'a'\n", ("access_groups", "list")),
        ("[scicat]\ninput_pid = { a = 1 }\n", ("input_pid",)),
        ("[scicat\n", ("TOML", "profile.toml")),
        ("[ro_crate]\norcid = '0000-0002-1825-0098'\n", ("checksum", "7")),
    ],
)
def test_a_bad_profile_is_refused_in_one_line(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ParameterError) as caught:
        read_profile(write_profile(tmp_path, text))
    assert all(word in str(caught.value) for word in words)
    assert "\n" not in str(caught.value)


def test_a_profile_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"none\.toml: No such file"):
        read_profile(tmp_path / "none.toml")


@pytest.mark.parametrize("number", [ORCID, "0000-0001-5109-3700", "0000-0002-1694-233X", "0000-0002-9079-593X"])
def test_published_orcids_pass_in_every_form(number: str) -> None:
    for text in (number, f"https://orcid.org/{number}", f"http://orcid.org/{number}", f" {number.lower()} "):
        assert check_orcid(text) == f"https://orcid.org/{number}"


@given(place=st.sampled_from([i for i in range(19) if i not in (4, 9, 14)]), digit=st.sampled_from(string.digits))
def test_one_wrong_digit_is_always_found(place: int, digit: str) -> None:
    wrong = ORCID[:place] + digit + ORCID[place + 1 :]
    if wrong == ORCID:
        assert check_orcid(wrong).endswith(ORCID)
    else:
        with pytest.raises(ParameterError, match="checksum"):
            check_orcid(wrong)


@pytest.mark.parametrize(
    "text", ["", "Ada Lovelace", "0000-0002-1825-00977", "0000000218250097", "X000-0002-1825-0097"]
)
def test_what_is_no_orcid_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="sixteen digits"):
        check_orcid(text)


def test_the_schema_is_the_generated_one() -> None:
    stored = json.loads(schema_path("json/catalogue_profile.json").read_text("utf-8"))
    command = (
        "python -c 'import json; from nxscatter.catalogue.profile import schema; "
        "print(json.dumps(schema(), indent=1))' > schemas/json/catalogue_profile.json"
    )
    assert stored == schema(), f"run: {command}"


@pytest.mark.parametrize(("text", "good"), [(CRATE, True), (ICAT, True), ("[icat]\nbeamlin = 'x'\n", False)])
def test_the_schema_agrees_with_the_reader(tmp_path: Path, text: str, good: bool) -> None:
    validator = jsonschema.Draft202012Validator(schema())
    assert validator.is_valid(tomllib.loads(text)) == good
    if good:
        read_profile(write_profile(tmp_path, text))


def test_places_that_are_not_given_are_named(tmp_path: Path) -> None:
    profile = read_profile(write_profile(tmp_path, ICAT, 'path = "/data"\n'))
    assert profile.unstated(["scicat", "icat"]) == ["[scicat] source_folder", "[icat] raw"]
    assert profile.unstated(["ro_crate"]) == []

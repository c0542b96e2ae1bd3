"""Markup: whatever is not markup is text, wherever it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscatter.store.markup import Markup, element, facts, join, table
from support.page import parse

HOSTILE = "</td><script>alert(1)</script>\"' onload=x & <b>"


@given(st.text(alphabet=st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Z"])))
def test_any_text_comes_back_as_it_was(text: str) -> None:
    found = parse(element("p", text, title=text)).one("p")
    assert found.text == text
    assert found["title"] == text
    assert len(list(found.walk())) == 1


def test_markup_stays_what_it_is() -> None:
    assert element("p", element("b", "a"), Markup("&amp;"), "&") == "<p><b>a</b>&amp;&amp;</p>"
    assert join(["<", Markup("<br>")]) == "&lt;<br>"


def test_attributes() -> None:
    made = element("a", http_equiv="x", class_="y", hidden=True, open=False, viewBox="0 0 1 1")
    assert made == '<a http-equiv="x" class="y" hidden viewBox="0 0 1 1"></a>'
    assert element("img", alt="") == '<img alt="">'


def test_control_characters_become_visible() -> None:
    assert element("p", "a\0b\x1b[31m\n") == "<p>a␀b␛[31m\n</p>"


@pytest.mark.parametrize(
    "make", [lambda: table((HOSTILE,), [(HOSTILE,)], HOSTILE), lambda: facts([(HOSTILE, HOSTILE)])]
)
def test_tables_escape_all_they_are_given(make) -> None:
    page = parse(make())
    assert not page.all("script")
    assert {one.text for tag in ("th", "td", "caption") for one in page.all(tag)} <= {HOSTILE}


def test_a_table_tells_what_its_cells_belong_to() -> None:
    made = parse(table(("q", "S"), [("0.05", "0.6"), ("0.07", "0.3")], "results"))
    assert made.one("caption").text == "results"
    assert made.one("table").cells() == [["q", "S"], ["0.05", "0.6"], ["0.07", "0.3"]]
    assert [one["scope"] for one in made.all("th")] == ["col", "col", "row", "row"]


def test_facts_leave_out_what_is_not_known() -> None:
    assert parse(facts([("a", "1"), ("b", "")])).one("table").cells() == [["a", "1"]]

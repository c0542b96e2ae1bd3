"""HTML and SVG made of escaped pieces: whatever is not `Markup` already is text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

_EMPTY = frozenset({"br", "img", "meta"})  # elements that have no end tag in HTML


class Markup(str):
    """A text that is HTML."""

    __slots__ = ()


def element(tag: str, /, *content: str, **attributes: str | bool) -> Markup:
    """Return an element; texts are escaped, and so are attributes.

    Parameters
    ----------
    tag : str
        Name of the element.
    *content : str or Markup
        What is inside.
    **attributes : str or bool
        True: an attribute without value; False: none. A ``_`` stands for ``-``, one at the end is dropped.

    Examples
    --------
    >>> element("p", "a < b", element("br"), class_="note", hidden=True)
    '<p class="note" hidden>a &lt; b<br></p>'
    """
    said = "".join(_attribute(name, value) for name, value in attributes.items())
    end = "" if tag in _EMPTY else f"</{tag}>"
    return Markup(f"<{tag}{said}>{join(content)}{end}")


def join(content: Iterable[str]) -> Markup:
    """Return pieces one after the other."""
    return Markup("".join(piece if isinstance(piece, Markup) else escape(_printable(piece)) for piece in content))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> Markup:
    """Return a table whose first column names the rows."""
    titles = element("tr", *(element("th", title, scope="col") for title in head))
    lines = [
        element(
            "tr",
            *(element("td", cell) if number else element("th", cell, scope="row") for number, cell in enumerate(row)),
        )
        for row in rows
    ]
    described = [element("caption", caption)] if caption else []
    return element("table", *described, element("thead", titles), element("tbody", *lines))


def facts(pairs: Iterable[tuple[str, str]], caption: str = "") -> Markup:
    """Return a table of names and values; a value that is "" is left out."""
    rows = [element("tr", element("th", name, scope="row"), element("td", value)) for name, value in pairs if value]
    described = [element("caption", caption)] if caption else []
    return element("table", *described, element("tbody", *rows), class_="facts")


def _attribute(name: str, value: str | bool) -> str:
    name = name.rstrip("_").replace("_", "-")
    if isinstance(value, bool):
        return f" {name}" if value else ""
    return f' {name}="{escape(_printable(value))}"'


def _printable(text: str) -> str:
    """Show control characters, which HTML does not allow, as their pictures."""
    return "".join(chr(0x2400 + ord(letter)) if letter < " " and letter not in "\t\n\r" else letter for letter in text)

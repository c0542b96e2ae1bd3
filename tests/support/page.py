"""A web page as a tree, made by the standard library's parser: what the tests of HTML look into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

EMPTY = {"br", "img", "meta", "link", "input", "hr"}


@dataclass
class Node:
    """An element; texts stand among its children."""

    tag: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        value = self.attributes[name]
        return "" if value is None else value

    @property
    def text(self) -> str:
        return "".join(one if isinstance(one, str) else one.text for one in self.children)

    @property
    def classes(self) -> list[str]:
        return (self.attributes.get("class") or "").split()

    def walk(self) -> Iterator[Node]:
        yield self
        for one in self.children:
            if isinstance(one, Node):
                yield from one.walk()

    def all(self, tag: str, class_: str = "", **attributes: str) -> list[Node]:
        """Elements below this one, in their order."""
        return [
            one
            for one in self.walk()
            if one is not self
            and one.tag == tag
            and (not class_ or class_ in one.classes)
            and all(one.attributes.get(name) == value for name, value in attributes.items())
        ]

    def one(self, tag: str, class_: str = "", **attributes: str) -> Node:
        (found,) = self.all(tag, class_, **attributes)
        return found

    def cells(self) -> list[list[str]]:
        """Texts of a table, head first."""
        return [[one.text for one in row.children if isinstance(one, Node)] for row in self.all("tr")]


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Node("")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute of {tag} stands twice"
        node = Node(tag, dict(attrs))
        self.open[-1].children.append(node)
        if tag not in EMPTY:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag, f"{tag} ends where something else is open"

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parse(html: str) -> Node:
    """Read a page; one whose elements are not closed in order is refused."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    (root,) = parser.open
    return root

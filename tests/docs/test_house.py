"""The page of the house: its wings are those of the package, its modules exist."""

from __future__ import annotations

import re
from pathlib import Path

import nxscatter

ROOT = Path(__file__).parents[2]
PACKAGE = Path(nxscatter.__file__).parent
PAGE = (ROOT / "docs" / "house.md").read_text("utf-8")


def test_its_drawing_has_every_wing_of_the_package() -> None:
    drawn = re.findall(r"^ +│  (\w+) {2,}\w", PAGE, re.MULTILINE)
    ground = drawn.pop().split()
    assert ground == ["errors"]
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert set(drawn) == folders
    assert len(drawn) == 12


def test_the_modules_that_it_names_exist() -> None:
    named = re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.py)?|[a-z_]+\.py)`", PAGE)
    assert len(named) > 20
    assert [name for name in named if not (PACKAGE / name).exists() and not (ROOT / name).exists()] == []


def test_its_links_lead_somewhere() -> None:
    for page in (ROOT / "docs").glob("*.md"):
        for link in re.findall(r"\]\(([\w./-]+)\)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"

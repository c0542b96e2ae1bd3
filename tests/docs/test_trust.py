"""The page of what a number stands on tells every status."""

from __future__ import annotations

import re
from pathlib import Path

from nxscatter.results.base import STATUSES

PAGE = (Path(__file__).parents[2] / "docs" / "trust.md").read_text("utf-8")


def test_every_status_has_a_row_with_a_remedy() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|(.+)\|$", PAGE, re.MULTILINE))
    assert set(rows) == set(STATUSES)
    assert all(row.rsplit("|", 1)[-1].strip() for status, row in rows.items() if status != "ok")

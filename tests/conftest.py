"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real detector files; tests that need them skip where it is absent."""
    folder = Path(os.environ.get("NXSCATTER_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real files here: {folder} does not exist (set NXSCATTER_TEST_DATA)")
    return folder

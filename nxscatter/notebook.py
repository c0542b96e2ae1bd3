"""What a notebook shows of a container and of a record: small tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

"""CIFs for tests."""

from __future__ import annotations

from collections.abc import Sequence


def cif(lengths: Sequence[object] = (5.43, 5.43, 5.43), angles: Sequence[object] = (90, 90, 90), more: str = "") -> str:
    """A CIF of one block ``x`` with a cell and further lines."""
    keys = [f"_cell_length_{name}" for name in "abc"] + [f"_cell_angle_{name}" for name in ("alpha", "beta", "gamma")]
    return (
        "data_x\n"
        + "\n".join(f"{key} {value}" for key, value in zip(keys, (*lengths, *angles), strict=True))
        + f"\n{more}\n"
    )

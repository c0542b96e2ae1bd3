"""Names of files that are no UTF-8, as old machines wrote them, from the raw file to every output."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from nxscatter import simulate
from nxscatter.cli import run
from nxscatter.output.table import rows
from nxscatter.store.container import Container

NAME = os.fsdecode(b"Gr\xe4fe")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_latin_1_name_goes_through_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = io.BytesIO()  # its bytes need not be UTF-8
    for stream in ("stdout", "stderr"):
        monkeypatch.setattr(sys, stream, io.TextIOWrapper(printed, "utf-8", write_through=True))
    folder = tmp_path / NAME
    folder.mkdir()
    raw, mask = folder / f"{NAME}.edf", folder / f"{NAME}.npy"
    pattern = simulate.oriented((0.1,), kappa=4.0)
    made = simulate.write_lgc(raw, pattern, header={"Comment": None, "title": None}, mask_prefix="mask")
    np.save(mask, made.camera.beamstop_mask())
    out, box = tmp_path / "out", tmp_path / "out" / f"{NAME}.nxs"
    commands = [
        ["process", str(raw), "--q", "0.1", "--mask", str(mask), "-o", str(out)],
        ["table", str(box), "--json"],
        ["verify", "--replay", str(box)],
        ["export", str(box), "-o", str(tmp_path / "export")],
        ["series", str(box), "--axis", "time", "-o", str(tmp_path / "series.nxs")],
        ["catalogue", str(box), "-o", str(tmp_path / "crate"), "--format", "ro-crate"],
        ["extract", str(box), "-o", str(tmp_path / "raw")],
    ]
    for command in commands:
        assert run(command) == 0, command
    assert os.fsencode(box) in printed.getvalue()
    container = Container(box)
    assert container.origin.file_name == "Gräfe.edf"
    assert [one.name for one in container.latest("masking").attachments()["mask"]] == ["Gräfe.npy"]
    assert rows(container)[0]["file"] == "Gräfe.nxs"
    assert sorted(path.name for path in (tmp_path / "raw").iterdir()) == ["Gräfe.edf"]

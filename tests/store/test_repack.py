"""A container rewritten compactly is the same container."""

from __future__ import annotations

from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401  (the frames are read here)
import numpy as np
import pytest

from nxscatter.errors import ContainerError, LockedError
from nxscatter.output.compare import compare
from nxscatter.store import layout
from nxscatter.store.container import Container
from nxscatter.store.nexus.hashing import frames_hash
from nxscatter.store.nexus.transaction import Lock
from nxscatter.store.repack import repack
from nxscatter.store.verify import verify
from nxscatter.workflow import runner
from nxscatter.workflow.replay import replay
from support import toy


@pytest.fixture
def grown(box: Container) -> Container:
    """A container that many transactions have left with unused space."""
    for fill in range(5):
        runner.run(box, toy.ToyCaving(fill=fill))
    return box


def content(path: Path) -> dict[str, object]:
    with h5py.File(path) as file:
        chunks = [file[layout.FRAMES].id.read_direct_chunk((frame, 0, 0)) for frame in range(toy.FRAMES)]
        return {
            "ledger": layout.read_ledger(file),
            "content": layout.content_hashes(file),
            "frames": frames_hash(file[layout.FRAMES]),
            "chunks": chunks,
            "default": (file.attrs["default"], file["entry"].attrs["default"]),
        }


def test_nothing_but_the_size_changes(grown: Container, tmp_path: Path) -> None:
    before, checksums = content(grown.path), [record.checksum for record in grown.records]
    old, new = repack(grown.path)
    assert new == grown.path.stat().st_size < old
    assert content(grown.path) == before
    again = Container(grown.path)
    assert [record.checksum for record in again.records] == checksums
    assert replay(again.path).replayed == "exact"
    assert compare(again, toy.make(tmp_path / "x.nxs")) != []  # and it is read as ever
    runner.run(again, toy.ToyCaving(fill=0.5))
    assert verify(again.path).ok


def test_what_is_compact_is_left_alone(grown: Container) -> None:
    repack(grown.path)
    sizes = [repack(grown.path) for _ in range(2)]
    before = grown.path.read_bytes()
    assert repack(grown.path) == (len(before), len(before)) == sizes[-1]
    assert grown.path.read_bytes() == before


def test_a_container_that_does_not_verify_is_refused(grown: Container) -> None:
    with h5py.File(grown.path, "r+") as file:
        file["entry/toy_fit_v1/table/x0"][...] = 3.0
    before = grown.path.read_bytes()
    with pytest.raises(ContainerError, match=r"toy.nxs: is not repacked.*/entry/toy_fit_v1/table/x0: altered"):
        repack(grown.path)
    assert grown.path.read_bytes() == before
    assert [path.name for path in grown.path.parent.iterdir()] == ["toy.nxs"]


def test_a_container_that_is_being_written_is_refused(grown: Container) -> None:
    with Lock(grown.path), pytest.raises(LockedError):
        repack(grown.path)


def test_masked_pixels_survive(grown: Container) -> None:
    stored = grown.latest("toy_masking").load().intensity
    repack(grown.path)
    np.testing.assert_array_equal(Container(grown.path).latest("toy_masking").load().intensity, stored)

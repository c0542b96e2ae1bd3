"""Two hundred random changes to a container: each is found and named, and nothing else is."""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin  # noqa: F401  (registers the filters that the frames need)
import numpy as np
import pytest

from nxscatter.store import layout
from nxscatter.store.container import Container
from nxscatter.store.repack import repack
from nxscatter.store.verify import verify
from nxscatter.workflow import runner
from nxscatter.workflow.replay import replay
from support import toy

SEED = 20260102
Tamper = Callable[[h5py.File, random.Random], str]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small container with three frames and records that stand on each other."""
    box = toy.make(tmp_path_factory.mktemp("tampers") / "x.nxs", records=False)
    geometry, masking = toy.chain()[:2]
    runner.run_steps(box, [geometry, masking, (toy.ToyProfiles(), "toy_profiles", {})])
    return box.path


def objects(file: h5py.File, kind: type = h5py.HLObject) -> list[str]:
    found: list[str] = []
    file.visititems(lambda name, item: found.append(f"/{name}") if isinstance(item, kind) else None)
    return found


def records(file: h5py.File) -> list[str]:
    names: list[str] = layout.read_ledger(file)["names"]
    return names


def change_value(file: h5py.File, dice: random.Random) -> str:
    """Change one number, or one letter of a text."""
    path = dice.choice([name for name in objects(file, h5py.Dataset) if file[name].size])
    dataset = file[path]
    values = np.atleast_1d(dataset[()])
    place = dice.randrange(values.size)
    value = values.flat[place]
    if isinstance(value, bytes):
        letter = dice.randrange(max(1, len(value)))
        values.flat[place] = value[:letter] + bytes([value[letter] ^ 1 if value else 65]) + value[letter + 1 :]
    else:
        bits = np.array([value]).view(np.uint8)
        bits[dice.randrange(bits.size)] ^= 1 << dice.randrange(8)
        values.flat[place] = bits.view(values.dtype)[0]
    dataset[...] = values.reshape(dataset.shape)
    return path


def change_attribute(file: h5py.File, dice: random.Random) -> str:
    path = dice.choice([name for name in objects(file) if len(file[name].attrs)])
    name = dice.choice(sorted(file[path].attrs))
    value = file[path].attrs[name]
    file[path].attrs[name] = f"{value}x" if isinstance(value, str) else "x"
    return path


def remove_attribute(file: h5py.File, dice: random.Random) -> str:
    path = dice.choice([name for name in objects(file) if len(file[name].attrs)])
    del file[path].attrs[dice.choice(sorted(file[path].attrs))]
    return path


def add_attribute(file: h5py.File, dice: random.Random) -> str:
    path = dice.choice(["/entry", *objects(file)])
    file[path].attrs["more"] = dice.random()
    return path


def remove_object(file: h5py.File, dice: random.Random) -> str:
    path = dice.choice(objects(file))
    del file[path]
    return path


def add_object(file: h5py.File, dice: random.Random) -> str:
    path = dice.choice(["/entry", *objects(file, h5py.Group)]) + "/more"
    file[path] = dice.random()
    return path


def remove_record(file: h5py.File, dice: random.Random) -> str:
    name = dice.choice(records(file))
    del file["entry"][name]
    if dice.random() < 0.5:  # by somebody who knows the ledger, but not how it is hashed
        ledger = layout.read_ledger(file)
        left = [one for one in ledger["names"] if one != name]
        layout.write_ledger(file, {**ledger, "names": left, "records": len(left)})
        return "/entry"
    return f"/entry/{name}"


def reorder_records(file: h5py.File, dice: random.Random) -> str:
    one, other = dice.sample(records(file), 2)
    entry = file["entry"]
    if dice.random() < 0.5:
        first, second = (entry[name]["sequence_index"][()] for name in (one, other))
        entry[one]["sequence_index"][()], entry[other]["sequence_index"][()] = second, first
    else:
        for old, new in ((one, "aside"), (other, one), ("aside", other)):
            entry.move(old, new)
    return f"/entry/{one}"


def copy_record(file: h5py.File, dice: random.Random) -> str:
    name = dice.choice(records(file))
    file.copy(f"/entry/{name}", f"/entry/{name}0")
    return f"/entry/{name}0"


def swap_input(file: h5py.File, dice: random.Random) -> str:
    """Let a record say that it was made from something else."""
    notes = [name for name in objects(file, h5py.Group) if "/input_" in name and "file_name" in file[name]]
    path = dice.choice(notes)
    what = dice.choice(["file_name", "checksum", *(["source"] if "source" in file[path] else [])])
    if what == "source":
        del file[path]["source"]
        file[path]["source"] = h5py.SoftLink("/entry/sample")
    else:
        file[path][what][()] = "/entry/sample" if what == "file_name" else "0" * 64
    return path


KINDS: dict[Tamper, int] = {
    change_value: 40,
    change_attribute: 15,
    remove_attribute: 8,
    add_attribute: 7,
    remove_object: 10,
    add_object: 8,
    remove_record: 8,
    reorder_records: 10,
    copy_record: 4,
    swap_input: 10,
}
BITS = 200 - sum(KINDS.values())


def content(path: Path) -> dict[str, Any]:
    """All that a file says, found without our own code."""
    said: dict[str, Any] = {}

    def note(name: str, item: Any) -> None:
        value = item[()] if isinstance(item, h5py.Dataset) else None
        values = value.tobytes() if isinstance(value, np.ndarray) and value.dtype.kind != "O" else repr(value)
        said[name] = (values, sorted((key, repr(one)) for key, one in item.attrs.items()))

    with h5py.File(path) as file:
        note("/", file)
        file.visititems(note)
    return said


def named(place: str, problems: list[str]) -> bool:
    """Whether a problem names a place or something in it, or the group that it stands in."""
    group = place.rsplit("/", 1)[0]
    return any(re.search(rf"{place}(?!\w)|{group}: ", problem) for problem in problems)


@pytest.mark.slow
@pytest.mark.parametrize("tamper", KINDS, ids=[kind.__name__ for kind in KINDS])
def test_changes_by_hand_are_found_and_named(original: Path, tmp_path: Path, tamper: Tamper) -> None:
    dice = random.Random(f"{SEED} {tamper.__name__}")
    missed = []
    for number in range(KINDS[tamper]):
        path = Path(shutil.copy(original, tmp_path / f"{number}.nxs"))
        with h5py.File(path, "r+") as file:
            place = tamper(file, dice)
        problems = verify(path).problems
        if not named(place, problems):
            missed.append((place, problems))
        assert all("\n" not in problem for problem in problems)
    assert missed == []


def stored_bytes(file: h5py.File) -> list[tuple[str, int, int]]:
    """Where in the file the values of each dataset stand: path, first byte, number of bytes."""
    found: list[tuple[str, int, int]] = []

    def visit(name: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset) or item.dtype.kind == "O":
            return
        if item.chunks is None:
            if item.id.get_offset() is not None:
                found.append((f"/{name}", item.id.get_offset(), item.id.get_storage_size()))
            return
        for number in range(item.id.get_num_chunks()):
            chunk = item.id.get_chunk_info(number)
            found.append((f"/{name}", chunk.byte_offset, chunk.size))

    file.visititems(visit)
    return found


@pytest.mark.slow
def test_flipped_bits_are_found_and_named(original: Path, tmp_path: Path) -> None:
    """In stored frames every bit counts; elsewhere one that a filter ignores changes nothing that the file says."""
    dice = random.Random(SEED)
    with h5py.File(original) as file:
        places = stored_bytes(file)
        values = {path: file[path][()].tobytes() for path, _, _ in places}
    frames = [place for place in places if place[0] == layout.FRAMES]
    assert len(frames) == toy.FRAMES
    whole, path, found = original.read_bytes(), tmp_path / "x.nxs", 0
    while found < BITS:
        place, first, size = dice.choice(frames if found < BITS // 2 else places)
        damaged = bytearray(whole)
        damaged[first + dice.randrange(size)] ^= 1 << dice.randrange(8)
        path.write_bytes(damaged)
        problems = verify(path).problems
        if not problems and place != layout.FRAMES:
            with h5py.File(path) as file:
                assert file[place][()].tobytes() == values[place], f"missed in {place}"
            continue
        assert any(place in problem or f"{place.rsplit('/', 1)[0]}: altered" in problem for problem in problems), (
            place,
            problems,
        )
        found += 1


def test_untouched_files_have_no_problem(original: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(original, tmp_path / "x.nxs"))
    assert verify(path).problems == []
    for fill in (1.0, 2.0):
        runner.run(Container(path), toy.ToyCaving(fill=fill))
        assert verify(path).problems == []
    repack(path)
    assert replay(path).problems == []
    with h5py.File(path) as old, h5py.File(tmp_path / "copy.nxs", "w") as new:
        new.attrs.update(old.attrs)
        old.copy("entry", new)
    assert verify(tmp_path / "copy.nxs").problems == []
    assert content(path) == content(tmp_path / "copy.nxs")

"""The history of a container: the tree of its records, what was chosen, what is stale and why."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscatter import cli
from nxscatter.store.container import Container
from nxscatter.store.lineage import Branch, nearest, tree, why_stale
from nxscatter.store.record import as_text, parameters, source_name
from nxscatter.workflow import runner
from support import toy


def walk(branches: tuple[Branch, ...], above: str = "") -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for branch in branches:
        yield above, branch.record.name, branch.others
        yield from walk(branch.children, branch.record.name)


def test_each_record_hangs_on_the_newest_of_its_inputs(box: Container) -> None:
    assert list(walk(tree(box.records))) == [
        ("", "toy_geometry_v1", ()),
        ("", "toy_masking_v1", ()),
        ("toy_masking_v1", "toy_caving_v1", ()),
        ("toy_caving_v1", "toy_profiles_v1", ("toy_geometry_v1",)),
        ("toy_profiles_v1", "toy_fit_v1", ()),
        ("toy_fit_v1", "toy_order_v1", ()),  # the profiles are behind the fit
    ]


def test_versions_are_branches_of_their_own(box: Container) -> None:
    runner.run(box, toy.ToyCaving(fill=1.0))
    runner.run(box, toy.ToyProfiles())
    found = [(above, name) for above, name, _ in walk(tree(box.records))]
    assert ("toy_masking_v1", "toy_caving_v2") in found
    assert ("toy_caving_v2", "toy_profiles_v2") in found
    assert len(found) == len(box.records) == 8


def test_a_stale_record_names_what_is_newer(box: Container) -> None:
    assert {why_stale(one) for one in box.records} == {""}
    runner.run(box, toy.ToyMasking(threshold=5.0))
    reasons = {one.name: why_stale(one) for one in box.records}
    below = ("toy_caving_v1", "toy_profiles_v1", "toy_fit_v1", "toy_order_v1")
    assert {name: text for name, text in reasons.items() if text} == dict.fromkeys(below, "toy_masking_v2 is newer")
    runner.run(box, toy.ToyProfiles(q=(0.06,)), image=box.record("toy_caving_v1"))
    assert why_stale(box.record("toy_profiles_v2")) == "toy_masking_v2 is newer"


class Fake(SimpleNamespace):
    """A record of a made-up history."""

    @property
    def stale(self) -> bool:
        return any(one.stale or self.container.latest(one.base).name != one.name for one in self.parents)


@given(st.lists(st.tuples(st.integers(0, 3), st.sets(st.integers(0, 11), max_size=3)), max_size=12))
def test_a_reason_is_given_exactly_for_what_is_stale(history: list[tuple[int, set[int]]]) -> None:
    records: list[Fake] = []
    latest: dict[str, Fake] = {}
    container = SimpleNamespace(latest=latest.__getitem__)
    for number, (base, inputs) in enumerate(history):
        parents = tuple(records[one] for one in sorted(inputs) if one < number)
        name = f"{'abcd'[base]}_v{number}"
        records.append(Fake(name=name, base="abcd"[base], parents=parents, sequence=number, container=container))
        latest["abcd"[base]] = records[-1]
    for record in records:
        assert bool(why_stale(record)) == record.stale
    shown = list(walk(tree(records)))
    assert sorted(name for _, name, _ in shown) == sorted(one.name for one in records)
    for above, name, others in shown:
        (record,) = (one for one in records if one.name == name)
        assert {above, *others} - {""} == {one.name for one in nearest(record)} <= {one.name for one in record.parents}


def test_parameters_are_told_with_units_and_files_by_name(box: Container) -> None:
    assert parameters(box.latest("toy_masking")) == {"threshold": "1e+09 counts", "mask": "mask.edf"}
    assert parameters(box.latest("toy_masking"), chosen=True) == {"mask": "mask.edf"}
    assert parameters(box.latest("toy_profiles")) == {"q": "0.05, 0.07 1/angstrom"}
    assert parameters(box.latest("toy_profiles"), chosen=True) == {}
    runner.run(box, toy.ToyProfiles(q=(0.06,), scale=2.0))
    assert parameters(box.latest("toy_profiles"), chosen=True) == {"q": "0.06 1/angstrom", "scale": "2"}


def test_a_record_of_a_step_that_is_not_here_is_told_all_the_same(box: Container, monkeypatch) -> None:
    from nxscatter import step

    monkeypatch.delitem(step._REGISTRY, "toy_caving")
    assert parameters(box.record("toy_caving_v1"), chosen=True) == {"fill": "7"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (0.1 + 0.2, "0.3"),
        ([], ""),
        ([[1.0, 0.0], [0.5, 2.0]], "1 0; 0.5 2"),
        ({"file": "a.edf", "role": "mask", "sha256": "ab"}, "a.edf"),
        ({"x": 1.5, "y": "b"}, "x 1.5, y b"),
        ("text", "text"),
    ],
)
def test_values_are_written_for_people(value: object, text: str) -> None:
    assert as_text(value) == text


def test_inputs_from_the_source_have_names() -> None:
    assert source_name("/entry/instrument/detector/data") == "raw frames"
    assert source_name("/entry/attachments") == "files of the source"
    assert source_name("/entry/caving_v2") == "caving_v2"


def test_without_a_terminal_the_tree_is_indented(box: Container, capsys: pytest.CaptureFixture[str]) -> None:
    runner.run(box, toy.ToyMasking(threshold=5.0))
    assert cli.run(["history", str(box.path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "a_raw.h5 (3 frames of 24 x 30 pixels, reader id02)"
    indents = {line.split()[0]: len(line) - len(line.lstrip()) for line in lines[1:]}
    assert indents == {
        "toy_geometry_v1": 2,
        "toy_masking_v1": 2,
        "toy_caving_v1": 4,
        "toy_profiles_v1": 6,
        "toy_fit_v1": 8,
        "toy_order_v1": 10,
        "toy_masking_v2": 2,
    }
    by_name = {line.split()[0]: line for line in lines[1:]}
    assert "stale: toy_masking_v2 is newer" in by_name["toy_fit_v1"]
    assert "stale" not in by_name["toy_masking_v1"]
    assert "threshold = 5 counts" in by_name["toy_masking_v2"]
    assert "1 warning" in by_name["toy_masking_v2"]
    assert "(also from toy_geometry_v1)" in by_name["toy_profiles_v1"]


def test_on_a_terminal_the_tree_is_drawn_in_colour(toy_file) -> None:
    program = "import pytest; from support import toy; toy.register(pytest.MonkeyPatch()); from nxscatter import cli; "
    program += f"cli.run(['history', {str(toy_file)!r}])"
    ours, theirs = pty.openpty()
    folder = str(Path(__file__).parents[1])
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "200", "PYTHONPATH": folder}
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        try:
            subprocess.run([sys.executable, "-c", program], stdout=theirs, env=environment, check=True, timeout=60)
        finally:
            os.close(theirs)
        shown = terminal.read(100_000).decode()
    assert "└── " in shown
    assert "\x1b[1;32mtoy_masking_v1\x1b[0m" in shown

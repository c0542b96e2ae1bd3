"""The lineage of a container: the tree of its records, what was chosen, what is stale and why."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscatter import cli
from nxscatter.store.container import Container
from nxscatter.store.lineage import Branch, Lineage
from nxscatter.store.record import parameters
from nxscatter.store.summary import as_text, source_name
from nxscatter.workflow import runner
from support import toy


def walk(branches: tuple[Branch, ...], above: str = "") -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for branch in branches:
        yield above, branch.name, branch.others
        yield from walk(branch.children, branch.name)


def test_each_record_hangs_on_the_newest_of_its_inputs(box: Container) -> None:
    assert list(walk(box.lineage.tree())) == [
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
    found = [(above, name) for above, name, _ in walk(box.lineage.tree())]
    assert ("toy_masking_v1", "toy_caving_v2") in found
    assert ("toy_caving_v2", "toy_profiles_v2") in found
    assert len(found) == len(box.records) == 8


def test_a_stale_record_names_what_is_newer(box: Container) -> None:
    assert {record.why_stale for record in box.records} == {""}
    runner.run(box, toy.ToyMasking(threshold=5.0))
    reasons = {record.name: record.why_stale for record in box.records}
    below = ("toy_caving_v1", "toy_profiles_v1", "toy_fit_v1", "toy_order_v1")
    assert {name: text for name, text in reasons.items() if text} == dict.fromkeys(below, "toy_masking_v2 is newer")
    runner.run(box, toy.ToyProfiles(q=(0.06,)), image=box.record("toy_caving_v1"))
    assert box.record("toy_profiles_v2").why_stale == "toy_masking_v2 is newer"


def test_a_record_names_its_ancestors(box: Container) -> None:
    fit = box.record("toy_fit_v1")
    assert [record.name for record in fit.parents] == ["toy_profiles_v1"]
    names = ["toy_geometry_v1", "toy_masking_v1", "toy_caving_v1", "toy_profiles_v1"]
    assert [record.name for record in fit.ancestors] == names
    assert fit.lineage == {"toy_fit", *(name.removesuffix("_v1") for name in names)}


# Each record is a version of one of four names, made from up to three of twelve earlier ones.
GRAPHS = st.lists(st.tuples(st.sampled_from("abcd"), st.sets(st.integers(0, 11), max_size=3)), max_size=12)


def made_up(graph: list[tuple[str, set[int]]]) -> dict[str, list[str]]:
    """Names of records in the order of their making, each with its parents, one named twice and one unknown."""
    names: list[str] = []
    parents: dict[str, list[str]] = {}
    for base, inputs in graph:
        version = 1 + sum(name.startswith(base) for name in names)
        found = [names[number] for number in sorted(inputs) if number < len(names)]
        names.append(f"{base}_v{version}")
        parents[names[-1]] = [*found, *found[:1], "sample"]
    return parents


def paths_up(parents: dict[str, list[str]], name: str) -> set[str]:
    """What a record stands on, by the definition."""
    known = [parent for parent in parents[name] if parent in parents]
    return set(known).union(*(paths_up(parents, parent) for parent in known))


@given(GRAPHS)
def test_ancestors_are_all_that_a_record_stands_on(graph: list[tuple[str, set[int]]]) -> None:
    parents = made_up(graph)
    lineage, order = Lineage(parents, parents.__getitem__), list(parents)
    for name in parents:
        assert list(lineage.ancestors(name)) == sorted(paths_up(parents, name), key=order.index)
        assert set(lineage.parents(name)) == set(parents[name]) & set(parents)


@given(GRAPHS)
def test_stale_is_what_stands_on_a_record_with_a_newer_version(graph: list[tuple[str, set[int]]]) -> None:
    parents = made_up(graph)
    lineage = Lineage(parents, parents.__getitem__)
    last = {name[0]: name for name in parents}
    for name in parents:
        assert lineage.newest(name) == last[name[0]]
        above = paths_up(parents, name)
        assert lineage.stale(name) == any(last[ancestor[0]] != ancestor for ancestor in above)
        fresh = {ancestor for ancestor in above if not lineage.stale(ancestor)}
        newer = {last[ancestor[0]] for ancestor in fresh if last[ancestor[0]] != ancestor}
        reason = lineage.why_stale(name)
        assert set(reason.removesuffix(" is newer").removesuffix(" are newer").split(" and ")) - {""} == newer
        assert bool(reason) == lineage.stale(name)


@given(GRAPHS)
def test_each_record_is_in_the_tree_once_below_the_nearest_of_its_parents(graph: list[tuple[str, set[int]]]) -> None:
    parents = made_up(graph)
    lineage, order = Lineage(parents, parents.__getitem__), list(parents)
    shown = list(walk(lineage.tree()))
    assert sorted(name for _, name, _ in shown) == sorted(parents)
    for above, name, others in shown:
        known = set(parents[name]) & set(parents)
        nearest = known - {ancestor for parent in known for ancestor in paths_up(parents, parent)}
        assert [*others, *([above] if above else [])] == sorted(nearest, key=order.index) == list(lineage.nearest(name))


def test_a_record_made_from_itself_or_a_younger_one_ends_no_walk_in_a_circle() -> None:
    parents = {"a_v1": ["b_v1", "a_v1"], "b_v1": ["a_v1"]}
    lineage = Lineage(parents, parents.__getitem__)
    assert (lineage.ancestors("a_v1"), lineage.ancestors("b_v1")) == ((), ("a_v1",))


def test_the_work_grows_with_the_number_of_records() -> None:
    """Without a memory of what was seen, each record would double the paths to be walked."""
    names = [f"a{number}_v1" for number in range(300)]
    parents = {name: names[max(0, number - 2) : number] for number, name in enumerate(names)}
    lineage = Lineage(parents, parents.__getitem__)
    assert len(lineage.ancestors(names[-1])) == len(names) - 1
    assert not any(map(lineage.stale, parents))


def test_parameters_are_told_with_units_and_files_by_name(box: Container) -> None:
    assert parameters(box.latest("toy_masking")) == {"threshold": "1e+09 counts", "mask": "mask.edf"}
    assert parameters(box.latest("toy_masking"), chosen=True) == {"mask": "mask.edf"}
    assert parameters(box.latest("toy_profiles")) == {"q": "0.05, 0.07 1/angstrom"}
    assert parameters(box.latest("toy_profiles"), chosen=True) == {}
    runner.run(box, toy.ToyProfiles(q=(0.06,), scale=2.0))
    assert parameters(box.latest("toy_profiles"), chosen=True) == {"q": "0.06 1/angstrom", "scale": "2"}


def test_a_record_of_a_step_that_is_not_here_is_told_all_the_same(box: Container, monkeypatch) -> None:
    toy.forget(monkeypatch, "toy_caving")
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
    program = "from support import toy; from nxscatter import cli; "
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

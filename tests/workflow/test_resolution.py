"""Which records a step takes: a table of what there is, what is chosen, and what it gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from nxscatter.errors import StepError
from nxscatter.results import Fits, Geometry, Image, Profiles, Result, Rings
from nxscatter.step import Step
from nxscatter.workflow.resolution import Candidate, Resolution, resolve
from support.toy import ToyGeometry, ToyMasking, ToyOrder, ToyProfiles

PROFILES, ORDER = ToyProfiles(), ToyOrder()


def record(name: str, output: type[Result], *lineage: str, sequence: int = 0) -> Candidate:
    base = name.rsplit("_v", 1)[0]
    return Candidate(name, output, sequence, frozenset({base, *lineage}))


GEOMETRY, MASKING = record("geometry_v1", Geometry), record("masking_v1", Image)
CAVING, OLDER = record("caving_v2", Image, "masking"), record("caving_v1", Image, "masking")
RINGS, RESULTS = record("rings_v1", Rings), record("profiles_v1", Profiles)
CHAIN = (GEOMETRY, MASKING, OLDER, CAVING)


@pytest.mark.parametrize(
    ("step", "candidates", "chosen", "expected"),
    [
        pytest.param(
            PROFILES,
            CHAIN,
            {},
            {"image": ("caving_v2",), "geometry": ("geometry_v1",), "rings": ()},
            id="the newest of each type, nothing where that is allowed",
        ),
        pytest.param(
            PROFILES,
            (*CHAIN, RINGS),
            {"image": ("masking",)},
            {"image": ("masking_v1",), "geometry": ("geometry_v1",), "rings": ("rings_v1",)},
            id="an input chosen by name",
        ),
        pytest.param(
            PROFILES,
            CHAIN,
            {"input": ("caving_v1",)},
            {"image": ("caving_v1",), "geometry": ("geometry_v1",), "rings": ()},
            id="a version chosen for whichever input it fits",
        ),
        pytest.param(
            PROFILES,
            CHAIN,
            {"input": ("caving",)},
            {"image": ("caving_v2",), "geometry": ("geometry_v1",), "rings": ()},
            id="a name without version is its newest",
        ),
        pytest.param(
            PROFILES,
            (GEOMETRY,),
            {"image": (MASKING,)},
            {"image": ("masking_v1",), "geometry": ("geometry_v1",), "rings": ()},
            id="a record that is no candidate",
        ),
        pytest.param(
            ORDER,
            (
                RESULTS,
                record("b_v1", Fits, sequence=4),
                record("a_v1", Fits, sequence=2),
                record("b_v2", Fits, sequence=9),
            ),
            {},
            {"profiles": ("profiles_v1",), "fits": ("a_v1", "b_v2")},
            id="of many the newest of each name, in the order of their making",
        ),
        pytest.param(ORDER, (RESULTS,), {}, {"profiles": ("profiles_v1",), "fits": ()}, id="of many there may be none"),
        pytest.param(
            ORDER,
            (RESULTS, record("a_v1", Fits), record("b_v1", Fits)),
            {"input": ("b", "a")},
            {"profiles": ("profiles_v1",), "fits": ("b_v1", "a_v1")},
            id="several chosen for one input, in that order",
        ),
        pytest.param(ToyGeometry(), (), {}, {"beam": (), "detector": ()}, id="the converted content"),
        pytest.param(ToyMasking(), CHAIN, {}, {"raw": (), "masks": ()}, id="frames and files"),
    ],
)
def test_inputs(
    step: Step, candidates: tuple[Candidate, ...], chosen: Mapping[str, Any], expected: Mapping[str, Any]
) -> None:
    found = resolve(step, step.name, candidates, chosen)
    assert found == Resolution(expected)
    assert set(found.names) == {name for names in expected.values() for name in names}


def test_alone_a_step_avoids_what_stands_on_its_name_or_step() -> None:
    class Again(ToyProfiles):
        pass

    own = record("other_v1", Image, "masking", "toy_profiles")
    named = record("second_v1", Image, "masking")
    for avoid, expected in ((False, "other_v1"), (True, "caving_v2")):
        found = resolve(Again(), "second", (*CHAIN, named, own), {}, avoid_own=avoid)
        assert found.records["image"] == (expected,)
    chosen = resolve(Again(), "second", (*CHAIN, own), {"image": ("other",)}, avoid_own=True)
    assert chosen.records["image"] == ("other_v1",)


@pytest.mark.parametrize(
    ("candidates", "chosen", "message"),
    [
        ((), {}, r"step 'name' needs image from an earlier step; add .*masking"),
        ((MASKING,), {}, r"step 'name' needs geometry from an earlier step; add .*geometry"),
        (CHAIN, {"input": ("nothing",)}, r"input 'nothing' is not an earlier record \(there are: geometry, masking, "),
        ((), {"input": ("nothing",)}, r"input 'nothing' is not an earlier record \(there are: none\)"),
        (CHAIN, {"image": ("geometry",)}, "input image takes image, not what was chosen for it"),
        (CHAIN, {"image": (GEOMETRY,)}, "input image takes image, not what was chosen for it"),
        (CHAIN, {"input": ("masking", "caving")}, "input image takes one image, not masking_v1, caving_v2"),
        ((*CHAIN, RESULTS), {"input": ("profiles",)}, "cannot use the input 'profiles': it takes image, geometry, ri"),
    ],
)
def test_what_does_not_fit_is_an_error(
    candidates: tuple[Candidate, ...], chosen: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(StepError, match=message):
        resolve(PROFILES, "name", candidates, chosen)

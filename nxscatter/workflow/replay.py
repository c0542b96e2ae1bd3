"""Replay: verify a container, compute its records again from their stored parameters and inputs, and compare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nxscatter.errors import ContainerError, UnknownStepError
from nxscatter.results import Result
from nxscatter.store import layout
from nxscatter.store.container import Container
from nxscatter.store.ledger import environment, result_hashes
from nxscatter.store.nexus import hdf5
from nxscatter.store.nexus.codec import write_result
from nxscatter.store.nexus.hashing import first_line
from nxscatter.store.nexus.tree import Field, Group
from nxscatter.store.record import Record
from nxscatter.store.verify import Verification, readable_records, verify
from nxscatter.workflow.session import recompute

if TYPE_CHECKING:
    from nxscatter.store.nexus.tree import Node

# of the largest magnitude in a dataset: far above the rounding of other processors and libraries, far below any error
TOLERANCE = 1e-6
# every bit equal; numbers within TOLERANCE; further apart, or not to be computed; the step's code is not here
OUTCOMES = ("exact", "tolerance", "different", "not_replayable")


@dataclass(frozen=True)
class Replay(Verification):
    """What `replay` found: the problems of `verify`, and those of computing the results again.

    Attributes
    ----------
    replayed : str or None
        ``"exact"``, ``"tolerance"``, ``"different"`` or ``"not_replayable"``: the worst of all records. None when
        nothing was recomputed.
    notes : list of str
        Records that agree with their recomputation within `TOLERANCE`, not bit by bit.
    """

    replayed: str | None = None
    notes: list[str] = field(default_factory=list)


def replay(path: str | Path) -> Replay:
    """Verify a container, and compute every record again from its stored parameters and inputs; compare.

    Nothing is computed when the frames themselves were altered: the decoders of some filters crash on damaged bytes.

    Raises
    ------
    ContainerError
        When there is no such file.
    """
    problems = verify(path).problems
    try:
        if any(layout.FRAMES in problem for problem in problems):
            return Replay(problems)
        container = Container(path)
        records, _ = readable_records(container)
    except ContainerError:  # verify has said so
        return Replay(problems)
    outcomes = [_replay_record(container, record) for record in records.values()]
    failed = [outcome.message for outcome in outcomes if outcome.kind in ("different", "not_replayable")]
    worst = max((outcome.kind for outcome in outcomes), key=OUTCOMES.index, default=None)
    notes = [outcome.message for outcome in outcomes if outcome.kind == "tolerance"]
    return Replay([*problems, *failed], worst, notes)


@dataclass(frozen=True)
class _Outcome:
    """How a record compares with its recomputation: one of `OUTCOMES`, and in words, "" when exact."""

    kind: str
    message: str = ""


def _replay_record(container: Container, record: Record) -> _Outcome:
    """Compute a record again and compare it with what is stored.

    The inputs are the stored results, each of which is replayed itself; frame by frame steps go back to the raw
    frames. Everything that the record holds must come out again, but for the curves that are only for looking at:
    they repeat other datasets, and a later version may draw them in another way.
    """
    try:
        return _compared(record, recompute(container, record))
    except UnknownStepError as error:
        return _Outcome("not_replayable", f"{record.path}: cannot be replayed: {error}")
    except Exception as error:  # noqa: BLE001, altered inputs can break a step in any way
        return _Outcome("different", f"{record.path}: cannot be computed again: {first_line(error)}")


def _compared(record: Record, result: Result) -> _Outcome:
    computed = Group("/entry").group(record.name, "NXprocess")
    write_result(computed, result)
    found = result_hashes(computed)
    own = ("details", result.group)
    stored = {path: checksum for path, checksum in record.hashes.items() if path.partition("/")[0] in own}
    if all(found.get(path) == checksum for path, checksum in stored.items()):
        return _Outcome("exact")
    with record.container.opened() as file:
        apart = dict(_differences(hdf5.read(file, record.path), computed, stored, found))
    path, worst = max(apart.items(), key=lambda item: item[1])
    if worst <= TOLERANCE:
        return _Outcome(
            "tolerance",
            f"{record.path}: agrees within {TOLERANCE:g}, not bit by bit; farthest {path}, "
            f"by {worst:.1e} of its largest value; {_environments(record)}",
        )
    size = "in text, type, shape or attributes" if np.isinf(worst) else f"by {worst:.3g} of its largest value"
    return _Outcome(
        "different", f"{record.path}/{path}: differs from its recomputation {size}; {_environments(record)}"
    )


def _differences(
    stored: Group, computed: Group, old: dict[str, str], new: dict[str, str]
) -> Iterator[tuple[str, float]]:
    for path in old:
        if old.get(path) != new.get(path):
            yield path, _distance(stored.get(path), computed.get(path))


def _distance(stored: Node | None, computed: Node | None) -> float:
    """Largest difference, relative to the largest stored magnitude; infinite where no number can say it."""
    if not (isinstance(stored, Field) and isinstance(computed, Field)) or stored.dtype != computed.dtype:
        return float("inf")
    if stored.is_text or stored.shape != computed.shape or dict(stored.attrs) != dict(computed.attrs):
        return float("inf")
    one, other = np.asarray(stored.value, float), np.asarray(computed.value, float)
    if not np.array_equal(np.isfinite(one), np.isfinite(other)):
        return float("inf")
    largest = np.max(np.abs(one), where=np.isfinite(one), initial=0)
    apart = np.max(np.abs(one - other), where=np.isfinite(one), initial=0)
    return float(apart / largest) if largest else float("inf")


def _environments(record: Record) -> str:
    here = environment()
    differing = [
        f"{name} {record.environment.get(name)} then, {here.get(name)} now"
        for name in sorted({*here, *record.environment})
        if record.environment.get(name) != here.get(name)
    ]
    return "; ".join(differing) or "the environment is the same"

"""Replay: compute a record again from its stored parameters and inputs, and compare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nxscatter.errors import UnknownStepError
from nxscatter.results import Result
from nxscatter.store.container import Container
from nxscatter.store.ledger import environment, result_hashes
from nxscatter.store.nexus import hdf5
from nxscatter.store.nexus.codec import write_result
from nxscatter.store.nexus.hashing import first_line
from nxscatter.store.nexus.tree import Field, Group
from nxscatter.store.record import Record
from nxscatter.workflow.runner import recompute

if TYPE_CHECKING:
    from nxscatter.store.nexus.tree import Node

# of the largest magnitude in a dataset: far above the rounding of other processors and libraries, far below any error
TOLERANCE = 1e-6
OUTCOMES = ("exact", "tolerance", "different", "not_replayable")


@dataclass(frozen=True)
class Replay:
    """How a record compares with its recomputation.

    Attributes
    ----------
    outcome : str
        One of `OUTCOMES`: every bit equal; numbers within `TOLERANCE`; further apart, or not to be computed; or the
        step's code of the record's version is not here.
    message : str
        In words, "" when exact.
    """

    outcome: str
    message: str = ""


def replay_record(container: Container, record: Record) -> Replay:
    """Compute a record again and compare it with what is stored.

    The inputs are the stored results, each of which is replayed itself; frame by frame steps go back to the raw
    frames. Everything that the record holds must come out again, but for the curves that are only for looking at:
    they repeat other datasets, and a later version may draw them in another way.
    """
    try:
        return _compared(record, recompute(container, record))
    except UnknownStepError as error:
        return Replay("not_replayable", f"{record.path}: cannot be replayed: {error}")
    except Exception as error:  # noqa: BLE001, altered inputs can break a step in any way
        return Replay("different", f"{record.path}: cannot be computed again: {first_line(error)}")


def _compared(record: Record, result: Result) -> Replay:
    computed = Group("/entry").group(record.name, "NXprocess")
    write_result(computed, result)
    found = result_hashes(computed)
    own = ("details", result.group)
    stored = {path: one for path, one in record.hashes.items() if path.partition("/")[0] in own}
    if all(found.get(path) == one for path, one in stored.items()):
        return Replay("exact")
    with record.container.opened() as file:
        apart = dict(_differences(hdf5.read(file, record.path), computed, stored, found))
    path, worst = max(apart.items(), key=lambda item: item[1])
    if worst <= TOLERANCE:
        return Replay(
            "tolerance",
            f"{record.path}: agrees within {TOLERANCE:g}, not bit by bit; farthest {path}, "
            f"by {worst:.1e} of its largest value; {_environments(record)}",
        )
    size = "in text, type, shape or attributes" if np.isinf(worst) else f"by {worst:.3g} of its largest value"
    return Replay("different", f"{record.path}/{path}: differs from its recomputation {size}; {_environments(record)}")


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

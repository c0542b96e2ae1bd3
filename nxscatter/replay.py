"""Replay: compute a record again from its stored parameters and inputs, and compare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nxscatter.codec import make_group, write_result
from nxscatter.errors import UnknownStepError
from nxscatter.hashing import first_line
from nxscatter.ledger import environment, result_hashes
from nxscatter.record import Record
from nxscatter.results import Result
from nxscatter.runner import recompute

if TYPE_CHECKING:
    import h5py

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


def replay_record(record: Record) -> Replay:
    """Compute a record again and compare it with what is stored.

    The inputs are the stored results, each of which is replayed itself; frame by frame steps go back to the raw
    frames. Everything that the record holds must come out again, but for the curves that are only for looking at:
    they repeat other datasets, and a later version may draw them in another way.
    """
    try:
        return _compared(record, recompute(record))
    except UnknownStepError as error:
        return Replay("not_replayable", f"{record.path}: cannot be replayed: {error}")
    except Exception as error:  # noqa: BLE001, altered inputs can break a step in any way
        return Replay("different", f"{record.path}: cannot be computed again: {first_line(error)}")


def _compared(record: Record, result: Result) -> Replay:
    import h5py

    with h5py.File("replay", "w", driver="core", backing_store=False) as memory, record.container.opened() as file:
        group = make_group(memory.require_group("entry"), record.name, "NXprocess")
        write_result(group, result)
        found = result_hashes(group)
        own = ("details", result.group)
        stored = {path: one for path, one in record.hashes.items() if path.partition("/")[0] in own}
        if all(found.get(path) == one for path, one in stored.items()):
            return Replay("exact")
        apart = dict(_differences(file[record.path], group, stored, found))
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
    stored: h5py.Group, computed: h5py.Group, old: dict[str, str], new: dict[str, str]
) -> Iterator[tuple[str, float]]:
    for path in old:
        if old.get(path) != new.get(path):
            both = path in stored and path in computed
            yield path, _distance(stored[path], computed[path]) if both else float("inf")


def _distance(stored: h5py.Dataset | h5py.Group, computed: h5py.Dataset | h5py.Group) -> float:
    """Largest difference, relative to the largest stored magnitude; infinite where no number can say it."""
    if not (hasattr(stored, "dtype") and hasattr(computed, "dtype")) or stored.dtype != computed.dtype:
        return float("inf")
    if stored.dtype.kind not in "iuf" or stored.shape != computed.shape or dict(stored.attrs) != dict(computed.attrs):
        return float("inf")
    one, other = stored[()].astype(float), computed[()].astype(float)
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

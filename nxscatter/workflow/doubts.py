"""What speaks against the inputs of a step, and so against its result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nxscatter.model import DOUBTS, Doubt
from nxscatter.results import Result


def inherited(arguments: Mapping[str, Any], origin: Sequence[Doubt]) -> tuple[Doubt, ...]:
    """Return the doubts that a result has from what it was made of, each once.

    Parameters
    ----------
    arguments : mapping
        The inputs of the step by argument name: results of earlier steps, and parts of the converted content.
    origin : sequence of Doubt
        Those of the reader; one enters with the part that it concerns, by the argument that `DOUBTS` names.
    """
    entering = (doubt for doubt in origin if DOUBTS[doubt.status] in arguments)
    return tuple(dict.fromkeys([*entering, *_of_results(arguments.values())]))


def _of_results(values: Any) -> Iterator[Doubt]:
    for value in values:
        if isinstance(value, Result):
            yield from value.doubts
        elif isinstance(value, tuple):
            yield from _of_results(value)

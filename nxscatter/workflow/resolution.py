"""Which records a step takes as its inputs: those chosen for it, or the newest of the type that each input asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nxscatter.errors import StepError
from nxscatter.results import Result
from nxscatter.step import Step, registry
from nxscatter.store.lineage import base_name
from nxscatter.workflow.step_inputs import result_kind


@dataclass(frozen=True)
class Candidate:
    """A record that may serve as an input; it need not be made yet.

    Parameters
    ----------
    name : str
        Name of the record, with its version.
    output : type
        Class of its result.
    sequence : int
        Its place among all records.
    lineage : frozenset of str
        Names, without versions, of the records and steps that it stands on, its own included.
    """

    name: str
    output: type[Result]
    sequence: int
    lineage: frozenset[str] = frozenset()

    @property
    def base(self) -> str:
        """Name without version."""
        return base_name(self.name)


@dataclass(frozen=True)
class Resolution:
    """The records that a step takes.

    Parameters
    ----------
    records : mapping of str to tuple of str
        For each input their names; none for an input that the converted content gives, and for one that is missing
        and may be.
    """

    records: Mapping[str, tuple[str, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all records that are taken."""
        return tuple(name for names in self.records.values() for name in names)


def resolve(
    step: Step,
    name: str,
    candidates: Sequence[Candidate],
    chosen: Mapping[str, Sequence[str | Candidate]],
    *,
    avoid_own: bool = False,
) -> Resolution:
    """Choose the inputs of a step.

    Parameters
    ----------
    step : Step
        The step.
    name : str
        Name of the record to be made, without version.
    candidates : sequence of Candidate
        The records to choose from, newest last.
    chosen : mapping
        What the user chose, by input or under ``"input"`` for whichever inputs it fits: names of candidates, with
        version or without, or records themselves.
    avoid_own : bool
        Take by default no record that stands on one of the same name or step.

    Raises
    ------
    StepError
        When an input is missing, or a choice is unknown or does not fit.
    """
    records: dict[str, tuple[str, ...]] = {}
    for key, kind in step.inputs().items():
        result, many, optional = result_kind(kind)
        if result is None:
            records[key] = ()
            continue
        picked = _pick(step, result, candidates, chosen.get(key, chosen.get("input", ())))
        if not picked and key in chosen:
            raise StepError(f"step '{step.name}': input {key} takes {_word(result)}, not what was chosen for it")
        if len(picked) > 1 and not many:
            names = ", ".join(picked)
            raise StepError(f"step '{step.name}': input {key} takes one {_word(result)}, not {names}")
        avoided = {name, step.name} if avoid_own else set()
        found = picked or _newest(result, candidates, avoided, many=many)
        if not found and not optional:
            makers = ", ".join(_makers(result, step))
            raise StepError(f"step '{name}' needs {_word(result)} from an earlier step; add {makers}")
        records[key] = tuple(found)
    resolution = Resolution(records)
    _check_used(step, resolution, chosen.get("input", ()))
    return resolution


def _pick(
    step: Step, result: type[Result], candidates: Sequence[Candidate], wanted: Sequence[str | Candidate]
) -> list[str]:
    """Return the names of the chosen records that are of the type ``result``."""
    picked = []
    for choice in wanted:
        if isinstance(choice, Candidate):
            found = [choice]
        else:
            found = [candidate for candidate in candidates if choice in (candidate.base, candidate.name)]
        if not found:
            known = ", ".join(candidate.base for candidate in candidates) or "none"
            raise StepError(f"step '{step.name}': input '{choice}' is not an earlier record (there are: {known})")
        if issubclass(found[-1].output, result):
            picked.append(found[-1].name)
    return picked


def _newest(result: type[Result], candidates: Sequence[Candidate], avoided: set[str], *, many: bool) -> list[str]:
    """Return the name of the newest record of a type, or with ``many`` of the newest of each name."""
    fitting = [
        candidate
        for candidate in candidates
        if issubclass(candidate.output, result) and not avoided & candidate.lineage
    ]
    if not many:
        return [candidate.name for candidate in fitting[-1:]]
    newest = {candidate.base: candidate for candidate in fitting}
    return [candidate.name for candidate in sorted(newest.values(), key=lambda candidate: candidate.sequence)]


def _check_used(step: Step, resolution: Resolution, wanted: Sequence[str | Candidate]) -> None:
    """Refuse an input that was chosen for the step as a whole and fits none of its arguments."""
    taken = {known for name in resolution.names for known in (name, base_name(name))}
    for choice in wanted:
        name = choice.name if isinstance(choice, Candidate) else choice
        if name not in taken:
            raise StepError(f"step '{step.name}' cannot use the input '{name}': it takes {', '.join(step.inputs())}")


def _word(result: type[Result]) -> str:
    return result.__name__.lower()


def _makers(result: type[Result], step: Step) -> list[str]:
    """Return the names of the other steps that make such a result."""
    return sorted(name for name, kind in registry().items() if name != step.name and issubclass(kind.output(), result))

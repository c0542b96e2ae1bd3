"""What a run is to do: every step with its inputs, found before anything is computed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from nxscatter.errors import ParameterError, StepError
from nxscatter.plain import canonical_json
from nxscatter.step import Step, get_step
from nxscatter.store.container import Container
from nxscatter.store.ledger import Source
from nxscatter.store.lineage import base_name
from nxscatter.store.record import Record
from nxscatter.workflow.resolution import Candidate, resolve
from nxscatter.workflow.step_inputs import Converted, result_kind, sources

# A step, the name of its record, and the inputs that are chosen for it.
Use: TypeAlias = tuple[Step, str, Mapping[str, Any]]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, eq=False)
class Task:
    """A step to run on inputs that are known by name.

    Parameters
    ----------
    name : str
        Name of the record that it makes, with its version.
    step : Step
        The step.
    inputs : mapping of str to tuple of str
        For each input the names of the records that it takes, made already or by earlier tasks.
    """

    name: str
    step: Step
    inputs: Mapping[str, tuple[str, ...]]

    @property
    def base(self) -> str:
        """Name without version."""
        return base_name(self.name)


def tasks_of(container: Container, uses: Sequence[Use], *, force: bool, alone: bool) -> list[Task | Record]:
    """Return what is to be done for each use of a step: a task, or the record where it is up to date.

    Raises
    ------
    ParameterError
        When a name or an input is none.
    StepError
        When an input is missing, or a choice is unknown or does not fit.
    """
    planner = _Planner(container, force=force, alone=alone)
    return [planner.add(*use) for use in uses]


def recorded_task(container: Container, record: Record) -> Task:
    """Return the task that made a record, with the version of the step that it was made with.

    Raises
    ------
    UnknownStepError
        When the code of that version is not here.
    StepError
        When an input is not in the container.
    """
    step, names = record.make_step(), {other.path: other.name for other in container.records}
    inputs = {}
    for key, kind in step.inputs().items():
        paths = [source.path for source in record.inputs.get(key, [])] if result_kind(kind)[0] is not None else []
        for path in paths:
            if path not in names:
                raise StepError(f"{record.name}: its input {path} is not in {container.path}")
        inputs[key] = tuple(names[path] for path in paths)
    return Task(record.name, step, inputs)


class _Planner:
    """Adds one task after the other; the records of those before it are candidates for its inputs."""

    def __init__(self, container: Container, *, force: bool, alone: bool) -> None:
        self._container = container
        self._converted = Converted(container)
        self._force = force
        self._alone = alone
        self._records = {record.name: record for record in container.records}
        self._tasks: dict[str, Task] = {}
        self._candidates: dict[str, Candidate] = {}
        for record in container.records if alone else ():
            self._candidates[record.name] = self._candidate(record)

    def add(self, step: Step, name: str, chosen: Mapping[str, Any]) -> Task | Record:
        """Find the inputs of a step."""
        if not _NAME.fullmatch(name):
            raise ParameterError(f"'{name}' cannot name a record: use letters, digits and _, no digit first")
        for key in chosen:
            if key not in (*step.inputs(), "input"):
                raise ParameterError(f"step '{step.name}' has no input '{key}': use one of {', '.join(step.inputs())}")
        choices = {key: tuple(map(self._choice, _listed(wanted))) for key, wanted in chosen.items()}
        try:
            found = resolve(step, name, [*self._candidates.values()], choices, avoid_own=self._alone)
        except StepError as error:
            raise StepError(f"{self._container.path}: {error}") from error
        versions = [known for known in (*self._records, *self._tasks) if base_name(known) == name]
        task = Task(_next_version(name, versions), step, found.records)
        made = None if self._force or not versions else self._up_to_date(versions[-1], task)
        if made is None:
            made = self._tasks[task.name] = task
        self._candidates.setdefault(made.name, self._candidate(made))
        return made

    def _choice(self, wanted: Record | str) -> Candidate | str:
        return self._candidate(self._container.record(wanted.name)) if isinstance(wanted, Record) else wanted

    def _candidate(self, made: Task | Record) -> Candidate:
        """Describe a record, or one to be made; lineages matter to steps that run alone only."""
        if isinstance(made, Record):
            lineage = frozenset(made.lineage if self._alone else ())
            return Candidate(made.name, get_step(made.step).output(), made.sequence, lineage)
        taken = [name for names in made.inputs.values() for name in names] if self._alone else []
        lineage = frozenset({made.base, made.step.name}).union(*(self._candidates[name].lineage for name in taken))
        return Candidate(made.name, made.step.output(), len(self._records) + len(self._tasks), lineage)

    def _made(self, name: str) -> Task | Record:
        return self._tasks.get(name) or self._records[name]

    def _up_to_date(self, latest: str, task: Task) -> Task | Record | None:
        """Return the newest record of a name when the task would make the same again."""
        made, step = self._made(latest), task.step
        if isinstance(made, Task):
            return made if (made.step, made.inputs) == (step, task.inputs) else None
        if any(name in self._tasks for names in task.inputs.values() for name in names):
            return None
        same = (made.step, made.step_version) == (step.name, step.version)
        same = same and made.inputs == {key: self._sources(kind, key, task) for key, kind in step.inputs().items()}
        return made if same and canonical_json(made.parameters) == canonical_json(step.parameters) else None

    def _sources(self, kind: Any, key: str, task: Task) -> list[Source]:
        return sources(self._converted, kind, key, [self._records[name] for name in task.inputs[key]])


def _next_version(name: str, versions: Sequence[str]) -> str:
    return f"{name}_v{1 + max((int(known.rsplit('_v', 1)[1]) for known in versions), default=0)}"


def _listed(wanted: Any) -> Sequence[Any]:
    return wanted if isinstance(wanted, list | tuple) else [wanted]

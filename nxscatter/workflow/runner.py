"""The one runner: finds the inputs of steps, runs them, appends their records; all or nothing."""

from __future__ import annotations

from collections.abc import Sequence

from nxscatter.step import Step
from nxscatter.store.container import Container
from nxscatter.store.record import Record
from nxscatter.store.writer import Writer, appending
from nxscatter.workflow.session import Session
from nxscatter.workflow.tasks import Task, Use, tasks_of


def run(
    container: Container | Writer,
    step: Step,
    *,
    name: str | None = None,
    force: bool = False,
    **chosen: Record | Sequence[Record],
) -> Record:
    """Run one step and append its record; when it is up to date already, return that record instead.

    Parameters
    ----------
    container : Container or Writer
        Written in a transaction of its own, or in that of the writer.
    step : Step
        What to run.
    name : str, optional
        Name of the record without version; the step's name by default.
    force : bool
        Append a record even when the newest one of this name is up to date.
    **chosen : Record
        Inputs by argument name, where the newest fitting record is not the one wanted.

    Returns
    -------
    Record
        The record, new or found.

    Raises
    ------
    StepError
        When an input is missing or the step cannot work on it.
    """
    return run_steps(container, [(step, name or step.name, chosen)], force=force, alone=True)[0]


def run_steps(
    container: Container | Writer,
    steps: Sequence[Use],
    *,
    force: bool = False,
    alone: bool = False,
) -> list[Record]:
    """Run steps one after the other in one transaction.

    Parameters
    ----------
    container : Container or Writer
        Where to append: in a transaction of its own, or in that of the writer.
    steps : sequence of (step, record name, chosen inputs)
        An input may be a `Record` or the base name of an earlier one.
    force : bool
        Append records even when they are up to date.
    alone : bool
        Let a step take any record of the container as input. Without it inputs come only from earlier steps of this
        run, so that a recipe gives the same result whatever the container already holds.
    """
    if isinstance(container, Writer):
        return _run_in(container, steps, force, alone)
    with appending(container) as writer:
        made = _run_in(writer, steps, force, alone)
    return [container.record(record.name) for record in made]


def _run_in(writer: Writer, steps: Sequence[Use], force: bool, alone: bool) -> list[Record]:
    tasks = tasks_of(writer.container, steps, force=force, alone=alone)
    session = Session(writer.container, [task for task in tasks if isinstance(task, Task)])
    made: dict[str, Record] = {}
    for task in tasks:
        if isinstance(task, Record):
            made[task.name] = task
        elif task.name not in made:
            result = session.result(task.name)
            made[task.name] = writer.append(task.step, task.base, session.sources(task), result)
    return [made[task.name] for task in tasks]

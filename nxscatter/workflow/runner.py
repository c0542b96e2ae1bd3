"""The one runner: finds the inputs of a step, calls it, appends its record; all or nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

import numpy as np

from nxscatter.errors import ParameterError, StepError
from nxscatter.model import Ints
from nxscatter.plain import canonical_json
from nxscatter.results import Image, Result
from nxscatter.results.stages import FrameReader, Gather, Stage
from nxscatter.science.pixels.single_pass import SharedFrames
from nxscatter.step import Step, get_step
from nxscatter.store.container import Container
from nxscatter.store.ledger import Source
from nxscatter.store.record import Record
from nxscatter.store.writer import Writer, appending
from nxscatter.workflow.doubts import inherited
from nxscatter.workflow.lookahead import Uses, shared_frames
from nxscatter.workflow.step_inputs import Converted, result_kind

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass
class Run:
    """What one run of a recipe has seen: the records that later steps may use, and their results.

    ``only`` None lets a step take any record of the container: a step that runs alone. ``steps`` are all that the run
    is to do.
    """

    container: Container
    only: list[str] | None = None
    steps: Uses = ()
    results: dict[str, Result] = field(default_factory=dict)

    @cached_property
    def raw(self) -> SharedFrames:
        """The raw frames, of which one reading serves all steps that can tell beforehand what they want."""
        return shared_frames(self.converted, self.steps)

    @cached_property
    def converted(self) -> Converted:
        """The converted content."""
        return Converted(self.container)

    def candidates(self) -> list[Record]:
        """List the records that may serve as inputs, newest last."""
        records = self.container.records
        if self.only is None:
            return list(records)
        by_name = {record.name: record for record in records}
        return [by_name[name] for name in self.only]

    def load(self, record: Record) -> Result:
        """Give the result of a record, from memory where this run has made it."""
        if record.name not in self.results:
            result = record.load()
            if isinstance(result, Image):
                result = replace(result, stage=_LazyStage(self.container, record, result.flags))
            self.results[record.name] = result
        return self.results[record.name]


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
    steps: Sequence[tuple[Step, str, Mapping[str, Any]]],
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


def recompute(container: Container, record: Record, session: Run | None = None) -> Result:
    """Compute the result of a record again from its stored parameters and inputs, with its stage when an image.

    It is computed with the version of the step that made it.

    Raises
    ------
    UnknownStepError
        When the code of the version that made the record, or one that it stands on, is not here.
    """
    step = record.make_step()
    session = session or Run(container)
    by_path = {one.path: one for one in container.records}
    arguments: dict[str, Any] = {}
    for key, kind in step.inputs().items():
        paths = [source.path for source in record.inputs.get(key, [])] if result_kind(kind)[0] is not None else []
        for path in paths:
            if path not in by_path:
                raise StepError(f"{record.name}: its input {path} is not in {container.path}")
        arguments[key] = _value(session, kind, key, [by_path[path] for path in paths])
    return _call(step, arguments, container)


def _run_in(
    writer: Writer, steps: Sequence[tuple[Step, str, Mapping[str, Any]]], force: bool, alone: bool
) -> list[Record]:
    session = Run(writer.container, None if alone else [], steps)
    made: list[Record] = []
    for step, name, chosen in steps:
        record = _run_one(session, writer, step, name, chosen, force)
        made.append(record)
        if session.only is not None:
            session.only.append(record.name)
    return made


def _run_one(session: Run, writer: Writer, step: Step, name: str, chosen: Mapping[str, Any], force: bool) -> Record:
    if not _NAME.fullmatch(name):
        raise ParameterError(f"'{name}' cannot name a record: use letters, digits and _, no digit first")
    for key in chosen:
        if key not in (*step.inputs(), "input"):
            raise ParameterError(f"step '{step.name}' has no input '{key}': use one of {', '.join(step.inputs())}")
    arguments: dict[str, Any] = {}
    sources: dict[str, list[Source]] = {}
    records: dict[str, list[Record]] = {}
    for key, kind in step.inputs().items():
        records[key] = _find(session, step, name, key, kind, chosen)
        sources[key] = _sources(session.converted, kind, key, records[key])
    _check_used(step, chosen.get("input", ()), records)
    latest = [record for record in session.container.records if record.base == name]
    if latest and not force and _up_to_date(latest[-1], step, sources):
        return latest[-1]
    for key, kind in step.inputs().items():
        arguments[key] = _value(session, kind, key, records[key])
    result = _call(step, arguments, session.container)
    record = writer.append(step, name, sources, result)
    session.results[record.name] = result
    return record


def _call(step: Step, arguments: Mapping[str, Any], container: Container) -> Result:
    result = cast("Callable[..., Result]", step)(**arguments)
    return result.doubted(inherited(arguments, container.origin.doubts))


def _up_to_date(record: Record, step: Step, sources: Mapping[str, Sequence[Source]]) -> bool:
    same = (record.step, record.step_version) == (step.name, step.version) and record.inputs == dict(sources)
    return same and canonical_json(record.parameters) == canonical_json(step.parameters)


def _find(session: Run, step: Step, name: str, key: str, kind: Any, chosen: Mapping[str, Any]) -> list[Record]:
    result, many, optional = result_kind(kind)
    if result is None:
        return []
    candidates = [
        record
        for record in session.candidates()
        if issubclass(get_step(record.step).output(), result)
        and (session.only is not None or not {name, step.name} & record.lineage)
    ]
    picked = _pick(session, step, result, chosen.get(key, chosen.get("input", ())))
    if len(picked) > 1 and not many:
        names = ", ".join(record.name for record in picked)
        raise StepError(f"step '{step.name}': input {key} takes one {result.__name__.lower()}, not {names}")
    if picked:
        return picked
    if key in chosen:
        raise StepError(f"step '{step.name}': input {key} takes {result.__name__.lower()}, not what was chosen for it")
    newest = {record.base: record for record in candidates}
    if many:
        return sorted(newest.values(), key=lambda record: record.sequence)
    if candidates:
        return [candidates[-1]]
    if optional:
        return []
    makers = ", ".join(sorted(one for one, made in _makers(result).items() if one != step.name and made))
    raise StepError(
        f"{session.container.path}: step '{name}' needs {result.__name__.lower()} from an earlier step; add {makers}"
    )


def _pick(session: Run, step: Step, result: type[Result], wanted: Any) -> list[Record]:
    """Return the records chosen by name or object that are of the type ``result``."""
    picked = []
    for one in _listed(wanted):
        if isinstance(one, Record):
            found = [session.container.record(one.name)]
        else:
            found = [record for record in session.candidates() if one in (record.base, record.name)]
        if not found:
            known = ", ".join(record.base for record in session.candidates()) or "none"
            raise StepError(f"step '{step.name}': input '{one}' is not an earlier record (there are: {known})")
        if issubclass(get_step(found[-1].step).output(), result):
            picked.append(found[-1])
    return picked


def _check_used(step: Step, wanted: Any, records: Mapping[str, Sequence[Record]]) -> None:
    """Refuse an input that was chosen for the step as a whole and fits none of its arguments."""
    taken = {name for found in records.values() for record in found for name in (record.base, record.name)}
    for one in _listed(wanted):
        name = one.name if isinstance(one, Record) else one
        if name not in taken:
            raise StepError(f"step '{step.name}' cannot use the input '{name}': it takes {', '.join(step.inputs())}")


def _listed(wanted: Any) -> Sequence[Any]:
    return wanted if isinstance(wanted, list | tuple) else [wanted]


def _makers(result: type[Result]) -> dict[str, bool]:
    from nxscatter.step import registry

    return {name: issubclass(step.output(), result) for name, step in registry().items()}


def _sources(content: Converted, kind: Any, key: str, records: Sequence[Record]) -> list[Source]:
    if result_kind(kind)[0] is None:
        return [content.source(kind, key)]
    return [Source(record.path, record.result_hash) for record in records]


def _value(session: Run, kind: Any, key: str, records: Sequence[Record]) -> Any:
    result, many, _ = result_kind(kind)
    if result is None:
        return session.raw if kind is FrameReader else session.converted.value(kind, key)
    loaded = tuple(session.load(record) for record in records)
    return loaded if many else (loaded[0] if loaded else None)


class _LazyStage:
    """The chain behind an image that was read from its record: made again when somebody streams frames."""

    def __init__(self, container: Container, record: Record, flags: Ints) -> None:
        self._container = container
        self._record = record
        self._flags = flags

    @cached_property
    def _stage(self) -> Stage:
        # an image step goes by which pixels are valid; where the first frame tells them all, the others are not read
        session = Run(self._container)
        with session.raw.rehearsal():
            image = recompute(self._container, self._record, session)
        assert isinstance(image, Image)
        if not np.array_equal(image.flags, self._flags):
            image = recompute(self._container, self._record)
            assert isinstance(image, Image)
        if image.stage is None:
            raise StepError(f"{self._record.name}: step {self._record.step} cannot be applied frame by frame")
        return image.stage

    @property
    def raw(self) -> FrameReader:
        """The raw frames at the chain's beginning."""
        return self._stage.raw

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of this stage's image."""
        return self._stage.shape

    def gather(self, index: Ints) -> Gather:
        """Make the function that turns a raw frame into values and variances at pixels ``index``."""
        return self._stage.gather(index)

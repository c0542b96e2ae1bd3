"""Results of the tasks of a run, with the frames of the stack read in a single pass for all that want them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from typing import Any, cast

import numpy as np

from nxscatter.errors import StepError
from nxscatter.model import Array, Ints
from nxscatter.results import Image, Result
from nxscatter.results.stages import FrameReader, Gather, PerFrame, Pixels, Reduction, Stage
from nxscatter.science.pixels.single_pass import single_pass
from nxscatter.steps.framewise import FramewiseStep, ImageStep, in_plan, taken_inputs
from nxscatter.store.container import Container
from nxscatter.store.ledger import Source
from nxscatter.store.record import Record
from nxscatter.workflow.doubts import inherited
from nxscatter.workflow.step_inputs import Converted, result_kind, sources
from nxscatter.workflow.tasks import Task, recorded_task


class Session:
    """Computes what tasks make, each when it is asked for first.

    When a task wants something of each frame, all tasks that do and whose plans can be made already are planned, and
    served by the same reading. What a plan is made of is either known, or an image's pixels that are expected; where
    something else comes out (a detector's pixel dies in a later frame), the plans that stand on it are thrown away.

    Parameters
    ----------
    container : Container
        The file.
    tasks : iterable of Task
        What it is to compute; other records are loaded.
    """

    def __init__(self, container: Container, tasks: Iterable[Task]) -> None:
        self._container = container
        self._converted = Converted(container)
        self._tasks = {task.name: task for task in tasks}
        self._results: dict[str, Result] = {}
        self._expected: dict[str, Pixels] = {}  # of images that are yet to be made
        self._gathered: dict[str, tuple[PerFrame | Reduction, tuple[Array, ...]]] = {}  # plans and their arrays

    def result(self, name: str) -> Result:
        """Return the result of a task or of a record."""
        if name not in self._results:
            task = self._tasks.get(name)
            self._results[name] = self._load(name) if task is None else self._compute(task)
        return self._results[name]

    def sources(self, task: Task) -> dict[str, list[Source]]:
        """Return where the inputs of a task come from; the records that it takes must have been written."""
        records = {record.name: record for record in self._container.records}
        return {
            key: sources(self._converted, kind, key, [records[name] for name in task.inputs[key]])
            for key, kind in task.step.inputs().items()
        }

    def pixels(self, name: str) -> Pixels:
        """Return the pixels of an image, the expected ones when they can be known without all frames."""
        image = self._foreseen(name) if self._is_foreseeable(name) else in_plan(self.result(name))
        assert isinstance(image, Pixels)
        return image

    def _load(self, name: str) -> Result:
        record = self._container.record(name)
        result = record.load()
        if isinstance(result, Image):
            result = replace(result, stage=_StoredStage(self._container, record, result.flags))
        return result

    def _compute(self, task: Task) -> Result:
        """Call the step of a task, and complete its result."""
        step, arguments = task.step, self._arguments(task, task.step.inputs(), self.result)
        if isinstance(step, FramewiseStep):
            if task.name not in self._gathered:
                self._read_frames(task, step)
            plan, arrays = self._gathered.pop(task.name)
            result = step.finish(plan, arrays, **arguments)
        else:
            result = cast("Callable[..., Result]", step)(**arguments)
        self._compare(task, result)
        return result.doubted(inherited(arguments, self._container.origin.doubts))

    def _arguments(self, task: Task, keys: Iterable[str], of_record: Callable[[str], Any]) -> dict[str, Any]:
        arguments = {}
        for key in keys:
            kind = task.step.inputs()[key]
            result, many, _ = result_kind(kind)
            if result is None:
                arguments[key] = self._converted.value(kind, key)
                continue
            values = tuple(of_record(name) for name in task.inputs[key])
            arguments[key] = values if many else (values[0] if values else None)
        return arguments

    def _read_frames(self, task: Task, step: FramewiseStep) -> None:
        """Read the frames for a task, and for all others that can be planned by now."""
        plans = {task.name: self._plan(task, step)}
        if not step.reads_frames:
            self._gathered[task.name] = plans[task.name], ()
            return
        for name, other in self._tasks.items():
            if name in plans or name in self._results or name in self._gathered:
                continue
            if isinstance(other.step, FramewiseStep) and other.step.reads_frames:
                needed = self._needed(other, other.step.planned_on)
                if all(map(self._is_foreseeable, needed)):
                    plans[name] = self._plan(other, other.step)
        raw = self._converted.value(FrameReader, "raw")
        for (name, plan), arrays in zip(plans.items(), single_pass(raw, plans.values()), strict=True):
            self._gathered[name] = plan, arrays

    def _plan(self, task: Task, step: FramewiseStep) -> PerFrame | Reduction:
        return step.plan(**self._arguments(task, step.planned_on, self._foreseen))

    def _foreseen(self, name: str) -> Result | Pixels:
        """Return a result as a plan takes it: of an image its pixels, of one that is yet to be made the expected."""
        task = self._tasks.get(name)
        if task is None or self._is_known(name) or not isinstance(task.step, ImageStep):
            return cast("Result | Pixels", in_plan(self.result(name)))
        if name not in self._expected:
            arguments = self._arguments(task, taken_inputs(task.step, task.step.pixels), self._foreseen)
            self._expected[name] = task.step.pixels(**arguments)
        return self._expected[name]

    def _is_known(self, name: str) -> bool:
        """Tell whether a result is there, or can be computed without any frame."""
        task = self._tasks.get(name)
        if task is None or name in self._results:
            return True
        step = task.step
        reads = (isinstance(step, FramewiseStep) and step.reads_frames) or FrameReader in step.inputs().values()
        return not reads and all(map(self._is_known, self._needed(task, step.inputs())))

    def _is_foreseeable(self, name: str) -> bool:
        """Tell whether a result is known, or is an image whose pixels can be told before its frames are read."""
        if self._is_known(name):
            return True
        task = self._tasks[name]
        if not isinstance(task.step, ImageStep):
            return False
        return all(map(self._is_foreseeable, self._needed(task, taken_inputs(task.step, task.step.pixels))))

    def _needed(self, task: Task, keys: Iterable[str]) -> list[str]:
        return [name for key in keys for name in task.inputs[key]]

    def _compare(self, task: Task, result: Result) -> None:
        """Throw away what was planned on an image that came out with other pixels than expected."""
        expected = self._expected.pop(task.name, None)
        if expected is None or (isinstance(result, Image) and expected.agree_with(result.pixels)):
            return
        for name in self._tasks:
            if self._stands_on(name, task.name):
                self._expected.pop(name, None)
                self._gathered.pop(name, None)

    def _stands_on(self, name: str, other: str) -> bool:
        task = self._tasks.get(name)
        needed = [] if task is None else self._needed(task, task.inputs)
        return other in needed or any(self._stands_on(taken, other) for taken in needed)


def recompute(container: Container, record: Record) -> Result:
    """Compute the result of a record again from its stored parameters and inputs, with its stage when an image.

    It is computed with the version of the step that made it.

    Raises
    ------
    UnknownStepError
        When the code of the version that made the record, or one that it stands on, is not here.
    """
    return Session(container, [recorded_task(container, record)]).result(record.name)


class _StoredStage(Stage):
    """The chain behind an image that was read from its record: made again when somebody wants frames."""

    def __init__(self, container: Container, record: Record, flags: Ints) -> None:
        self._container = container
        self._record = record
        self._flags = flags

    @cached_property
    def _stage(self) -> Stage:
        session = Session(self._container, [recorded_task(self._container, self._record)])
        pixels = session.pixels(self._record.name)
        if not np.array_equal(pixels.flags, self._flags):  # the first frame does not tell them all
            pixels = cast("Image", session.result(self._record.name)).pixels
        if pixels.stage is None:
            raise StepError(f"{self._record.name}: step {self._record.step} cannot be applied frame by frame")
        return pixels.stage

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

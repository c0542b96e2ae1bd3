"""Bases of the steps that go by single frames, so that a stack is read in a single pass for all of them.

Before a stack is read, each step of a run that wants something of its frames is asked what (`FramewiseStep.plan`);
then it is read once, and each makes its result of what was gathered for it (`FramewiseStep.finish`). What a step wants
mostly depends on which pixels of an image are valid: the image steps before it tell (`ImageStep.pixels`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nxscatter.errors import StepError
from nxscatter.fields import type_hints
from nxscatter.model import Array
from nxscatter.results import Image, Result
from nxscatter.results.stages import FrameReader, PerFrame, Pixels, Reduction
from nxscatter.science.pixels.single_pass import single_pass
from nxscatter.step import Step


@dataclass(frozen=True)
class ImageStep(Step):
    """Base of the steps that make an image whose pixels are known before its frames are read.

    A step that makes an image may be a plain `Step`, too: steps that want something of each frame of that image then
    wait for it, and the stack is read once more for them.
    """

    def pixels(self, *args: Any, **kwargs: Any) -> Pixels:
        """Return the pixels of the image that the step will make.

        It takes inputs of the step by name, those that it needs, with `Pixels` in place of `Image`. What comes out of
        all frames may differ from what the first one tells (a detector's pixel dies): then everything that was planned
        on it is planned again, and the stack is read a second time.
        """
        raise NotImplementedError(f"{self.name}: give the step a method pixels, or make it a plain Step")


@dataclass(frozen=True)
class FramewiseStep(Step):
    """Base of the steps that want something of every raw frame.

    The inputs and the result of the step are those of `finish`, behind its first two arguments. A step that gives the
    counts of each frame::

        @dataclass(frozen=True)
        class FrameTotals(FramewiseStep):
            name = "frame_totals"
            version = 1

            def plan(self, image: Pixels) -> PerFrame:
                gather = image.chain(self.name).gather(np.flatnonzero(image.valid))
                return partial(_total, gather)

            def finish(self, plan: PerFrame, arrays: tuple[Array, ...], image: Image, exposure: Exposure) -> Totals:
                (totals,) = arrays  # (frame,)
                return Totals(totals, exposure.elapsed, notes=image.notes)

        def _total(gather: Gather, frame: Array, number: int) -> tuple[Array, ...]:
            values, variances = gather(frame, number)
            return (values.sum(),)
    """

    @property
    def reads_frames(self) -> bool:
        """Whether anything is wanted of the frames, with these parameters."""
        return True

    @property
    def planned_on(self) -> Sequence[str]:
        """Names of the inputs that `plan` is given: all that it takes, unless a step needs fewer at times."""
        return taken_inputs(self, self.plan)

    def plan(self, *args: Any, **kwargs: Any) -> PerFrame | Reduction:
        """Return what is wanted of each raw frame.

        It takes inputs of the step by name, those that it needs, with `Pixels` in place of `Image`: of an image that
        is yet to be made the pixels alone are known. The fewer it needs, the sooner it can be planned.

        Returns
        -------
        callable or Reduction
            Called with a raw frame (rows, columns) and its number it returns a tuple of arrays, which are kept for
            all frames. Any callable will do. A reduction keeps a few arrays for all frames together.
        """
        raise NotImplementedError(f"{self.name}: give the step a method plan")

    def finish(self, plan: Any, arrays: tuple[Array, ...], *args: Any, **kwargs: Any) -> Result:
        """Return the result.

        Parameters
        ----------
        plan : callable or Reduction
            What `plan` returned.
        arrays : tuple of ndarray
            What it made of the frames: the arrays of each frame along a first axis, or those of the reduction; empty
            when nothing was wanted of them. They are the step's own, to work on in their place.
        *args, **kwargs
            The inputs of the step.
        """
        raise NotImplementedError(f"{self.name}: give the step a method finish")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the result of these inputs; frames are read for this step alone."""
        inputs = inspect.signature(self.finish).bind(None, (), *args, **kwargs)
        inputs.apply_defaults()
        given = {name: inputs.arguments[name] for name in self.inputs()}
        plan = self.plan(**{name: in_plan(given[name]) for name in self.planned_on})
        arrays = single_pass(self._raw_of(given), [plan])[0] if self.reads_frames else ()
        return self.finish(plan, arrays, **given)

    def _raw_of(self, inputs: Mapping[str, Any]) -> FrameReader:
        """Return the stack that inputs come from: given itself, or at the beginning of an image's chain."""
        for name, kind in self.inputs().items():
            value = inputs[name]
            if kind is FrameReader:
                raw: FrameReader = value
                return raw
            if isinstance(value, Image):
                return value.pixels.chain(self.name).raw
        raise StepError(f"{self.name}: takes neither frames nor an image, so there are no frames to read")

    @classmethod
    def inputs(cls) -> dict[str, Any]:
        """Annotations of the inputs of `finish`, by argument name."""
        hints = type_hints(cls.finish)
        return {name: hints[name] for name in list(inspect.signature(cls.finish).parameters)[3:]}

    @classmethod
    def output(cls) -> type:
        """Class of the result."""
        result: type = type_hints(cls.finish)["return"]
        return result


def taken_inputs(step: Step, method: Callable[..., Any]) -> list[str]:
    """Return which inputs of a step its method ``plan`` or ``pixels`` takes.

    Raises
    ------
    TypeError
        When it takes something else.
    """
    known = step.inputs()
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    taken = inspect.signature(method).parameters.values()
    names = [parameter.name for parameter in taken if parameter.kind in named]
    for name in names:
        if name not in known:
            raise TypeError(f"{step.name}: {method.__name__} takes '{name}', which is no input: use {', '.join(known)}")
    return names


def in_plan(value: Any) -> Any:
    """Return an input as a plan takes it: pixels in place of an image."""
    if isinstance(value, tuple):
        return tuple(map(in_plan, value))
    return value.pixels if isinstance(value, Image) else value

"""Stacks that are read in a single pass, however many steps want something of their frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from nxscatter.model import Array
from nxscatter.results.stages import Accumulator, FrameReader, PerFrame, Reduction


def single_pass(raw: FrameReader, works: Iterable[PerFrame | Reduction]) -> list[tuple[Array, ...]]:
    """Read a stack once, and return what each work makes of its frames.

    Parameters
    ----------
    raw : FrameReader
        The stack.
    works : iterable of callable or Reduction
        What is wanted of the frames.

    Returns
    -------
    list of tuple of ndarray
        For each work the arrays that it makes of a frame, with the frames along a first axis, or those of its
        reduction.
    """
    frames = raw.shape[0]
    gathered = [work.start(frames) if isinstance(work, Reduction) else Stacked(work, frames) for work in works]
    for number, frame in enumerate(_frames(raw)):
        for accumulator in gathered:
            accumulator.add(frame, number)
    return [accumulator.arrays() for accumulator in gathered]


def _frames(raw: FrameReader) -> Iterator[Array]:
    if raw.shape[0] == 1:  # a single frame may be in memory already
        yield raw.read(0)
    else:
        yield from raw


class Stacked(Accumulator):
    """Arrays of each frame, along a first axis; it is made when the first ones have come.

    Parameters
    ----------
    work : callable
        From a raw frame and its number to arrays.
    frames : int
        How many frames there will be.
    """

    def __init__(self, work: PerFrame, frames: int) -> None:
        self._work = work
        self._frames = frames
        self._arrays: tuple[Array, ...] = ()

    def add(self, frame: Array, number: int) -> None:
        """Work on a frame."""
        values = self._work(frame, number)
        if not self._arrays:
            self._arrays = tuple(np.empty((self._frames, *np.shape(value))) for value in values)
        for array, value in zip(self._arrays, values, strict=True):
            array[number] = value

    def arrays(self) -> tuple[Array, ...]:
        """Return the arrays, the first axis being the frames."""
        return self._arrays

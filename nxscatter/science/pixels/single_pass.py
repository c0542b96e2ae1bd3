"""Stacks that are read once: what several steps want of each frame is computed while the frames pass.

The mean image needs all frames, and so do the profiles of each frame. Whoever wants something of each frame may say so
beforehand; it is then computed while the mean is made, and one reading serves both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from types import FunctionType
from typing import Any, TypeAlias

import numpy as np

from nxscatter.model import Array, Floats
from nxscatter.results.stages import FrameReader

# From a frame and its number to a few arrays, whose shapes are the same for all frames.
PerFrame: TypeAlias = Callable[[Array, int], tuple[Floats, ...]]


class Announced(Exception):  # noqa: N818, it is no error
    """Ends a step that is only tried: what it wants of each frame is known now."""


class SharedFrames:
    """A reader of frames that computes, while it is read, what was announced."""

    def __init__(self, raw: FrameReader) -> None:
        self._raw = raw
        self._announced: list[PerFrame] = []
        self._known: list[tuple[PerFrame, tuple[Floats, ...]]] = []
        self._rehearsing = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of frames, rows and columns."""
        return self._raw.shape

    def read(self, frame: int) -> Array:
        """Return one raw frame."""
        return self._raw.read(frame)

    def __iter__(self) -> Iterator[Array]:
        """Yield each raw frame; in a rehearsal the first one alone."""
        if self._rehearsing:
            yield self._raw.read(0)
            return
        works, self._announced = self._announced, []
        results = [_Collected(self.shape[0]) for _ in works]
        for number, frame in enumerate(self._raw):
            for work, result in zip(works, results, strict=True):
                result.put(number, work(frame, number))
            yield frame
        self._known += [(work, result.arrays) for work, result in zip(works, results, strict=True)]

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Let steps be tried on the first frame, to learn what they will want of each."""
        self._rehearsing = True
        try:
            yield
        finally:
            self._rehearsing = False

    def of_each(self, work: PerFrame) -> tuple[Floats, ...]:
        """Return what ``work`` makes of the frames, along a first axis: known from before, or from a reading now.

        Raises
        ------
        Announced
            In a rehearsal.
        """
        if self._rehearsing:
            self._announced.append(work)
            raise Announced
        known = (arrays for done, arrays in self._known if alike(done, work))
        return next(known, None) or _of_each(self._raw, work)


def of_each(raw: FrameReader, work: PerFrame) -> tuple[Floats, ...]:
    """Return what ``work`` makes of every frame: its arrays, with the frames along a first axis."""
    return raw.of_each(work) if isinstance(raw, SharedFrames) else _of_each(raw, work)


def alike(one: Any, other: Any) -> bool:
    """Tell whether two values are made of equal parts, and so do the same; False when in doubt.

    Arrays are compared element by element, dataclasses field by field, functions by their code and what they enclose.
    """
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, FunctionType):
        return one.__code__ is other.__code__ and alike(_bound(one), _bound(other))
    if is_dataclass(one):
        return all(alike(getattr(one, item.name), getattr(other, item.name)) for item in fields(one))
    return isinstance(one, str | int | float | slice | np.generic) and bool(one == other)


def _bound(function: FunctionType) -> list[Any]:
    """Return what a function finds beside its code: default values and what it encloses."""
    return [function.__defaults__, *(cell.cell_contents for cell in function.__closure__ or ())]


def _of_each(raw: FrameReader, work: PerFrame) -> tuple[Floats, ...]:
    collected = _Collected(raw.shape[0])
    for number, frame in enumerate(raw):
        collected.put(number, work(frame, number))
    return collected.arrays


class _Collected:
    """Results of all frames, in arrays that are made when the first one has come."""

    def __init__(self, frames: int) -> None:
        self._frames = frames
        self.arrays: tuple[Floats, ...] = ()

    def put(self, number: int, values: tuple[Floats, ...]) -> None:
        if not self.arrays:
            self.arrays = tuple(np.empty((self._frames, *value.shape)) for value in values)
        for array, value in zip(self.arrays, values, strict=True):
            array[number] = value

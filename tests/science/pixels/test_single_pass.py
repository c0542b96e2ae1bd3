"""A stack is read once, however much is wanted of its frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest

from nxscatter.model import Array
from nxscatter.results.stages import Reduction
from nxscatter.science.pixels.single_pass import single_pass
from support.scattering import Stack

FRAMES = np.arange(5 * 3 * 4, dtype=np.uint32).reshape(5, 3, 4)


class CountedStack(Stack):
    """A stack that counts how often it is read, and reads into the same memory again and again, as a file does."""

    readings = 0

    def __iter__(self) -> Iterator[Array]:
        type(self).readings += 1
        memory = np.empty_like(self.frames[0])
        for frame in self.frames:
            memory[...] = frame
            yield memory
        memory[...] = 0


@pytest.fixture(autouse=True)
def readings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CountedStack, "readings", 0)


def scaled(factor: float, index: Array, frame: Array, number: int) -> tuple[Array, ...]:
    return factor * frame.reshape(-1)[index], np.array(float(number))


@dataclass(frozen=True)
class Highest(Reduction):
    """The highest value of each pixel."""

    def start(self, frames: int) -> Any:
        return _Highest(frames)


class _Highest:
    def __init__(self, frames: int) -> None:
        self.left = frames
        self.highest = np.zeros(FRAMES.shape[1:])

    def add(self, frame: Array, number: int) -> None:
        self.left -= 1
        np.maximum(self.highest, frame, out=self.highest)

    def arrays(self) -> tuple[Array, ...]:
        assert self.left == 0
        return (self.highest,)


def test_one_reading_gives_the_arrays_of_each_frame_and_reductions() -> None:
    works: list[Any] = [
        partial(scaled, 2.0, np.array([1, 5])),
        Highest(),
        lambda frame, number: (frame[0, number % 4],),
        lambda frame, number: (frame.astype(float), frame[0]),
    ]
    doubled, highest, diagonal, copies = single_pass(CountedStack(FRAMES), works)
    assert CountedStack.readings == 1
    np.testing.assert_array_equal(doubled[0], 2.0 * FRAMES.reshape(5, -1)[:, [1, 5]])
    np.testing.assert_array_equal(doubled[1], np.arange(5))
    np.testing.assert_array_equal(highest[0], FRAMES[-1])
    np.testing.assert_array_equal(diagonal[0], [FRAMES[n, 0, n % 4] for n in range(5)])
    np.testing.assert_array_equal(copies[0], FRAMES)
    np.testing.assert_array_equal(copies[1], FRAMES[:, 0])


def test_a_single_frame_is_read_as_one() -> None:
    ((values, _),) = single_pass(CountedStack(FRAMES[:1]), [partial(scaled, 1.0, np.array([0, 1]))])
    assert CountedStack.readings == 0
    np.testing.assert_array_equal(values, [FRAMES[0, 0, :2]])


def test_a_reduction_can_be_asked_again() -> None:
    highest = Highest()
    for frames in (FRAMES, FRAMES[:2]):
        (found,) = single_pass(Stack(frames), [highest])
        np.testing.assert_array_equal(found[0], frames[-1])


def test_arrays_of_another_number_are_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        single_pass(Stack(FRAMES), [lambda frame, number: (frame,) * (1 + number)])

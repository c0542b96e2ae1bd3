"""A stack is read once for all that say beforehand what they want, and nobody gets what another one asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from nxscatter.science.pixels.single_pass import Announced, SharedFrames, alike, of_each
from nxscatter.science.pixels.stage_links import CavedStage, MaskedStage, RawStage
from support.scattering import Stack

FRAMES = np.arange(5 * 3 * 4, dtype=np.uint32).reshape(5, 3, 4)


class Counted(Stack):
    """A stack that counts how often it is read."""

    readings = 0

    def __iter__(self):
        type(self).readings += 1
        return super().__iter__()


@pytest.fixture
def raw(monkeypatch):
    monkeypatch.setattr(Counted, "readings", 0)
    return SharedFrames(Counted(FRAMES))


def adding(factor, index):
    def work(frame, number):
        return factor * frame.reshape(-1)[index], np.array(float(number))

    return work


def announce(raw, work):
    with raw.rehearsal(), pytest.raises(Announced):
        of_each(raw, work)


def test_what_was_announced_is_computed_while_the_frames_pass(raw):
    announce(raw, adding(2.0, np.array([1, 5])))
    mean = sum(frame.astype(float) for frame in raw) / 5
    values, numbers = of_each(raw, adding(2.0, np.array([1, 5])))
    assert Counted.readings == 1
    np.testing.assert_array_equal(mean, FRAMES.mean(axis=0))
    np.testing.assert_array_equal(values, 2.0 * FRAMES.reshape(5, -1)[:, [1, 5]])
    np.testing.assert_array_equal(numbers, np.arange(5))


@pytest.mark.parametrize("other", [adding(3.0, np.array([1, 5])), adding(2.0, np.array([1, 6])), lambda f, n: (f[0],)])
def test_what_is_not_what_was_announced_is_read_again(raw, other):
    announce(raw, adding(2.0, np.array([1, 5])))
    list(raw)
    found = of_each(raw, other)[0]
    assert Counted.readings == 2
    np.testing.assert_array_equal(found, [other(frame, number)[0] for number, frame in enumerate(FRAMES)])


def test_a_reading_that_was_not_finished_counts_for_nothing(raw):
    announce(raw, adding(2.0, np.array([1])))
    next(iter(raw))
    assert of_each(raw, adding(2.0, np.array([1])))[0].shape == (5, 1)
    assert Counted.readings == 2


def test_in_a_rehearsal_the_first_frame_stands_for_all(raw):
    with raw.rehearsal():
        (frame,) = raw
    np.testing.assert_array_equal(frame, FRAMES[0])
    assert raw.shape == FRAMES.shape
    assert Counted.readings == 0


def test_a_plain_reader_is_read():
    (values, _) = of_each(Stack(FRAMES), adding(1.0, np.array([0])))
    np.testing.assert_array_equal(values[:, 0], FRAMES[:, 0, 0])


@dataclass(frozen=True, eq=False)
class Part:
    values: np.ndarray
    name: str = "a"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (np.array([1.0, np.nan]), np.array([1.0, np.nan]), True),
        (np.array([1, 2]), np.array([1.0, 2.0]), False),
        (np.array([1, 2]), np.array([1, 3]), False),
        ((1, "a", slice(3)), (1, "a", slice(3)), True),
        ((1, 2), (1, 2, 3), False),
        ([1], (1,), False),
        (Part(np.ones(2)), Part(np.ones(2)), True),
        (Part(np.ones(2)), Part(np.ones(2), "b"), False),
        (np.int64(3), np.int64(3), True),
        (object(), object(), False),
        (adding(1.0, np.ones(2)), adding(1.0, np.ones(2)), True),
        (adding(1.0, np.ones(2)), adding(1.0, np.zeros(2)), False),
        (lambda x=1: x, lambda x=1: x, False),
    ],
)
def test_alike_is_made_of_equal_parts(one, other, same):
    assert alike(one, other) is same


def chain(invalid, filled, raw):
    return CavedStage(MaskedStage(RawStage(raw), invalid), filled, (2, 3)).gather(np.arange(6))


def test_chains_are_alike_where_they_do_the_same_to_the_pixels_that_are_asked_for():
    invalid, filled = np.zeros((3, 4), dtype=bool), np.zeros((3, 4), dtype=bool)
    invalid[0, 0] = filled[0, 1] = True
    elsewhere, here = invalid.copy(), invalid.copy()
    elsewhere[1, 3], here[1, 0] = True, True
    stack = Stack(FRAMES)
    assert alike(chain(invalid, filled, stack), chain(invalid.copy(), filled.copy(), stack))
    assert alike(chain(invalid, filled, stack), chain(elsewhere, filled, stack))
    assert not alike(chain(invalid, filled, stack), chain(here, filled, stack))
    assert not alike(chain(invalid, filled, stack), chain(invalid, ~filled, stack))

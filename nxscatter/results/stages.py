"""Image steps as a chain applied frame by frame, so that memory does not grow with the number of frames.

A stage answers one question: which numbers of a raw frame make the pixels ``index`` of my image? The answer
is a function from a raw frame and its number to values and variances, made once for a set of pixels and called for
each frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np

from nxscatter.errors import StepError
from nxscatter.model import Array, Floats, Ints
from nxscatter.results.base import PixelFlag

# From a raw frame and its number to the values and the variances of some pixels.
Gather: TypeAlias = Callable[[Array, int], tuple[Floats, Floats]]
# From a raw frame and its number to a few arrays, whose shapes are the same for all frames.
PerFrame: TypeAlias = Callable[[Array, int], tuple[Array, ...]]


class FrameReader(Protocol):
    """A stack of raw frames, read one at a time."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of frames, rows and columns."""

    def __iter__(self) -> Iterator[Array]:
        """Yield each raw frame (rows, columns) in the detector's own dtype.

        The next frame may take its place in memory: copy what is to be kept.
        """

    def read(self, frame: int) -> Array:
        """Return one raw frame (rows, columns) in the detector's own dtype."""


class Stage(Protocol):
    """One link of the chain: the images that an image step makes of the raw frames."""

    @property
    def raw(self) -> FrameReader:
        """The raw frames at the chain's beginning."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of this stage's image."""

    def gather(self, index: Ints) -> Gather:
        """Make the function that turns a raw frame and its number into values and variances at pixels ``index``.

        Parameters
        ----------
        index : ndarray of int
            Flat indices into this stage's image.

        Returns
        -------
        callable
            ``(frame, number) -> (values, variances)``, both float64 of ``index.shape``; ``number`` counts the
            frames of the stack from 0, for what differs between them. Both are NaN for an invalid
            pixel; the variance alone is NaN for a pixel filled from its partner.
        """


@dataclass(frozen=True, eq=False)
class Pixels:
    """The pixels of an image apart from its intensity: all that has to be known of it before its frames are read.

    Attributes
    ----------
    flags : ndarray of uint16 (rows, columns)
        `PixelFlag` bits; 0 = plainly measured.
    stage : Stage or None
        How they are made of each raw frame; None: the image has lost its frames.
    frames : int
        Number of frames averaged.
    binning : int
        Stored pixels along one side of an image pixel.
    left_out : tuple of int
        Numbers (from 0) of raw frames that are not averaged.
    """

    flags: Ints
    stage: Stage | None
    frames: int = 1
    binning: int = 1
    left_out: tuple[int, ...] = ()

    @property
    def stack(self) -> int:
        """Number of raw frames, averaged or left out."""
        return self.frames + len(self.left_out)

    @property
    def kept(self) -> Ints:
        """Numbers (from 0) of the raw frames that are averaged."""
        return np.setdiff1d(np.arange(self.stack), self.left_out)

    @property
    def valid(self) -> Array:
        """Which pixels hold a value, measured or filled: bool (rows, columns)."""
        return np.asarray((self.flags & np.uint16(PixelFlag.invalid())) == 0)

    def valid_at(self, index: Ints) -> Array:
        """Return which of the pixels at flat ``index`` hold a value."""
        return np.asarray((self.flags.reshape(-1)[index] & np.uint16(PixelFlag.invalid())) == 0)

    def agree_with(self, other: Pixels) -> bool:
        """Tell whether the same pixels are valid, for the same reasons, in as many frames."""
        same = (self.frames, self.binning, self.left_out) == (other.frames, other.binning, other.left_out)
        return same and np.array_equal(self.flags, other.flags)

    def chain(self, step: str) -> Stage:
        """Return the stage, for a step that needs it.

        Raises
        ------
        StepError
            When the image has lost its frames.
        """
        if self.stage is None:
            raise StepError(f"{step}: needs the raw frames, which the image has lost: use frames = 'mean'")
        return self.stage


class Accumulator(Protocol):
    """What is gathered while the frames of a stack pass."""

    def add(self, frame: Array, number: int) -> None:
        """Take in a raw frame, whose memory is used again for the next one."""

    def arrays(self) -> tuple[Array, ...]:
        """Return what was gathered, after the last frame."""


@runtime_checkable
class Reduction(Protocol):
    """What is wanted of all frames together (a sum, a maximum), in memory that does not grow with their number."""

    def start(self, frames: int) -> Accumulator:
        """Begin anew, for a stack of so many frames."""

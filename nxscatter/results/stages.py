"""Image steps as a chain applied frame by frame, so that memory does not grow with the number of frames.

A stage answers one question: which numbers of a raw frame make the pixels ``index`` of my image? The answer
is a function from a raw frame and its number to values and variances, made once for a set of pixels and called for
each frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias

from nxscatter.model import Array, Floats, Ints

Gather: TypeAlias = Callable[[Array, int], tuple[Floats, Floats]]


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

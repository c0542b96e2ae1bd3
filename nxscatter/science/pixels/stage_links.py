"""The links of the chain that turns a raw frame into the pixels of an image step, frame by frame.

Each link is a `~nxscatter.results.stages.Stage`. A profile step asks the last one for the pixels that it needs; every
link translates them into pixels of the link before, down to the raw frame, so that a frame costs one gather.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nxscatter.model import Array, Floats, Ints
from nxscatter.results.stages import FrameReader, Gather, Stage


@dataclass(frozen=True, eq=False)
class RawStage:
    """Counts as they were measured; the variance of a Poisson count is the count."""

    raw: FrameReader

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.raw.shape[1:]

    def gather(self, index: Ints) -> Gather:
        """Return a function from a frame to its counts at ``index``, twice: values and variances."""

        def take(frame: Array, number: int) -> tuple[Floats, Floats]:
            counts = frame.reshape(-1).take(index).astype(float)
            return counts, counts

        return take


@dataclass(frozen=True, eq=False)
class Link:
    """A stage that follows another one, by default on the same pixels.

    Parameters
    ----------
    before : Stage
        The chain so far.
    """

    before: Stage

    @property
    def raw(self) -> FrameReader:
        """The raw frames."""
        return self.before.raw

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.before.shape


@dataclass(frozen=True, eq=False)
class MaskedStage(Link):
    """Invalid pixels become NaN, in every frame alike.

    Parameters
    ----------
    invalid : ndarray of bool (rows, columns)
        True where a pixel is invalid.
    """

    invalid: Array

    def gather(self, index: Ints) -> Gather:
        """Return a function from a frame to values and variances at ``index``, NaN where invalid."""
        out = self.invalid.reshape(-1)[index]
        take = self.before.gather(index)
        if not out.any():
            return take

        def take_valid(frame: Array, number: int) -> tuple[Floats, Floats]:
            values, variances = take(frame, number)
            return np.where(out, np.nan, values), np.where(out, np.nan, variances)

        return take_valid


@dataclass(frozen=True, eq=False)
class VarianceStage(Link):
    """Variances that came with the frames, in place of those of counting.

    Parameters
    ----------
    variance : ndarray (frame, rows, columns)
        NaN where a frame has none: there that of counting stays.
    """

    variance: Floats

    def gather(self, index: Ints) -> Gather:
        """Return a function from a frame to its values and their variances at ``index``."""
        take = self.before.gather(index)

        def take_both(frame: Array, number: int) -> tuple[Floats, Floats]:
            values, counted = take(frame, number)
            given = self.variance[number].reshape(-1)[index]
            return values, np.where(np.isnan(given) | np.isnan(counted), counted, given)

        return take_both


@dataclass(frozen=True, eq=False)
class BinnedStage(Link):
    """Blocks of ``factor`` x ``factor`` pixels become one pixel: the mean of the valid ones."""

    factor: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns: only whole blocks."""
        rows, columns = self.before.shape
        return rows // self.factor, columns // self.factor

    def gather(self, index: Ints) -> Gather:
        """Return a function from a frame to means and their variances at ``index``."""
        row, column = np.divmod(index, self.shape[1])
        corner = row * self.factor * self.before.shape[1] + column * self.factor
        down, right = np.divmod(np.arange(self.factor**2), self.factor)
        take = self.before.gather(np.add.outer(down * self.before.shape[1] + right, corner))

        def take_means(frame: Array, number: int) -> tuple[Floats, Floats]:
            return block_means(*take(frame, number))

        return take_means


@dataclass(frozen=True, eq=False)
class CavedStage(Link):
    """Pixels without data take the value of their partner across the beam; their variance is NaN.

    Parameters
    ----------
    filled : ndarray of bool (rows, columns)
        True where a pixel is filled.
    sums : tuple of int
        What the rows and the columns of a pixel and its partner add up to.
    """

    filled: Array
    sums: tuple[int, int]

    def gather(self, index: Ints) -> Gather:
        """Return a function from a frame to values and variances at ``index``."""
        filled = self.filled.reshape(-1)[index]
        take = self.before.gather(np.where(filled, partner(index, self.shape[1], self.sums), index))
        if not filled.any():
            return take

        def take_filled(frame: Array, number: int) -> tuple[Floats, Floats]:
            values, variances = take(frame, number)
            return values, np.where(filled, np.nan, variances)

        return take_filled


def partner(index: Ints, columns: int, sums: tuple[int, int]) -> Ints:
    """Return the flat index of each pixel's partner: its row is ``sums[0] - row``, its column likewise.

    Only meaningful where the partner lies inside the image.
    """
    return np.asarray(sums[0] * columns + sums[1] - index)


def block_means(values: Floats, variances: Floats) -> tuple[Floats, Floats]:
    """Return the means over the first axis and their variances.

    Parameters
    ----------
    values, variances : ndarray (block, ...)
        NaN where invalid; the variance alone is NaN for a filled pixel, which counts in the mean and not in the
        variance.

    Returns
    -------
    means, variances : ndarray (...)
        NaN without a valid pixel; the variance also without a measured one.
    """
    valid, measured = np.isfinite(values), np.isfinite(variances)
    with np.errstate(invalid="ignore"):
        means = np.sum(values, axis=0, where=valid, dtype=float) / np.sum(valid, axis=0)
        of_means = np.sum(variances, axis=0, where=measured) / np.sum(measured, axis=0) ** 2
    return means, of_means

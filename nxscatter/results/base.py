"""What all results have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntFlag
from typing import TYPE_CHECKING, ClassVar, Self

from nxscatter.fields import quantity
from nxscatter.model import DOUBTS, Doubt, Floats
from nxscatter.plain import Json
from nxscatter.results.plots import Plot

# the verdicts of a fit, then what its data stand on, where the numbers are kept
STATUSES = (
    "ok",
    "isotropic",
    "coverage",
    "background",
    "not_converged",
    "at_limit",
    "too_few_points",
    *DOUBTS,
)


_TRUSTED = ("ok", "isotropic")  # verdicts that stand on the data's being what they seem


class PixelFlag(IntFlag):
    """Why a pixel is not a plain measured one. Bits 0 to 8 as in NeXus NXdetector ``pixel_mask``."""

    GAP = 1 << 0
    DEAD = 1 << 1
    UNDER_RESPONDING = 1 << 2
    OVER_RESPONDING = 1 << 3
    NOISY = 1 << 4
    CLUSTER = 1 << 6
    MASKED = 1 << 8
    DUMMY = 1 << 9
    BEAMSTOP = 1 << 10
    NOT_A_NUMBER = 1 << 11
    SATURATED = 1 << 12
    SENTINEL = 1 << 13
    FILLED = 1 << 15

    @classmethod
    def invalid(cls) -> int:
        """All bits that make a pixel invalid: every one but FILLED."""
        return 0xFFFF & ~int(cls.FILLED)


@dataclass(frozen=True, kw_only=True)
class Result:
    """Base of all results.

    Attributes
    ----------
    notes : tuple of str
        Warnings in words; they travel on to what is derived from this result.
    auto : mapping
        Values that the step chose by itself, stored beside the parameters and marked.
    doubts : tuple of Doubt
        What this result stands on that cannot be trusted; they travel on as the notes do, and end as the status of
        rows that would be ``ok``.
    settles : tuple of str
        Statuses of doubts about the inputs that this result has cleared (a mask was given for one that is missing).

    ``signal`` names the field that the main NXdata plots ("" when all are details), ``group`` that NXdata,
    and ``axes`` which field runs along a dimension (a dimension without a field is numbered).
    """

    group: ClassVar[str] = "data"
    signal: ClassVar[str] = ""
    axes: ClassVar[Mapping[str, str]] = {}

    notes: tuple[str, ...] = field(default=(), metadata={"stored": False})
    auto: Mapping[str, Json] = field(default_factory=dict, metadata={"stored": False})
    doubts: tuple[Doubt, ...] = field(default=(), metadata={"stored": False})
    settles: tuple[str, ...] = field(default=(), metadata={"stored": False})

    def doubted(self, doubts: tuple[Doubt, ...]) -> Self:
        """Return the result with all that its inputs and itself give reason to doubt, the gravest first."""
        left = [doubt for doubt in (*self.doubts, *doubts) if doubt.status not in self.settles]
        ordered = sorted(dict.fromkeys(left), key=lambda doubt: list(DOUBTS).index(doubt.status))
        return replace(self, doubts=tuple(ordered))

    def column_units(self, name: str) -> str:
        """Return the declared units of a column of a table that is kept as a mapping."""
        return ""

    @property
    def title(self) -> str:
        """Title of the main NXdata, "" for none."""
        return ""

    def plots(self) -> tuple[Plot, ...]:
        """Return what `silx view` shows, the record's default first; empty: the main NXdata itself."""
        return ()


@dataclass(frozen=True, kw_only=True)
class Intensities(Result):
    """Base of the results that hold intensities: declared in counts, which corrections turn into other units."""

    units: str = quantity("", "units that the intensities have in place of the declared counts", default="counts")


@dataclass(frozen=True, kw_only=True)
class Rows(Result):
    """Base of the tables: rows of rings, each with a status and its reason."""

    if TYPE_CHECKING:
        q: Floats
        status: tuple[str, ...]
        reason: tuple[str, ...]

    def doubted(self, doubts: tuple[Doubt, ...]) -> Self:
        """Return the table in which rows ``ok`` or ``isotropic`` have the gravest doubt for their status."""
        found = super().doubted(doubts)
        status, reason = list(found.status), list(found.reason)
        for row, q in enumerate(found.q.tolist()):
            gravest = next((doubt for doubt in found.doubts if doubt.concerns(q)), None)
            if status[row] in _TRUSTED and gravest is not None:
                status[row], reason[row] = gravest.status, gravest.reason
        return replace(found, status=tuple(status), reason=tuple(reason))

    def reasons(self, row: int) -> tuple[str, ...]:
        """Return all that speaks against a row, in words: its own verdict first."""
        q = float(self.q[row])
        found = [self.reason[row], *(doubt.reason for doubt in self.doubts if doubt.concerns(q))]
        return tuple(dict.fromkeys(reason for reason in found if reason))


def first_of(frames: int) -> str:
    """Say that only the first frame of a stack is drawn."""
    return f", first of {frames} frames" if frames > 1 else ""

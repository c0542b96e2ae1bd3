"""Declared fields: units, meaning, dimensions and limits of quantities and parameters, stated once."""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence
from dataclasses import MISSING, field
from functools import cache
from typing import Any


def quantity(
    units: str,
    doc: str,
    *,
    dims: tuple[str, ...] = (),
    default: Any = MISSING,
    stored: bool = True,
    name: str = "",
) -> Any:
    """Declare a field of a model or result class.

    Parameters
    ----------
    units : str
        Units as NeXus writes them (``"1/angstrom"``, ``"m"``, ``"degree"``), "" for a pure number.
    doc : str
        What the value means, in the field's words.
    dims : tuple of str
        Names of the axes of an array. A name that ends in ``?`` is an axis that may be absent.
    default : object
        The value when none is given.
    stored : bool
        False for helpers that live in memory only.
    name : str
        Name in the file where it differs; ``{angle}`` stands for the value of the field ``angle``.
    """
    metadata = {"units": units, "doc": doc, "dims": dims, "stored": stored, "name": name}
    if default is MISSING:
        return field(metadata=metadata)
    if isinstance(default, dict):
        return field(default_factory=dict, metadata=metadata)
    return field(default=default, metadata=metadata)


def param(
    units: str,
    doc: str,
    *,
    default: Any = MISSING,
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    choices: Sequence[Any] | None = None,
) -> Any:
    """Declare a parameter of a step: its units, meaning, default and legal range.

    Parameters
    ----------
    units, doc : str
        As for `quantity`.
    default : object
        Left out for a parameter that must be given.
    minimum, maximum : float, optional
        Inclusive limits of a number, or of each number of a tuple.
    above : float, optional
        Exclusive lower limit.
    choices : sequence, optional
        The legal values, or the legal elements of a tuple.
    """
    metadata = {
        "units": units,
        "doc": doc,
        "minimum": minimum,
        "maximum": maximum,
        "above": above,
        "choices": None if choices is None else tuple(choices),
    }
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


# annotations of a class or function, resolved; asked for many times in a run
type_hints: Callable[[Any], dict[str, Any]] = cache(typing.get_type_hints)

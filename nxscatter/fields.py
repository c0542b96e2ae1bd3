"""Declared fields: units, meaning, dimensions and limits of quantities and parameters, stated once and read once."""

from __future__ import annotations

import math
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeAlias

from nxscatter.errors import ParameterError


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


@dataclass(frozen=True)
class One:
    """One value of a class."""

    kind: type


@dataclass(frozen=True)
class Several:
    """A tuple of any length."""

    item: Declared


@dataclass(frozen=True)
class Row:
    """A tuple of as many values as there are items."""

    items: tuple[Declared, ...]


@dataclass(frozen=True)
class Table:
    """A mapping of names to values."""

    item: Declared


@dataclass(frozen=True)
class Either:
    """A value of one of several types; None is a class like others, and comes last."""

    options: tuple[Declared, ...]


Declared: TypeAlias = One | Several | Row | Table | Either
_NONE = One(NoneType)

# annotations of a class or function, resolved; asked for many times in a run
type_hints: Callable[[Any], dict[str, Any]] = cache(typing.get_type_hints)


def _declared_fields(kind: Any) -> Mapping[str, Declared]:
    hints = type_hints(kind)
    return {item.name: declared(hints[item.name]) for item in fields(kind)}


# of a dataclass: the declared type of each field, by its name
declared_fields: Callable[[Any], Mapping[str, Declared]] = cache(_declared_fields)


def declared(annotation: Any) -> Declared:
    """Read an annotation: a class, a union, a tuple of one type or of several, a mapping of names; also nested.

    Raises
    ------
    TypeError
        When it is none of them.
    """
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, UnionType):
        return Either(tuple(map(declared, sorted(arguments, key=lambda option: option is NoneType))))
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return Several(declared(arguments[0]))
        return Row(tuple(map(declared, arguments)))
    if origin is Mapping:
        return Table(declared(arguments[1]))
    kind = origin or annotation  # of an array the class; what it holds is not looked into
    if not isinstance(kind, type):
        raise TypeError(f"{annotation} cannot be declared: use classes, and tuples, mappings and unions of them")
    return One(kind)


def without_none(kind: Declared) -> Declared:
    """Return a declared type without the None that it allows."""
    if not isinstance(kind, Either):
        return kind
    options = tuple(option for option in kind.options if option != _NONE)
    return options[0] if len(options) == 1 else Either(options)


def classes(kind: Declared) -> tuple[type, ...]:
    """Return the classes of which a declared type consists, None apart."""
    match kind:
        case One(found):
            return () if kind == _NONE else (found,)
        case Several(item) | Table(item):
            return classes(item)
        case Row(items) | Either(items):
            return tuple(found for item in items for found in classes(item))


def checked_value(label: str, value: Any, kind: Declared, rules: Mapping[str, Any]) -> Any:
    """Bring a value to its declared type, and check the limits that `param` declares.

    Parameters
    ----------
    label : str
        What errors call it.
    value : object
        A number of numpy is as good as one of Python, a list or an array as a tuple, one value as a tuple of one.
    kind, rules : Declared, mapping
        The declared type, and the metadata of the field.

    Raises
    ------
    ParameterError
        When it has another type, or lies outside its legal range.
    """
    value = _brought(label, value, kind)
    _check_limits(label, value, rules)
    return value


def _brought(label: str, value: Any, kind: Declared) -> Any:
    if hasattr(value, "tolist"):  # of numpy, which is not imported for this
        value = value.tolist()
    match kind:
        case One(found):
            return _one(label, value, found)
        case Several(item):
            return tuple(_brought(label, part, item) for part in _parts(label, value))
        case Row(items):
            parts = _parts(label, value)
            if len(parts) != len(items):
                raise ParameterError(f"{label} = {value!r}: give {len(items)} values")
            return tuple(_brought(label, part, item) for part, item in zip(parts, items, strict=True))
        case Table(item):
            return {str(key): _brought(label, part, item) for key, part in _one(label, value, Mapping).items()}
        case Either(options):
            return _first_that_fits(label, value, options)


def _first_that_fits(label: str, value: Any, options: Sequence[Declared]) -> Any:
    problems = []
    for option in options:
        try:
            return _brought(label, value, option)
        except ParameterError as error:
            problems.append(error)
    raise problems[0]


def _parts(label: str, value: Any) -> Sequence[Any]:
    if isinstance(value, str | bytes | Mapping):  # a text is never meant as its letters
        raise ParameterError(f"{label} = {value!r}: give a list")
    return value if isinstance(value, list | tuple) else [value]


def _one(label: str, value: Any, kind: type) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is float and number:
        return float(value)
    if kind is int and number and (isinstance(value, int) or value.is_integer()):
        return int(value)
    if kind not in (int, float) and isinstance(value, kind):
        return value
    wanted = _WORDS.get(kind) or getattr(kind, "in_words", kind.__name__)
    raise ParameterError(f"{label} = {value!r}: give {wanted}")


_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", Mapping: "a table"}


def _check_limits(label: str, value: Any, rules: Mapping[str, Any]) -> None:
    if isinstance(value, tuple):
        for item in value:
            _check_limits(label, item, rules)
        return
    choices = rules["choices"]
    if choices is not None and value is not None and value not in choices:
        raise ParameterError(f"{label} = {value!r}: use one of {', '.join(map(str, choices))}")
    if isinstance(value, int | float) and not isinstance(value, bool):
        _check_number(label, value, rules)


def _check_number(label: str, value: float, rules: Mapping[str, Any]) -> None:
    low, high, above = rules["minimum"], rules["maximum"], rules["above"]
    units = f" {rules['units']}" if rules["units"] else ""
    if not math.isfinite(value):
        raise ParameterError(f"{label} = {value!r}: give a finite number{units}")
    too_low = (low is not None and value < low) or (above is not None and value <= above)
    if too_low or (high is not None and value > high):
        start = f"above {above:g}" if above is not None else (f"at least {low:g}" if low is not None else "")
        end = f"at most {high:g}" if high is not None else ""
        raise ParameterError(f"{label} = {value:g}: give {' and '.join(filter(None, (start, end)))}{units}")

"""Plug-ins: what installed packages name in entry-point groups, this one's own parts among them.

A package adds a part by one line in its ``pyproject.toml``, for instance a step::

    [project.entry-points."nxscatter.steps"]
    smoothing = "rods.smoothing:Smoothing"

Nothing is imported before it is asked for by its name.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from nxscatter.errors import PluginError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_log = logging.getLogger("nxscatter")


def plugin_names(group: str) -> tuple[str, ...]:
    """Return the names in an entry-point group, in order; nothing is imported."""
    return tuple(sorted(_points(group)))


def load_plugin(group: str, name: str, make: Callable[[Any], Any] = lambda found: found) -> Any:
    """Import what an installed package calls ``name`` in an entry-point group.

    Parameters
    ----------
    group, name : str
        The group, and one of its `plugin_names`.
    make : callable
        What to make of it, or a check; whatever it raises says what is wrong with it.

    Raises
    ------
    PluginError
        When two packages use the name, or what one names cannot be imported or made.
    """
    points = _points(group)[name]
    if len(points) > 1:
        packages = " and by ".join(f"{_package(point)} ({point.value})" for point in points)
        raise PluginError(f"{group}: '{name}' is named by {packages}; uninstall one of them")
    (point,) = points
    try:
        return make(point.load())
    except Exception as error:
        raise PluginError(
            f"{group}: '{name}' of {_package(point)} ({point.value}) cannot be loaded "
            f"({type(error).__name__}: {error}); mend or uninstall that package"
        ) from error


def load_plugins(group: str, make: Callable[[Any], Any] = lambda found: found) -> dict[str, Any]:
    """Import all of an entry-point group, by name; what cannot be used is left out with a warning."""
    found = {}
    for name in plugin_names(group):
        try:
            found[name] = load_plugin(group, name, make)
        except PluginError as error:
            _log.warning("%s", error)
    return found


@cache
def _points(group: str) -> Mapping[str, Sequence[EntryPoint]]:
    found: dict[str, list[EntryPoint]] = {}
    for point in _installed().select(group=group):
        found.setdefault(point.name, []).append(point)
    return found


@cache  # the metadata of every installed package is read
def _installed() -> Any:
    from importlib.metadata import entry_points

    return entry_points()


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else "an unknown package"

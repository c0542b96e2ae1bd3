"""Recipes: ordered steps with their parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from nxscatter.errors import ParameterError
from nxscatter.fields import classes, declared_fields
from nxscatter.model import Attachment
from nxscatter.results import Geometry
from nxscatter.step import Step, check_parameter_names, get_step, make_step, step_names

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_VERSIONED = re.compile(r".*_v\d+")
_FIRST = "geometry"  # what a recipe begins with that says nothing else of where the detector stands


@dataclass(frozen=True)
class Use:
    """One step of a recipe, checked once, when it is made.

    Parameters
    ----------
    step : str
        Name of the step.
    name : str
        Name of its records: the step's, or the one given with ``as``.
    input : tuple of str
        Names of the earlier records that it takes; empty: the newest of each type it needs.
    parameters : mapping
        Parameters that differ from the defaults. A file is an `Attachment`, or its absolute path.

    Raises
    ------
    ParameterError
        For a name that is none, an unknown step or parameter (the known ones are listed), or an illegal value.
    """

    step: str
    name: str
    input: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    _frozen: Step | None = field(init=False, repr=False, compare=False)  # without files that are yet to be read

    def __post_init__(self) -> None:
        """Check the name and freeze the step, unless a parameter that must be given is yet missing."""
        _check_name(self.step, self.name)
        kind, unread = get_step(self.step), self._unread()
        check_parameter_names(kind, self.parameters)
        given = {key: value for key, value in self.parameters.items() if key not in unread}
        complete = all(item.name in given for item in fields(kind) if item.default is MISSING)
        object.__setattr__(self, "_frozen", make_step(self.step, given) if complete else None)

    def with_parameters(self, changed: Mapping[str, Any], folder: Path) -> Use:
        """Return the use with other parameters; paths of files count from ``folder``."""
        return replace(self, parameters={**self.parameters, **absolute_files(self.step, changed, folder)})

    def make(self) -> Step:
        """Return the step; its files are read now.

        Raises
        ------
        ParameterError
            When a value is missing.
        ReadError
            When a file cannot be read.
        """
        read = {key: _read_files(value, key) for key, value in self._unread().items()}
        if self._frozen is None:
            return make_step(self.step, {**self.parameters, **read})
        return replace(self._frozen, **read) if read else self._frozen

    def _unread(self) -> dict[str, Any]:
        """Return the parameters that are files, of which only the paths are known."""
        files = file_parameters(get_step(self.step))
        return {key: value for key, value in self.parameters.items() if key in files and _has_paths(value)}


@dataclass(frozen=True)
class Recipe:
    """Ordered steps with their parameters.

    Parameters
    ----------
    name : str
        Name of the recipe.
    uses : tuple of Use
        The steps; a `geometry` with its defaults comes first where there is none.
    description : str
        One line for people.

    Raises
    ------
    ParameterError
        For a name that is used twice, and an input that no earlier step makes.
    """

    name: str
    uses: tuple[Use, ...]
    description: str = ""

    def __post_init__(self) -> None:
        """Put a geometry in front where there is none, and check that names and inputs fit together."""
        if not any(issubclass(get_step(use.step).output(), Geometry) for use in self.uses):
            object.__setattr__(self, "uses", (Use(_FIRST, _FIRST), *self.uses))
        earlier: list[str] = []
        for use in self.uses:
            _check_place(use, earlier)
            earlier.append(use.name)

    @property
    def steps(self) -> tuple[str, ...]:
        """Names of the steps that are used, each once."""
        return tuple(dict.fromkeys(use.step for use in self.uses))

    def with_settings(self, settings: Mapping[str, Any]) -> Recipe:
        """Return the recipe with other parameters.

        Parameters
        ----------
        settings : mapping
            ``STEP.parameter`` or ``NAME.parameter`` to value. A step's name addresses every use of the step, a
            given name that one. Paths of files count from the working directory.

        Raises
        ------
        ParameterError
            When the recipe has no such step or name, or the step no such parameter.
        """
        changes: dict[str, dict[str, Any]] = {use.name: {} for use in self.uses}
        for key, value in settings.items():
            target, dot, parameter = key.partition(".")
            if not dot:
                raise ParameterError(f"setting '{key}': write STEP.PARAMETER, for instance masking.saturation")
            addressed = [use.name for use in self.uses if target in (use.step, use.name)]
            if not addressed:
                known = ", ".join(dict.fromkeys(name for use in self.uses for name in (use.step, use.name)))
                raise ParameterError(f"recipe '{self.name}' has no step '{target}': use one of {known}")
            for name in addressed:
                changes[name][parameter] = value
        folder = Path.cwd()
        uses = [use.with_parameters(changed, folder) if (changed := changes[use.name]) else use for use in self.uses]
        return replace(self, uses=tuple(uses))

    def make(self) -> list[tuple[Step, str, Mapping[str, Any]]]:
        """Make the steps as `runner.run_steps` takes them: step, record name, chosen inputs. Files are read here.

        Raises
        ------
        ParameterError
            When a value is missing.
        ReadError
            When a file cannot be read.
        """
        return [(use.make(), use.name, {"input": use.input} if use.input else {}) for use in self.uses]


def file_parameters(kind: type[Step]) -> set[str]:
    """Return the names of a step's parameters that are files."""
    return {name for name, found in declared_fields(kind).items() if Attachment in classes(found)}


def absolute_files(step: str, parameters: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return the parameters of a step with the paths of files made absolute, from ``folder`` on."""
    files = file_parameters(get_step(step))

    def absolute(path: str | Path) -> str:
        return str(folder / Path(path).expanduser())

    return {key: _map_paths(value, absolute) if key in files else value for key, value in parameters.items()}


def _read_files(value: Any, role: str) -> Any:
    from nxscatter.readers.files.masks import read_attachment

    return _map_paths(value, lambda path: read_attachment(path, role))


def _map_paths(value: Any, change: Callable[[str | Path], Any]) -> Any:
    if isinstance(value, list | tuple):
        return [_map_paths(part, change) for part in value]
    return change(value) if isinstance(value, str | Path) else value


def _has_paths(value: Any) -> bool:
    return any(map(_has_paths, value)) if isinstance(value, list | tuple) else isinstance(value, str | Path)


def _check_name(step: str, name: str) -> None:
    if not _NAME.fullmatch(name) or _VERSIONED.fullmatch(name):
        raise ParameterError(f"step '{step}': as = '{name}' is no name: use letters, digits and _, no _v1 at the end")
    if name != step and name in step_names():
        raise ParameterError(f"step '{step}': as = '{name}' is the name of a step: choose another")


def _check_place(use: Use, earlier: Sequence[str]) -> None:
    if use.name in earlier:
        raise ParameterError(f"'{use.name}' is used twice: give each use a name of its own with as = \"...\"")
    for name in use.input:
        if name not in earlier:
            raise ParameterError(
                f"step '{use.name}': input '{name}' is no earlier step: use one of {', '.join(earlier)}"
            )

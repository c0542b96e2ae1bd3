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
from nxscatter.step import Step, get_step, make_step, step_names

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_VERSIONED = re.compile(r".*_v\d+")


@dataclass(frozen=True)
class Use:
    """One step of a recipe.

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
    """

    step: str
    name: str
    input: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)


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
        For an unknown step or parameter (the known ones are listed), a name that is used twice, and an input that
        no earlier step makes.
    """

    name: str
    uses: tuple[Use, ...]
    description: str = ""

    def __post_init__(self) -> None:
        """Put a geometry in front where there is none, and check names, parameters and inputs."""
        if all(use.step != "geometry" for use in self.uses):
            object.__setattr__(self, "uses", (Use("geometry", "geometry"), *self.uses))
        earlier: list[str] = []
        for use in self.uses:
            _check_parameters(use)
            _check_names(use, earlier)
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
        uses = list(self.uses)
        for key, value in settings.items():
            target, dot, parameter = key.partition(".")
            if not dot:
                raise ParameterError(f"setting '{key}': write STEP.PARAMETER, for instance caving.max_iter")
            addressed = [number for number, use in enumerate(uses) if target in (use.step, use.name)]
            if not addressed:
                known = ", ".join(dict.fromkeys(name for use in uses for name in (use.step, use.name)))
                raise ParameterError(f"recipe '{self.name}' has no step '{target}': use one of {known}")
            for number in addressed:
                use = uses[number]
                changed = absolute_files(use.step, {parameter: value}, Path.cwd())
                uses[number] = replace(use, parameters={**use.parameters, **changed})
        return replace(self, uses=tuple(uses))

    def make(self) -> list[tuple[Step, str, Mapping[str, Any]]]:
        """Make the steps as `runner.run_steps` takes them: step, record name, chosen inputs. Files are read here.

        Raises
        ------
        ParameterError
            When a value is missing, of the wrong type or out of its range.
        ReadError
            When a file cannot be read.
        """
        return [
            (
                make_step(use.step, _load_files(use.step, use.parameters)),
                use.name,
                {"input": use.input} if use.input else {},
            )
            for use in self.uses
        ]


def absolute_files(step: str, parameters: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return the parameters of a step with the paths of files made absolute, from ``folder`` on."""
    return _map_files(step, parameters, lambda _, path: str(folder / Path(path).expanduser()))


def _check_parameters(use: Use) -> None:
    """Refuse unknown parameters and values; files are not read, and what is missing may still be given."""
    kind = get_step(use.step)
    files = file_parameters(kind)
    plain = {key: value for key, value in use.parameters.items() if key not in files}
    if not any(item.default is MISSING and item.name not in plain for item in fields(kind)):
        make_step(use.step, plain)


def _check_names(use: Use, earlier: Sequence[str]) -> None:
    if not _NAME.fullmatch(use.name) or _VERSIONED.fullmatch(use.name):
        raise ParameterError(
            f"step '{use.step}': as = '{use.name}' is no name: use letters, digits and _, no _v1 at the end"
        )
    if use.name != use.step and use.name in step_names():
        raise ParameterError(f"step '{use.step}': as = '{use.name}' is the name of a step: choose another")
    if use.name in earlier:
        raise ParameterError(f"'{use.name}' is used twice: give each use a name of its own with as = \"...\"")
    for one in use.input:
        if one not in earlier:
            raise ParameterError(
                f"step '{use.name}': input '{one}' is no earlier step: use one of {', '.join(earlier)}"
            )


def file_parameters(kind: type[Step]) -> set[str]:
    """Return the names of a step's parameters that are files."""
    return {name for name, found in declared_fields(kind).items() if Attachment in classes(found)}


def _map_files(step: str, parameters: Mapping[str, Any], change: Callable[[str, str], Any]) -> dict[str, Any]:
    """Replace each path in the file parameters by ``change(parameter, path)``; everything else stays."""
    files = file_parameters(get_step(step))

    def changed(key: str, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [changed(key, one) for one in value]
        return change(key, str(value)) if isinstance(value, str | Path) else value

    return {key: changed(key, value) if key in files else value for key, value in parameters.items()}


def _load_files(step: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    from nxscatter.readers.files.masks import read_attachment

    return _map_files(step, parameters, lambda key, path: read_attachment(path, key))

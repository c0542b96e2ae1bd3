"""A step is its parameters; its signature is its contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from importlib import import_module
from typing import Any, ClassVar

from nxscatter.errors import ParameterError, PluginError, UnknownStepError
from nxscatter.fields import checked_value, declared_fields, type_hints
from nxscatter.model import Attachment
from nxscatter.plain import Json
from nxscatter.plugins import load_plugin, load_plugins, plugin_names

_GROUP = "nxscatter.steps"  # of entry points, named like the steps
# Steps that are made from plug-ins of another kind: the beginning of their names, the plug-ins' group, their maker
_FIT, _MODELS, _MAKER = "fit_", "nxscatter.models", ("nxscatter.steps.fits", "fit_step")
_IMPORTED: dict[str, list[type[Step]]] = {}  # classes whose modules were imported, by name of the step


@dataclass(frozen=True)
class Step:
    """Base of all steps: a frozen set of parameters that can be called on its inputs.

    Subclasses set ``name`` and ``version`` (raised whenever numbers change, or a parameter goes), declare parameters
    with `nxscatter.fields.param`, and define ``__call__`` with annotated inputs and output. Inputs may be
    `~nxscatter.results.stages.FrameReader` and the model classes (from the container), results of earlier steps,
    ``X | None`` for one that may be missing, and ``tuple[X, ...]`` for all that there are.

    That is all for a step that works on the mean image, or on results. One that wants something of every raw frame
    subclasses `~nxscatter.steps.framewise.FramewiseStep` and has ``plan`` and ``finish`` in place of ``__call__``: the
    runner asks all steps of a run for their plans, reads the stack once, and lets each finish. One that makes an
    image is an `~nxscatter.steps.framewise.ImageStep` when it can tell its pixels beforehand. A plain step that takes
    a `FrameReader` reads the frames for itself.

    ``takes_rings`` says that q, cif and hkl are parameters, which ``--q``, ``--cif`` and ``--hkl`` of a run set;
    ``takes_masks`` that mask is one, which ``--mask`` sets and which else keeps the files of the step's last record.

    A package names its steps in the entry-point group ``nxscatter.steps``; each fit model that one names in the group
    ``nxscatter.models`` is a step, too. A class that is in none, as in a notebook,
    is known as long as the program runs. A class of an older version may be kept under the same name, in the module of
    the newest: records that it made are replayed with it, and nothing else uses it.

    Raises
    ------
    ParameterError
        When a value has the wrong type or lies outside its legal range.
    PluginError
        When a class has the name and version of another one.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    takes_rings: ClassVar[bool] = False
    takes_masks: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Note the class, so that records made with it can be read."""
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            return
        others = []
        for kind in _IMPORTED.get(cls.name, []):
            if kind.version != cls.version:
                others.append(kind)
            elif kind.__module__ != cls.__module__:  # the same module may define it anew, as a cell of a notebook does
                raise PluginError(
                    f"step '{cls.name}' version {cls.version} is defined in {kind.__module__} and in {cls.__module__}; "
                    "give one of them another name"
                )
        _IMPORTED[cls.name] = [*others, cls]

    def __post_init__(self) -> None:
        """Bring every parameter to its declared type and check its range."""
        kinds = declared_fields(type(self))
        for item in fields(self):
            given = getattr(self, item.name)
            value = checked_value(f"{self.name}.{item.name}", given, kinds[item.name], item.metadata)
            object.__setattr__(self, item.name, value)

    @property
    def parameters(self) -> dict[str, Json]:
        """Parameters as JSON values; an attachment as its name, role and hash."""
        return {item.name: _as_json(getattr(self, item.name)) for item in fields(self)}

    @property
    def attachments(self) -> dict[str, tuple[Attachment, ...]]:
        """The parameters that are files, by name."""
        found: dict[str, tuple[Attachment, ...]] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, Attachment):
                found[item.name] = (value,)
            elif isinstance(value, tuple) and any(isinstance(part, Attachment) for part in value):
                found[item.name] = value
        return found

    @classmethod
    def inputs(cls) -> dict[str, Any]:
        """Annotations of the inputs of ``__call__``, by argument name."""
        hints = type_hints(cls.__call__)
        return {name: kind for name, kind in hints.items() if name != "return"}

    @classmethod
    def output(cls) -> type:
        """Class of the result."""
        result: type = type_hints(cls.__call__)["return"]
        return result


def step_names() -> tuple[str, ...]:
    """Return the names of all installed steps, in order; their modules are not imported."""
    return tuple(sorted({*plugin_names(_GROUP), *(_FIT + name for name in plugin_names(_MODELS))}))


def registry() -> dict[str, type[Step]]:
    """Return all installed steps by name; one that cannot be loaded is left out with a warning."""
    fits = {_FIT + name: step for name, step in load_plugins(_MODELS, _made).items()}
    return {**fits, **load_plugins(_GROUP, _checked)}


def get_step(name: str, version: int | None = None) -> type[Step]:
    """Return the step called ``name``, the newest version of it or the one asked for.

    Raises
    ------
    UnknownStepError
        When there is no such step, with the known names, or its code of this version is not kept.
    PluginError
        When two packages have a step of this name, or the one that has it cannot be loaded.
    """
    newest = _newest(name)
    if version in (None, newest.version):
        return newest
    for kind in _IMPORTED[name]:
        if kind.version == version:
            return kind
    raise UnknownStepError(f"step {name} is version {newest.version} here, version {version} is not kept")


def _checked(found: Any) -> type[Step]:
    if not (isinstance(found, type) and issubclass(found, Step)):
        raise TypeError("it is no subclass of nxscatter.step.Step")
    return found


def _made(model: Any) -> type[Step]:
    module, maker = _MAKER
    step: type[Step] = getattr(import_module(module), maker)(model.name)
    return step


def _newest(name: str) -> type[Step]:
    if name in plugin_names(_GROUP):
        installed: type[Step] = load_plugin(_GROUP, name, _checked)
        return installed
    if name in step_names():
        made: type[Step] = load_plugin(_MODELS, name.removeprefix(_FIT), _made)
        return made
    if not _IMPORTED.get(name):
        known = ", ".join(step_names()) or "(none is installed: install nxscatter anew, pip install -e . in a checkout)"
        raise UnknownStepError(f"unknown step '{name}': use one of {known}")
    return max(_IMPORTED[name], key=lambda kind: kind.version)


def make_step(name: str, parameters: Mapping[str, Any], version: int | None = None) -> Step:
    """Make a step from its name, parameters and version; unknown keys raise and list the known ones."""
    kind = get_step(name, version)
    check_parameter_names(kind, parameters)
    for item in fields(kind):
        if item.default is MISSING and item.default_factory is MISSING and item.name not in parameters:
            raise ParameterError(f"step '{name}' needs the parameter '{item.name}' ({item.metadata['doc']})")
    return kind(**parameters)


def check_parameter_names(kind: type[Step], names: Iterable[str]) -> None:
    """Refuse what is no parameter of a step with a list of those that are."""
    known = [item.name for item in fields(kind)]
    for name in names:
        if name not in known:
            older = [version.version for version in _IMPORTED[kind.name] if name in declared_fields(version)]
            remedy = (
                f"version {max(older)} had it, leave it out" if older else f"use one of {', '.join(known) or '(none)'}"
            )
            raise ParameterError(f"step '{kind.name}' has no parameter '{name}': {remedy}")


def _as_json(value: Any) -> Json:
    if isinstance(value, Attachment):
        return {"file": value.name, "role": value.role, "sha256": value.sha256}
    if isinstance(value, tuple):
        return [_as_json(item) for item in value]
    return value

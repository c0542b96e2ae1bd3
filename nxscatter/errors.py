"""The errors that nxscatter raises: one line that names the file, the key and the remedy."""

from __future__ import annotations


class NxscatterError(Exception):
    """Base of every error that a user can mend; its text is one line."""


class ReadError(NxscatterError):
    """An input file cannot be read as what it claims to be."""


class ParameterError(NxscatterError, ValueError):
    """A parameter of a step, a recipe or an option has no legal value."""


class UnknownStepError(ParameterError):
    """A step, or the version of it that made a record, is not known here."""


class PluginError(NxscatterError):
    """What another package adds cannot be used: two packages add it, or its code does not load."""


class StepError(NxscatterError):
    """A step cannot run on the inputs it was given."""


class ContainerError(NxscatterError):
    """A container cannot be read or written, or is not one of ours."""


class LockedError(ContainerError):
    """Another process is writing the container."""


class CatalogueError(NxscatterError):
    """A catalogue's server cannot be reached, or refuses a record."""

"""The Typer application, and the options that every command takes."""

import functools
import inspect
import io
import logging
import sys
from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

import typer

from nxscatter.version import __version__

Function: TypeAlias = Callable[..., int | None]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress, only warnings and errors.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Tell more.")]
Debug = Annotated[bool, typer.Option("--debug", help="Tell everything, with tracebacks of errors.")]

app = typer.Typer(
    name="nxscatter",
    help="X-ray scattering from raw frames to archived, checkable order parameters.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
log = logging.getLogger("nxscatter")


def command(
    group: typer.Typer = app, name: str | None = None, **shared: Callable[..., Any]
) -> Callable[[Function], Function]:
    """Enter a function as a command that takes ``-q``, ``-v`` and ``--debug`` after its own options.

    ``shared`` names arguments of the function that are made from further options, by functions of these options.
    """
    makers = {"": set_verbosity, **shared}

    def enter(function: Function) -> Function:
        own = [
            parameter for parameter in inspect.signature(function).parameters.values() if parameter.name not in shared
        ]
        options = {key: inspect.signature(maker).parameters for key, maker in makers.items()}

        @functools.wraps(function)
        def called(**given: Any) -> int | None:
            made = {key: makers[key](**{option: given.pop(option) for option in options[key]}) for key in makers}
            del made[""]
            return function(**given, **made)

        parameters = [*own, *(parameter for key in (*shared, "") for parameter in options[key].values())]
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        group.command(name)(called)
        return function

    return enter


def set_verbosity(quiet: Quiet = False, verbose: Verbose = False, debug: Debug = False) -> None:
    """Choose what goes to stderr; options before the command hold until one after it says otherwise."""
    if quiet or verbose or debug:
        log.setLevel(logging.WARNING if quiet else logging.DEBUG)
    if debug:
        logging.getLogger().setLevel(logging.DEBUG)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def begin(
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """X-ray scattering from raw frames to archived, checkable order parameters."""
    from nxscatter.store.nexus.allocator import keep_freed_memory

    keep_freed_memory()  # in this process, which is ours; a program that imports the package keeps its own settings
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="surrogateescape")  # names that are no UTF-8 go out as the bytes they are
    logging.basicConfig(handlers=[_Stderr()], format="%(message)s", level=logging.ERROR, force=True)
    logging.captureWarnings(True)
    log.setLevel(logging.INFO)
    set_verbosity(quiet, verbose, debug)


class _Stderr(logging.Handler):
    """Progress as it is, warnings and errors with their level; to whatever stderr is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        label = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        sys.stderr.write(f"{label}{text}\n")

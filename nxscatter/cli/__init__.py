"""The command line: data on stdout, progress and log on stderr, errors in one line.

Exit codes: 0 done; 1 a check failed, or of several inputs any failed; 2 bad usage, or the one input failed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

_INTERRUPTED = 130  # what Typer makes of Ctrl-C
_STOPPED = "stopped; what was finished is kept, nothing is half-written"


def main() -> None:
    """Run the command line and leave with its exit code."""
    os.environ["MPLBACKEND"] = "agg"  # a notebook's terminal may name a backend that is not here
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; an error becomes one line on stderr."""
    import typer

    from nxscatter.cli.commands import app
    from nxscatter.errors import NxscatterError

    try:
        code = app(list(arguments), prog_name="nxscatter", standalone_mode=False)
        sys.stdout.flush()
        return int(code or 0) if code != _INTERRUPTED else _fail(_STOPPED, _INTERRUPTED)
    except typer.TyperException as error:
        return _fail(f"{error.format_message()} (see nxscatter --help)")
    except NxscatterError as error:
        _trace(arguments)
        return _fail(str(error))
    except BrokenPipeError:  # whoever reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (KeyboardInterrupt, typer.Abort):
        return _fail(_STOPPED, _INTERRUPTED)
    except OSError as error:
        _trace(arguments)
        return _fail(f"{error.filename or 'system'}: {error.strerror or error}; check the place and its rights")
    except Exception as error:  # noqa: BLE001, no traceback reaches a user who did not ask for it
        _trace(arguments)
        return _fail(f"internal error, {type(error).__name__}: {error}; run again with --debug and report it")


def _fail(message: str, code: int = 2) -> int:
    sys.stderr.write(f"nxscatter: {' '.join(message.split())}\n")
    return code


def _trace(arguments: Sequence[str]) -> None:
    if "--debug" in arguments:
        import traceback

        traceback.print_exc()

"""Several inputs of one command: a bad one does not stop the others."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from nxscatter.cli.app import log

T = TypeVar("T")
R = TypeVar("R")


def each(action: Callable[[T], R], items: Iterable[T], alone: bool) -> tuple[list[R], int]:
    """Do it for each; return the results and the number of failures. The failure of one that is ``alone`` is raised."""
    from nxscatter.errors import NxscatterError

    done, failed = [], 0
    for item in items:
        try:
            done.append(action(item))
        except NxscatterError as error:
            if alone:
                raise
            failed += 1
            log.error("%s", error)
    return done, failed

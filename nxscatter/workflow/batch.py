"""Many inputs, one job each: a bad file does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from nxscatter.errors import NxscatterError
from nxscatter.store.record import Record
from nxscatter.workflow.conversion import Processed


@dataclass(frozen=True)
class Outcome:
    """What became of one job; small, so that it travels between processes.

    Attributes
    ----------
    path : Path
        The input.
    container : Path or None
        The container, None when the job failed.
    added : tuple of str
        Names of the records that were made; empty: all of them were up to date.
    converted : bool
        Whether the raw file was converted now.
    notes : tuple of str
        What the reader assumed, when the raw file was converted now.
    warnings : tuple of str
        Warnings of the records that were made now, each once.
    error : str
        Why the job failed, in one line; "" when it did not.
    seconds : float
        Time it took.
    """

    path: Path
    container: Path | None = None
    added: tuple[str, ...] = ()
    converted: bool = False
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str = ""
    seconds: float = 0.0

    @property
    def changed(self) -> bool:
        """Whether the container is new or has new records."""
        return self.converted or bool(self.added)


def run_one(work: Callable[[Path], Processed], path: Path) -> Outcome:
    """Do one job; its errors are raised."""
    start = perf_counter()
    done = work(path)
    made = [record for record in done.records if record.name in done.added]
    return Outcome(
        path,
        done.container.path,
        done.added,
        done.converted,
        done.container.origin.notes if done.converted else (),
        tuple(dict.fromkeys(said for record in made for said in _warnings(record))),
        seconds=perf_counter() - start,
    )


def _warnings(record: Record) -> list[str]:
    return [*record.notes, *(doubt.reason for doubt in record.doubts)]


def run_all(
    work: Callable[[Path], Processed],
    paths: Sequence[Path],
    executor: Executor | None = None,
    fail_fast: bool = False,
) -> Iterator[Outcome]:
    """Do a job for each input and yield what became of it, as each ends.

    Parameters
    ----------
    work : callable
        What to do with one input; it must be picklable when there is an executor.
    paths : sequence of Path
        The inputs.
    executor : Executor, optional
        Who does the work; without one it is done here, in order.
    fail_fast : bool
        Begin no further input after the first failure.
    """
    if executor is None:
        for path in paths:
            outcome = _guarded(work, path)
            yield outcome
            if fail_fast and outcome.error:
                return
        return
    futures = {executor.submit(_guarded, work, path): path for path in paths}
    for future in as_completed(futures):
        if future.cancelled():
            continue
        error = future.exception()
        outcome = future.result() if error is None else _failed(futures[future], error)
        yield outcome
        if fail_fast and outcome.error:
            for other in futures:
                other.cancel()


def _guarded(work: Callable[[Path], Processed], path: Path) -> Outcome:
    start = perf_counter()
    try:
        return run_one(work, path)
    except Exception as error:  # noqa: BLE001, the others must go on
        return replace(_failed(path, error), seconds=perf_counter() - start)


def _failed(path: Path, error: BaseException) -> Outcome:
    text = " ".join(str(error).split())
    if not isinstance(error, NxscatterError):
        text = f"{path.name}: {type(error).__name__}: {text}; run this file alone with --debug"
    return Outcome(path, error=text if path.name in text else f"{path.name}: {text}")

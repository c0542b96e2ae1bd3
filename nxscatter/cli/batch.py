"""Many inputs at the command line: who works on them, what is told meanwhile and at the end."""

import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

import typer

from nxscatter.cli.app import log

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from nxscatter.workflow.batch import Outcome
    from nxscatter.workflow.conversion import Processed

T = TypeVar("T")


def work_on(
    work: "Callable[[Path], Processed]",
    paths: Sequence[Path],
    jobs: int = 1,
    scheduler: str | None = None,
    fail_fast: bool = False,
    said: Sequence[str] = (),
) -> "list[Outcome]":
    """Do a job for each input, tell and return what becomes of it; warnings that were ``said`` are not repeated."""
    from nxscatter.workflow.batch import run_all, run_one

    if len(paths) == 1:
        outcome = run_one(work, paths[0])
        _tell(outcome, said)
        return [outcome]
    outcomes: list[Outcome] = []
    start = perf_counter()
    try:
        with _executor(min(jobs, len(paths)), scheduler) as executor:
            for outcome in watched(run_all(work, paths, executor, fail_fast), len(paths)):
                outcomes.append(outcome)
                _tell(outcome, said, f"[{len(outcomes)}/{len(paths)}] ")
    finally:
        _sum_up(outcomes, len(paths), perf_counter() - start)
    return outcomes


def exit_code(outcomes: "Iterable[Outcome]") -> int:
    """Return 1 when any failed."""
    return 1 if any(outcome.error for outcome in outcomes) else 0


def watched(items: Iterable[T], total: int) -> Iterator[T]:
    """Show a progress bar while items arrive, on a terminal that has not asked for quiet."""
    if not sys.stderr.isatty() or not log.isEnabledFor(logging.INFO):
        yield from items
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
    # data that goes to a file must not be taken for the terminal
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=sys.stdout.isatty()) as progress:
        task = progress.add_task("", total=total, rate="")
        for item in items:
            yield item
            speed = progress.tasks[0].finished_speed or progress.tasks[0].speed
            progress.update(task, advance=1, rate=f"{speed:.2g}/s" if speed else "")


def _executor(jobs: int, scheduler: str | None) -> "AbstractContextManager[Executor | None]":
    from nxscatter.workflow.executors import dask_cluster, local_processes

    if scheduler is not None:
        return dask_cluster(scheduler)
    return local_processes(jobs) if jobs > 1 else nullcontext()


def _tell(outcome: "Outcome", said: Sequence[str], place: str = "") -> None:
    """Print the container, and on stderr what was done and what to be aware of."""
    name = f"{place}{outcome.path.name}"
    if outcome.error:
        log.info("%s: failed", name)
        return
    typer.echo(str(outcome.container))
    what = [
        *(["converted"] if outcome.converted else []),
        *([f"{len(outcome.added)} records"] if outcome.added else []),
    ]
    log.info("%s: %s (%.2f s)", name, ", ".join(what) or "up to date", outcome.seconds)
    if outcome.added:
        log.debug("%s: added %s", outcome.path.name, ", ".join(outcome.added))
    for note in () if place else outcome.notes:  # of many files at the end, each once
        log.info("note: %s: %s", outcome.path.name, note)
    for warning in (warning for warning in outcome.warnings if warning not in said):
        log.warning("%s: %s", outcome.path.name, warning)


def _sum_up(outcomes: "Sequence[Outcome]", total: int, seconds: float) -> None:
    for note, number in Counter(note for outcome in outcomes for note in outcome.notes).items():
        log.info("note: %s: %s", f"{number} file{'s' if number > 1 else ''}", note)
    failed = [outcome for outcome in outcomes if outcome.error]
    changed = sum(1 for outcome in outcomes if outcome.changed)
    counts = [
        f"{changed} done",
        f"{len(outcomes) - changed - len(failed)} up to date",
        f"{len(failed)} failed",
        *([f"{total - len(outcomes)} not begun or not finished"] if len(outcomes) < total else []),
    ]
    log.info("%s, in %.1f s", ", ".join(counts), seconds)
    for outcome in failed:
        log.error("%s", outcome.error)

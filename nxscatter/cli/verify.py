"""Is a container what it should be, and what comes out of it: export, validate, verify."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nxscatter.cli import arguments as arg
from nxscatter.cli.app import command, log
from nxscatter.cli.each import each
from nxscatter.cli.output import echo_json

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from nxscatter.workflow.replay import Replay

_FAILED_REPLAYS = ("different", "not_replayable")


@command()
def validate(files: arg.Containers, as_json: arg.Json = False) -> int:
    """Check containers against NeXus.

    Against NXsas, the base classes, NXscatter, and their own ledger of records.
    """
    from nxscatter.store.validate import validate

    def check(file: Path) -> dict[str, Any]:
        found = validate(file)
        if not as_json:
            typer.echo(f"{file}: {found.errors} errors, {found.warnings} warnings")
            _echo_lines(found.messages)
        return {"file": str(file), "errors": found.errors, "warnings": found.warnings, "messages": found.messages}

    rows, failed = each(check, files, len(files) == 1)
    if as_json:
        echo_json(rows)
    return 1 if failed or any(row["errors"] for row in rows) else 0


@command()
def verify(
    files: arg.Containers,
    replay: Annotated[bool, typer.Option("--replay", help="Recompute every record and compare.")] = False,
    as_json: arg.Json = False,
) -> int:
    """Check that nothing was altered.

    By content hashes, and with --replay by computing every record again.
    """
    from nxscatter.workflow.executors import local_processes

    def check(file: Path) -> dict[str, Any]:
        found = _verified(worker, file, replay)
        for note in found.notes:
            log.info("note: %s: %s", file, note)
        if not as_json:
            replayed = f", replayed: {found.replayed.replace('_', ' ')}" if found.replayed else ""
            typer.echo(f"{file}: {'ok' if found.ok else f'{len(found.problems)} problems'}{replayed}")
            _echo_lines(found.problems)
        return {"file": str(file), "ok": found.ok, "replayed": found.replayed, "problems": found.problems}

    with local_processes(1) as worker:
        rows, failed = each(check, files, len(files) == 1)
    if as_json:
        echo_json(rows)
    return 1 if failed or any(not row["ok"] or row["replayed"] in _FAILED_REPLAYS for row in rows) else 0


def _verified(worker: "Executor", file: Path, with_replay: bool) -> "Replay":
    """Verify a file in another process: the HDF5 library may break down over a damaged one."""
    from nxscatter.errors import ContainerError, NxscatterError
    from nxscatter.store.verify import verify
    from nxscatter.workflow.replay import Replay, replay

    try:
        if with_replay:
            return worker.submit(replay, file).result()
        return Replay(worker.submit(verify, file).result().problems)
    except ContainerError:
        raise
    except NxscatterError:
        return Replay([f"{file}: cannot be read, the process that tried died; the file may be damaged"])


def _echo_lines(lines: list[str]) -> None:
    for line in lines:
        typer.echo(f"  {line}")

"""The command that exports containers."""

from pathlib import Path
from typing import Annotated

import typer

from nxscatter.cli import arguments as arg
from nxscatter.cli.app import command
from nxscatter.cli.each import each


@command()
def export(
    files: arg.Containers,
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="DIR", help="Where to write.")] = None,
    formats: Annotated[
        str | None, typer.Option("--format", metavar="F,F,...", help="Formats, as csv,png; all by default.")
    ] = None,
    record: Annotated[str | None, typer.Option(metavar="NAME", help="Only this record.")] = None,
) -> int:
    """Write tables, pictures and other files.

    From the containers alone; by default beside each, in all formats.
    """
    from nxscatter.output.export import export as export_all
    from nxscatter.store.container import Container

    chosen = None if formats is None else [name.strip() for name in formats.split(",")]
    containers, failed = each(Container, files, len(files) == 1)
    for path in export_all(containers, output, chosen, record):
        typer.echo(str(path))
    return 1 if failed else 0

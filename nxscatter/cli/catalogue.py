"""Records for the catalogues of facilities: catalogue."""

from pathlib import Path
from typing import Annotated

import typer

from nxscatter.cli import arguments as arg
from nxscatter.cli.app import command
from nxscatter.cli.each import each


@command()
def catalogue(
    files: arg.Containers,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Where to write.")],
    formats: Annotated[
        str, typer.Option("--format", metavar="F,F,...", help="scicat, ro-crate and icat.")
    ] = "scicat,ro-crate",
    profile: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="What the catalogue needs and the file cannot know.")
    ] = None,
    author: Annotated[str | None, typer.Option(metavar="ORCID", help="Author of the crate.")] = None,
    licence: Annotated[
        str | None, typer.Option(metavar="L", help="Licence of the data: CC-BY-4.0, a URL or a sentence.")
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="A SciCat record of each input file too.")] = False,
    zipped: Annotated[bool, typer.Option("--zip", help="Crates as zip files; -o NAME.zip names one.")] = False,
    upload: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Send the SciCat records; token in the variable NXSCATTER_SCICAT_TOKEN."),
    ] = None,
) -> int:
    """Write records for catalogues: SciCat, RO-Crate, ICAT.

    Nothing leaves this machine without --upload, and no name of a person, user, computer or folder is written that
    the profile does not give. A crate holds the container as it is, with the header of its input file.
    """
    from nxscatter.catalogue.plan import plan

    names = [name.strip() for name in formats.split(",") if name.strip()]
    planned = plan(files, output, names, profile, author, upload, licence=licence, raw=raw, zipped=zipped)
    alone = len(files) == 1
    entries, bad = each(planned.write, files, alone)
    for entry in entries:
        for path in entry.paths:
            typer.echo(str(path))
    _, refused = each(planned.send, entries, alone)
    return 1 if bad or refused else 0

"""From raw files to results: convert, identify, process."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from nxscatter.cli import arguments as arg
from nxscatter.cli.app import command
from nxscatter.cli.batch import exit_code, work_on
from nxscatter.cli.each import each
from nxscatter.cli.output import echo_fields


@command(reading=arg.reading, storing=arg.storing)
def convert(
    inputs: arg.Inputs,
    reading: arg.Reading,
    storing: dict[str, Any],
    output: Annotated[str | None, typer.Option("-o", "--output", metavar="FILE or DIR", help="Where to write.")] = None,
    mask: arg.Masks = None,
) -> int:
    """Convert raw files into containers.

    Each gets a .nxs file, by default beside it.
    """
    from nxscatter.errors import ParameterError
    from nxscatter.workflow.conversion import Conversion, convert_file
    from nxscatter.workflow.paths import expand

    masks = tuple(mask or ())
    paths = expand(inputs, masks)
    if len(paths) > 1 and output is not None and output.endswith(".nxs"):
        raise ParameterError(f"-o {output}: is one file for {len(paths)} inputs; name a folder")
    conversion = Conversion(*reading, masks=masks, **storing)
    work = partial(convert_file, conversion=conversion, output=output)
    return exit_code(work_on(work, paths))


@command(reading=arg.reading)
def identify(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Raw files.")], reading: arg.Reading
) -> int:
    """Tell what a raw file is and what it lacks.

    Which reader takes it, what that finds, what is missing and the option that supplies it.
    """
    from nxscatter.readers.registry import identify

    def tell(file: Path) -> None:
        found = identify(file, *reading)
        typer.echo(f"{file}: reader {found.reader}")
        echo_fields(found.found)
        for what, option in found.missing:
            typer.echo(f"  missing: {what}; give {option}")
        for doubt in found.doubts:
            typer.echo(f"  {doubt.status}: {doubt.reason}")

    _, failed = each(tell, files, len(files) == 1)
    return 1 if failed else 0


@command(reading=arg.reading, storing=arg.storing)
def process(
    inputs: arg.Inputs,
    reading: arg.Reading,
    storing: dict[str, Any],
    output: Annotated[str | None, typer.Option("-o", "--output", metavar="DIR", help="Folder of containers.")] = None,
    recipe: Annotated[
        str | None,
        typer.Option(metavar="NAME or FILE", help="By default waxs with --cif, saxs with --q, else auto."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="STEP.PARAM=VALUE", help="Parameter of a step; may be repeated."),
    ] = None,
    q: Annotated[str | None, typer.Option(metavar="Q,Q,...", help="Rings in 1/angstrom.")] = None,
    cif: Annotated[
        Path | None, typer.Option(metavar="FILE[:BLOCK]", help="Crystal structure, a block of it; needs --hkl.")
    ] = None,
    hkl: Annotated[
        str | None, typer.Option(metavar="HKL", help="Reflections, as '1 0 0;0 0 2', or '1 0 -1 0'.")
    ] = None,
    mask: arg.Masks = None,
    no_mask: Annotated[bool, typer.Option("--no-mask", help="Drop the masks of the container's last masking.")] = False,
    keep_frames: Annotated[
        bool, typer.Option("--keep-frames", help="Average frames that were never written, too.")
    ] = False,
    jobs: Annotated[int, typer.Option(metavar="N", min=1, help="Processes that share the files.")] = 1,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Dask scheduler whose workers share the files.")
    ] = None,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first file that fails.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Add records even when they are up to date.")] = False,
    export: Annotated[Path | None, typer.Option(metavar="DIR", help="Export each result there.")] = None,
) -> int:
    """Convert where needed and run a recipe.

    Each input gets one container, named after it; a container is appended to. What is up to date is left alone.
    """
    from nxscatter.workflow.conversion import Conversion
    from nxscatter.workflow.paths import expand
    from nxscatter.workflow.prepare import crystal_warnings, prepare
    from nxscatter.workflow.process import run_recipe

    _check(output, mask, no_mask)
    settings = [*(settings or ()), *["masking.keep_frames=true"] * keep_frames]
    prepared = prepare(recipe, q=_numbers(q), cif=cif, hkl=hkl, settings=settings, mask=mask or ())
    work = partial(
        run_recipe,
        recipe=prepared,
        output=output and str(Path(output).expanduser().absolute()),  # workers may start elsewhere
        conversion=Conversion(*reading, **storing),
        keep_masks=not no_mask,
        force=force,
    )
    paths = [path.absolute() for path in expand(inputs, mask or ())]
    outcomes = work_on(work, paths, jobs, scheduler, fail_fast, said=crystal_warnings(prepared))
    _export([outcome.container for outcome in outcomes if outcome.container is not None], export)
    return exit_code(outcomes)


def _check(output: str | None, mask: list[str] | None, no_mask: bool) -> None:
    from nxscatter.errors import ParameterError

    if no_mask and mask:
        raise ParameterError("--mask and --no-mask exclude each other; give one of them")
    if output is not None and output.endswith(".nxs"):
        raise ParameterError(f"-o {output}: is the name of a file; name a folder")


def _export(containers: list[Path], folder: Path | None) -> None:
    """Export containers together, as they share tables and figures."""
    from nxscatter.output.export import export
    from nxscatter.store.container import Container

    if containers and folder is not None:
        export([Container(path) for path in containers], folder.expanduser())


def _numbers(text: str | None) -> list[float] | None:
    from nxscatter.errors import ParameterError

    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise ParameterError(f"--q {text}: give numbers in 1/angstrom with commas between, as 0.05,0.068") from error

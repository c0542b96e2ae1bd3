"""From raw files to results: convert a file, run a recipe on it, one container each.

Conversion and recipe are one transaction: when a step cannot run, nothing is left behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nxscatter.errors import ContainerError, NxscatterError, ParameterError
from nxscatter.model import Scan
from nxscatter.plain import canonical_json
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.registry import read_scan
from nxscatter.store.access import is_container
from nxscatter.store.container import Container
from nxscatter.store.record import Record
from nxscatter.store.writer import creating
from nxscatter.workflow.paths import PathLike, container_path, paths_of
from nxscatter.workflow.prepare import Hkl, prepare
from nxscatter.workflow.recipe import Recipe
from nxscatter.workflow.runner import run_steps

_CONVERTED = ("beam", "detector", "sample", "exposure", "masks", "auxiliary")


@dataclass(frozen=True)
class Conversion:
    """How raw files become containers; the parameters are those of `convert`."""

    reader: str | None = None
    options: ReadOptions = ReadOptions()
    masks: tuple[PathLike, ...] = ()
    compression: str = "bitshuffle"
    overwrite: bool = False

    @property
    def asked(self) -> bool:
        """Whether the contents of a container depend on more than its raw file."""
        return self.options != ReadOptions() or bool(self.masks)


@dataclass(frozen=True)
class RawFile:
    """A raw file that was read, and is yet to be converted."""

    path: Path
    scan: Scan


@dataclass(frozen=True)
class Processed:
    """What became of one input.

    Attributes
    ----------
    container : Container
        The container.
    records : tuple of Record
        One a step of the recipe, made now or found up to date.
    added : tuple of str
        Names of the records that were made now.
    converted : bool
        Whether the raw file was converted now.
    """

    container: Container
    records: tuple[Record, ...]
    added: tuple[str, ...]
    converted: bool


def convert(
    path: PathLike,
    output: PathLike | None = None,
    *,
    reader: str | None = None,
    options: ReadOptions | None = None,
    mask: PathLike | Sequence[PathLike] = (),
    compression: str = "bitshuffle",
    overwrite: bool = False,
) -> Container:
    """Convert a raw file into a container; one that holds it already is returned as it is.

    Parameters
    ----------
    path : str or Path
        The raw file.
    output : str or Path, optional
        A file ending in ``.nxs``, or a folder; by default beside the raw file.
    reader : str, optional
        Name of the reader where more than one, or none, recognises the file.
    options : ReadOptions, optional
        What to add to, or put in place of, the contents of the file.
    mask : path or sequence of paths
        Mask files to keep with the frames; non-zero means ignore.
    compression : {"bitshuffle", "gzip"}
        For images that are not copied chunk by chunk; gzip opens without a plugin.
    overwrite : bool
        Replace a container that was made from another file or with other options.

    Raises
    ------
    ReadError
        When the file cannot be read.
    ContainerError
        When the container belongs to another file or other options, or cannot be written.
    """
    conversion = Conversion(reader, options or ReadOptions(), paths_of(mask), compression, overwrite)
    return convert_file(path, conversion, output).container


def read_raw(path: PathLike, conversion: Conversion) -> RawFile:
    """Read a raw file, to convert or process it later."""
    path = Path(path).expanduser()
    with naming(path):
        return RawFile(path, _read(path, conversion))


def convert_file(source: PathLike | RawFile, conversion: Conversion, output: PathLike | None = None) -> Processed:
    """Convert a file as `convert` does, and tell what was done."""
    path = source.path if isinstance(source, RawFile) else Path(source).expanduser()
    with naming(path):
        target = container_path(path, output)
        scan = source.scan if isinstance(source, RawFile) else _read(path, conversion)
        found = _existing(target, scan, conversion)
        if found is None:
            with creating(target, scan, conversion.compression, conversion.overwrite):
                pass
        return Processed(found or Container(target), (), (), converted=found is None)


def process(
    source: Container | PathLike,
    recipe: Recipe | PathLike | None = None,
    *,
    output: PathLike | None = None,
    q: Sequence[float] | None = None,
    cif: PathLike | None = None,
    hkl: Hkl | None = None,
    settings: Mapping[str, Any] | Sequence[str] = (),
    mask: PathLike | Sequence[PathLike] = (),
    keep_masks: bool = True,
    force: bool = False,
    reader: str | None = None,
    options: ReadOptions | None = None,
    compression: str = "bitshuffle",
    overwrite: bool = False,
) -> list[Record]:
    """Run a recipe on a container or a raw file, which is converted first.

    Parameters
    ----------
    source : Container, str or Path
        A container is appended to; a raw file's container is made, or appended to when it is there already.
    recipe : Recipe, str or Path, optional
        A recipe, the name of a built-in one or a TOML file. By default ``waxs`` with ``cif``, ``saxs`` with ``q``,
        else ``auto``, which finds the rings itself.
    output : str or Path, optional
        Folder of the container; a container from elsewhere is copied there first.
    q : sequence of float, optional
        Rings in 1/angstrom.
    cif, hkl : path, and text ``"1 0 0;0 0 2"`` or sequence of (h, k, l), optional
        Crystal structure and reflections, which give the rings.
    settings : mapping or sequence of str
        ``{"STEP.parameter": value}`` or ``["STEP.parameter=value"]``.
    mask : path or sequence of paths
        Mask files: non-zero means ignore. By default those of the container's newest masking.
    keep_masks : bool
        False: without ``mask``, use none but those that belong to the raw file.
    force : bool
        Append records even when they are up to date.
    reader, options, compression, overwrite
        As for `convert`.

    Returns
    -------
    list of Record
        One a step, new or found up to date.

    Raises
    ------
    NxscatterError
        Of the kind that says what is wrong: the input, a parameter, a step or the container. Nothing is written then.
    """
    return list(
        run_recipe(
            source,
            prepare(recipe, q=q, cif=cif, hkl=hkl, settings=settings, mask=mask),
            output=output,
            conversion=Conversion(reader, options or ReadOptions(), (), compression, overwrite),
            keep_masks=keep_masks,
            force=force,
        ).records
    )


def run_recipe(
    source: Container | PathLike | RawFile,
    recipe: Recipe,
    *,
    output: PathLike | None = None,
    conversion: Conversion = Conversion(),
    keep_masks: bool = True,
    force: bool = False,
) -> Processed:
    """Run a prepared recipe as `process` does, and tell what was done."""
    path = source.path if isinstance(source, Container | RawFile) else Path(source).expanduser()
    with naming(path):
        content = _content(source, path, conversion)
        target = content.path if isinstance(content, Container) and output is None else container_path(path, output)
        container = _existing(target, content, conversion)
        known = container or (content if isinstance(content, Container) else None)
        if known is not None and keep_masks:
            recipe = _with_masks_of(known, recipe)
        steps, before = recipe.make(), {record.name for record in known.records} if known else set()
        if container is not None:
            records = run_steps(container, steps, force=force)
        else:
            with creating(target, content, conversion.compression, conversion.overwrite) as writer:
                records = run_steps(writer, steps, force=force)
            container = writer.container
        added = tuple(record.name for record in records if record.name not in before)
        return Processed(container, tuple(records), added, converted=known is None)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let every error of the block name the file, and turn one of the operating system into one of ours."""
    try:
        yield
    except NxscatterError as error:
        if path.name in str(error) or path.stem in str(error):
            raise
        raise type(error)(f"{path.name}: {error}") from error
    except OSError as error:
        place = error.filename or path
        raise ContainerError(
            f"{path.name}: {place}: {error.strerror or error}; check the place and its rights"
        ) from error


def _content(source: Container | PathLike | RawFile, path: Path, conversion: Conversion) -> Container | Scan:
    if isinstance(source, Container | RawFile):
        return source if isinstance(source, Container) else source.scan
    if not is_container(path):
        return _read(path, conversion)
    if conversion.reader is not None or conversion.asked:
        raise ParameterError(f"{path.name}: is converted already; options of conversion go with its raw file")
    return Container(path)


def _read(path: Path, conversion: Conversion) -> Scan:
    from nxscatter.readers.files.masks import read_mask

    scan = read_scan(path, conversion.reader, conversion.options)
    return replace(scan, masks=(*scan.masks, *map(read_mask, conversion.masks)))


def _existing(target: Path, content: Container | Scan, conversion: Conversion) -> Container | None:
    """Return the container to append to, None when one is to be made.

    One that is there must come from the same raw file and hold what was asked of the conversion.
    """
    if isinstance(content, Container) and content.path == target.resolve():
        return content
    if not target.exists() or (conversion.overwrite and is_container(target)):
        return None
    found = Container(target)
    if found.origin.sha256 != content.origin.sha256:
        raise ContainerError(f"{target}: belongs to another raw file ({found.origin.file_name}); use --overwrite or -o")
    for name in _CONVERTED if conversion.asked else ():
        if _text(getattr(found, name)) != _text(getattr(content, name)):
            raise ContainerError(f"{target}: was converted with another {name}; use --overwrite to convert it again")
    return found


def _text(value: Any) -> str:
    """Write a part of a scan so that equal ones are equal, NaN included."""
    if isinstance(value, tuple):
        return canonical_json([[one.name, one.role, one.sha256] for one in value])
    return canonical_json(asdict(value))


def _with_masks_of(container: Container, recipe: Recipe) -> Recipe:
    """Give the mask files of the newest masking record to a recipe that names none."""
    newest = next((record for record in reversed(container.records) if record.step == "masking"), None)
    if newest is None:
        return recipe
    masks = newest.attachments().get("mask", ())
    uses = [
        replace(use, parameters={**use.parameters, "mask": masks})
        if use.step == "masking" and masks and not use.parameters.get("mask")
        else use
        for use in recipe.uses
    ]
    return replace(recipe, uses=tuple(uses))

"""From a raw file to its container: read, converted, or found converted already as was asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from nxscatter.errors import ContainerError, NxscatterError, ParameterError
from nxscatter.model import Attachment, Scan
from nxscatter.plain import canonical_json
from nxscatter.readers.base import ReadOptions
from nxscatter.readers.registry import read_scan
from nxscatter.store.access import is_container
from nxscatter.store.container import Container
from nxscatter.store.conversion import as_stored
from nxscatter.store.record import Record
from nxscatter.store.writer import creating
from nxscatter.workflow.paths import PathLike, container_path, paths_of

# What options of a conversion may change: all of a scan but what its raw file alone decides.
_FROM_FILE = ("frames", "origin", "metadata", "structure")
_PARTS = ("shape", *(item.name for item in fields(Scan) if item.name not in _FROM_FILE))


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
        """Whether more is asked than how to read a raw file and where to put it."""
        return replace(self, reader=None, compression=USUAL.compression, overwrite=False) != USUAL


USUAL = Conversion()  # where nothing is asked


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
        found = existing(target, scan, conversion)
        if found is None:
            with creating(target, scan, conversion.compression, conversion.overwrite):
                pass
        return Processed(found or Container(target), (), (), converted=found is None)


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


def content_of(source: Container | PathLike | RawFile, path: Path, conversion: Conversion) -> Container | Scan:
    """Return what a source holds: a container, or the scan of a raw file.

    Raises
    ------
    ParameterError
        When more is asked of the conversion of what is a container already.
    """
    if isinstance(source, RawFile):
        return source.scan
    if not isinstance(source, Container) and not is_container(path):
        return _read(path, conversion)
    if conversion.reader is not None or conversion.asked:
        raise ParameterError(f"{path.name}: is converted already; options of conversion go with its raw file")
    return source if isinstance(source, Container) else Container(path)


def _read(path: Path, conversion: Conversion) -> Scan:
    from nxscatter.readers.files.masks import read_mask

    scan = read_scan(path, conversion.reader, conversion.options)
    return replace(scan, masks=(*scan.masks, *map(read_mask, conversion.masks)))


def existing(target: Path, content: Container | Scan, conversion: Conversion) -> Container | None:
    """Return the container to append to, None when one is to be made.

    Raises
    ------
    ContainerError
        When one is there that is of another raw file, or does not hold what is asked of the conversion.
    """
    if isinstance(content, Container) and content.path == target.resolve():
        return content
    if not target.exists() or (conversion.overwrite and is_container(target)):
        return None
    found = Container(target)
    if found.origin.sha256 != content.origin.sha256:
        raise ContainerError(f"{target}: belongs to another raw file ({found.origin.file_name}); use --overwrite or -o")
    other = _differences(found, content, conversion) if isinstance(content, Scan) else []
    if other:
        raise ContainerError(
            f"{target}: was converted with another {', '.join(other)}; use --overwrite to convert it again"
        )
    return found


def _differences(found: Container, scan: Scan, conversion: Conversion) -> list[str]:
    """Name what a container has otherwise than it was asked of its conversion; what was not asked may differ."""
    stored = as_stored(scan)
    parts = _PARTS if conversion.asked else ()
    other = [name for name in parts if _text(getattr(found, name)) != _text(getattr(stored, name))]
    if conversion.reader is not None and found.origin.reader != scan.origin.reader:
        other.append("reader")
    if conversion.compression not in (USUAL.compression, found.compression):
        other.append("compression")
    return other


def _text(value: Any) -> str:
    """Write a part of a scan so that equal ones are equal, NaN included."""
    if isinstance(value, tuple):
        return " ".join(map(_text, value))
    if isinstance(value, Attachment):
        return canonical_json([value.name, value.role, value.sha256])
    return canonical_json(asdict(value)) if is_dataclass(value) and not isinstance(value, type) else str(value)

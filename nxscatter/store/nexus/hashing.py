"""Content hashes of groups: what a file says, whatever its chunks, filters or HDF5 version.

Raw frames alone are hashed as they are stored, so that checking them needs no decompression.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from nxscatter.plain import canonical_json
from nxscatter.store.nexus.tree import Field, Group, Link

if TYPE_CHECKING:
    import h5py

T = TypeVar("T")
_LARGE = 1 << 20  # bytes

# what h5py raises while it reads a damaged file
DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, MemoryError)


def text_hash(text: str) -> str:
    """Hash a text (UTF-8)."""
    return hashlib.sha256(text.encode()).hexdigest()


def tree_hashes(group: Group, skip: tuple[str, ...] = (), skip_attributes: tuple[str, ...] = ()) -> dict[str, str]:
    """Hash everything in a group: one entry per dataset, link and group, by path relative to it.

    Parameters
    ----------
    group : Group
        Where to start; its own attributes stand under ``"."``.
    skip : tuple of str
        Relative paths left out with all below them.
    skip_attributes : tuple of str
        Attributes of ``group`` itself that are left out.
    """
    attributes = {key: value for key, value in group.attrs.items() if key not in skip_attributes}
    return {".": text_hash(canonical_json(_attributes(attributes))), **dict(_walk(group, "", skip))}


@contextmanager
def hashed_meanwhile(group: Group, hashes: Callable[[Group], T]) -> Iterator[Callable[[], T]]:
    """Hash a group while the block runs, and give the function that waits for it.

    Large arrays are hashed in another thread: the library that writes them leaves a processor free.
    """
    if not _is_large(group):
        yield partial(hashes, group)
        return
    with ThreadPoolExecutor(1, "hashing") as other:
        yield other.submit(hashes, group).result


def _is_large(group: Group) -> bool:
    return any(
        _is_large(node) if isinstance(node, Group) else isinstance(node, Field) and node.nbytes >= _LARGE
        for node in group.members.values()
    )


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, or its name when it has none."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def combined(hashes: Mapping[str, str], *more: str) -> str:
    """Hash a table of hashes, and further texts, into one."""
    return text_hash(canonical_json([dict(hashes), *more]))


def field_hash(field: Field) -> str:
    """Hash dtype, shape, attributes and little-endian values of a dataset."""
    head = [field.shape, _attributes(field.attrs)]
    if field.is_text:
        return text_hash(canonical_json(["text", str(field.dtype), *head, field.texts]))
    values = np.ascontiguousarray(field.value)
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    digest = hashlib.sha256(canonical_json([little.dtype.str, *head]).encode())
    digest.update(little.reshape(-1).view(np.uint8).data if little.size else b"")
    return digest.hexdigest()


def frames_hash(dataset: h5py.Dataset, known: Mapping[tuple[int, ...], bytes] | None = None) -> str:
    """Hash raw frames as stored: dtype, shape, chunk shape, filters, and the hash of each encoded chunk.

    Frames that are stored contiguously are hashed by their values.

    Parameters
    ----------
    dataset : h5py.Dataset
        The frames.
    known : mapping of offset to bytes, optional
        What `chunk_hash` says of each chunk, where that is known already.
    """
    head = canonical_json(
        [dataset.dtype.str, dataset.shape, dataset.chunks, _filters(dataset), _attributes(dataset.attrs)]
    )
    digest = hashlib.sha256(head.encode())
    if dataset.chunks is None:
        for frame in dataset:
            digest.update(hashlib.sha256(np.ascontiguousarray(frame).tobytes()).digest())
        return digest.hexdigest()
    for offset in chunk_offsets(dataset):
        digest.update(chunk_hash(offset, *dataset.id.read_direct_chunk(offset)) if known is None else known[offset])
    return digest.hexdigest()


def chunk_hash(offset: tuple[int, ...], mask: int, encoded: bytes) -> bytes:
    """Hash a chunk: where it is, which filters it skipped, and its encoded bytes."""
    return f"{offset}{mask}".encode() + hashlib.sha256(encoded).digest()


def chunk_offsets(dataset: h5py.Dataset) -> list[tuple[int, ...]]:
    """Return the offsets of all stored chunks of a dataset, in order."""
    found: list[tuple[int, ...]] = []
    dataset.id.chunk_iter(lambda info: found.append(tuple(int(part) for part in info.chunk_offset)))
    return sorted(found)


def is_hard_link(group: h5py.Group, name: str) -> bool:
    """Tell whether a name stands for an object itself, not for a path to one."""
    import h5py

    return bool(group.id.links.get_info(name.encode()).type == h5py.h5l.TYPE_HARD)


def _filters(dataset: h5py.Dataset) -> list[Any]:
    properties = dataset.id.get_create_plist()
    return [
        [int(code), list(map(int, values))]
        for code, _, values, _ in map(properties.get_filter, range(properties.get_nfilters()))
    ]


def _walk(group: Group, prefix: str, skip: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name, node in sorted(group.members.items()):
        path = f"{prefix}{name}"
        if path in skip:
            continue
        if isinstance(node, Field):
            yield path, field_hash(node)
        elif isinstance(node, Link):
            yield path, text_hash(f"SoftLink  {node.path}")
        else:
            yield path, text_hash(canonical_json(["group", _attributes(node.attrs)]))
            yield from _walk(node, f"{path}/", skip)


def _attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _attribute(attributes[key]) for key in sorted(attributes)}


def _attribute(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return [
            value.dtype.str,
            [_attribute(item) for item in value.tolist()] if value.ndim else _attribute(value.item()),
        ]
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value

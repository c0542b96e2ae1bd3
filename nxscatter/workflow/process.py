"""From raw files to results: convert a file, run a recipe on it, one container each.

Conversion and recipe are one transaction: when a step cannot run, nothing is left behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nxscatter.readers.base import ReadOptions
from nxscatter.step import get_step
from nxscatter.store.container import Container
from nxscatter.store.record import Record
from nxscatter.store.writer import creating
from nxscatter.workflow.conversion import USUAL, Conversion, Processed, RawFile, content_of, existing, naming
from nxscatter.workflow.paths import PathLike, container_path
from nxscatter.workflow.prepare import Hkl, prepare
from nxscatter.workflow.recipe import Recipe, Use
from nxscatter.workflow.runner import run_steps


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
        A recipe, the name of a built-in one or a TOML file; by default ``waxs`` with ``cif``, ``saxs`` with ``q``,
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
    prepared = prepare(recipe, q=q, cif=cif, hkl=hkl, settings=settings, mask=mask)
    conversion = Conversion(reader, options or ReadOptions(), (), compression, overwrite)
    done = run_recipe(source, prepared, output=output, conversion=conversion, keep_masks=keep_masks, force=force)
    return list(done.records)


def run_recipe(
    source: Container | PathLike | RawFile,
    recipe: Recipe,
    *,
    output: PathLike | None = None,
    conversion: Conversion = USUAL,
    keep_masks: bool = True,
    force: bool = False,
) -> Processed:
    """Run a prepared recipe as `process` does, and tell what was done."""
    path = source.path if isinstance(source, Container | RawFile) else Path(source).expanduser()
    with naming(path):
        content = content_of(source, path, conversion)
        target = content.path if isinstance(content, Container) and output is None else container_path(path, output)
        container = existing(target, content, conversion)
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


def _with_masks_of(container: Container, recipe: Recipe) -> Recipe:
    """Give the mask files of the newest record of a step that takes masks to its uses that name none."""
    newest = {record.step: record for record in container.records}

    def kept(use: Use) -> Use:
        if not get_step(use.step).takes_masks or use.parameters.get("mask") or use.step not in newest:
            return use
        masks = newest[use.step].attachments().get("mask", ())
        return replace(use, parameters={**use.parameters, "mask": masks}) if masks else use

    return replace(recipe, uses=tuple(map(kept, recipe.uses)))

"""The files of a batch: those of a folder whose names match a pattern."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from nxscatter.errors import ParameterError
from nxscatter.readers.registry import readers
from nxscatter.workflow.paths import PathLike, expand

USUAL_FILTER = "*_waxs*_raw.h5"
_log = logging.getLogger("nxscatter")


def find_files(folder: Path, pattern: str, instrument: str, masks: Sequence[PathLike]) -> list[Path]:
    """Return the files of a folder that match, sorted by name; masks, and containers beside their raw file, are none.

    When the usual pattern matches nothing, all files that the instrument's reader recognises are taken, and a warning
    says so.

    Raises
    ------
    ParameterError
        When no file is left; the message names some that are there.
    """
    if not folder.is_dir():
        raise ParameterError(f"{folder}: is no folder; give the folder of the files")
    known = expand([folder], masks)
    found = [file for file in known if fnmatch(file.name, pattern)]
    reader = readers().get(instrument.lower())
    if not found and pattern == USUAL_FILTER and reader is not None:
        found = [file for file in known if reader.recognises(file)]
        _log.warning("%s: no file matches '%s', the %d files of %s are taken", folder, pattern, len(found), instrument)
    if not found:
        names = ", ".join(file.name for file in known[:3]) + (", ..." if len(known) > 3 else "")
        raise ParameterError(f"{folder}: no file matches '{pattern}' (there are {names})")
    return found

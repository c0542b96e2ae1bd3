"""A series that grows during a beamtime: a folder is polled (looked at again and again)."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from nxscatter.errors import NxscatterError
from nxscatter.series.members import Member, read_member
from nxscatter.series.series import Series, make_series
from nxscatter.store.access import is_container

_PAUSE = 2.0  # seconds; files of a beamtime come more slowly, and looking at a folder costs next to nothing
_log = logging.getLogger("nxscatter")


@dataclass
class Folder:
    """The containers of a folder, each of which is read once, and again when it has changed."""

    path: Path
    known: dict[Path, tuple[tuple[int, int], Member | None]] = field(default_factory=dict)

    def members(self) -> list[Member]:
        """Return the containers that are there now; one that cannot be read is named in a warning and left out."""
        found: dict[Path, tuple[tuple[int, int], Member | None]] = {}
        for path in sorted(self.path.glob("*.nxs")):
            with suppress(FileNotFoundError):  # gone meanwhile
                status = path.stat()
                state = status.st_mtime_ns, status.st_size
                seen = self.known.get(path)
                found[path] = seen if seen is not None and seen[0] == state else (state, _read(path))
        self.known = found
        return [member for _, member in found.values() if member is not None]


def follow(folder: Path | str, axis: str | None = None, pause: float = _PAUSE) -> Iterator[Series]:
    """Yield a series of the containers of a folder whenever one has come, changed or gone, for ever.

    Parameters
    ----------
    folder : path
        Where containers arrive; it need not be there yet.
    axis : {"field", "time"}, optional
        As for `nxscatter.series.series.collect`.
    pause : float
        Time between two looks, s.
    """
    watched = Folder(Path(folder).expanduser())
    before: list[str] = []
    while True:
        members = [member for member in watched.members() if member.rows]
        checksums = [member.checksum for member in members]
        if members and checksums != before:
            yield make_series(members, axis)
        before = checksums
        time.sleep(pause)


def _read(path: Path) -> Member | None:
    if not is_container(path):
        return None
    try:
        return read_member(path)
    except NxscatterError as error:
        _log.warning("%s", error)
        return None

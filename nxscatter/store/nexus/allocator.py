"""Memory of frames: kept by the process once it is freed, and used again."""

from __future__ import annotations

import ctypes
import sys

# of glibc's mallopt: how much free memory goes back to the system, and from which size on a block is mapped by itself
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT = 1 << 28  # bytes


def keep_freed_memory() -> None:
    """Let the process keep up to 256 MB that it has freed, on Linux with glibc; elsewhere do nothing.

    A program does this for its own process and its workers; importing the package does not. HDF5 allocates and frees
    several buffers for each frame it decodes. Given back to the system, every page of them is cleared and mapped anew
    for the next frame, which takes longer than decoding it.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_TRIM_THRESHOLD, _KEPT)
        mallopt(_MMAP_THRESHOLD, _KEPT)

"""How much of freed memory a process maps anew when it uses it again."""

from __future__ import annotations

import ctypes
import resource

SIZE = 64 << 20


def mapped_again() -> float:
    """Share of a freed block that is mapped anew when it is used again, in this process."""
    system = ctypes.CDLL(None)
    system.malloc.restype = ctypes.c_void_p
    system.malloc.argtypes = [ctypes.c_size_t]
    system.free.argtypes = [ctypes.c_void_p]

    def use() -> None:
        block = system.malloc(SIZE)
        ctypes.memset(block, 1, SIZE)
        system.free(block)

    use()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    use()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) * resource.getpagesize() / SIZE

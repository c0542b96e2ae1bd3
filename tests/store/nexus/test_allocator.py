"""Freed memory stays with the process, so that it need not be mapped anew for the next frame."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import ctypes, resource
from nxscatter.store.nexus.allocator import keep_freed_memory
{call}
system = ctypes.CDLL(None)
system.malloc.restype = ctypes.c_void_p
system.malloc.argtypes = [ctypes.c_size_t]
system.free.argtypes = [ctypes.c_void_p]
SIZE = 64 << 20

def use():
    block = system.malloc(SIZE)
    ctypes.memset(block, 1, SIZE)
    system.free(block)

use()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
use()
print((resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) * resource.getpagesize() / SIZE)
"""


def mapped_again(call):
    """Share of a freed block that is mapped anew when it is used again."""
    command = [sys.executable, "-c", PROGRAM.format(call=call)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has this setting")
def test_freed_memory_is_used_again():
    assert mapped_again("") > 0.9
    assert mapped_again("keep_freed_memory()") < 0.1

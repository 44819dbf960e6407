"""Memory: how much is held, and freed buffers kept in the process instead of given back after every step.

A training step frees and asks for the same few hundred megabytes again. glibc returns large blocks at once, and the
kernel then clears every page anew: 528 instead of 555 ms for 8 x 512 tokens (2 cores with AMX, other work beside it).
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from pathlib import Path

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4  # glibc's malloc.h
NEVER, STEP_BYTES = 2**31 - 1, 256 * 2**20


def keep() -> None:
    """Call before the first tensor is made. Does nothing where the C library is not glibc."""
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # torch: huge pages for large tensors
    if not sys.platform.startswith("linux"):
        return
    settle = getattr(ctypes.CDLL(None), "mallopt", None)
    if settle is not None:
        settle(MMAP_MAX, 0)
        settle(TRIM_THRESHOLD, NEVER)
        settle(TOP_PAD, STEP_BYTES)


def resident_gb() -> float:
    """Memory of this process that lies in RAM now, in GB; its peak where the system does not tell (not Linux)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e9

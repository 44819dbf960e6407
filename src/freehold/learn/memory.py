"""Memory: how much there is and is held, and freed buffers kept in the process instead of given back after a step.

A training step frees and asks for the same few hundred megabytes again. glibc returns large blocks at once, and the
kernel then clears every page anew: 528 instead of 555 ms for 8 x 512 tokens (2 cores with AMX, other work beside it).
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from collections.abc import Mapping
from pathlib import Path

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4  # glibc's malloc.h
NEVER, STEP_BYTES = 2**31 - 1, 256 * 2**20

CGROUP = Path("/sys/fs/cgroup")
LIMITS = {  # of a control group: limit, use, and the key of what of it the kernel can drop at once
    "memory.max": ("memory.current", "memory.stat", "inactive_file"),
    "memory/memory.limit_in_bytes": ("memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
}


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


def available(device: str = "cpu") -> int | None:
    """Bytes that this process can still take on a device; None where the system does not tell."""
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    names = ["/proc/meminfo"] + [str(CGROUP / name) for limit, rest in LIMITS.items() for name in (limit, *rest[:2])]
    return left_of({name: Path(name).read_text(encoding="ascii") for name in names if Path(name).is_file()})


def left_of(files: Mapping[str, str]) -> int | None:
    """The least that the machine and each limit of a control group (version 2 or 1) leave, from the files' texts.

    >>> left_of({"/proc/meminfo": "MemTotal: 9 kB\\nMemAvailable: 4 kB", "/sys/fs/cgroup/memory.max": "max"})
    4096
    """
    found = []
    machine = _keyed(files.get("/proc/meminfo", "").replace(":", ""))
    if "MemAvailable" in machine:
        found.append(1024 * machine["MemAvailable"])
    for limit, (use, facts, droppable) in LIMITS.items():
        most = files.get(str(CGROUP / limit), "max").strip()
        if most != "max":
            used = int(files.get(str(CGROUP / use), "0"))
            found.append(int(most) - used + _keyed(files.get(str(CGROUP / facts), "")).get(droppable, 0))
    return min(found) if found else None


def _keyed(text: str) -> dict[str, int]:
    """Lines of a name and a number."""
    rows = (line.split() for line in text.splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdigit()}


def resident_gb() -> float:
    """Memory of this process that lies in RAM now, in GB; its peak where the system does not tell (not Linux)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e9

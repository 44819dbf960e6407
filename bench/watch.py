"""What a process and everything below it takes while it runs: memory and processor time, read from /proc."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

LOOK_EVERY_S = 0.25
TICKS = os.sysconf("SC_CLK_TCK")


class Watch(threading.Thread):
    """Looks at a process tree again and again: `peak` bytes, `peaked` when, and (time, CPU seconds) at each look.

    Memory is proportional (shared pages counted once), processor time that of the living and of those they waited for.
    """

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.process, self.peak, self.peaked, self.on = process, 0, 0.0, True
        self.memory: list[tuple[float, int]] = []
        self.cpu: list[tuple[float, float]] = []

    def run(self) -> None:
        """Look until `on` is false."""
        while self.on:
            members, now = family(self.process), time.time()
            size = sum(resident(member) for member in members)
            if size > self.peak:
                self.peak, self.peaked = size, now
            self.memory.append((now, size))
            self.cpu.append((now, sum(processor_time(member) for member in members)))
            time.sleep(LOOK_EVERY_S)

    def cpu_between(self, begin: float, end: float) -> float:
        """CPU seconds between two times."""
        return self.cpu_at(end) - self.cpu_at(begin)

    def cpu_at(self, moment: float) -> float:
        """CPU seconds until the last look before a time; never less than at an earlier look."""
        return max((used for looked, used in self.cpu if looked <= moment), default=0.0)

    def peak_between(self, begin: float, end: float) -> int:
        """The most memory seen between two times."""
        return max((size for looked, size in self.memory if begin <= looked <= end), default=0)


def family(process: int) -> list[int]:
    """A process and its descendants."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        facts = stat(int(folder.name))
        if facts:
            parents[int(folder.name)] = int(facts[1])
    found = [process]
    for member in found:
        found += [child for child, parent in parents.items() if parent == member]
    return found


def stat(process: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name (proc(5)); none once the process is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return []


def processor_time(process: int) -> float:
    """User and system seconds of a process and of the children it has waited for."""
    facts = stat(process)
    return sum(int(ticks) for ticks in facts[11:15]) / TICKS if facts else 0.0


def resident(process: int) -> int:
    """Proportional memory of one process in bytes; 0 once it is gone."""
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0

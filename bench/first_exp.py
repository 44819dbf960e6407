"""How often the first exponential of a process has other bits than its second, plain and after `device.settle`.

MKL's vector mathematics chooses its code in its first call, without a guard between the threads that share it. Each
trial is a process of its own, forked before anything was computed; two threads that do not spin, and neighbours that
keep the cores busy, make the rare case less rare.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

os.environ["GOMP_SPINCOUNT"] = "0"  # before torch: waiting threads sleep, so that another process's may run

import torch
from report import Figure, arguments, report

from freehold.learn import device

SECONDS, QUICK_SECONDS, NEIGHBOURS = 240, 10, 3
BUSY = "while True: pass"


def differs(settled: bool) -> bool:
    """Whether a new process's first exponential differs from its second."""
    child = os.fork()
    if child == 0:
        torch.set_num_threads(2)
        if settled:
            device.settle("cpu")
        scores = torch.linspace(-20, 0, 2**15)
        os._exit(int(not torch.equal(scores.exp(), scores.exp())))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


def count(settled: bool, seconds: float) -> tuple[int, int]:
    """Trials, and those that differed."""
    end, trials, found = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        trials += 1
        found += differs(settled)
    return trials, found


def main() -> None:
    """Both counts in one run."""
    options = arguments(__doc__)
    seconds = QUICK_SECONDS if options.quick else SECONDS
    neighbours = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(NEIGHBOURS)]
    try:
        plain, settled = count(settled=False, seconds=seconds), count(settled=True, seconds=seconds)
    finally:
        for neighbour in neighbours:
            neighbour.kill()
    figures = [
        Figure(figure=f"first exponentials with other bits, plain ({plain[0]} processes)", value=plain[1], unit=""),
        Figure(
            figure=f"the same after settle ({settled[0]} processes)",
            value=settled[1],
            unit="",
            goal="0",
            holds=settled[1] == 0,
        ),
    ]
    report("first_exp", figures, options=options, repetitions=plain[0] + settled[0])


if __name__ == "__main__":
    main()

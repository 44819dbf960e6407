"""From the start of Python to the end of a training's first step, when nothing was compiled before and when all was.

The shape of `train_step.py`, compiled and with native kernels where the machine has them; each start is a process of
its own, and the first finds empty caches.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from report import Figure, arguments, report
from train_step import OURS, contender

STARTS, QUICK_STARTS, GOAL_S = 3, 1, 20.0  # warm starts, of which the fastest counts


def start(cache: Path) -> float:
    """Seconds that a process takes for all of it, its end included."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "TORCHINDUCTOR_CACHE_DIR": str(cache / "inductor")}
    begun = time.perf_counter()
    subprocess.run([sys.executable, __file__, "--worker"], check=True, env=environment)
    return time.perf_counter() - begun


def main() -> None:
    """Measure, or be the process that is measured."""
    if sys.argv[1:2] == ["--worker"]:
        step, _, _ = contender(OURS, "32k")
        step()
        return
    options = arguments(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        cold = start(Path(folder))
        warm = [start(Path(folder)) for _ in range(QUICK_STARTS if options.quick else STARTS)]
    figures = [
        Figure(figure="start: first step done, nothing compiled before", value=cold, unit="s"),
        Figure(
            figure="start: first step done, all compiled before",
            value=min(warm),
            unit="s",
            goal=f"<= {GOAL_S:g} s",
            holds=min(warm) <= GOAL_S,
        ),
    ]
    report("start_up", figures, options=options, repetitions=len(warm))


if __name__ == "__main__":
    main()

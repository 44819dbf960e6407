"""TensorBoard event files in the run folder: `tensorboard --logdir .freehold/runs` shows every run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from freehold.learn.loop import Taken
from freehold.learn.observers import Measures
from freehold.plugins import need
from freehold.sight.steps import FILE, rows

FOLDER = "tensorboard"
CURVES = {
    "loss": "learning/loss_nats_per_token",
    "bits_per_byte": "learning/bits_per_byte",
    "learning_rate": "learning/rate",
    "tokens_per_s": "machine/tokens_per_s",
    "utilisation": "machine/utilisation",
    "memory_gb": "machine/memory_gb",
}


class Board:
    """The observer that writes event files, flushed at every checkpoint."""

    name = "TensorBoard"

    def __init__(self, folder: Path, *, steps: int, flush_steps: int) -> None:
        """`steps` is the number of the run's last step, `flush_steps` how often the files are complete."""
        self.folder, self.steps, self.flush_steps = folder, steps, flush_steps
        self.writer: Any = None

    def __call__(self, taken: Taken, measures: Measures) -> None:
        """Add a step; a resumed run begins with the curve before it, read from `steps.jsonl`."""
        if self.writer is None:
            self.writer = need("tensorboardX").SummaryWriter(logdir=str(self.folder / FOLDER), write_to_disk=True)
            for row in rows(self.folder / FILE):
                if row["step"] <= taken.step:
                    self._add(row["step"], row, at=row["time"])
        self._add(taken.step + 1, measures)
        if taken.step + 1 == self.steps:
            self.writer.close()
        elif (taken.step + 1) % self.flush_steps == 0:
            self.writer.flush()

    def _add(self, step: int, found: dict[str, Any], *, at: float | None = None) -> None:
        for name, curve in CURVES.items():
            if name in found:
                self.writer.add_scalar(curve, found[name], step, walltime=at)

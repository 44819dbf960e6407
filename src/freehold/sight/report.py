"""`report.html` of a run folder: written anew at every checkpoint, so that a person may leave it open meanwhile."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freehold.learn.loop import Taken
from freehold.learn.observers import Measures
from freehold.page.parts import page
from freehold.sight import sections
from freehold.sight.history import History
from freehold.sight.languages import Language
from freehold.sight.steps import FILE, row_of, rows
from freehold.store.workspace import write_atomic

PAGE, PLOT = "report.html", "loss.svg"
REFRESH_S = 30  # a page that is open reads itself again while the run goes on


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What the page says about a run besides its steps."""

    stage: str
    title: str  # name and version of the release it is for
    recipe: dict[str, Any]
    languages: tuple[Language, ...]  # empty where a run does not mix languages by shares
    parameters: int
    flops_per_token: int
    machine: dict[str, str]
    checkpoints: Path
    artifact: str  # where the stage's artifact is being built, from the workspace

    @property
    def steps(self) -> int:
        """Number of the last step."""
        return int(self.recipe["steps"])


class Report:
    """The observer that writes the page."""

    name = "the report"

    def __init__(self, folder: Path, *, run: Run) -> None:
        self.folder, self.run = folder, run
        self.history: History | None = None
        self.begun = time.time()

    def __call__(self, taken: Taken, measures: Measures) -> None:
        """Take up a step; write the page after the first one, at every checkpoint and at the end."""
        if self.history is None:
            self.history = History()
            for row in rows(self.folder / FILE):
                if row["step"] <= taken.step:
                    self.history.add(row)
        self.history.add(row_of(taken, measures))
        step = taken.step + 1
        if step % self.run.recipe["checkpoint_steps"] == 0 or step == self.run.steps or len(self.history.rows) == 1:
            self.write(self.history)

    def write(self, history: History) -> None:
        """Put the page in its place in one step, whole or not at all; at the end the loss as a plot too."""
        running = int(history.last["step"]) < self.run.steps
        children = sections.everything(self.run, history, segments=chain_of(self.run.checkpoints))
        made = page(f"{self.run.title}: {self.run.stage}", *children, refresh_s=REFRESH_S if running else None)
        write_atomic(self.folder / PAGE, made)
        if not running:
            chart = sections.loss(history, vocabulary=self.run.recipe.get("model", {}).get("vocab_size"))
            write_atomic(self.folder / PLOT, chart.alone())


def chain_of(checkpoints: Path) -> list[dict[str, Any]]:
    """The chain as the newest checkpoint holds it; empty before the first."""
    latest = checkpoints / "latest.json"
    chain: list[dict[str, Any]] = json.loads(latest.read_bytes())["facts"]["chain"] if latest.exists() else []
    return chain

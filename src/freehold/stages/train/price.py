"""What a withdrawal at W3 costs, told before anything is written or computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from freehold import charter_file
from freehold.errors import InputError
from freehold.journey import STEPS
from freehold.learn.phases import Curriculum
from freehold.learn.shards import Shards
from freehold.learn.uses import steps_of
from freehold.stage import identify, inputs_of
from freehold.stages.train.withdrawal import WITHDRAWN, Restart, withdrawn
from freehold.store.workspace import Workspace

NEARLY_ALL = 0.8  # of the steps: from here on it is called what it is
REMAINS = (
    "the tokenizer was learned from a sample that may hold the text: its vocabulary stays",
    "what was dropped as a duplicate of the document stays dropped, and its length and place keep shaping the order",
    "near-duplicates and quotations in other documents are still learned from: withdraw those by their own ids",
    "instructions that do not name the document they were made from are still taught",
    "copies of the old weights, and models made from them, are out of reach",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """When a run used a document."""

    document: str
    first_step: int | None  # from 1; None: never
    steps: int  # how many used it


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What has to be done again before the weights do not depend on some documents."""

    uses: tuple[Use, ...]
    checkpoint: int  # the step it goes on from, 0: the seed
    steps: int  # of the whole run
    seconds_per_step: float | None  # as the older run measured them; None: it took none
    remains: tuple[str, ...] = REMAINS  # what W3 cannot undo

    @property
    def again(self) -> int:
        """Steps to take again."""
        return self.steps - self.checkpoint

    @property
    def share(self) -> float:
        """The part of the run that is."""
        return self.again / self.steps

    @property
    def hours(self) -> float | None:
        """Hours of training at the older run's speed; refine and what follows come on top."""
        return None if self.seconds_per_step is None else self.again * self.seconds_per_step / 3600

    @property
    def verdict(self) -> str:
        """The cost in a sentence."""
        if not self.again:
            return "no step used them: the weights stay as they are"
        begin = f"from the checkpoint of step {self.checkpoint:,}" if self.checkpoint else "from the seed"
        time = "" if self.hours is None else f", about {self.hours:,.2g} h at the speed of the run before"
        much = "nearly a full retrain: " if self.share >= NEARLY_ALL else ""
        return f"{much}{self.again:,} of {self.steps:,} steps again ({self.share:.0%}), {begin}{time}"


def cost(*, charter: str | Path, workspace: str | Path, documents: Sequence[str]) -> Cost:
    """What withdrawing these documents too would cost, beside those that the log names already.

    Raises InputError where it cannot be had: train has not run for this charter, or ran without document masks.
    """
    home, declared, step = Workspace(Path(workspace)), charter_file.load(charter), STEPS["train"]
    inputs = inputs_of(home, declared, step)
    identity = identify(declared, step, inputs)
    identity.parameters[WITHDRAWN] = [{"id": name} for name in sorted({*withdrawn(identity), *documents})]
    shards = Shards.open(inputs["tokenize"].path)
    restart = Restart.of(home, identity, shards)
    if restart is None:
        advice = f"withdraw it before training: freehold run {declared.path.name} goes on without it"
        raise InputError("train has not run for this charter", where=str(home.folder), remedy=advice)
    used = steps_of(Curriculum(shards, restart.recipe), documents)
    return Cost(
        uses=tuple(
            Use(document=name, first_step=int(steps[0]) if len(steps) else None, steps=len(steps))
            for name, steps in used.items()
        ),
        checkpoint=restart.step,
        steps=restart.recipe["steps"],
        seconds_per_step=restart.older.statement()["predicate"]["figures"].get("seconds_per_step"),
    )

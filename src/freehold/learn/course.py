"""A course: all steps of a recipe that are still to be taken, from the newest checkpoint to the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from freehold.learn import checkpoint
from freehold.learn.ahead import ahead
from freehold.learn.batches import Batches
from freehold.learn.diary import Diary
from freehold.learn.loop import Taken, learn
from freehold.learn.parallel import ALONE, Ranks
from freehold.learn.schedule import Schedule
from freehold.learn.session import Session
from freehold.learn.utilisation import peak
from freehold.progress import Progress
from freehold.proof import chain


def follow(
    session: Session,
    *,
    batches: Batches,
    recipe: dict[str, Any],
    stage: str,
    folder: Path,
    progress: Progress,
    previous: str = chain.GENESIS,
    base: str | None = None,
    ranks: Ranks = ALONE,
) -> Diary:
    """Learn as the recipe says; `folder` is scratch that a killed run finds again. Returns the diary.

    `previous` is the digest of the line that the stage's chain continues, `base` that of the weights it begins with.
    This is rank 0 of `ranks`.
    """
    found = checkpoint.latest(folder / "checkpoints")
    first = found.step if found else 0
    batch_tokens = recipe["samples"] * recipe["sequence"]
    total, done = recipe["steps"] * batch_tokens, first * batch_tokens
    with progress.task(stage, total=total, unit="tok", done=done) as task:
        best = peak(recipe["precision"], device=recipe["device"])
        diary = Diary(session, stage=stage, recipe=recipe, folder=folder, task=task, peak=best, previous=previous)
        if found:
            session.restore(found)
            diary.resume(found)
            progress.note(f"resumed at step {first:,} of {recipe['steps']:,}")
        else:
            diary.open(base=base)
        ranks.align(session, first=first)
        take_steps(session, batches=batches, recipe=recipe, first=first, ranks=ranks, after=diary)
    return diary


def accompany(session: Session, *, batches: Batches, recipe: dict[str, Any], ranks: Ranks) -> None:
    """The same course on another rank, which keeps no diary: its state comes from rank 0."""
    first = ranks.align(session, first=0)
    take_steps(session, batches=batches, recipe=recipe, first=first, ranks=ranks, after=lambda _: None)


def take_steps(
    session: Session,
    *,
    batches: Batches,
    recipe: dict[str, Any],
    first: int,
    ranks: Ranks,
    after: Callable[[Taken], None],
) -> None:
    """The steps of a recipe from `first` on."""
    schedule = Schedule(steps=recipe["steps"], warmup_steps=recipe["warmup_steps"], decay_share=recipe["decay_share"])
    with ahead(batches, device=recipe["device"]) as prepared:
        learn(
            session.model,
            batches=prepared,
            optimizer=session.optimizer,
            schedule=schedule,
            guard=session.guard,
            first=first,
            micro=recipe["micro"],
            ranks=ranks,
            after=after,
        )

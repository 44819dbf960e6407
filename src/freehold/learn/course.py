"""A course: all steps of a recipe that are still to be taken, from the newest checkpoint to the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from freehold.errors import InputError
from freehold.learn import checkpoint
from freehold.learn.ahead import ahead
from freehold.learn.batches import Batches
from freehold.learn.checkpoint import Checkpoint
from freehold.learn.diary import Diary
from freehold.learn.loop import Taken, learn
from freehold.learn.observers import Observer
from freehold.learn.parallel import ALONE, Ranks
from freehold.learn.phases import Phase, recipe_digest, schedule_of
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
    bytes_per_token: dict[str, float] | None = None,
    observers: tuple[Observer, ...] = (),
    ranks: Ranks = ALONE,
    cut_off: Mapping[str, int] | None = None,
) -> Diary:
    """Learn as the recipe says; `folder` is scratch that a killed run finds again. Returns the diary.

    `previous` is the digest of the line that the stage's chain continues, `base` that of the weights it begins with;
    `bytes_per_token` (by language) and `observers` are for those who look on. This is rank 0 of `ranks`. `cut_off` are
    the withdrawn documents, which the batches leave out: the chain names them from the first step on that would have
    used them. Raises InputError, before anything is computed, when the checkpoint found there was made by another
    recipe.
    """
    found = resumable(folder / "checkpoints", recipe)
    first = found.step if found else 0
    batch_tokens = recipe["samples"] * recipe["sequence"]
    total, done = recipe["steps"] * batch_tokens, first * batch_tokens
    with progress.task(stage, total=total, unit="tok", done=done) as task:
        diary = Diary(
            session,
            stage=stage,
            recipe=recipe,
            folder=folder,
            task=task,
            peak=ranks.size * peak(recipe["precision"], device=recipe["device"]),
            check=batches.check,
            previous=previous,
            bytes_per_token=bytes_per_token,
            observers=observers,
            cut_off=cut_off,
        )
        if found:
            session.restore(found)
            diary.resume(found)
            progress.note(f"resumed at step {first:,} of {recipe['steps']:,}")
        else:
            diary.open(base=base)
        ranks.align(session, first=first)
        take_steps(session, batches=batches, recipe=recipe, first=first, ranks=ranks, after=diary, tell=progress.note)
    return diary


def accompany(session: Session, *, batches: Batches, recipe: dict[str, Any], ranks: Ranks) -> None:
    """The same course on another rank, which keeps no diary: its state comes from rank 0."""
    first = ranks.align(session, first=0)
    take_steps(
        session,
        batches=batches,
        recipe=recipe,
        first=first,
        ranks=ranks,
        after=lambda _: None,
        tell=lambda _: None,
    )


def take_steps(
    session: Session,
    *,
    batches: Batches,
    recipe: dict[str, Any],
    first: int,
    ranks: Ranks,
    after: Callable[[Taken], None],
    tell: Callable[[str], None],
    last: int | None = None,
) -> None:
    """The steps of a recipe from `first` to before `last` (None: to its end), phase by phase."""
    end, stop = 0, recipe["steps"] if last is None else last
    with ahead(batches, device=recipe["device"]) as prepared:
        for phase in Phase.of(recipe):
            begin, end = end, end + phase.steps
            if begin >= stop:
                return
            session.enter(phase)
            if end > first and "phases" in recipe:
                tell(f"{phase.name}: steps {begin + 1:,} to {end:,}, windows of {phase.sequence:,} tokens")
            learn(
                session.model,
                batches=prepared,
                optimizer=session.optimizer,
                schedule=schedule_of(recipe),
                guard=session.guard,
                first=max(first, begin),
                last=min(end, stop),
                micro=phase.micro,
                ranks=ranks,
                after=after,
            )


def resumable(folder: Path, recipe: dict[str, Any]) -> Checkpoint | None:
    """The newest checkpoint, or None. Raises InputError when another recipe made it."""
    found = checkpoint.latest(folder)
    if found is not None and found.facts["recipe"] != recipe_digest(recipe):
        raise InputError(
            f"checkpoint {found.path.name} was made by another recipe",
            where=str(folder),
            remedy="restore recipe.json beside it, or delete the folder to train from the start",
        )
    return found

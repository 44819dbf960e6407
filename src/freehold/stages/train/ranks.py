"""Ranks on this machine: the stage's own process is rank 0 and starts the others, one for each GPU."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from freehold.engine.gang import Gang
from freehold.engine.job import JobSpec
from freehold.engine.local import LocalEngine
from freehold.learn import course
from freehold.learn import device as devices
from freehold.learn.parallel import One, Ranks, Replicas
from freehold.learn.phases import Curriculum, Recipe
from freehold.learn.session import use_threads
from freehold.learn.setting import ranks_of
from freehold.learn.shards import Shards
from freehold.stage import Stage
from freehold.stages.train.recipe import session_of


@contextmanager
def together(stage: Stage, recipe: Recipe) -> Iterator[Ranks]:
    """Everyone who takes the steps of the recipe; the others end with the block."""
    size = ranks_of(stage.charter.train.ranks, recipe)
    if size == 1:
        yield One()
        return
    stage.progress.note(f"{size} ranks share every batch")
    with tempfile.TemporaryDirectory(prefix="freehold-ranks-") as folder:
        meeting = f"file://{folder}/meeting"
        shared = {"recipe": recipe, "tokens": str(stage.input("tokenize")), "meeting": meeting, "size": size}
        jobs = [
            JobSpec(
                name=f"rank {rank}",
                entry="freehold.stages.train.ranks:accompany",
                arguments={**shared, "rank": rank},
                folder=stage.run_folder / f"rank-{rank}",
            )
            for rank in range(1, size)
        ]
        with Gang(LocalEngine(), jobs):
            ranks = join(recipe, meeting=meeting, rank=0, size=size)
            yield ranks
            ranks.part()


def join(recipe: Recipe, *, meeting: str, rank: int, size: int) -> Replicas:
    """Take this rank's device, or its share of the processor's threads, and meet the others."""
    use_threads(max(1, recipe["threads"] // size))
    device = f"cuda:{rank}" if recipe["device"] == "cuda" else "cpu"
    return Replicas.meet(meeting, rank=rank, size=size, device=device)


def accompany(*, recipe: Recipe, tokens: str, meeting: str, rank: int, size: int) -> None:
    """Be a rank other than 0: a job of its own."""
    devices.settle(recipe["device"])
    ranks = join(recipe, meeting=meeting, rank=rank, size=size)
    corpus = Curriculum(Shards.open(Path(tokens)), recipe)
    course.accompany(session_of(recipe), batches=corpus, recipe=recipe, ranks=ranks)
    ranks.part()

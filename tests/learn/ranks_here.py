"""Learn on as many ranks as torchrun starts; rank 0 keeps a checkpoint and what each step lost and read."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path

from corpus import VOCABULARY, mixed

from freehold.learn import checkpoint
from freehold.learn.batches import Batch, Corpus
from freehold.learn.loop import Taken, learn
from freehold.learn.optimizer import Rates
from freehold.learn.parallel import Ranks, Replicas
from freehold.learn.schedule import Schedule
from freehold.learn.session import Session
from freehold.learn.start import initialise
from freehold.model.config import ModelConfig
from freehold.model.transformer import Transformer

STEPS = 12
Row = tuple[int, float, str]  # step, loss, its documents


class Enough(Exception):
    """The step at which a run is broken off."""


class Until:
    """A corpus that breaks off."""

    def __init__(self, corpus: Corpus, stop: int) -> None:
        self.corpus, self.stop = corpus, stop

    def at(self, step: int) -> Batch:
        if step == self.stop:
            raise Enough
        return self.corpus.at(step)


def run(tokens: Path, folder: Path, *, ranks: Ranks, stop: int = STEPS) -> list[Row]:
    """Take the steps up to `stop` from wherever the checkpoint is."""
    corpus = mixed(tokens, samples=5)
    session = fresh(seed=1 + ranks.rank)  # the others must take over what rank 0 has
    found = checkpoint.latest(folder) if ranks.rank == 0 else None
    if found:
        session.restore(found)
    rows: list[Row] = []

    def after(taken: Taken) -> None:
        rows.append((taken.step, taken.loss, " ".join(taken.batch.documents)))

    with contextlib.suppress(Enough):
        learn(
            session.model,
            batches=Until(corpus, stop),
            optimizer=session.optimizer,
            schedule=Schedule(steps=STEPS),
            guard=session.guard,
            first=ranks.align(session, first=found.step if found else 0),
            micro=2,
            ranks=ranks,
            after=after,
        )
    if ranks.rank == 0:
        session.save(folder, step=stop, facts={})
    return rows


def fresh(seed: int) -> Session:
    """A tiny model ready to learn."""
    model = Transformer(ModelConfig.from_depth(2, vocabulary=VOCABULARY, context=32, width=32, head_size=16))
    initialise(model, seed=seed)
    return Session.of(model, rates=Rates(), precision="fp32", compiled=False)


def main(tokens: Path, folder: Path, stop: int) -> None:
    """Be a rank that torchrun started."""
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    ranks = Replicas.meet("env://", rank=rank, size=size, device="cpu")
    rows = run(tokens, folder, ranks=ranks, stop=stop)
    if rank == 0:
        (folder / "rows.json").write_text(json.dumps(rows))
    ranks.part()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))

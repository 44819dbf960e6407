"""Train a few steps of a shape in a process of its own and print its footprint and how much the process grew, as JSON.

`python peak_here.py DEPTH VOCABULARY MICRO SEQUENCE PRECISION`
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from freehold.learn import memory

memory.keep()

import torch  # noqa: E402
import torch._dynamo  # noqa: E402  (imported by the first step otherwise)

from freehold.learn.batches import Batch  # noqa: E402
from freehold.learn.diary import shipped  # noqa: E402
from freehold.learn.footprint import footprint  # noqa: E402
from freehold.learn.loop import learn  # noqa: E402
from freehold.learn.optimizer import Rates  # noqa: E402
from freehold.learn.schedule import Schedule  # noqa: E402
from freehold.learn.session import Session  # noqa: E402
from freehold.learn.start import initialise  # noqa: E402
from freehold.model.config import ModelConfig  # noqa: E402
from freehold.model.native import ready  # noqa: E402
from freehold.model.transformer import Transformer  # noqa: E402


def highest() -> int:
    """The most bytes this process had in memory so far."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


class Noise:
    """Batches of two lots of random tokens."""

    def __init__(self, vocabulary: int, *, micro: int, sequence: int) -> None:
        self.tokens_BS = torch.randint(0, vocabulary, (2 * micro, sequence + 1))

    def at(self, step: int) -> Batch:
        """The same batch at every step."""
        return Batch(tokens=self.tokens_BS[:, :-1], targets=self.tokens_BS[:, 1:], documents=())

    def check(self) -> None:
        """Noise does not change."""


def main(depth: int, vocabulary: int, micro: int, sequence: int, precision: str) -> None:
    torch.set_num_threads(1)
    before = highest()
    config = ModelConfig.from_depth(depth, vocabulary=vocabulary, context=sequence)
    model = Transformer(config)
    initialise(model, seed=1)
    session = Session.of(model, rates=Rates(), precision=precision, compiled=False)
    learn(
        session.model,
        batches=Noise(vocabulary, micro=micro, sequence=sequence),
        optimizer=session.optimizer,
        schedule=Schedule(steps=3),
        guard=session.guard,
        micro=micro,
        after=lambda taken: None,
    )
    shipped(session, dtype="float32")
    estimate = footprint(config, micro=micro, sequence=sequence, precision=precision, native=ready()).total
    print(json.dumps({"estimate": estimate, "grown": highest() - before}))


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:5]), sys.argv[5])

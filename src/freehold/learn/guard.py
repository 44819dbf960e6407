"""The guard: skips a step whose loss leaps, stops where a loss or gradient is no number, and names the documents."""

from __future__ import annotations

import math
from collections import deque
from statistics import fmean, pstdev

from freehold.errors import GateError
from freehold.learn.batches import Batch
from freehold.model.head import IGNORED

REMEMBERED = 64  # losses
DEVIATIONS = 8.0  # above the mean from which a loss counts as a spike
MARGIN = 0.5  # nats: never call less than this a spike
SHOWN = 20  # documents in a message


class Guard:
    """Remembers recent losses; its state is part of a checkpoint."""

    def __init__(self, losses: list[float] | None = None) -> None:
        self.losses: deque[float] = deque(losses or [], maxlen=REMEMBERED)

    def admits(self, loss: float, *, gradient: float = 0.0, step: int, batch: Batch) -> bool:
        """Whether to take the step; `gradient` is any number that is finite if its gradient is.

        A batch that predicts nothing, because all of it was withdrawn, has no loss to remember. Raises GateError naming
        the batch's documents when either is no number.
        """
        if bool((batch.targets == IGNORED).all()):
            return True
        for name, value in (("loss", loss), ("gradient", gradient)):
            if not math.isfinite(value):
                raise GateError(
                    f"the {name} is {value} at step {step + 1}; documents of the batch: {named(batch)}",
                    where="train",
                    remedy="look at those documents, or lower the learning rates",
                )
        spike = len(self.losses) == REMEMBERED and loss > fmean(self.losses) + max(
            MARGIN, DEVIATIONS * pstdev(self.losses)
        )
        self.losses.append(loss)
        return not spike


def named(batch: Batch) -> str:
    """The documents of a batch for a message: the first of them, and how many more there are."""
    more = len(batch.documents) - SHOWN
    return ", ".join(batch.documents[:SHOWN]) + (f" and {more} more" if more > 0 else "")

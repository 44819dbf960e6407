"""The guard: skips a step whose loss leaps, stops when it is no number, and names the documents."""

from __future__ import annotations

import math
from collections import deque
from statistics import fmean, pstdev

from freehold.errors import GateError
from freehold.learn.batches import Batch

REMEMBERED = 64  # losses
DEVIATIONS = 8.0  # above the mean from which a loss counts as a spike
MARGIN = 0.5  # nats: never call less than this a spike


class Guard:
    """Remembers recent losses; its state is part of a checkpoint."""

    def __init__(self, losses: list[float] | None = None) -> None:
        self.losses: deque[float] = deque(losses or [], maxlen=REMEMBERED)

    def admits(self, loss: float, *, step: int, batch: Batch) -> bool:
        """Whether to take the step. Raises GateError naming the batch's documents when the loss is no number."""
        if not math.isfinite(loss):
            named = ", ".join(batch.documents[:20])
            raise GateError(
                f"the loss is {loss} at step {step}; documents of the batch: {named}",
                where="train",
                remedy="look at those documents, or lower the learning rates",
            )
        spike = len(self.losses) == REMEMBERED and loss > fmean(self.losses) + max(
            MARGIN, DEVIATIONS * pstdev(self.losses)
        )
        self.losses.append(loss)
        return not spike

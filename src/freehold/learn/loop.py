"""The loop: everything is composed outside and handed in; this is the order in which it happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from freehold.learn.batches import Batch, Batches
from freehold.learn.guard import Guard
from freehold.learn.optimizer import Optimizer
from freehold.learn.parallel import ALONE, Ranks
from freehold.learn.schedule import Schedule
from freehold.model.head import IGNORED
from freehold.model.transformer import LanguageModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One step as it was: `loss` in nats a token, `taken` False when the guard skipped it."""

    step: int
    loss: float
    rate: float
    taken: bool
    batch: Batch


def learn(
    model: LanguageModel,
    *,
    batches: Batches,
    optimizer: Optimizer,
    schedule: Schedule,
    guard: Guard,
    first: int = 0,
    micro: int = 0,
    ranks: Ranks = ALONE,
    after: Callable[[Taken], None],
) -> None:
    """Take the steps `first` … schedule.steps - 1, telling each to `after`.

    `micro` is the number of sequences that pass through the model at once (0: all); it bounds memory. The
    gradient is that of the whole batch's mean loss, whatever the number of `ranks` that share it.
    """
    for step in range(first, schedule.steps):
        batch = batches.at(step)
        loss = _accumulate(model, batch, micro=micro or len(batch.tokens), ranks=ranks)
        rate = schedule.rate(step)
        taken = guard.admits(loss, step=step, batch=batch)
        if taken:
            optimizer.step(factor=rate, momentum=schedule.momentum(step))
        else:
            optimizer.forget_gradients()
        model.after_step(taken=taken)
        after(Taken(step=step, loss=loss, rate=rate, taken=taken, batch=batch))


def _accumulate(model: LanguageModel, batch: Batch, *, micro: int, ranks: Ranks) -> float:
    """Add up the gradients of a batch; its mean loss in nats."""
    counted = int((batch.targets != IGNORED).sum())
    device = model.head.device
    total = torch.zeros((), device=device)
    mine = ranks.share(batch)
    for pair in zip(mine.tokens.split(micro), mine.targets.split(micro), strict=True):
        tokens_BT, targets_BT = (part.to(device, non_blocking=True) for part in pair)
        loss = model.loss(tokens_BT, targets_BT, divisor=counted)
        loss.backward()
        total += loss.detach()
    ranks.add_gradients(model)
    return float(ranks.add(total))

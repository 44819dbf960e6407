"""The loop: everything is composed outside and handed in; this is the order in which it happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

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
    last: int | None = None,
    micro: int = 0,
    ranks: Ranks = ALONE,
    after: Callable[[Taken], None],
) -> None:
    """Take the steps `first` … `last` - 1 (None: to the schedule's end), telling each to `after`.

    `micro` is the number of sequences that pass through the model at once (0: all); it bounds memory. The
    gradient is that of the whole batch's mean loss, whatever the number of `ranks` that share it.
    """
    for step in range(first, schedule.steps if last is None else last):
        batch = batches.at(step)
        loss = _accumulate(model, batch, micro=micro or len(batch.tokens), ranks=ranks)
        rate = schedule.rate(step)
        taken = guard.admits(loss, gradient=_gradient_sum(model), step=step, batch=batch)
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
    for start in range(0, len(mine.tokens), micro):
        part = mine.each(partial(_moved, rows=slice(start, start + micro), device=device))
        loss = model.loss(part.tokens, part.targets, divisor=counted, documents_BT=part.segments)
        loss.backward()
        total += loss.detach()
    ranks.add_gradients(model)
    return float(ranks.add(total))


def _moved(value: Tensor, *, rows: slice, device: torch.device) -> Tensor:
    """Some rows on the device; a GPU fetches pinned ones while the host goes on."""
    return value[rows].to(device, non_blocking=True)


def _gradient_sum(model: LanguageModel) -> float:
    """The sum of the whole gradient: no number as soon as one of its numbers is none, and cheaper than its length."""
    sums = [weight.grad.sum().float() for weight in model.parameters() if weight.grad is not None]
    return float(torch.stack(sums).sum())

"""The loop: everything is composed outside and handed in; this is the order in which it happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from freehold.learn.batches import Batch, Batches
from freehold.learn.guard import Guard
from freehold.learn.optimizer import Optimizer
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
    after: Callable[[Taken], None],
) -> None:
    """Take the steps `first` … `last` - 1 (None: to the schedule's end), telling each to `after`.

    `micro` is the number of sequences that pass through the model at once (0: all); it bounds memory. The
    gradient is that of the whole batch's mean loss.
    """
    for step in range(first, schedule.steps if last is None else last):
        batch = batches.at(step)
        loss = _accumulate(model, batch, micro=micro or len(batch.tokens))
        rate = schedule.rate(step)
        taken = guard.admits(loss, gradient=_gradient_norm(model), step=step, batch=batch)
        if taken:
            optimizer.step(factor=rate, momentum=schedule.momentum(step))
        else:
            optimizer.forget_gradients()
        model.after_step(taken=taken)
        after(Taken(step=step, loss=loss, rate=rate, taken=taken, batch=batch))


def _accumulate(model: LanguageModel, batch: Batch, *, micro: int) -> float:
    """Add up the gradients of a batch; its mean loss in nats."""
    counted = int((batch.targets != IGNORED).sum())
    device = model.head.device
    total = torch.zeros((), device=device)
    for start in range(0, len(batch.tokens), micro):
        part = slice(start, start + micro)
        tokens_BT, targets_BT = batch.tokens[part].to(device), batch.targets[part].to(device)
        documents_BT = None if batch.segments is None else batch.segments[part].to(device)
        loss = model.loss(tokens_BT, targets_BT, divisor=counted, documents_BT=documents_BT)
        loss.backward()
        total += loss.detach()
    return float(total)


def _gradient_norm(model: LanguageModel) -> float:
    """The length of the whole gradient: no number as soon as one of its numbers is none."""
    gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
    return float(torch.nn.utils.get_total_norm(gradients))

"""Parallelism, composed from outside: how several processes (ranks) take one step together.

The batch of a step is the same whatever their number: every rank makes it whole, learns from its rows, and divides
by the targets of all of it, so that the sum of gradients over ranks is the gradient of the batch's mean loss. Sums
are made in fp32 and are equal on every rank to the last bit, so every optimizer takes the same step; against another
number of ranks only rounding differs. Weights are copies on every rank: sharding them is not built here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import torch
from torch import Tensor, distributed, nn

from freehold.errors import InputError
from freehold.learn.batches import Batch
from freehold.learn.session import Session

BUCKET_NUMBERS = 2**24  # summed in one message: 64 MB of fp32
PATIENCE = timedelta(minutes=10)  # with a rank that does not answer
NO_NUMBER = float("nan")


class Ranks(Protocol):
    """Processes that learn as one; `rank` 0 keeps the diary and the checkpoints."""

    @property
    def rank(self) -> int:
        """This process's number, from 0."""

    @property
    def size(self) -> int:
        """How many there are."""

    def share(self, batch: Batch) -> Batch:
        """The rows of the batch that this rank learns from."""

    def add(self, number: Tensor) -> Tensor:
        """The sum of a number over ranks."""

    def add_gradients(self, model: nn.Module) -> None:
        """Replace every gradient by its sum over ranks."""

    def align(self, session: Session, *, first: int) -> int:
        """Take over the state of rank 0, and the step it begins with."""


@dataclass(frozen=True, slots=True)
class One:
    """A process alone."""

    rank: int = 0
    size: int = 1

    def share(self, batch: Batch) -> Batch:
        """All of it."""
        return batch

    def add(self, number: Tensor) -> Tensor:
        """The number."""
        return number

    def add_gradients(self, model: nn.Module) -> None:
        """Nothing to add."""

    def align(self, session: Session, *, first: int) -> int:
        """Nothing to take over."""
        del session
        return first


ALONE = One()


@dataclass(frozen=True, slots=True)
class Replicas:
    """Ranks of torch.distributed with a copy of the model each: gloo between CPUs, NCCL between GPUs."""

    rank: int
    size: int
    device: str  # of this rank, such as "cuda:1"

    @classmethod
    def meet(cls, meeting: str, *, rank: int, size: int, device: str) -> Replicas:
        """Wait for the others at `meeting`: "file:///path" of a file that is not there yet, or torchrun's "env://"."""
        gpu = torch.device(device).type == "cuda"
        if gpu:
            torch.cuda.set_device(device)
        distributed.init_process_group(
            "nccl" if gpu else "gloo", init_method=meeting, rank=rank, world_size=size, timeout=PATIENCE
        )
        return cls(rank, size, device)

    def part(self) -> None:
        """Leave; the others need not wait."""
        distributed.destroy_process_group()

    def share(self, batch: Batch) -> Batch:
        """Every `size`-th row from `rank` on. Raises InputError when there are fewer rows than ranks."""
        if len(batch.tokens) < self.size:
            raise InputError(
                f"{self.size} ranks cannot share a batch of {len(batch.tokens)} sequences",
                where="train.ranks",
                remedy="raise batch_tokens or use fewer ranks",
            )
        rows = slice(self.rank, None, self.size)
        return batch.each(lambda value: value[rows])

    def add(self, number: Tensor) -> Tensor:
        """The sum of a number over ranks, the same bits everywhere."""
        total = number.clone()
        distributed.all_reduce(total)
        return total

    def add_gradients(self, model: nn.Module) -> None:
        """Sum gradients in fp32, many in a message; a rank where none arose counts as zeros."""
        for weights in buckets([weight for weight in model.parameters() if weight.requires_grad]):
            grads = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in weights]
            flat = torch.cat([grad.flatten().float() for grad in grads])
            distributed.all_reduce(flat)
            for weight, grad, whole in zip(weights, grads, flat.split([grad.numel() for grad in grads]), strict=True):
                weight.grad = grad.copy_(whole.view_as(grad))

    @torch.no_grad()
    def align(self, session: Session, *, first: int) -> int:
        """Take over weights, frozen ones too, moments and guard of rank 0, and the step it begins with."""
        state = {name: value.to(self.device) for name, value in session.state().items()}
        for name in sorted(state):
            distributed.broadcast(state[name], src=0)
        session.take(state)
        weights = dict(session.model.named_parameters())
        for name in sorted(session.frozen):
            distributed.broadcast(session.frozen[name], src=0)
            weights[name].data.copy_(session.frozen[name])
        memory = session.guard.losses.maxlen or 0
        told = torch.full((memory + 1,), NO_NUMBER, dtype=torch.float64)
        told[: len(session.guard.losses) + 1] = torch.tensor([first, *session.guard.losses], dtype=torch.float64)
        told = told.to(self.device)
        distributed.broadcast(told, src=0)
        step, *losses = told.tolist()
        session.guard.losses.clear()
        session.guard.losses.extend(loss for loss in losses if loss == loss)  # not NaN: the guard never keeps one
        return int(step)


def buckets(weights: Sequence[nn.Parameter]) -> Iterator[list[nn.Parameter]]:
    """Weights in order, in groups of at most `BUCKET_NUMBERS` numbers, or of one.

    >>> [len(bucket) for bucket in buckets([nn.Parameter(torch.zeros(2**23)) for _ in range(3)])]
    [2, 1]
    """
    bucket: list[nn.Parameter] = []
    for weight in weights:
        if bucket and sum(one.numel() for one in bucket) + weight.numel() > BUCKET_NUMBERS:
            yield bucket
            bucket = []
        bucket.append(weight)
    if bucket:
        yield bucket

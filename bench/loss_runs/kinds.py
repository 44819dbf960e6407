"""The contenders: what moves the matrices, at which rates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from freehold.learn.optimizer import Muon
from freehold.learn.phases import Recipe
from freehold.learn.session import Session
from freehold.stages.train.recipe import session_of

DECAY = 0.1  # of matrices, for every kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What moves the matrices, and the middle of the rates that are tried; `make` is None for our own."""

    title: str
    rate: float
    make: Callable[..., torch.optim.Optimizer] | None = None


KINDS = {
    "ours": Kind(title="ours", rate=0.02),
    "adamw": Kind(
        title="AdamW", rate=0.004, make=partial(torch.optim.AdamW, betas=(0.9, 0.95), eps=1e-10, weight_decay=DECAY)
    ),
    "published": Kind(
        title="torch.optim.Muon",
        rate=0.006,
        make=partial(torch.optim.Muon, weight_decay=DECAY, adjust_lr_fn="match_rms_adamw"),  # arXiv:2502.16982
    ),
}


class Theirs:
    """One matrix moved by an optimizer of torch; the master is fp32, as ours are."""

    def __init__(self, weight: nn.Parameter, master: Tensor, *, make: Callable[..., Any], rate: float) -> None:
        self.weight, self.rate = weight, rate
        self.master = nn.Parameter(master.detach().clone())
        self.optimizer = make([self.master], lr=rate)

    def step(self, *, factor: float, momentum: float) -> None:
        """One update at `factor` times the rate; the momentum is the published one."""
        del momentum
        gradient, self.weight.grad = self.weight.grad, None
        self.master.grad = torch.zeros_like(self.master) if gradient is None else gradient.float()
        self.optimizer.param_groups[0]["lr"] = factor * self.rate
        self.optimizer.step()
        self.publish()

    def publish(self) -> None:
        """Give the model its weight."""
        self.weight.data.copy_(self.master)

    def state(self) -> dict[str, Tensor]:
        """Master and moments; torch makes these in the first step."""
        return {"master": self.master.data, **self.optimizer.state[self.master]}

    def wake(self) -> None:
        """Make the moments that a checkpoint is copied into."""
        self.step(factor=0.0, momentum=0.0)


def session_with(kind: Kind, recipe: Recipe) -> Session:
    """A model at its start whose matrices are moved as the kind says."""
    session = session_of(recipe)
    if kind.make is None:
        return session
    groups: dict[str, Any] = dict(session.optimizer.groups)
    for name, group in session.optimizer.groups.items():
        if isinstance(group, Muon):
            del groups[name]
            for place, (weight, master) in enumerate(zip(group.weights, group.masters(), strict=True)):
                theirs = Theirs(weight, master, make=kind.make, rate=recipe["rates"]["matrix"])
                groups[f"{name}.{place}"] = theirs
    session.optimizer.groups = groups
    return session

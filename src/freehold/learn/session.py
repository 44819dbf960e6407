"""A session: model, optimizer and guard composed, with everything a bit-exact resume needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from freehold.learn import checkpoint, compilation
from freehold.learn.checkpoint import Checkpoint
from freehold.learn.guard import Guard
from freehold.learn.optimizer import AdamW, Optimizer, Rates
from freehold.learn.precision import set_precision
from freehold.model.config import ModelConfig
from freehold.model.transformer import Transformer


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What the loop works on."""

    model: Transformer
    optimizer: Optimizer
    guard: Guard = field(default_factory=Guard)

    @classmethod
    def of(
        cls,
        model: Transformer,
        *,
        rates: Rates,
        precision: str,
        compiled: bool,
        muon: bool = True,
        device: str = "cpu",
    ) -> Session:
        """Make an fp32 model trainable on `device`: masters are taken first, then it is cast and compiled in place."""
        model.to(device)
        optimizer = Optimizer(model.named_parameters(), rates=rates.scaled(model.config.width), muon=muon)
        set_precision(model, precision)
        model.train()
        if compiled:
            compilation.use(model)
        return cls(model=model, optimizer=optimizer)

    @property
    def config(self) -> ModelConfig:
        """The model's shape."""
        return self.model.config

    def weights(self) -> dict[str, Tensor]:
        """The fp32 masters under their Hugging Face names, on the CPU."""
        masters: dict[int, Tensor] = {}
        for group in self.optimizer.groups.values():
            if isinstance(group, AdamW):
                masters[id(group.weight)] = group.master
            else:
                masters |= {id(weight): master for weight, master in zip(group.weights, group.master, strict=True)}
        return {name: masters[id(weight)].cpu() for name, weight in self.model.named_parameters()}

    def save(self, folder: Path, *, step: int, facts: dict[str, Any], keep: int = 2) -> str:
        """Write a checkpoint from which training goes on at `step`; its SHA-256."""
        return checkpoint.save(
            folder,
            step=step,
            tensors=self.optimizer.state(),
            facts={**facts, "losses": list(self.guard.losses)},
            keep=keep,
        )

    def restore(self, found: Checkpoint) -> None:
        """Take back weights, moments, random state and the guard's memory."""
        tensors = found.tensors()
        self.optimizer.restore(tensors)
        self.guard.losses.extend(found.facts["losses"])
        checkpoint.restore_rng(tensors)


def use_threads(count: int) -> None:
    """Fix the number of compute threads: sums are split by it, so it is part of a recipe."""
    torch.set_num_threads(count)

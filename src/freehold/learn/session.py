"""A session: model, optimizer and guard composed, with everything a bit-exact resume needs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from freehold.learn import checkpoint, compilation
from freehold.learn.checkpoint import Checkpoint
from freehold.learn.guard import Guard
from freehold.learn.optimizer import AdamW, Optimizer, Rates
from freehold.learn.phases import Phase
from freehold.learn.precision import set_precision
from freehold.model.experts import apart
from freehold.model.hf import Config
from freehold.model.transformer import LanguageModel

GUARD = "guard/losses"  # the guard's memory among the tensors of a checkpoint: without it no run goes on bit for bit


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What the loop works on."""

    model: LanguageModel
    optimizer: Optimizer
    frozen: dict[str, Tensor] = field(default_factory=dict)  # what the optimizer leaves as it is, in fp32
    guard: Guard = field(default_factory=Guard)

    @classmethod
    def of(
        cls,
        model: LanguageModel,
        *,
        rates: Rates,
        precision: str,
        compiled: bool,
        muon: bool = True,
        device: str = "cpu",
    ) -> Session:
        """Make an fp32 model trainable on `device`: masters are taken first, then it is cast and compiled in place."""
        model.to(device)
        named = list(model.named_parameters())
        learning = [(name, weight) for name, weight in named if weight.requires_grad]
        tables = [cast("nn.Parameter", module.weight) for module in model.modules() if isinstance(module, nn.Embedding)]
        optimizer = Optimizer(
            learning, rates=rates.scaled(model.config.width), muon=muon, tables=tables, head=model.head
        )
        frozen = {name: weight.detach().float().clone() for name, weight in named if not weight.requires_grad}
        set_precision(model, precision)
        model.train()
        compilation.use(model, compiled=compiled)
        return cls(model=model, optimizer=optimizer, frozen=frozen)

    @property
    def config(self) -> Config:
        """The model's shape."""
        config: Config = self.model.config
        return config

    def weights(self) -> dict[str, Tensor]:
        """Masters, frozen weights and routers' biases, fp32 under their Hugging Face names, each expert by itself.

        They are on the CPU.
        """
        masters: dict[int, Tensor] = {}
        for group in self.optimizer.groups.values():
            if isinstance(group, AdamW):
                masters[id(group.weight)] = group.master
            else:
                masters |= {id(weight): master for weight, master in zip(group.weights, group.masters(), strict=True)}
        named = {
            name: masters[id(weight)] if weight.requires_grad else self.frozen[name]
            for name, weight in self.model.named_parameters()
        }
        return apart({name: weight.cpu() for name, weight in {**named, **self.buffers()}.items()})

    def buffers(self) -> dict[str, Tensor]:
        """What a model keeps beside its parameters and ships with them: the biases of routers."""
        buffers = dict(self.model.named_buffers())
        return {name: buffers[name] for name in self.model.state_dict() if name in buffers}

    def state(self) -> dict[str, Tensor]:
        """Every tensor that steps change; live, not copies."""
        return {**self.optimizer.state(), **self.buffers()}

    @torch.no_grad()
    def take(self, state: dict[str, Tensor]) -> None:
        """Take over what `state` gave. Raises KeyError on a foreign state."""
        self.optimizer.restore(state)
        for name, buffer in self.buffers().items():
            buffer.copy_(state[name])

    def enter(self, phase: Phase) -> None:
        """Set the model's configuration to a phase's, such as its rotary angles; weights stay."""
        if phase.model:
            self.model.config = replace(self.model.config, **phase.model)

    def save(self, folder: Path, *, step: int, facts: dict[str, Any], keep: int = 2, every: int = 0) -> str:
        """Write a checkpoint from which training goes on at `step`; its SHA-256. What stays: see `checkpoint.save`."""
        losses = torch.tensor(list(self.guard.losses), dtype=torch.float64)
        return checkpoint.save(
            folder,
            step=step,
            tensors={**self.state(), GUARD: losses},
            facts=facts,
            keep=keep,
            every=every,
        )

    def restore(self, found: Checkpoint) -> None:
        """Take back weights, moments, random state and the guard's memory."""
        tensors = found.tensors()
        self.take(tensors)
        self.guard.losses.clear()
        self.guard.losses.extend(tensors[GUARD].tolist())
        checkpoint.restore_rng(tensors)


def use_threads(count: int) -> None:
    """Fix the number of compute threads: sums are split by it, so it is part of a recipe."""
    torch.set_num_threads(count)

"""What every worker is given, and the model and batches that several of them use."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from freehold.learn.ahead import ahead
from freehold.learn.batches import Batch, Batches
from freehold.learn.loop import Taken, learn
from freehold.learn.optimizer import Rates
from freehold.learn.schedule import Schedule
from freehold.learn.session import Session
from freehold.model.config import ModelConfig
from freehold.model.transformer import Transformer

VOCABULARY = 50_304


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where and how large; a rehearsal runs everything on a CPU with shapes that take no time."""

    rehearse: bool
    known: dict[str, float] = field(default_factory=dict)  # figures measured before in this run, by name
    until: float = float("inf")  # time.monotonic() at which the worker is stopped

    @property
    def device(self) -> str:
        """Of the model."""
        return "cpu" if self.rehearse else "cuda"

    def wait(self) -> None:
        """Until the device has done all that was asked of it."""
        if not self.rehearse:
            torch.cuda.synchronize()

    def forget(self) -> None:
        """Give back what a measurement that is over has left on the device."""
        torch._dynamo.reset()
        if not self.rehearse:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()

    @property
    def memory_gb(self) -> float:
        """The most that was allocated on the device since `forget`."""
        return 0.0 if self.rehearse else torch.cuda.max_memory_allocated() / 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A series kept beside the figures: [step, value] pairs."""

    name: str
    rows: list[list[float]]


class Noise:
    """Random tokens: what a step costs does not depend on what it reads."""

    def __init__(self, *, vocabulary: int, samples: int, sequence: int) -> None:
        self.vocabulary, self.samples, self.sequence = vocabulary, samples, sequence

    def at(self, step: int) -> Batch:
        """The batch of a step."""
        generator = torch.Generator().manual_seed(step)
        window = torch.randint(0, self.vocabulary, (self.samples, self.sequence + 1), generator=generator)
        return Batch(tokens=window[:, :-1].contiguous(), targets=window[:, 1:].contiguous(), documents=("noise",))


def filled(config: ModelConfig, *, device: str, seed: int = 1) -> Transformer:
    """A model with random weights, made on its device: the published start draws on a CPU, a minute at 1B."""
    torch.manual_seed(seed)
    model = Transformer(config).to(device)
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(0.0, 0.02) if weight.dim() == 2 else weight.fill_(1.0)
    return model


def session_of(setting: Setting, config: ModelConfig, *, precision: str, muon: bool = True) -> Session:
    """Ready to learn as the train stage would on this device."""
    return Session.of(
        filled(config, device=setting.device),
        rates=Rates(),
        precision=precision,
        compiled=not setting.rehearse,
        muon=muon,
        device=setting.device,
    )


def take(
    setting: Setting, session: Session, batches: Batches, *, steps: int, micro: int, after: Callable[[Taken], None]
) -> None:
    """Steps at a constant rate."""
    with ahead(batches, device=setting.device) as prepared:
        learn(
            session.model,
            batches=prepared,
            optimizer=session.optimizer,
            schedule=Schedule(steps=steps, decay_share=0.0),
            guard=session.guard,
            micro=micro,
            after=after,
        )


def seconds_a_step(setting: Setting, session: Session, batches: Batches, *, warm: int, timed: int, micro: int) -> float:
    """Mean time of `timed` steps after `warm` others, which compile."""
    ends: list[float] = []

    def after(_: Taken) -> None:
        ends.append(time.perf_counter())

    take(setting, session, batches, steps=warm + timed, micro=micro, after=after)
    return (ends[-1] - ends[warm - 1]) / timed

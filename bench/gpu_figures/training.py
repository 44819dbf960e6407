"""Training speed: tokens a second and utilisation of 124M, 350M and 1B, in bf16 and fp8, beside transformers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from report import Figure
from torch._inductor import config as inductor

from freehold.errors import InputError
from freehold.learn import precision as precisions
from freehold.learn.utilisation import matrix_rate, peak
from freehold.model import config_file
from freehold.model.config import ModelConfig
from gpu_figures.setting import VOCABULARY, Noise, Setting, seconds_a_step, session_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A model, the batch it learns from, and what is asked of it; the head size is 128 throughout."""

    depth: int
    width: int
    micro_tokens: tuple[int, ...]  # tried in this order until one fits
    goal: float  # share of the datasheet's peak
    warm: int = 2
    timed: int = 4
    sequence: int = 2048
    batch_tokens: int = 2**19
    vocabulary: int = VOCABULARY
    head_size: int = 128

    @property
    def config(self) -> ModelConfig:
        """As many key/value heads as query heads, as the peers have."""
        heads = self.width // self.head_size
        return ModelConfig.from_depth(
            self.depth,
            vocabulary=self.vocabulary,
            context=self.sequence,
            width=self.width,
            head_size=self.head_size,
            kv_heads=heads,
        )


SHAPES = {
    "124M": Shape(depth=12, width=768, micro_tokens=(65_536, 32_768), goal=0.45),
    "350M": Shape(depth=24, width=1024, micro_tokens=(65_536, 32_768, 16_384), goal=0.50, timed=3),
    "1B": Shape(depth=18, width=2048, micro_tokens=(32_768, 16_384, 8_192), goal=0.55, warm=1, timed=2),
}
TINY = Shape(
    depth=2, width=64, micro_tokens=(128, 64), goal=1.0, warm=1, timed=1, sequence=32, batch_tokens=256,
    vocabulary=512, head_size=32,
)  # fmt: skip
FP8_GOAL = 1.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """What a shape reached, and with how many tokens at once."""

    tokens_per_s: float
    micro_tokens: int
    memory_gb: float


def shape_of(setting: Setting, name: str) -> Shape:
    """The shape of that name, or the one of a rehearsal."""
    return TINY if setting.rehearse else SHAPES[name]


def bf16(setting: Setting, name: str) -> Iterator[Figure]:
    """A shape in bf16 against its goal."""
    shape = shape_of(setting, name)
    found = fastest(setting, shape, precision="bf16")
    best, measured = peak("bf16", device=setting.device), matrix_rate("bf16", device=setting.device)
    flops = found.tokens_per_s * shape.config.flops_per_token(shape.sequence)
    yield Figure(figure=f"{name} bf16: speed", value=found.tokens_per_s, unit="tokens/s", why=told(found))
    yield Figure(
        figure=f"{name} bf16: utilisation",
        value=flops / best,
        unit="of peak",
        goal=f">= {shape.goal:g}",
        holds=flops / best >= shape.goal,
        why=f"peak {best / 1e12:,.0f} TFLOP/s; {flops / measured:.1%} of {measured / 1e12:,.0f} measured in this run",
    )


def fp8(setting: Setting, name: str = "1B") -> Iterator[Figure]:
    """The same shape with fp8 in its layers."""
    title = f"{name} fp8: speed"
    try:
        if not setting.rehearse:
            precisions.choose("fp8", device=setting.device)
    except InputError as absent:
        yield Figure(figure=title, value=None, unit="tokens/s", goal=f">= {FP8_GOAL} x bf16", why=str(absent))
        return
    found = fastest(setting, shape_of(setting, name), precision="bf16" if setting.rehearse else "fp8")
    before = setting.known.get(f"{name} bf16: speed")
    ratio = None if before is None else found.tokens_per_s / before
    yield Figure(
        figure=title,
        value=found.tokens_per_s,
        unit="tokens/s",
        peer="bf16",
        ratio=ratio,
        goal=f">= {FP8_GOAL} x bf16",
        holds=None if ratio is None else ratio >= FP8_GOAL,
        why=told(found),
    )


def price_of_repeating(setting: Setting, name: str = "124M") -> Iterator[Figure]:
    """The same shape with whatever kernel is fastest: what bit-equal repetition costs."""
    need_not_repeat()
    found = fastest(setting, shape_of(setting, name), precision="bf16")
    before = setting.known.get(f"{name} bf16: speed")
    yield Figure(
        figure=f"{name} bf16: speed when runs need not repeat",
        value=found.tokens_per_s,
        unit="tokens/s",
        peer="repeatable",
        ratio=None if before is None else found.tokens_per_s / before,
        why=told(found),
    )


def peer(setting: Setting, name: str = "124M") -> Iterator[Figure]:
    """Qwen3 of transformers, compiled, with AdamW, as its users would run it: same shape, batch and tokens."""
    shape = shape_of(setting, name)
    need_not_repeat()
    found = first_that_fits(setting, shape, lambda micro: theirs(setting, shape, micro))
    ours = setting.known.get(f"{name} bf16: speed")
    yield Figure(
        figure=f"{name} bf16: ours against transformers",
        value=found.tokens_per_s,
        unit="tokens/s theirs",
        peer="transformers, AdamW, torch.compile",
        ratio=None if ours is None else ours / found.tokens_per_s,
        why=told(found),
    )


def fastest(setting: Setting, shape: Shape, *, precision: str) -> Speed:
    """Speed at the first number of tokens at once that fits."""

    def attempt(micro: int) -> float:
        session = session_of(setting, shape.config, precision=precision)
        samples = shape.batch_tokens // shape.sequence
        noise = Noise(vocabulary=shape.vocabulary, samples=samples, sequence=shape.sequence)
        return seconds_a_step(
            setting, session, noise, warm=shape.warm, timed=shape.timed, micro=micro // shape.sequence
        )

    return first_that_fits(setting, shape, attempt)


def first_that_fits(setting: Setting, shape: Shape, attempt: Callable[[int], float]) -> Speed:
    """Try the micro-batches in order; the last one's lack of memory is raised."""
    for place, micro in enumerate(shape.micro_tokens):
        setting.forget()
        try:
            step_s = attempt(micro)
        except torch.OutOfMemoryError:
            if place == len(shape.micro_tokens) - 1:
                raise
            continue
        return Speed(tokens_per_s=shape.batch_tokens / step_s, micro_tokens=micro, memory_gb=setting.memory_gb)
    raise AssertionError("a shape names no micro-batch")


def theirs(setting: Setting, shape: Shape, micro: int) -> float:
    """Seconds of a step of the peer, gradients accumulated as ours are."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    config = Qwen3Config(**config_file.write(shape.config, dtype="bfloat16"))
    with torch.device(setting.device):
        model = Qwen3ForCausalLM(config).bfloat16().train()
    model.config.use_cache = False
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    compiled = model if setting.rehearse else torch.compile(model)
    rows, parts = micro // shape.sequence, shape.batch_tokens // micro
    tokens = torch.randint(0, shape.vocabulary, (rows, shape.sequence), device=setting.device)
    ends: list[float] = []
    for _ in range(shape.warm + shape.timed):
        for _ in range(parts):
            (compiled(input_ids=tokens, labels=tokens).loss / parts).backward()
        optimizer.step()
        optimizer.zero_grad()
        setting.wait()
        ends.append(time.perf_counter())
    return (ends[-1] - ends[shape.warm - 1]) / shape.timed


def need_not_repeat() -> None:
    """Take back what `device.settle` asked for; call before anything is compiled."""
    inductor.deterministic = False
    torch.use_deterministic_algorithms(False)


def told(found: Speed) -> str:
    """How it was run."""
    return f"{found.micro_tokens:,} tokens at once, {found.memory_gb:.0f} GB"

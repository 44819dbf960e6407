"""One training step (forward, backward, optimizer): ours against transformers Qwen3, same shape, same run.

Every contender runs in a process of its own, in alternating rounds; the best round of each counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from report import Figure, arguments, report


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One shape and what a step of it learns from."""

    vocabulary: int = 32_768
    depth: int = 6
    sequences: int = 8
    kv_heads: int = 6
    length: int = 512


PEER = "transformers, AdamW, torch.compile"
OURS, MUON = "ours, AdamW", "ours, Muon"
SETTINGS = {  # 6 layers are 384 wide with 6 heads of 64, 12 are 768 wide with 12
    "32k": Setting(),
    "32k, 32 x 512": Setting(sequences=32),
    "8k": Setting(vocabulary=8192, sequences=16, kv_heads=3),
    "100M": Setting(depth=12, sequences=4, kv_heads=12),
}
CONTENDERS = {
    "32k": (OURS, MUON, PEER),
    "32k, 32 x 512": (OURS, MUON),
    "8k": (OURS, MUON, PEER),
    "100M": (OURS, MUON, PEER),
}
RATIO, UTILISATION = 1.7, 0.30  # of AdamW's step: times the peer, and of the matrix rate
SPEEDS = {("32k", MUON): 3000.0, ("8k", MUON): 8000.0}  # tokens/s


def contender(name: str, shape: str) -> tuple[Callable[[], Any], int, float]:
    """A function that takes one step, the tokens of a step, and its FLOPs per token."""
    import torch

    from freehold.learn import memory
    from freehold.learn.optimizer import Rates
    from freehold.learn.precision import choose
    from freehold.learn.session import Session
    from freehold.learn.start import initialise
    from freehold.model.config import ModelConfig
    from freehold.model.transformer import Transformer

    setting = SETTINGS[shape]
    vocabulary, length = setting.vocabulary, setting.length
    config = ModelConfig.from_depth(setting.depth, vocabulary=vocabulary, context=length, kv_heads=setting.kv_heads)
    if name.startswith("ours"):
        memory.keep()
    torch.manual_seed(1)
    torch.set_num_threads(os.cpu_count() or 1)
    tokens, targets = (torch.randint(0, vocabulary, (setting.sequences, length)) for _ in range(2))
    flops = float(config.flops_per_token(length))
    if name.startswith("ours"):
        model = Transformer(config)
        initialise(model, seed=1)
        session = Session.of(model, rates=Rates(), precision=choose(), compiled=True, muon="Muon" in name)

        def ours() -> None:
            model.loss(tokens, targets, divisor=targets.numel()).backward()
            session.optimizer.step(factor=1.0, momentum=0.95)

        return ours, tokens.numel(), flops
    return transformers_step(config, tokens, targets), tokens.numel(), flops


def transformers_step(config: Any, tokens: Any, targets: Any) -> Callable[[], None]:
    """The peer as its users would run it."""
    import torch
    from torch.nn import functional
    from transformers import Qwen3Config, Qwen3ForCausalLM

    from freehold.model import config_file

    model = Qwen3ForCausalLM(Qwen3Config(**config_file.write(config, dtype="bfloat16"))).bfloat16().train()
    model.config.use_cache = False
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    compiled = torch.compile(model)

    def theirs() -> None:
        logits = compiled(input_ids=tokens).logits
        functional.cross_entropy(logits.flatten(0, 1).float(), targets.flatten()).backward()
        optimizer.step()
        optimizer.zero_grad()

    return theirs


def work(name: str, shape: str, steps: int) -> dict[str, float]:
    """Warm up, then the fastest of `steps` steps."""
    from freehold.learn.precision import choose
    from freehold.learn.utilisation import matrix_rate

    step, tokens, flops = contender(name, shape)
    for _ in range(2):
        step()
    best_s = float("inf")
    for _ in range(steps):
        begun = time.perf_counter()
        step()
        best_s = min(best_s, time.perf_counter() - begun)
    return {"tokens_per_s": tokens / best_s, "flops": flops, "peak": matrix_rate(choose())}


def measure(rounds: int, steps: int) -> dict[tuple[str, str], dict[str, float]]:
    """The best round of every contender."""
    best: dict[tuple[str, str], dict[str, float]] = {}
    for _ in range(rounds):
        for shape, names in CONTENDERS.items():
            for name in names:
                command = [sys.executable, __file__, "--worker", name, shape, str(steps)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                found = json.loads(done.stdout.splitlines()[-1])
                if found["tokens_per_s"] > best.get((shape, name), {"tokens_per_s": 0.0})["tokens_per_s"]:
                    best[shape, name] = found
    return best


def figures(best: dict[tuple[str, str], dict[str, float]]) -> list[Figure]:
    """Speeds against the peer, and the utilisation of the matrix rate measured in the same run."""
    rows, peak = [], max(found["peak"] for found in best.values())
    for (shape, name), found in best.items():
        speed, peer = found["tokens_per_s"], best.get((shape, PEER))
        ratio = None if name == PEER or peer is None else speed / peer["tokens_per_s"]
        goals = {OURS: (f">= {RATIO:g} x", ratio, RATIO), MUON: (f">= {SPEEDS.get((shape, name), 0):,.0f} tokens/s",
                 speed if (shape, name) in SPEEDS else None, SPEEDS.get((shape, name), 0.0))}  # fmt: skip
        goal, measured, least = goals.get(name, ("", None, 0.0))
        share = speed * found["flops"] / peak
        rows.append(
            Figure(
                figure=f"step {shape}: {name}",
                value=speed,
                unit="tokens/s",
                peer="" if ratio is None else "transformers",
                ratio=ratio,
                goal="" if measured is None else goal,
                holds=None if measured is None else measured >= least,
                why=f"{share:.1%} of {peak / 1e12:.2f} TFLOP/s",
            )
        )
        if name == OURS:
            rows.append(
                Figure(
                    figure=f"utilisation {shape}: {name}",
                    value=share,
                    unit="of the matrix rate",
                    goal=f">= {UTILISATION:g}",
                    holds=share >= UTILISATION,
                )
            )
    return rows


def main() -> None:
    """Measure, or be one contender of a measurement."""
    if sys.argv[1:2] == ["--worker"]:
        print(json.dumps(work(sys.argv[2], sys.argv[3], int(sys.argv[4]))))
        return
    options = arguments(__doc__)
    rounds, steps = (1, 4) if options.quick else (3, 8)
    report("train_step", figures(measure(rounds, steps)), options=options, repetitions=rounds)


if __name__ == "__main__":
    main()

"""The device that learns: a CPU or a CUDA GPU, and what is settled there so that runs repeat bit for bit."""

from __future__ import annotations

import math
import os

import torch
from torch._inductor import config as inductor

from freehold.errors import InputError
from freehold.learn import memory
from freehold.learn.footprint import AT_ONCE
from freehold.model.language import Shape

KINDS = ("auto", "cpu", "cuda")
# Tokens that pass through the model at once: on a GPU as many as a third of its free memory holds. A layer keeps about
# 16 numbers of bf16 a token and channel for its backward pass (counted in the compiled block); weights, gradients,
# optimizer and logits need the rest.
GPU_TOKENS, KEPT_BYTES, SHARE = 65_536, 32, 0.35


def choose(wanted: str = "auto") -> str:
    """Either "cpu" or "cuda": what `wanted` ("auto", "cpu", "cuda") means here. Raises InputError otherwise."""
    if wanted not in KINDS:
        raise InputError(f"device {wanted!r} is unknown", where="train.device", remedy="use auto, cpu or cuda")
    if wanted == "cuda" and not torch.cuda.is_available():
        advice = 'install a CUDA build of torch and its driver, or set device = "auto"'
        raise InputError("torch sees no CUDA device on this machine", where="train.device", remedy=advice)
    return "cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu"


def settle(device: str) -> None:
    """Call before the first tensor is made.

    On a GPU the fastest kernels add up in the order in which threads happen to finish, so that two runs differ;
    those that always give the same bits are asked for instead. The price is measured by `bench/gpu.py`.

    On a CPU the library behind exp and log (MKL's vector mathematics) chooses its code at its first call, unguarded:
    where two threads share that call, one of them now and then takes other code with other last bits (about one
    process in a thousand on loaded cores, `bench/first_exp.py`). One number, on one thread, makes that call here.
    """
    torch.ones(1).exp()
    if torch.device(device).type != "cuda":
        memory.keep()
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS needs to repeat itself
    inductor.deterministic = True  # else the compiler times kernels and takes the faster
    torch.use_deterministic_algorithms(True)
    # No kernel of ours reads what it did not write.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def micro_tokens(shape: Shape, *, device: str) -> int:
    """Tokens that pass through a model at once: a power of two."""
    if device == "cpu":
        return AT_ONCE
    free_bytes, _ = torch.cuda.mem_get_info()
    return fitting(shape, free_bytes=free_bytes)


def fitting(shape: Shape, *, free_bytes: int) -> int:
    """The power of two of tokens whose activations fit the share of a GPU's memory that is theirs.

    >>> from freehold.model.config import ModelConfig
    >>> fitting(ModelConfig.from_depth(12, vocabulary=50_304, context=2048), free_bytes=80 * 10**9)
    65536
    """
    fits = SHARE * free_bytes / (KEPT_BYTES * shape.depth * shape.width)
    return int(min(GPU_TOKENS, 2 ** max(0, int(math.log2(max(1.0, fits))))))

"""What a training run will cost, from the charter alone: no torch, no data, a moment."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from freehold.charter import Charter
from freehold.model.config import ModelConfig
from freehold.model.declared import declare

BYTES_WHILE_TRAINING = 16  # a parameter: fp32 weight and gradient, optimizer state, bf16 copy


def shape_of(charter: Charter, *, vocabulary: int) -> ModelConfig:
    """The model that a charter declares, for a vocabulary of this many entries."""
    chosen = asdict(charter.model)
    context = chosen.pop("context") or charter.train.sequence
    return declare(chosen.pop("depth"), vocabulary=vocabulary, context=context, **chosen)


def forecast(charter: Charter) -> dict[str, Any]:
    """Parameters, tokens, FLOPs and memory of the run; tokens and FLOPs are None where the budget is in minutes."""
    shape = shape_of(charter, vocabulary=charter.tokenizer.vocabulary)
    tokens = charter.train.tokens
    return {
        "parameters": shape.parameters,
        "tokens": tokens,
        "minutes": charter.train.minutes,
        "flops": None if tokens is None else float(tokens * shape.flops_per_token(charter.train.sequence)),
        "memory_gb": round(shape.parameters * BYTES_WHILE_TRAINING / 1e9, 2),
    }

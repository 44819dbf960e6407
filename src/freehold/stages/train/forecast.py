"""What a training run will cost, from the charter alone: no torch, no data, a moment."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from freehold.charter import Charter
from freehold.learn.footprint import footprint
from freehold.learn.scarcity import Use, account, epochs_of
from freehold.model.config import ModelConfig

MICRO_TOKENS = 8192  # that pass through the model at once


def micro_of(sequence: int) -> int:
    """Sequences that pass through the model at once."""
    return max(1, MICRO_TOKENS // sequence)


def shape_of(charter: Charter, *, vocabulary: int) -> ModelConfig:
    """The model that a charter declares, for a vocabulary of this many entries."""
    chosen = asdict(charter.model)
    context = chosen.pop("context") or max(lengths(charter))
    return ModelConfig.from_depth(chosen.pop("depth"), vocabulary=vocabulary, context=context, **chosen)


def lengths(charter: Charter) -> list[int]:
    """Tokens of a window in each phase."""
    return [phase.sequence or charter.train.sequence for phase in charter.phases] or [charter.train.sequence]


def forecast(charter: Charter, tokenized: Path | None = None) -> dict[str, Any]:
    """Parameters, tokens, FLOPs and memory of the run; tokens and FLOPs are None where the budget is in minutes.

    With the artifact of tokenize, also how often each language's text is passed over and what that is worth.
    """
    shape = shape_of(charter, vocabulary=charter.tokenizer.vocabulary)
    tokens = charter.train.tokens
    found: dict[str, Any] = {
        "parameters": shape.parameters,
        "tokens": tokens,
        "minutes": charter.train.minutes,
        "flops": None if tokens is None else float(tokens * shape.flops_per_token(charter.train.sequence)),
        "memory_gb": round(max(memory_of(charter, shape, sequence) for sequence in lengths(charter)) / 1e9, 2),
    }
    if tokens is not None and tokenized is not None:
        found["supply"] = supply(charter, tokenized, tokens=tokens)
    return found


def memory_of(charter: Charter, shape: ModelConfig, sequence: int) -> int:
    """Bytes with windows of this length; where the charter leaves the precision open, the larger."""
    precision = "fp32" if charter.train.precision == "auto" else charter.train.precision
    micro = min(micro_of(sequence), max(1, charter.train.batch_tokens // sequence))
    return footprint(shape, micro=micro, sequence=sequence, precision=precision).total


def supply(charter: Charter, tokenized: Path, *, tokens: int) -> dict[str, dict[str, float]]:
    """Per language: tokens there are, passes over them and their worth; all sources of a language as one."""
    counted = json.loads((tokenized / "tokenize.json").read_bytes())["tokens_by_language"]
    unique = {(language, ""): count for language, count in counted.items()}
    own = {language.code: language.share for language in charter.languages}
    stretches = [(phase.share, phase.languages or own) for phase in charter.phases] or [(1.0, own)]
    uses = [
        Use(language=code, tokens=tokens * length * share)
        for length, shares in stretches
        for code, share in shares.items()
    ]
    return account(epochs_of(uses, unique), unique)

"""What a training run will cost, from the charter and its base alone: no data, a moment."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from freehold import charter as charters
from freehold.charter import Charter
from freehold.errors import InputError
from freehold.model.base import BaseModel
from freehold.model.config import ForeignConfig, ModelConfig
from freehold.model.declared import declare

BYTES_WHILE_TRAINING = 16  # a parameter: fp32 weight and gradient, optimizer state, bf16 copy
DEPTH = 6  # where the charter names none


def shape_of(charter: Charter, *, vocabulary: int) -> ModelConfig:
    """The model that a charter without a base declares, for a vocabulary of this many entries."""
    chosen = asdict(charter.model)
    lengths = [phase.sequence or charter.train.sequence for phase in charter.phases] or [charter.train.sequence]
    context = chosen.pop("context") or max(lengths)
    return declare(chosen.pop("depth") or DEPTH, vocabulary=vocabulary, context=context, **chosen)


def base_of(charter: Charter) -> BaseModel:
    """The charter's base, read without its weights.

    Raises InputError where its files are not whole, or [model] or [train] contradicts it.
    """
    base = BaseModel.inspect(charter.base_folder)

    def refuse(table: str, key: str, message: str, remedy: str) -> None:
        place = charters.where(charter.path, (table, key))
        raise InputError(f"{table}.{key}: {message}", where=place, remedy=remedy)

    for name, wanted in asdict(charter.model).items():
        if wanted not in (None, has := getattr(base.shape, name, None)):
            refuse("model", name, f"the base has {has}", "remove it: the shape is the base's")
    if charter.train.sequence > base.shape.context:
        refuse("train", "sequence", f"is longer than the base's context of {base.shape.context}", "shorten it")
    return base


def forecast(charter: Charter) -> dict[str, Any]:
    """Parameters, tokens, FLOPs and memory of the run; tokens and FLOPs are None where the budget is in minutes."""
    train = charter.train
    shape: ModelConfig | ForeignConfig
    if charter.base is None:
        shape = shape_of(charter, vocabulary=charter.tokenizer.vocabulary)
    else:
        base = base_of(charter)
        shape = replace(base.shape, vocab_size=max(base.shape.vocab_size, base.tokens + charter.base.new_tokens))
    tokens = train.tokens if train.steps is None else train.steps * train.batch_tokens
    return {
        "parameters": shape.parameters,
        "tokens": tokens,
        "minutes": train.minutes,
        "flops": None if tokens is None else float(tokens * shape.flops_per_token(train.sequence)),
        "memory_gb": round(shape.parameters * BYTES_WHILE_TRAINING / 1e9, 2),
    }

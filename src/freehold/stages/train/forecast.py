"""What a training run will cost, from the charter and its base alone: no data, a moment."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from freehold import charter as charters
from freehold.charter import Charter
from freehold.errors import InputError
from freehold.learn.footprint import AT_ONCE, coarse, footprint
from freehold.learn.scarcity import Pool, Use, account, epochs_of
from freehold.model.base import BaseModel
from freehold.model.config import ForeignConfig, ModelConfig
from freehold.model.declared import declare
from freehold.stages.train.wanted import pools_of, shares_of

DEPTH, FAMILY = 6, "qwen3"  # where the charter names none
Refuse = Callable[[tuple[str | int, ...], str, str], None]


def micro_of(sequence: int, at_once: int = AT_ONCE) -> int:
    """Sequences that make up `at_once` tokens, of those that pass through the model together."""
    return max(1, at_once // sequence)


def shape_of(charter: Charter, *, vocabulary: int) -> ModelConfig:
    """The model that a charter without a base declares, for a vocabulary of this many entries."""
    chosen = asdict(charter.model)
    context = chosen.pop("context") or max(lengths(charter))
    depth, family = chosen.pop("depth") or DEPTH, chosen.pop("family") or FAMILY
    return declare(depth, vocabulary=vocabulary, context=context, family=family, **chosen)


def lengths(charter: Charter) -> list[int]:
    """Tokens of a window in each phase."""
    return [phase.sequence or charter.train.sequence for phase in charter.phases] or [charter.train.sequence]


def base_of(charter: Charter) -> BaseModel:
    """The charter's base, read without its weights.

    Raises InputError where its files are not whole, or [model] or [train] contradicts it.
    """
    base = BaseModel.inspect(charter.base_folder)

    def refuse(keys: tuple[str | int, ...], message: str, remedy: str) -> None:
        raise InputError(f"{charters.dotted(keys)}: {message}", where=charters.where(charter.path, keys), remedy=remedy)

    for name, wanted in asdict(charter.model).items():
        if wanted not in (None, has := getattr(base.shape, name, None)):
            refuse(("model", name), f"the base has {has}", "remove it: the shape is the base's")
    if isinstance(base.shape, ForeignConfig):
        check_foreign(charter, base.shape, refuse)
    check_lengths(charter, base.shape, refuse)
    return base


def check_foreign(charter: Charter, shape: ForeignConfig, refuse: Refuse) -> None:
    """Refuse what only families that are built here can do."""
    message = f"is not built for {shape.family!r} models"
    if charter.train.document_mask:
        refuse(("train", "document_mask"), message, "remove it")
    if charter.train.precision == "fp8":
        refuse(("train", "precision"), message, 'use "bf16"')
    for place, phase in enumerate(charter.phases):
        for key in ("rope_theta", "rope_scaling"):
            if getattr(phase, key) is not None:
                refuse(("phases", place, key), message, "remove it, or take a base of another family")


def check_lengths(charter: Charter, shape: ModelConfig | ForeignConfig, refuse: Refuse) -> None:
    """Refuse windows longer than the base's context, but in phases whose rotary setting reaches beyond it."""
    message = f"is longer than the base's context of {shape.context}"
    if not charter.phases and charter.train.sequence > shape.context:
        refuse(("train", "sequence"), message, "shorten it")
    reaches = False
    for place, phase in enumerate(charter.phases):
        if phase.rope_scaling is not None and isinstance(shape, ModelConfig) and shape.scaling is not None:
            advice = "raise rope_theta instead, or take a base without a scaling"
            refuse(("phases", place, "rope_scaling"), "the base's positions are scaled already", advice)
        reaches = reaches or phase.rope_theta is not None or phase.rope_scaling is not None
        if (phase.sequence or charter.train.sequence) > shape.context and not reaches:
            refuse(("phases", place, "sequence"), message, "shorten it, or give the phase a rope_scaling or rope_theta")


def forecast(charter: Charter, tokenized: Path | None = None) -> dict[str, Any]:
    """Parameters, tokens, FLOPs and memory of the run; tokens and FLOPs are None where the budget is in minutes.

    With the artifact of tokenize, also how often each language's text is passed over and what that is worth.
    """
    train = charter.train
    shape: ModelConfig | ForeignConfig
    if charter.base is None:
        shape = shape_of(charter, vocabulary=charter.tokenizer.vocabulary)
    else:
        base = base_of(charter)
        shape = replace(base.shape, vocab_size=max(base.shape.vocab_size, base.tokens + charter.base.new_tokens))
    tokens = train.tokens if train.steps is None else train.steps * train.batch_tokens
    found: dict[str, Any] = {
        "parameters": shape.parameters,
        "tokens": tokens,
        "minutes": train.minutes,
        "flops": None if tokens is None else float(tokens * shape.flops_per_token(train.sequence)),
        "memory_gb": round(max(memory_of(charter, shape, sequence) for sequence in lengths(charter)) / 1e9, 2),
    }
    if tokens is not None and tokenized is not None:
        found["supply"] = supply(charter, tokenized, tokens=tokens)
    return found


def memory_of(charter: Charter, shape: ModelConfig | ForeignConfig, sequence: int) -> int:
    """Bytes with windows of this length; where the charter leaves the precision open, the larger."""
    precision = "fp32" if charter.train.precision == "auto" else charter.train.precision
    ranks, masked = max(1, charter.train.ranks), charter.train.document_mask
    micro = min(micro_of(sequence), max(1, charter.train.batch_tokens // sequence // ranks))
    if isinstance(shape, ForeignConfig):
        return coarse(shape)
    one = footprint(shape, micro=micro, sequence=sequence, precision=precision, masked=masked)
    return one.total * (1 if charter.train.device == "cuda" else ranks)


def supply(charter: Charter, tokenized: Path, *, tokens: int) -> dict[str, dict[str, float]]:
    """Per language: tokens there are, passes over them and their worth; all sources of a language as one."""
    pools = pools_of(json.loads((tokenized / "tokenize.json").read_bytes()))
    unique: dict[Pool, int] = {}
    for (language, _), count in pools.items():
        unique[language, ""] = unique.get((language, ""), 0) + count
    own = shares_of(charter, pools)
    stretches = [(phase.share, phase.languages or own) for phase in charter.phases] or [(1.0, own)]
    uses = [
        Use(language=code, tokens=tokens * length * share)
        for length, shares in stretches
        for code, share in shares.items()
    ]
    return account(epochs_of(uses, unique), unique)

"""A scheme: a tokenizer with the numbers that documents and models need from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tokenizers import Tokenizer

from freehold.model.base import BaseModel
from freehold.stages.tokenize import vocabulary

ROWS_TILE = 64  # matrix units and native kernels want tables of whole tiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """How text becomes tokens, and how many rows the model's table has for them."""

    tokenizer: Tokenizer  # reads a control token that a text spells out as text
    rows: int
    bos: int  # begins every document
    eos: int
    pad: int
    special: dict[str, int]  # control tokens: no text becomes one
    divisible: bool  # whether a long text may be cut without changing its tokens
    pieces: dict[int, list[int]] = field(default_factory=dict)  # token added to a base's → the base's own it stands for

    @classmethod
    def own(cls, path: Path) -> Scheme:
        """The tokenizer that we learned."""
        numbers, tokenizer = vocabulary.token_ids(), vocabulary.reader(path)
        return cls(
            tokenizer=tokenizer,
            rows=tokenizer.get_vocab_size(),
            bos=numbers[vocabulary.BOS],
            eos=numbers[vocabulary.TURN_END],
            pad=numbers[vocabulary.PAD],
            special=numbers,
            divisible=True,
        )

    @classmethod
    def of_base(cls, base: BaseModel, path: Path, *, pieces: dict[int, list[int]]) -> Scheme:
        """The base's tokenizer as it stands in `path`, extended by `pieces`; a table grows by whole tiles."""
        found, rows = base.tokenizer, max([base.shape.vocab_size, *(number + 1 for number in pieces)])
        special = {token["content"]: token["id"] for token in found.get("added_tokens", []) if token["special"]}
        steps = found.get("pre_tokenizer") or {}
        byte_level = [step for step in steps.get("pretokenizers", [steps]) if step.get("type") == "ByteLevel"]
        return cls(
            tokenizer=vocabulary.reader(path),
            rows=-(-rows // ROWS_TILE) * ROWS_TILE if rows > base.shape.vocab_size else rows,
            bos=base.bos,
            eos=base.eos,
            pad=base.pad,
            special=special,
            divisible=bool(byte_level) and not any(step["add_prefix_space"] for step in byte_level),
            pieces=pieces,
        )

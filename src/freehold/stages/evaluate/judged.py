"""A model folder opened for judging."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tokenizers import Tokenizer

from freehold.errors import InputError
from freehold.learn import device as devices
from freehold.learn.precision import choose, set_precision
from freehold.model.folder import read_tokenizer
from freehold.model.hf import load_folder
from freehold.model.streaming import token_bytes
from freehold.model.transformer import LanguageModel


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Weights and tokenizer; `bos` begins every document."""

    model: LanguageModel
    tokenizer: Tokenizer
    bos: int

    @classmethod
    def open(cls, folder: Path, *, precision: str, device: str = "auto") -> Judged:
        """Load a Hugging Face folder; `precision` and `device` as in the charter. InputError names what is missing."""
        device = devices.choose(device)
        if device != "cpu":
            devices.settle(device)  # so that judging again finds the same digits
        model = load_folder(folder)
        if model.config.bos_id is None:
            raise InputError("bos_token_id is missing", where=str(folder / "config.json"))
        # fp8 is for learning: judged is what will be served.
        set_precision(model, choose("auto" if precision == "fp8" else precision, device=device))
        tokenizer = read_tokenizer(folder)
        tokenizer.encode_special_tokens = True  # a control token spelled out in a document is text
        return cls(model=model.to(device), tokenizer=tokenizer, bos=model.config.bos_id)

    @cached_property
    def spelled(self) -> list[bytes]:
        """The bytes each token stands for."""
        return token_bytes(self.tokenizer)

    def tokens_of(self, text: str) -> list[int]:
        """The tokens of a text, without control tokens."""
        found: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return found

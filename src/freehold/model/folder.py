"""A model folder opened for generation: weights, tokenizer, chat template and the tokens that end an answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer

from freehold.errors import InputError
from freehold.model.dialogue import ChatTemplate
from freehold.model.generation import Decoder
from freehold.model.hf import load_folder

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a model folder holds, ready to answer."""

    decoder: Decoder
    template: ChatTemplate | None


def open_folder(folder: Path, *, slots: int = 8, precision: str = "auto", device: str = "cpu") -> Opened:
    """Load a Hugging Face folder for generation. Raises InputError naming what is missing.

    `precision` "auto" is fp32 on a CPU, where the answers are those of training and evaluation to the last digits
    and small models are no slower, and bf16 elsewhere.
    """
    chosen = ("fp32" if device == "cpu" else "bf16") if precision == "auto" else precision
    if chosen not in PRECISIONS:
        raise InputError(f"precision {precision!r} is unknown", remedy="use auto, fp32 or bf16")
    model = load_folder(folder, dtype=PRECISIONS[chosen]).to(device)
    decoder = Decoder(model, read_tokenizer(folder), slots=slots, ends=_ends(folder, bos=model.config.bos_id))
    return Opened(decoder=decoder, template=ChatTemplate.of_folder(folder))


def read_tokenizer(folder: Path) -> Tokenizer:
    """tokenizer.json of a model folder; control tokens spelled out in a text are read as control tokens."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise InputError("tokenizer.json is missing", where=str(folder), remedy="give a complete model folder")
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises nothing more precise
        raise InputError(f"unreadable: {error}", where=str(path), remedy="fetch the folder again") from None


def _ends(folder: Path, *, bos: int | None) -> frozenset[int]:
    """Tokens that end an answer: those of generation_config.json, else config.json, and a new document's first."""
    for name in ("generation_config.json", "config.json"):
        path = folder / name
        found = json.loads(path.read_text(encoding="utf-8")).get("eos_token_id") if path.is_file() else None
        if found is not None:
            break
    listed = found if isinstance(found, list) else [found]
    return frozenset(token for token in (*listed, bos) if isinstance(token, int))

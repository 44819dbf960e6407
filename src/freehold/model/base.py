"""A base: an open model's folder that training may begin from, checked whole before any weight is loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from freehold.errors import InputError
from freehold.model.config import ForeignConfig, ModelConfig
from freehold.plugins import part

DTYPES = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseModel:
    """What a base's files say about it."""

    folder: Path
    shape: ModelConfig | ForeignConfig
    dtype: str  # "float32", "float16" or "bfloat16": how most of its numbers are stored
    weights: tuple[str, ...]  # names of the files that hold them
    tokenizer: dict[str, Any]  # tokenizer.json
    tokens: int  # numbers that the tokenizer uses, from 0 to its highest; the model may have more rows
    settings: dict[str, Any]  # tokenizer_config.json, empty without one
    bos: int  # begins every document: its BOS, or where it has none the token that it learned between documents
    eos: int
    pad: int

    @classmethod
    def inspect(cls, folder: Path) -> BaseModel:
        """Read a Hugging Face folder, its weights' headers only.

        Raises InputError for an unknown family, a missing or torn shard, a type we cannot train in, and a tokenizer
        that does not belong to the model.
        """
        found = part("freehold.model.hf:inspect")(folder)
        shape = found.config or part("freehold.model.hf:load_folder")(folder).config  # foreign: known once it is open
        tokenizer = read_json(folder / "tokenizer.json")
        present = (folder / "tokenizer_config.json").is_file()
        settings = read_json(folder / "tokenizer_config.json") if present else {}
        numbers = token_numbers(tokenizer)
        if max(numbers.values()) >= shape.vocab_size:
            message = f"the tokenizer has an id {max(numbers.values())}, the model {shape.vocab_size} rows"
            raise InputError(message, where=str(folder), remedy="give the tokenizer that this model was trained with")
        bos, eos, pad = control_ids(read_json(folder / "config.json"), settings, numbers, where=str(folder))
        return cls(
            folder=folder,
            shape=shape,
            dtype=main_type(found.plan.types, found.shapes),
            weights=found.files,
            tokenizer=tokenizer,
            tokens=max(numbers.values()) + 1,
            settings=settings,
            bos=bos,
            eos=eos,
            pad=pad,
        )


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises InputError if the file is missing or holds anything else."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path.name} is missing", where=str(path.parent), remedy="give a complete folder") from None
    except (OSError, ValueError) as error:
        raise InputError(f"unreadable: {error}", where=str(path), remedy="fetch the folder again") from None
    if not isinstance(found, dict):
        raise InputError("no JSON object", where=str(path), remedy="fetch the folder again")
    return found


def main_type(types: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]) -> str:
    """The type of most numbers."""
    sizes = dict.fromkeys(DTYPES, 0)
    for name, kind in types.items():
        sizes[kind] += prod(shapes[name])
    return DTYPES[max(sizes, key=lambda kind: sizes[kind])]


def token_numbers(tokenizer: dict[str, Any]) -> dict[str, int]:
    """Every token of a tokenizer.json with its id, control tokens included."""
    listed = tokenizer.get("model", {}).get("vocab", {})
    if isinstance(listed, list):  # Unigram: [token, score] in the order of their ids
        listed = {token: number for number, (token, _) in enumerate(listed)}
    return {**listed, **{entry["content"]: entry["id"] for entry in tokenizer.get("added_tokens", [])}}


def control_ids(
    config: dict[str, Any], settings: dict[str, Any], numbers: dict[str, int], *, where: str
) -> tuple[int, int, int]:
    """(bos, eos, pad). Raises InputError where config.json and the tokenizer name different ones, or nobody any."""
    named: dict[str, int | None] = {}
    for role in ("bos", "eos", "pad"):
        written = settings.get(f"{role}_token")
        written = written.get("content") if isinstance(written, dict) else written
        if written is not None and written not in numbers:
            raise InputError(f"its tokenizer has no {role} token {written!r}", where=where, remedy="mend the folder")
        said = config.get(f"{role}_token_id")
        choices = [said] if isinstance(said, int) else list(said or [])
        named[role] = numbers[written] if written is not None else next(iter(choices), None)
        if role != "pad" and choices and named[role] not in choices:
            message = f"config.json gives {role} the id {said}, its tokenizer {named[role]} ({written})"
            raise InputError(message, where=where, remedy="make the two agree")
    bos, eos = named["bos"], named["eos"]
    bos, eos = (eos if bos is None else bos), (bos if eos is None else eos)
    if bos is None or eos is None:
        raise InputError("it names no token that begins or ends a text", where=where, remedy="name eos_token_id")
    return bos, eos, eos if named["pad"] is None else named["pad"]

"""A base: an open model's folder that training may begin from, checked whole before any weight is loaded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freehold.errors import InputError
from freehold.model.config import ModelConfig

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
DTYPES = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseModel:
    """What a base's files say about it."""

    folder: Path
    shape: ModelConfig
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
        config = read_json(folder / "config.json")
        if "quantization_config" in config:
            advice = "take the folder with the weights as they were trained"
            raise InputError("its weights are quantized", where=str(folder), remedy=advice)
        shape = ModelConfig.from_hugging_face(config, where=str(folder / "config.json"))
        weights = weight_files(folder)
        tokenizer = read_json(folder / "tokenizer.json")
        present = (folder / "tokenizer_config.json").is_file()
        settings = read_json(folder / "tokenizer_config.json") if present else {}
        numbers = token_numbers(tokenizer)
        if max(numbers.values()) >= shape.vocab_size:
            message = f"the tokenizer has an id {max(numbers.values())}, the model {shape.vocab_size} rows"
            raise InputError(message, where=str(folder), remedy="give the tokenizer that this model was trained with")
        bos, eos, pad = control_ids(config, settings, numbers, where=str(folder))
        return cls(
            folder=folder,
            shape=shape,
            dtype=stored_type(folder, weights),
            weights=weights,
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


def weight_files(folder: Path) -> tuple[str, ...]:
    """The safetensors files of a folder, sorted. Raises InputError naming the first that is missing."""
    if (folder / SINGLE).is_file():
        return (SINGLE,)
    if not (folder / INDEX).is_file():
        advice = "give a folder with safetensors weights"
        raise InputError(f"neither {SINGLE} nor {INDEX} is there", where=str(folder), remedy=advice)
    names = tuple(sorted(set(read_json(folder / INDEX).get("weight_map", {}).values())))
    for name in names:
        if not (folder / name).is_file():
            raise InputError(f"the shard {name} is missing", where=str(folder), remedy="fetch the folder again")
    return names


def stored_type(folder: Path, weights: tuple[str, ...]) -> str:
    """The type of most numbers. Raises InputError for a torn file, or a type that is no 16- or 32-bit float."""
    sizes = dict.fromkeys(DTYPES, 0)
    for name in weights:
        for tensor, entry in header(folder / name).items():
            if entry["dtype"] not in DTYPES:
                message = f"{tensor} is stored as {entry['dtype']}"
                advice = f"give weights in one of {', '.join(DTYPES)}"
                raise InputError(message, where=str(folder / name), remedy=advice)
            begin, end = entry["data_offsets"]
            sizes[entry["dtype"]] += end - begin
    return DTYPES[max(sizes, key=lambda name: sizes[name])]


def header(path: Path) -> dict[str, Any]:
    """{tensor: {dtype, shape, data_offsets}} of a safetensors file. Raises InputError if the file is cut short."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            found: dict[str, Any] = json.loads(file.read(length)) if length <= path.stat().st_size else {}
        found.pop("__metadata__", None)
        whole = 8 + length + max(entry["data_offsets"][1] for entry in found.values())
    except (OSError, ValueError, KeyError, TypeError):
        whole = -1
    if whole != path.stat().st_size:
        raise InputError("no whole safetensors file", where=str(path), remedy="fetch the folder again")
    return found


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

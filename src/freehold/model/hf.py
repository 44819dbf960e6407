"""Hugging Face folders in and out: what transformers, vLLM and llama.cpp read. Equal weights give equal bytes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from freehold.errors import InputError
from freehold.model import config_file
from freehold.model.config import ForeignConfig, ModelConfig
from freehold.model.experts import apart
from freehold.model.foreign import open_foreign
from freehold.model.language import LanguageModel
from freehold.model.shards import INDEX, TYPES, WEIGHTS, Inspection, Plan, inspect, whole_plan
from freehold.model.transformer import Transformer
from freehold.proof.chain import weights_digest

__all__ = ["INDEX", "WEIGHTS", "digest", "inspect", "load_folder", "save_folder", "weight_files"]

Config = ModelConfig | ForeignConfig

SHARD_BYTES = 5_000_000_000  # of one file at most


def load_folder(folder: Path, *, dtype: torch.dtype = torch.float32) -> LanguageModel:
    """A model in evaluation mode from a Hugging Face folder, whatever its shards are.

    Raises InputError naming what is missing or foreign, before the model is allocated. Beside the model no more than
    one tensor is held. A family that we do not build comes as a `Foreign`.
    """
    found = inspect(folder)
    if found.config is None:
        return open_foreign(found, dtype=dtype).eval()
    model = Transformer(found.config, dtype=dtype)
    places = apart(model.state_dict())
    for file in found.files:
        with safe_open(folder / file, framework="pt") as stored:
            for name in stored.keys():  # noqa: SIM118
                if name in places and not _spare(name, found.config):
                    places[name].copy_(stored.get_tensor(name))
    _check_tied(found, model)
    return model.eval()


def save_folder(
    folder: Path,
    *,
    config: Config,
    weights: Mapping[str, Tensor],
    dtype: str | None = None,
    plan: Plan | None = None,
    shard_bytes: int = SHARD_BYTES,
) -> None:
    """Write config.json, generation_config.json and the weights, in one file or in shards of `shard_bytes`.

    `dtype` ("float32", "bfloat16" or "float16") defaults to that of the folder the configuration came from, and for
    our own models to float32. `plan` (`inspect(folder).plan`) keeps the shards and types of that folder, tensor for
    tensor: what was read and not changed is written byte for byte.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plan = plan or _own_plan(config, weights, dtype=dtype, shard_bytes=shard_bytes)
    for name, data in weight_files(config, weights, plan=plan):
        _replace(folder / name, data)
    if plan.indexed:
        _replace(folder / INDEX, plan.index_of(_shipped(config, weights, plan)).encode())
    _replace(folder / "config.json", config_file.text(config, dtype=dtype).encode())
    if (generation := config_file.generation_text(config)) is not None:
        _replace(folder / "generation_config.json", generation.encode())


def weight_files(
    config: Config,
    weights: Mapping[str, Tensor],
    *,
    dtype: str | None = None,
    plan: Plan | None = None,
    shard_bytes: int = SHARD_BYTES,
) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each safetensors file as these weights would ship, one at a time (see `save_folder`)."""
    plan = plan or _own_plan(config, weights, dtype=dtype, shard_bytes=shard_bytes)
    shipped = _shipped(config, weights, plan)
    for file in sorted(set(plan.files.values())):
        tensors = {
            name: shipped[name].detach().to(device="cpu", dtype=TYPES[plan.types[name]]).contiguous()
            for name in sorted(plan.files)
            if plan.files[name] == file
        }
        yield file, save(tensors, metadata=plan.metadata.get(file, {"format": "pt"}))


def digest(files: Iterator[tuple[str, bytes]]) -> str:
    """SHA-256 of model.safetensors, or of the canonical table {file: SHA-256} where there are shards."""
    return weights_digest({name: hashlib.sha256(data).hexdigest() for name, data in files})


def _own_plan(config: Config, weights: Mapping[str, Tensor], *, dtype: str | None, shard_bytes: int) -> Plan:
    tensors = {name: tensor for name, tensor in apart(weights).items() if not _spare(name, config)}
    return whole_plan(tensors, dtype=dtype or config_file.dtype_of(config), shard_bytes=shard_bytes)


def _shipped(config: Config, weights: Mapping[str, Tensor], plan: Plan) -> dict[str, Tensor]:
    """Tensors by the names files have: experts apart, and a tied head where the plan wants one."""
    shipped = apart(weights)
    if config.tied and "lm_head.weight" in plan.files:
        shipped["lm_head.weight"] = shipped["model.embed_tokens.weight"].clone()
    return shipped


def _spare(name: str, config: Config) -> bool:
    return config.tied and name == "lm_head.weight"


def _check_tied(found: Inspection, model: Transformer) -> None:
    """Raise InputError if a tied folder carries a head of its own that differs from the table."""
    if model.config.tied and (file := found.plan.files.get("lm_head.weight")):
        with safe_open(found.folder / file, framework="pt") as stored:
            if not torch.equal(stored.get_tensor("lm_head.weight").to(model.head.dtype), model.head.data):
                message = "lm_head.weight differs from the embedding table it is said to be tied to"
                advice = "set tie_word_embeddings to false in config.json"
                raise InputError(message, where=str(found.folder / file), remedy=advice)


def _replace(path: Path, data: bytes) -> None:
    """Write whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)

"""Hugging Face folders in and out: what transformers, vLLM and llama.cpp read. Equal weights give equal bytes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from freehold.errors import InputError
from freehold.model.config import ModelConfig
from freehold.model.transformer import Transformer

WEIGHTS = "model.safetensors"


def save_folder(folder: Path, *, config: ModelConfig, weights: dict[str, Tensor], dtype: str = "float32") -> None:
    """Write config.json, generation_config.json and model.safetensors; `dtype` is "float32" or "bfloat16"."""
    folder.mkdir(parents=True, exist_ok=True)
    cast = getattr(torch, dtype)
    kept = {
        name: weights[name].detach().to(device="cpu", dtype=cast).contiguous()
        for name in sorted(weights)
        if not (config.tied and name == "lm_head.weight")
    }
    _replace(folder / WEIGHTS, save(kept, metadata={"format": "pt"}))
    _replace(folder / "config.json", _json(config.to_hugging_face(dtype=dtype)))
    special = {"bos_token_id": config.bos_id, "eos_token_id": config.eos_id, "pad_token_id": config.pad_id}
    _replace(folder / "generation_config.json", _json({"_from_model_config": True, **special}))


def load_folder(folder: Path, *, dtype: torch.dtype = torch.float32) -> Transformer:
    """A model in evaluation mode from a Hugging Face folder. Raises InputError naming what is missing or foreign."""
    try:
        config = ModelConfig.from_hugging_face(
            json.loads((folder / "config.json").read_text(encoding="utf-8")), where=str(folder / "config.json")
        )
        weights = load_file(folder / WEIGHTS)
    except FileNotFoundError as missing:
        raise InputError(
            f"{missing.filename or WEIGHTS} is missing", where=str(folder), remedy="give a complete folder"
        ) from None
    except (ValueError, SafetensorError) as broken:
        raise InputError(f"unreadable: {broken}", where=str(folder), remedy="fetch the folder again") from None
    model = Transformer(config)
    if config.tied:
        weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
    try:
        model.load_state_dict(weights)
    except RuntimeError as mismatch:
        raise InputError(f"weights and config.json disagree: {mismatch}", where=str(folder)) from None
    return model.to(dtype).eval()


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _replace(path: Path, data: bytes) -> None:
    """Write whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)

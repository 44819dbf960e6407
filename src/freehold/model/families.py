"""Families: how each shape of the Hugging Face ecosystem is told in config.json, in transformers' 4 and 5 forms.

To add one, write the function that reads its particulars, a row in PARTICULARS and in `config_file.ARCHITECTURES`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from freehold.errors import InputError
from freehold.model.config import Experts, Latent, ModelConfig, Scaling

Values = Mapping[str, Any]

# What may change between import and export, and what config.json calls it.
KEYS = {
    "vocab_size": "vocab_size",
    "context": "max_position_embeddings",
    "tied": "tie_word_embeddings",
    "bos_id": "bos_token_id",
    "eos_id": "eos_token_id",
    "pad_id": "pad_token_id",
}
SCALED = {
    "linear": ("factor",),
    "llama3": ("factor", "original_max_position_embeddings", "low_freq_factor", "high_freq_factor"),
    "yarn": (
        "factor",
        "original_max_position_embeddings",
        "beta_fast",
        "beta_slow",
        "attention_factor",
        "mscale",
        "mscale_all_dim",
        "truncate",
    ),
}


class NotBuilt(InputError):
    """A model that our transformer cannot be; transformers itself may still run it."""


def parse(text: str, *, generation: str | None = None, where: str = "config.json") -> ModelConfig:
    """The configuration of a published folder, which it remembers word for word. Raises InputError."""
    return replace(read(values_of(text, where=where), where=where), published=text, published_generation=generation)


def values_of(text: str, *, where: str) -> dict[str, Any]:
    """The JSON object of a configuration file. Raises InputError for anything else."""
    try:
        values = json.loads(text)
    except ValueError as broken:
        raise InputError(f"unreadable: {broken}", where=where, remedy="fetch the folder again") from None
    if not isinstance(values, dict):
        raise InputError("is no JSON object", where=where, remedy="fetch the folder again")
    return values


def read(values: Values, *, where: str = "config.json") -> ModelConfig:
    """Read config.json's values. Raises NotBuilt for what we cannot run and InputError for what is incomplete."""
    family = values.get("model_type")
    if family not in PARTICULARS:
        known = ", ".join(PARTICULARS)
        raise NotBuilt(f"model_type {family!r} is not one we build", where=where, remedy=f"use one of {known}")
    _refuse(values, where=where)
    try:
        heads, width = values["num_attention_heads"], values["hidden_size"]
        shape: dict[str, Any] = {
            "family": family,
            "vocab_size": values["vocab_size"],
            "width": width,
            "depth": values["num_hidden_layers"],
            "heads": heads,
            "kv_heads": values.get("num_key_value_heads") or heads,
            "head_size": values.get("head_dim") or width // heads,
            "ffn_width": values["intermediate_size"],
            "context": values["max_position_embeddings"],
            "norm_eps": values["rms_norm_eps"],
            "tied": bool(values.get("tie_word_embeddings", False)),
            **{name: first_of(values.get(KEYS[name])) for name in ("bos_id", "eos_id", "pad_id")},
            **_positions(values, where=where),
        }
        return ModelConfig(**{**shape, **PARTICULARS[family](values)})
    except KeyError as missing:
        raise InputError(f"{missing.args[0]} is missing", where=where, remedy="give a complete folder") from None
    except TypeError as odd:
        raise InputError(f"not as expected: {odd}", where=where, remedy="give a complete folder") from None


def first_of(token: Any) -> int | None:
    """A special token; the first where several end a text."""
    return token[0] if isinstance(token, list) and token else token if isinstance(token, int) else None


def _refuse(values: Values, *, where: str) -> None:
    """Raise for what no family of ours has."""
    if values.get("quantization_config"):
        method = values["quantization_config"].get("quant_method", "some method")
        advice = "use the folder's bf16, fp16 or fp32 original"
        raise InputError(f"the weights are quantised ({method})", where=where, remedy=advice)
    odd = {
        "hidden_act": values.get("hidden_act", "silu") != "silu",
        "partial_rotary_factor": values.get("partial_rotary_factor") not in (None, 1, 1.0),
        "scoring_func": values.get("scoring_func", "sigmoid") != "sigmoid",
        "topk_method": values.get("topk_method", "noaux_tc") != "noaux_tc",
        "moe_layer_freq": values.get("moe_layer_freq", 1) != 1,
    }
    for key in (key for key, found in odd.items() if found):
        raise NotBuilt(f"{key} {values[key]!r} is not supported", where=where)


def _positions(values: Values, *, where: str) -> dict[str, Any]:
    """Rotary base and scaling, from either form."""
    rope = values.get("rope_parameters") or values.get("rope_scaling") or {}
    layered = [entry for entry in rope.values() if isinstance(entry, dict)]
    if layered:
        if any(entry != layered[0] for entry in layered):
            raise NotBuilt("rotary positions that differ between layers are not supported", where=where)
        rope = layered[0]
    theta = float(rope.get("rope_theta") or values.get("rope_theta") or 10_000.0)
    kind: Any = rope.get("rope_type") or rope.get("type") or "default"
    if kind == "default":
        return {"rope_theta": theta}
    if kind not in SCALED or rope.get("partial_rotary_factor") not in (None, 1, 1.0):
        raise NotBuilt(f"rotary positions of type {kind!r} are not supported", where=where)
    context = values["max_position_embeddings"]
    taught = values.get("original_max_position_embeddings") or rope.get("original_max_position_embeddings") or context
    told = {key: rope[key] for key in SCALED[kind] if rope.get(key) is not None}
    told |= {"original_max_position_embeddings": taught} if kind != "linear" else {}
    if kind == "yarn":
        told.setdefault("factor", context / taught)
    return {"rope_theta": theta, "scaling": Scaling(rope_type=kind, **told)}


def _llama(values: Values) -> dict[str, Any]:
    bias = bool(values.get("attention_bias", False))
    return {
        "qk_norm": None,
        "input_bias": bias,
        "output_bias": bias,
        "ffn_bias": bool(values.get("mlp_bias", False)),
    }


def _mistral(values: Values) -> dict[str, Any]:
    window = values.get("sliding_window", 4096) or 0  # transformers' default where the key is absent
    return {"qk_norm": None, "windows": (window,) * values["num_hidden_layers"] if window else ()}


def _qwen2(values: Values) -> dict[str, Any]:
    return {"qk_norm": None, "input_bias": True, "windows": _windows(values)}


def _qwen3(values: Values) -> dict[str, Any]:
    bias = bool(values.get("attention_bias", False))
    return {"input_bias": bias, "output_bias": bias, "windows": _windows(values)}


def _windows(values: Values) -> tuple[int, ...]:
    """Windows of layers that slide, as `layer_types` says or from `max_window_layers` on."""
    depth, window = values["num_hidden_layers"], values.get("sliding_window", 4096) or 0
    if not values.get("use_sliding_window") or not window:
        return ()
    first = values.get("max_window_layers", 28)
    kinds = values.get("layer_types") or ["sliding_attention" if layer >= first else "" for layer in range(depth)]
    windows = tuple(window if kind == "sliding_attention" else 0 for kind in kinds)
    return windows if any(windows) else ()


def _olmo2(values: Values) -> dict[str, Any]:
    bias = bool(values.get("attention_bias", False))
    return {"qk_norm": "full", "post_norm": True, "input_bias": bias, "output_bias": bias}


def _qwen3_moe(values: Values) -> dict[str, Any]:
    bias, depth = bool(values.get("attention_bias", False)), values["num_hidden_layers"]
    window = (values.get("sliding_window") or 0) if values.get("use_sliding_window") else 0
    dense, every = set(values.get("mlp_only_layers") or ()), values.get("decoder_sparse_step", 1)
    experts = Experts(
        count=values["num_local_experts"] if "num_local_experts" in values else values["num_experts"],
        chosen=values["num_experts_per_tok"],
        width=values["moe_intermediate_size"],
        layers=tuple(layer for layer in range(depth) if layer not in dense and (layer + 1) % every == 0),
        normed=bool(values.get("norm_topk_prob", False)),
    )
    windows = (window,) * depth if window else ()
    return {"input_bias": bias, "output_bias": bias, "windows": windows, "experts": experts}


def _deepseek_v3(values: Values) -> dict[str, Any]:
    bias, width = bool(values.get("attention_bias", False)), values["moe_intermediate_size"]
    experts = Experts(
        count=values["num_local_experts"] if "num_local_experts" in values else values["n_routed_experts"],
        chosen=values["num_experts_per_tok"],
        width=width,
        layers=tuple(range(values.get("first_k_dense_replace", 3), values["num_hidden_layers"])),
        score="sigmoid",
        normed=bool(values.get("norm_topk_prob", True)),
        groups=values.get("n_group", 8),
        chosen_groups=values.get("topk_group", 4),
        scale=float(values.get("routed_scaling_factor", 2.5)),
        shared_width=width * values.get("n_shared_experts", 1),
    )
    latent = Latent(
        query_rank=values["q_lora_rank"],
        value_rank=values["kv_lora_rank"],
        rotary_size=values["qk_rope_head_dim"],
        value_size=values["v_head_dim"],
        interleaved=bool(values.get("rope_interleave", True)),
    )
    return {
        "kv_heads": values["num_attention_heads"],  # each head has keys and values of its own
        "head_size": values["qk_nope_head_dim"] + latent.rotary_size,
        "qk_norm": None,
        "input_bias": bias,
        "output_bias": bias,
        "latent": latent,
        "experts": experts,
    }


PARTICULARS: dict[str, Callable[[Values], dict[str, Any]]] = {
    "llama": _llama,
    "mistral": _mistral,
    "qwen2": _qwen2,
    "qwen3": _qwen3,
    "olmo2": _olmo2,
    "qwen3_moe": _qwen3_moe,
    "deepseek_v3": _deepseek_v3,
}

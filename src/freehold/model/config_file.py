"""config.json written: for our own models whole, for those that came from a folder only where something changed."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Any

from freehold.errors import InputError
from freehold.model.config import ForeignConfig, ModelConfig, Scaling
from freehold.model.families import KEYS, SCALED, Values, first_of, read

ARCHITECTURES = {
    "llama": "LlamaForCausalLM",
    "mistral": "MistralForCausalLM",
    "qwen2": "Qwen2ForCausalLM",
    "qwen3": "Qwen3ForCausalLM",
    "olmo2": "Olmo2ForCausalLM",
    "qwen3_moe": "Qwen3MoeForCausalLM",
    "deepseek_v3": "DeepseekV3ForCausalLM",
}


def text(config: ModelConfig | ForeignConfig, *, dtype: str | None = None) -> str:
    """config.json; `dtype` ("float32", "bfloat16", "float16") is that of the weights beside it."""
    dtype = dtype or dtype_of(config)
    if isinstance(config, ModelConfig) and config.published is None:
        return json.dumps(write(config, dtype=dtype), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    values = json.loads(config.published or "{}")
    told = _changed(config, values) | ({} if dtype == dtype_of(config) else dict.fromkeys(_dtype_keys(values), dtype))
    if not told and config.published is not None:
        return config.published
    return json.dumps({**values, **told}, indent=2, ensure_ascii=False) + "\n"


def generation_text(config: ModelConfig | ForeignConfig) -> str | None:
    """generation_config.json; None for a model that came without one."""
    special = {KEYS[name]: getattr(config, name) for name in ("bos_id", "eos_id", "pad_id")}
    if config.published is None:
        found = {"_from_model_config": True, **special}
        return json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if config.published_generation is None:
        return None
    told = {key: value for key, value in _changed(config, json.loads(config.published)).items() if key in special}
    if not told:
        return config.published_generation
    return json.dumps({**json.loads(config.published_generation), **told}, indent=2, ensure_ascii=False) + "\n"


def dtype_of(config: ModelConfig | ForeignConfig) -> str:
    """The type in which weights ship unless told otherwise: that of the published folder, or float32."""
    values = {} if config.published is None else json.loads(config.published)
    return str(values.get("dtype") or values.get("torch_dtype") or "float32")


def write(config: ModelConfig, *, dtype: str = "float32") -> dict[str, Any]:
    """The config.json of a model of our own, as transformers (4 and 5), vLLM and llama.cpp read it."""
    rope = {"rope_theta": config.rope_theta, "rope_type": "default"} | _scaled(config.scaling)
    common = {
        "architectures": [ARCHITECTURES[config.family]],
        "attention_bias": config.output_bias,
        "attention_dropout": 0.0,
        "bos_token_id": config.bos_id,
        "dtype": dtype,
        "eos_token_id": config.eos_id,
        "head_dim": config.rotary_size,
        "hidden_act": "silu",
        "hidden_size": config.width,
        "initializer_range": 0.02,
        "intermediate_size": config.ffn_width,
        "max_position_embeddings": config.context,
        "model_type": config.family,
        "num_attention_heads": config.heads,
        "num_hidden_layers": config.depth,
        "num_key_value_heads": config.kv_heads,
        "pad_token_id": config.pad_id,
        "rms_norm_eps": config.norm_eps,
        "rope_parameters": rope,
        "rope_theta": config.rope_theta,  # where transformers before 5 looks for it
        "tie_word_embeddings": config.tied,
        "torch_dtype": dtype,  # the same
        "use_cache": True,
        "use_sliding_window": False,
        "vocab_size": config.vocab_size,
    }
    if config.scaling:
        common["rope_scaling"] = rope
    return common | _told(config)


def _told(config: ModelConfig) -> dict[str, Any]:
    """What the families tell beyond what all have."""
    told: dict[str, Any] = {}
    if config.family == "llama":
        told["mlp_bias"] = config.ffn_bias
    if config.family == "mistral":
        told["sliding_window"] = max(config.windows, default=0) or None
    elif any(config.windows):
        first = next(layer for layer, window in enumerate(config.windows) if window)
        told |= {"use_sliding_window": True, "sliding_window": max(config.windows), "max_window_layers": first}
    experts, latent = config.experts, config.latent
    if experts and config.family == "qwen3_moe":
        told |= {
            "num_experts": experts.count,
            "num_experts_per_tok": experts.chosen,
            "moe_intermediate_size": experts.width,
            "norm_topk_prob": experts.normed,
            "decoder_sparse_step": 1,
            "mlp_only_layers": [layer for layer in range(config.depth) if layer not in experts.layers],
        }
    elif experts:
        told |= {
            "n_routed_experts": experts.count,
            "n_shared_experts": experts.shared_width // experts.width,
            "num_experts_per_tok": experts.chosen,
            "moe_intermediate_size": experts.width,
            "norm_topk_prob": experts.normed,
            "first_k_dense_replace": experts.layers[0] if experts.layers else config.depth,
            "n_group": experts.groups,
            "topk_group": experts.chosen_groups,
            "routed_scaling_factor": experts.scale,
            "scoring_func": "sigmoid",
            "topk_method": "noaux_tc",
            "num_nextn_predict_layers": 0,
        }
    if latent:
        told |= {
            "q_lora_rank": latent.query_rank,
            "kv_lora_rank": latent.value_rank,
            "qk_rope_head_dim": latent.rotary_size,
            "qk_nope_head_dim": config.head_size - latent.rotary_size,
            "v_head_dim": latent.value_size,
            "rope_interleave": latent.interleaved,
        }
    return told


def _changed(config: ModelConfig | ForeignConfig, values: Values) -> dict[str, Any]:
    """The entries of a published config.json that are no longer true, as they are now."""
    if isinstance(config, ForeignConfig):
        told = {KEYS[name]: getattr(config, name) for name in ("vocab_size", "bos_id", "eos_id", "pad_id")}
        return {key: value for key, value in told.items() if first_of(values.get(key)) != value}
    before = read(values)
    differing = {
        field.name
        for field in fields(config)
        if not field.name.startswith("published") and getattr(config, field.name) != getattr(before, field.name)
    }
    told = {KEYS[name]: getattr(config, name) for name in differing if name in KEYS}
    if differing & {"rope_theta", "scaling"}:
        rope = {"rope_theta": config.rope_theta, "rope_type": "default"} | _scaled(config.scaling)
        told |= {"rope_parameters": rope} if "rope_parameters" in values else {}
        if "rope_parameters" not in values or "rope_scaling" in values:
            told |= {"rope_theta": config.rope_theta, "rope_scaling": rope if config.scaling else None}
    if lost := differing - {*KEYS, "rope_theta", "scaling"}:
        raise InputError(f"{', '.join(sorted(lost))} cannot change after import", where="model")
    return told


def _dtype_keys(values: Values) -> list[str]:
    """Where a config.json says the type: under the name of transformers before 5, the name since, or both."""
    return [key for key in ("torch_dtype", "dtype") if key in values] or ["dtype"]


def _scaled(scaling: Scaling | None) -> dict[str, Any]:
    """A scaling as config.json tells it."""
    if scaling is None:
        return {}
    told = asdict(scaling)
    return {key: told[key] for key in ("rope_type", *SCALED[scaling.rope_type]) if told[key] is not None}

"""A model declared from scratch: one dial and a family's name become a whole shape.

The family's particulars are told in config.json's own keys and read as those of a published folder are.
"""

from __future__ import annotations

from typing import Any

from freehold.errors import InputError
from freehold.model import config_file, families
from freehold.model.config import ModelConfig

SHARED = 1  # experts' widths that every token uses


def declare(
    depth: int,
    *,
    vocabulary: int,
    context: int,
    family: str | None = None,
    experts: int | None = None,
    experts_per_token: int | None = None,
    expert_width: int | None = None,
    **chosen: Any,
) -> ModelConfig:
    """The shape of a model of `family`; every keyword that is not None overrides what it names.

    Of the families with experts only DeepSeek-V3's is offered: its router balances itself. Raises InputError for
    experts in a family without.

    >>> declare(6, vocabulary=8192, context=512, family="deepseek_v3", experts=16).experts.width
    336
    """
    family = family or "qwen3"
    plain = ModelConfig.from_depth(depth, vocabulary=vocabulary, context=context, **chosen)
    routed = {"experts": experts, "experts_per_token": experts_per_token, "expert_width": expert_width}
    if family != "deepseek_v3" and (named := [name for name, value in routed.items() if value is not None]):
        advice = 'set family = "deepseek_v3", or leave it out'
        raise InputError(f"{family} has no experts", where=f"model.{named[0]}", remedy=advice)
    if family == "qwen3":
        return plain
    values = {**config_file.write(plain), "model_type": family, "sliding_window": None}
    if family == "deepseek_v3":
        count = experts or 8
        used = min(experts_per_token or 2, count)
        width = expert_width or 16 * max(1, plain.ffn_width // ((used + SHARED) * 16))  # as much a token as dense
        values |= _latent(plain) | _routed(count, used, width)
    return families.read(values, where="charter: model")


def _latent(plain: ModelConfig) -> dict[str, Any]:
    """DeepSeek-V3's attention in its own proportions: the shared rank is four heads, half a head more is rotated."""
    size = plain.head_size
    return {
        "num_key_value_heads": plain.heads,
        "q_lora_rank": None,
        "kv_lora_rank": 4 * size,
        "qk_nope_head_dim": size,
        "qk_rope_head_dim": size // 2,
        "v_head_dim": size,
    }


def _routed(count: int, used: int, width: int) -> dict[str, Any]:
    """The first layer dense, the others with experts, one group, one shared expert."""
    return {
        "n_routed_experts": count,
        "num_experts_per_tok": used,
        "moe_intermediate_size": width,
        "n_shared_experts": SHARED,
        "first_k_dense_replace": 1,
        "n_group": 1,
        "topk_group": 1,
        "norm_topk_prob": True,
        "routed_scaling_factor": 1.0,
    }

"""Tiny folders of every family, written by transformers itself, with every weight random so that a mistake shows."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch

SHAPE: dict[str, Any] = {
    "vocab_size": 99,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": None,
}
YARN = {"rope_type": "yarn", "rope_theta": 100.0, "factor": 4.0, "original_max_position_embeddings": 16}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}
LATENT = {
    "num_key_value_heads": 4,
    "kv_lora_rank": 16,
    "q_lora_rank": 24,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 16,
    "v_head_dim": 12,
}
ROUTED = {"n_routed_experts": 8, "num_experts_per_tok": 3, "moe_intermediate_size": 24, "n_group": 4, "topk_group": 2}
DEEPSEEK = {**LATENT, **ROUTED, "first_k_dense_replace": 1}
EXPERTS = {"head_dim": 16, "num_experts": 6, "num_experts_per_tok": 2, "moe_intermediate_size": 24}

# Name → the configuration class of transformers and what differs from SHAPE.
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("LlamaConfig", {}),
    "llama with biases": ("LlamaConfig", {"attention_bias": True, "mlp_bias": True}),
    "llama 3": ("LlamaConfig", {"rope_parameters": LLAMA3, "eos_token_id": [2, 5]}),
    "llama tied, linear": (
        "LlamaConfig",
        {"tie_word_embeddings": True, "rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 50.0}},
    ),
    "mistral": ("MistralConfig", {"sliding_window": None, "head_dim": 16}),
    "mistral with a window": ("MistralConfig", {"sliding_window": 7}),
    "qwen2": ("Qwen2Config", {}),
    "qwen2 tied, a window above": (
        "Qwen2Config",
        {"tie_word_embeddings": True, "use_sliding_window": True, "sliding_window": 5, "max_window_layers": 1},
    ),
    "qwen3": ("Qwen3Config", {"head_dim": 16}),
    "qwen3 with biases, windows, yarn": (
        "Qwen3Config",
        {
            "head_dim": 16,
            "attention_bias": True,
            "use_sliding_window": True,
            "sliding_window": 9,
            "max_window_layers": 1,
            "rope_parameters": YARN,
        },
    ),
    "qwen3 yarn by hand": ("Qwen3Config", {"rope_parameters": {**YARN, "attention_factor": 1.3, "truncate": False}}),
    "olmo2": ("Olmo2Config", {}),
    "olmo2 with biases": ("Olmo2Config", {"attention_bias": True, "rope_parameters": YARN}),
    "qwen3 moe": ("Qwen3MoeConfig", EXPERTS),
    "qwen3 moe, normed": ("Qwen3MoeConfig", {**EXPERTS, "norm_topk_prob": True, "mlp_only_layers": [0]}),
    "qwen3 moe, every second, window": (
        "Qwen3MoeConfig",
        {**EXPERTS, "decoder_sparse_step": 2, "use_sliding_window": True, "sliding_window": 6, "attention_bias": True},
    ),
    "deepseek": ("DeepseekV3Config", DEEPSEEK),
    "deepseek, direct queries": (
        "DeepseekV3Config",
        {**DEEPSEEK, "q_lora_rank": None, "rope_interleave": False, "norm_topk_prob": False, "n_shared_experts": 2},
    ),
    "deepseek, yarn, biases": (
        "DeepseekV3Config",
        {
            **DEEPSEEK,
            "attention_bias": True,
            "rope_parameters": {**YARN, "mscale": 0.7, "mscale_all_dim": 1.0},
            "routed_scaling_factor": 1.5,
            "n_group": 1,
            "topk_group": 1,
        },
    ),
}


def published(name: str, folder: Path, *, dtype: torch.dtype = torch.float32, shard_size: str = "5GB") -> Any:
    """Write a variant with `save_pretrained`; transformers' own model, in evaluation mode."""
    import transformers

    kind, changes = VARIANTS[name]
    torch.manual_seed(sorted(VARIANTS).index(name))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = transformers.AutoModelForCausalLM.from_config(getattr(transformers, kind)(**{**SHAPE, **changes}))
    scatter(model)
    model.to(dtype).save_pretrained(folder, max_shard_size=shard_size)
    return model.eval()


def scatter(model: Any) -> None:
    """Random numbers everywhere: norms, biases and routers too."""
    with torch.no_grad():
        for name, tensor in {**dict(model.named_parameters()), **dict(model.named_buffers())}.items():
            if "inv_freq" in name:
                continue
            tensor.normal_(1.0 if "norm" in name else 0.0, 0.3)


def some_tokens(*, rows: int = 2, length: int = 40) -> torch.Tensor:
    return torch.randint(0, SHAPE["vocab_size"], (rows, length), generator=torch.Generator().manual_seed(7))

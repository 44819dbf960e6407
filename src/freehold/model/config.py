"""The numbers that define a model: one dial (depth) sets them all, anything can be set by hand."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from freehold.errors import InputError

ARCHITECTURE = "Qwen3ForCausalLM"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """Shape of a dense Qwen3 transformer (Qwen3 technical report, arXiv:2505.09388, section 2)."""

    vocab_size: int
    width: int
    depth: int
    heads: int
    kv_heads: int
    head_size: int
    ffn_width: int
    context: int  # tokens
    rope_theta: float = 10_000.0
    norm_eps: float = 1e-6
    tied: bool = False  # the head is the embedding table
    bos_id: int | None = None
    eos_id: int | None = None
    pad_id: int | None = None

    def __post_init__(self) -> None:
        for name in ("vocab_size", "width", "depth", "heads", "kv_heads", "head_size", "ffn_width", "context"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}", where="model", remedy="give a positive number")
        if self.heads % self.kv_heads:
            raise InputError(
                f"{self.heads} heads cannot share {self.kv_heads} key/value heads",
                where="model.kv_heads",
                remedy="let kv_heads divide heads",
            )
        if self.head_size % 2:
            raise InputError(f"head_size {self.head_size} is odd", where="model.head_size", remedy="make it even")

    @classmethod
    def from_depth(cls, depth: int, *, vocabulary: int, context: int, **chosen: Any) -> ModelConfig:
        """Derive the shape from the one dial; every keyword that is not None overrides what it names.

        >>> ModelConfig.from_depth(6, vocabulary=8192, context=512).width
        384
        """
        by_hand = {name: value for name, value in chosen.items() if value is not None}
        width = int(by_hand.pop("width", 64 * depth))
        head_size = int(by_hand.pop("head_size", 64 if width < 1536 else 128))
        heads = int(by_hand.pop("heads", max(1, width // head_size)))
        derived: dict[str, Any] = {
            "kv_heads": heads // 2 if heads % 2 == 0 else heads,
            "ffn_width": 64 * -(-8 * width // (3 * 64)),  # 8/3 of the width, as SwiGLU has three matrices
        }
        shape = {**derived, **by_hand, "width": width, "head_size": head_size, "heads": heads, "depth": depth}
        return cls(vocab_size=vocabulary, context=context, **shape)

    @property
    def layer_parameters(self) -> int:
        """Matrix parameters of one layer: query, key, value, output, gate, up and down."""
        attention = 2 * self.width * self.head_size * (self.heads + self.kv_heads)
        return attention + 3 * self.width * self.ffn_width

    @property
    def matrix_parameters(self) -> int:
        """Matrix parameters used per token: all layers and the head, without the embedding table."""
        return self.depth * self.layer_parameters + self.vocab_size * self.width

    @property
    def parameters(self) -> int:
        """Every stored number, norms and embedding table included."""
        norms = self.depth * (2 * self.width + 2 * self.head_size) + self.width
        return self.matrix_parameters + norms + (0 if self.tied else self.vocab_size * self.width)

    def flops_per_token(self, sequence: int) -> int:
        """Training FLOPs per token, forward and backward: 6 x matrices + 6 x layers x sequence x attention width.

        >>> ModelConfig.from_depth(6, vocabulary=8192, context=512, kv_heads=6).flops_per_token(512)
        89653248
        """
        return 6 * self.matrix_parameters + 6 * self.depth * sequence * self.heads * self.head_size

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values under our own names."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def to_hugging_face(self, *, dtype: str = "float32") -> dict[str, Any]:
        """The config.json that transformers, vLLM and llama.cpp read."""
        return {
            "architectures": [ARCHITECTURE],
            "attention_bias": False,
            "attention_dropout": 0.0,
            "bos_token_id": self.bos_id,
            "dtype": dtype,
            "eos_token_id": self.eos_id,
            "head_dim": self.head_size,
            "hidden_act": "silu",
            "hidden_size": self.width,
            "initializer_range": 0.02,
            "intermediate_size": self.ffn_width,
            "max_position_embeddings": self.context,
            "model_type": "qwen3",
            "num_attention_heads": self.heads,
            "num_hidden_layers": self.depth,
            "num_key_value_heads": self.kv_heads,
            "pad_token_id": self.pad_id,
            "rms_norm_eps": self.norm_eps,
            "rope_parameters": {"rope_theta": self.rope_theta, "rope_type": "default"},
            "rope_theta": self.rope_theta,  # where transformers before 5 looks for it
            "tie_word_embeddings": self.tied,
            "torch_dtype": dtype,  # the same
            "use_cache": True,
            "use_sliding_window": False,
            "vocab_size": self.vocab_size,
        }

    @classmethod
    def from_hugging_face(cls, config: dict[str, Any], *, where: str = "config.json") -> ModelConfig:
        """Read a Qwen3 config.json; InputError names what we cannot run."""
        if config.get("model_type") != "qwen3":
            raise InputError(
                f"model_type {config.get('model_type')!r} is not supported", where=where, remedy="use a Qwen3 folder"
            )
        if config.get("attention_bias") or config.get("use_sliding_window") or config.get("rope_scaling"):
            raise InputError(
                "attention biases, sliding windows and scaled rotary positions are not supported", where=where
            )
        rope = config.get("rope_parameters") or {}
        try:
            return cls(
                vocab_size=config["vocab_size"],
                width=config["hidden_size"],
                depth=config["num_hidden_layers"],
                heads=config["num_attention_heads"],
                kv_heads=config["num_key_value_heads"],
                head_size=config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"],
                ffn_width=config["intermediate_size"],
                context=config["max_position_embeddings"],
                rope_theta=float(rope.get("rope_theta") or config.get("rope_theta") or 10_000.0),
                norm_eps=config["rms_norm_eps"],
                tied=bool(config.get("tie_word_embeddings", False)),
                bos_id=config.get("bos_token_id"),
                eos_id=config.get("eos_token_id"),
                pad_id=config.get("pad_token_id"),
            )
        except KeyError as missing:
            raise InputError(f"{missing.args[0]} is missing", where=where, remedy="give a complete folder") from None

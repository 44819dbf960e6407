"""The numbers that define a model: one dial (depth) sets them all, anything can be set by hand.

The defaults are Qwen3's (arXiv:2505.09388, section 2). `families.py` says how each family of the Hugging Face
ecosystem sets the rest.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from freehold import flops
from freehold.errors import InputError

POSITIVE = ("vocab_size", "width", "depth", "heads", "kv_heads", "head_size", "ffn_width", "context")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """How rotary positions reach beyond the context they were learned with, under config.json's own names."""

    rope_type: Literal["linear", "llama3", "yarn"]
    factor: float
    original_max_position_embeddings: int = 0  # llama3 and yarn; linear needs none
    low_freq_factor: float = 1.0  # llama3
    high_freq_factor: float = 4.0
    beta_fast: float = 32.0  # yarn
    beta_slow: float = 1.0
    attention_factor: float | None = None
    mscale: float | None = None
    mscale_all_dim: float | None = None
    truncate: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Latent:
    """Multi-head latent attention: queries and keys pass through narrow matrices (arXiv:2405.04434, section 2.1).

    The head size of the configuration is that of queries and keys: `plain_size` + `rotary_size`.
    """

    query_rank: int | None  # None: queries are made in one step
    value_rank: int  # of what keys and values share
    rotary_size: int  # of a head's numbers, those that are rotated
    value_size: int  # of a head
    interleaved: bool = True  # rotated pairs stand side by side, not half a head apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Experts:
    """Feed-forward layers of which each token uses a few (Shazeer et al., arXiv:1701.06538)."""

    count: int
    chosen: int  # a token
    width: int  # of one expert
    layers: tuple[int, ...]  # that have experts; the others are dense
    score: Literal["softmax", "sigmoid"] = "softmax"
    normed: bool = True  # the chosen experts' shares add up to one
    groups: int = 1  # sigmoid: experts are chosen within the best `chosen_groups` of these
    chosen_groups: int = 1
    scale: float = 1.0  # sigmoid: of the experts' sum
    shared_width: int = 0  # of a feed-forward that every token uses; 0: none


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """Shape of a causal transformer that `Transformer` can build."""

    vocab_size: int
    width: int
    depth: int
    heads: int
    kv_heads: int
    head_size: int  # of queries and keys
    ffn_width: int  # of dense layers
    context: int  # tokens
    rope_theta: float = 10_000.0
    norm_eps: float = 1e-6
    tied: bool = False  # the head is the embedding table
    bos_id: int | None = None
    eos_id: int | None = None
    pad_id: int | None = None
    family: str = "qwen3"  # model_type of config.json
    scaling: Scaling | None = None
    qk_norm: Literal["head", "full"] | None = "head"  # norm of queries and keys: a head at a time, or all together
    post_norm: bool = False  # norms stand after attention and feed-forward instead of before (OLMo 2)
    input_bias: bool = False  # of query, key and value
    output_bias: bool = False  # of attention's output
    ffn_bias: bool = False
    windows: tuple[int, ...] = ()  # positions that each layer sees, itself included; 0: all; (): all in every layer
    latent: Latent | None = None
    experts: Experts | None = None
    published: str | None = None  # config.json as it was published, for a model that came from a folder
    published_generation: str | None = None  # its generation_config.json

    def __post_init__(self) -> None:
        self._settle()
        for name in POSITIVE:
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}", where="model", remedy="give a positive number")
        if self.heads % self.kv_heads:
            raise InputError(
                f"{self.heads} heads cannot share {self.kv_heads} key/value heads",
                where="model.kv_heads",
                remedy="let kv_heads divide heads",
            )
        if self.latent and min(self.latent.value_rank, self.latent.value_size, self.head_size - self.rotary_size) < 1:
            raise InputError("a size of latent attention is not positive", where="model.latent")
        if self.rotary_size % 2:
            raise InputError(f"head_size {self.rotary_size} is odd", where="model.head_size", remedy="make it even")
        if self.windows and len(self.windows) != self.depth:
            raise InputError(f"{len(self.windows)} windows for {self.depth} layers", where="model.windows")
        if self.experts and not 0 < self.experts.chosen <= self.experts.count:
            raise InputError(
                f"{self.experts.chosen} of {self.experts.count} experts cannot be chosen",
                where="model.experts",
                remedy="choose at least one and at most all",
            )

    def _settle(self) -> None:
        """Tables and lists of a recipe (JSON) become what they mean."""
        for name, kind in (("scaling", Scaling), ("latent", Latent), ("experts", Experts)):
            value = getattr(self, name)
            if isinstance(value, dict):
                lists = {key: tuple(entry) for key, entry in value.items() if isinstance(entry, list)}
                object.__setattr__(self, name, kind(**{**value, **lists}))
        object.__setattr__(self, "windows", tuple(self.windows))

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
    def rotary_size(self) -> int:
        """How many numbers of a query's head are rotated."""
        return self.latent.rotary_size if self.latent else self.head_size

    @property
    def value_size(self) -> int:
        """Size of a value's head."""
        return self.latent.value_size if self.latent else self.head_size

    def window(self, layer: int) -> int:
        """How many positions a layer sees, itself included; 0: all."""
        return self.windows[layer] if self.windows else 0

    def sparse(self, layer: int) -> bool:
        """Whether a layer has experts."""
        return self.experts is not None and layer in self.experts.layers

    @property
    def matrix_parameters(self) -> int:
        """Matrix parameters used per token: all layers and the head, without the embedding table."""
        return flops.matrices(self)

    @property
    def parameters(self) -> int:
        """Every learned number, norms, biases and the embedding table included."""
        table = 0 if self.tied else self.vocab_size * self.width
        return (
            flops.matrices(self, active=False) + self.depth * self._attention_vectors() + self._other_vectors() + table
        )

    def flops_per_token(self, sequence: int) -> int:
        """Training FLOPs per token, forward and backward: 6 x matrices, and 6 x attention width x positions seen.

        >>> ModelConfig.from_depth(6, vocabulary=8192, context=512, kv_heads=6).flops_per_token(512)
        89653248
        """
        return flops.flops_per_token(self, sequence)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values under our own names, from which `ModelConfig(**values)` is made again."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self)))  # tuples become lists, as a recipe has them
        return values

    def _attention_vectors(self) -> int:
        """Norms and biases of one layer's attention."""
        biases = self.width if self.output_bias else 0
        if self.latent:
            rank = self.latent.query_rank or 0
            if self.input_bias:
                biases += rank + self.latent.value_rank + self.latent.rotary_size
            return biases + rank + self.latent.value_rank
        heads = self.heads + self.kv_heads
        if self.input_bias:
            biases += self.head_size * (heads + self.kv_heads)
        return biases + {"head": 2, "full": heads, None: 0}[self.qk_norm] * self.head_size

    def _other_vectors(self) -> int:
        """The layers' two norms each, the last norm, and biases of dense feed-forwards."""
        dense = sum(not self.sparse(layer) for layer in range(self.depth))
        biases = dense * (2 * self.ffn_width + self.width) if self.ffn_bias else 0
        return (2 * self.depth + 1) * self.width + biases


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignConfig:
    """What is known of a model that transformers runs for us (see `foreign.py`)."""

    family: str  # model_type of config.json
    vocab_size: int
    width: int
    depth: int
    context: int  # tokens
    tied: bool
    bos_id: int | None
    eos_id: int | None
    pad_id: int | None
    parameters: int  # counted
    matrix_parameters: int  # counted: every matrix but the tables that tokens and positions are looked up in
    published: str | None
    published_generation: str | None = None

    def flops_per_token(self, sequence: int) -> int:
        """Training FLOPs per token as if attention were as wide as the stream and every matrix used."""
        counted, depth = self.matrix_parameters, self.depth
        return flops.foreign_flops_per_token(
            matrix_parameters=counted, depth=depth, width=self.width, sequence=sequence
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

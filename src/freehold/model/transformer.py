"""The transformer: Qwen3's shape and Hugging Face's parameter names, small enough to read at once.

Legend: B batch, T positions, C width, H query heads, K key/value heads, D head size, F feed-forward width,
V vocabulary, N = B x T flattened.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from freehold.model.attention import Attend, causal_attention, causal_bias, rotation
from freehold.model.config import ModelConfig
from freehold.model import native
from freehold.model.head import head_loss
from freehold.model.linear import Linear
from freehold.model.rows import RMSNorm, gated, norm_and_turn

LayerAttend = Callable[[int, Tensor, Tensor, Tensor], Tensor]  # (layer, q_BHTD, k_BKTD, v_BKTD) -> o_BHTD


def _linear(inputs: int, outputs: int) -> nn.Linear:
    return Linear(inputs, outputs, bias=False)


class Attention(nn.Module):
    """Grouped-query attention with normed queries and keys."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.head_size = config.head_size
        self.q_proj = _linear(config.width, config.heads * config.head_size)
        self.k_proj = _linear(config.width, config.kv_heads * config.head_size)
        self.v_proj = _linear(config.width, config.kv_heads * config.head_size)
        self.o_proj = _linear(config.heads * config.head_size, config.width)
        self.q_norm = RMSNorm(config.head_size, eps=config.norm_eps)
        self.k_norm = RMSNorm(config.head_size, eps=config.norm_eps)

    def forward(self, x_BTC: Tensor, turn: tuple[Tensor, Tensor], attend: Attend) -> Tensor:
        """Mix positions; (B, T, C) in and out."""
        q_BHTD = norm_and_turn(self._heads(self.q_proj(x_BTC)), self.q_norm, turn)
        k_BKTD = norm_and_turn(self._heads(self.k_proj(x_BTC)), self.k_norm, turn)
        v_BKTD = self._heads(self.v_proj(x_BTC)).transpose(1, 2)
        o_BHTD = attend(q_BHTD, k_BKTD, v_BKTD)
        o_BTC: Tensor = self.o_proj(o_BHTD.transpose(1, 2).flatten(2))
        return o_BTC

    def _heads(self, x_BTC: Tensor) -> Tensor:
        heads_BTHD: Tensor = x_BTC.unflatten(-1, (-1, self.head_size))
        return heads_BTHD


class FeedForward(nn.Module):
    """SwiGLU (arXiv:2002.05202)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.gate_proj = _linear(config.width, config.ffn_width)
        self.up_proj = _linear(config.width, config.ffn_width)
        self.down_proj = _linear(config.ffn_width, config.width)

    def forward(self, x_BTC: Tensor) -> Tensor:
        """Each position for itself; (B, T, C) in and out."""
        y_BTC: Tensor = self.down_proj(gated(self.gate_proj(x_BTC), self.up_proj(x_BTC)))
        return y_BTC


class Block(nn.Module):
    """One layer: attention and feed-forward, each normed before and added to the stream."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(config.width, eps=config.norm_eps)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RMSNorm(config.width, eps=config.norm_eps)
        self.mlp = FeedForward(config)

    def forward(self, x_BTC: Tensor, turn: tuple[Tensor, Tensor], attend: Attend | Tensor | None) -> Tensor:
        """(B, T, C) in and out; `turn` are the rotary cosines and sines of the positions.

        `attend` is how positions meet, or the `causal_bias` with which they meet causally, or None: the native way.
        """
        if attend is None:
            attend = native.attend
        elif isinstance(attend, Tensor):
            attend = partial(causal_attention, bias_TT=attend)
        x_BTC = x_BTC + self.self_attn(self.input_layernorm(x_BTC), turn, attend)
        return x_BTC + cast("Tensor", self.mlp(self.post_attention_layernorm(x_BTC)))


class Trunk(nn.Module):
    """Everything below the head, under the name that Hugging Face gives it (`model`)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.width)
        self.layers = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.norm = RMSNorm(config.width, eps=config.norm_eps)


class Transformer(nn.Module):
    """A causal language model.

    Weights are uninitialised until `learn.start.initialise` or `model.hf.load` fills them. Parameters may be
    fp32 or bf16; the stream has the type of the matrices, the embedding table may stay fp32 beside them.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        with torch.device("meta"):
            self.model = Trunk(config)
            self.lm_head = _linear(config.width, config.vocab_size)
        self.to_empty(device="cpu")
        if config.tied:
            self.lm_head.weight = self.model.embed_tokens.weight

    def hidden(
        self, tokens_BT: Tensor, *, positions_BT: Tensor | None = None, attend: LayerAttend | None = None
    ) -> Tensor:
        """The normed stream (B, T, C) above the last layer.

        `positions_BT` defaults to 0 … T-1. `attend(layer, q_BHTD, k_BKTD, v_BKTD) -> o_BHTD` replaces causal
        attention over the T given positions, for example by one that reads a key/value cache.
        """
        if positions_BT is None:
            positions_BT = torch.arange(tokens_BT.shape[1], device=tokens_BT.device)
        turn = rotation(positions_BT, head_size=self.config.head_size, theta=self.config.rope_theta)
        x_BTC = self.model.embed_tokens(tokens_BT).to(self.stream_type)
        T = tokens_BT.shape[1]
        fast = attend is not None or native.fits(T, self.config.head_size, like=x_BTC)
        bias_TT = None if fast else causal_bias(T, device=tokens_BT.device)
        for index, block in enumerate(self.model.layers):
            x_BTC = block(x_BTC, turn, bias_TT if attend is None else partial(attend, index))
        normed_BTC: Tensor = self.model.norm(x_BTC)
        return normed_BTC

    def forward(self, tokens_BT: Tensor) -> Tensor:
        """Logits (B, T, V) of the token after each position."""
        return self.logits(self.hidden(tokens_BT))

    def logits(self, x_BTC: Tensor) -> Tensor:
        """Logits (…, V) of the stream (…, C) that `hidden` returned."""
        return functional.linear(x_BTC, self.lm_head.weight.to(x_BTC.dtype))

    def loss(self, tokens_BT: Tensor, targets_BT: Tensor, *, divisor: int | None = None) -> Tensor:
        """Cross-entropy in nats: summed over targets that are not -100, divided by their number or `divisor`."""
        x_NC = self.hidden(tokens_BT).flatten(0, 1)
        return head_loss(x_NC, self.lm_head.weight, targets_BT.flatten(), divisor=divisor)

    @property
    def stream_type(self) -> torch.dtype:
        """The type in which layers compute."""
        return self.model.norm.weight.dtype

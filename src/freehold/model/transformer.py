"""The transformer: one stack of small parts, in Hugging Face's names, that all the families we build share.

Legend: B batch, T positions, C width, H query heads, K key/value heads, D head size, V vocabulary, N = B x T flattened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention.flex_attention import BlockMask

from freehold.model import flex, native
from freehold.model.attention import Attend, causal_attention, causal_bias, products_pay, rotate
from freehold.model.config import ModelConfig
from freehold.model.experts import Mixture, Router
from freehold.model.head import head_loss
from freehold.model.language import LanguageModel
from freehold.model.latent import LatentAttention
from freehold.model.layers import FeedForward, RMSNorm, linear, norm_and_turn
from freehold.model.rotary import Turn, turn

__all__ = ["LanguageModel", "LayerAttend", "Transformer"]

LayerAttend = Callable[[int, Tensor, Tensor, Tensor], Tensor]  # (layer, q_BHTD, k_BKTD, v_BKTD) -> o_BHTD


class Attention(nn.Module):
    """Grouped-query attention; queries and keys may be normed, each head for itself or all heads together."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.head_size, self.norm = config.head_size, config.qk_norm
        queries, keys = config.heads * config.head_size, config.kv_heads * config.head_size
        self.q_proj = linear(config.width, queries, bias=config.input_bias)
        self.k_proj = linear(config.width, keys, bias=config.input_bias)
        self.v_proj = linear(config.width, keys, bias=config.input_bias)
        self.o_proj = linear(queries, config.width, bias=config.output_bias)
        if self.norm is not None:
            per_head = self.norm == "head"
            self.q_norm = RMSNorm(config.head_size if per_head else queries, eps=config.norm_eps)
            self.k_norm = RMSNorm(config.head_size if per_head else keys, eps=config.norm_eps)

    def forward(self, x_BTC: Tensor, turn: Turn, attend: Attend) -> Tensor:
        """Mix positions; (B, T, C) in and out."""
        q_BTHD, k_BTKD = self.q_proj(x_BTC), self.k_proj(x_BTC)
        if self.norm == "head":
            q_BHTD = norm_and_turn(self._heads(q_BTHD), self.q_norm, turn)
            k_BKTD = norm_and_turn(self._heads(k_BTKD), self.k_norm, turn)
        else:
            if self.norm == "full":
                q_BTHD, k_BTKD = self.q_norm(q_BTHD), self.k_norm(k_BTKD)
            q_BHTD = rotate(self._heads(q_BTHD).transpose(1, 2), turn)
            k_BKTD = rotate(self._heads(k_BTKD).transpose(1, 2), turn)
        v_BKTD = self._heads(self.v_proj(x_BTC)).transpose(1, 2)
        o_BHTD = attend(q_BHTD, k_BKTD, v_BKTD)
        o_BTC: Tensor = self.o_proj(o_BHTD.transpose(1, 2).flatten(2))
        return o_BTC

    def _heads(self, x_BTC: Tensor) -> Tensor:
        heads_BTHD: Tensor = x_BTC.unflatten(-1, (-1, self.head_size))
        return heads_BTHD


class Block(nn.Module):
    """One layer: attention and feed-forward, each with its norm and added to the stream."""

    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        self.post_norm = config.post_norm
        if not self.post_norm:
            self.input_layernorm = RMSNorm(config.width, eps=config.norm_eps)
        self.self_attn = LatentAttention(config, config.latent) if config.latent else Attention(config)
        self.post_attention_layernorm = RMSNorm(config.width, eps=config.norm_eps)
        if self.post_norm:
            self.post_feedforward_layernorm = RMSNorm(config.width, eps=config.norm_eps)
        if config.experts and config.sparse(layer):
            self.mlp: nn.Module = Mixture(config.width, config.experts)
        else:
            self.mlp = FeedForward(config.width, config.ffn_width, bias=config.ffn_bias)

    def forward(self, x_BTC: Tensor, turn: Turn, attend: Attend | BlockMask | Tensor | None) -> Tensor:
        """(B, T, C) in and out; `turn` are the rotary cosines and sines of the positions.

        `attend` is how positions meet, or the bias or mask with which they meet causally (see `causal_attention` and
        `flex.document_attention`).
        """
        if isinstance(attend, BlockMask):
            attend = partial(flex.document_attention, mask=attend)
        elif attend is None or isinstance(attend, Tensor):
            attend = partial(causal_attention, bias_TT=attend)
        if self.post_norm:
            x_BTC = x_BTC + self.post_attention_layernorm(self.self_attn(x_BTC, turn, attend))
            return x_BTC + cast("Tensor", self.post_feedforward_layernorm(self.mlp(x_BTC)))
        x_BTC = x_BTC + self.self_attn(self.input_layernorm(x_BTC), turn, attend)
        return x_BTC + cast("Tensor", self.mlp(self.post_attention_layernorm(x_BTC)))


class Trunk(nn.Module):
    """Everything below the head, under the name that Hugging Face gives it (`model`)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.width)
        self.layers = nn.ModuleList(Block(config, layer) for layer in range(config.depth))
        self.norm = RMSNorm(config.width, eps=config.norm_eps)


class Transformer(LanguageModel):
    """A causal language model of any family in `families.py`.

    Weights are uninitialised until `learn.start.initialise` or `model.hf.load_folder` fills them. Parameters may be
    fp32 or bf16; the stream has the type of the matrices, the embedding table may stay fp32 beside them.
    """

    def __init__(self, config: ModelConfig, *, device: str = "cpu", dtype: torch.dtype = torch.float32) -> None:
        """On the device "meta" nothing is allocated: enough to know names and shapes."""
        super().__init__()
        self.config: ModelConfig = config
        with torch.device("meta"):
            self.model = Trunk(config)
            self.lm_head = linear(config.width, config.vocab_size)
        for weight in self.parameters():
            weight.data = weight.data.to(dtype)
        self.to_empty(device=device)
        for buffer in self.buffers():  # biases and counts of routers, in fp32 whatever the weights are
            buffer.zero_()
        if config.tied:
            self.lm_head.weight = self.model.embed_tokens.weight

    def hidden(
        self,
        tokens_BT: Tensor,
        *,
        positions_BT: Tensor | None = None,
        attend: LayerAttend | None = None,
        documents_BT: Tensor | None = None,
    ) -> Tensor:
        """The normed stream (B, T, C) above the last layer.

        `positions_BT` defaults to 0 … T-1. `attend(layer, q_BHTD, k_BKTD, v_BKTD) -> o_BHTD` replaces causal
        attention over the T given positions, for example by one that reads a key/value cache. `documents_BT`, the
        number of the document at each position, keeps causal attention within documents.
        """
        if positions_BT is None:
            positions_BT = torch.arange(tokens_BT.shape[1], device=tokens_BT.device)
        angles = turn(positions_BT, self.config)
        x_BTC = self.model.embed_tokens(tokens_BT).to(self.stream_type)
        biases = self._biases(tokens_BT, documents_BT) if attend is None else {}
        for index, block in enumerate(self.model.layers):
            meet = biases[self.config.window(index)] if attend is None else partial(attend, index)
            x_BTC = block(x_BTC, angles, meet)
        normed_BTC: Tensor = self.model.norm(x_BTC)
        return normed_BTC

    def _biases(self, tokens_BT: Tensor, documents_BT: Tensor | None) -> dict[int, Tensor | BlockMask | None]:
        """What each window's causal attention adds to the scores; None where plain causality needs no bias."""
        length, device = tokens_BT.shape[1], tokens_BT.device
        windows = {self.config.window(layer) for layer in range(self.config.depth)}
        if documents_BT is not None and device.type == "cuda":
            return {window: flex.document_mask(documents_BT, window=window) for window in windows}
        stacks, like = len(tokens_BT) * self.config.kv_heads, self.model.norm.weight
        fast = self.config.latent is None and native.fits(length, self.config.head_size, like=like, items=stacks)
        needed = documents_BT is not None or (not fast and products_pay(length, device=device))
        return {
            window: causal_bias(length, device=device, window=window, documents_BT=documents_BT)
            if needed or 0 < window < length
            else None
            for window in windows
        }

    def logits(self, x_BTC: Tensor) -> Tensor:
        """Logits (…, V) of the stream (…, C) that `hidden` returned."""
        return functional.linear(x_BTC, self.lm_head.weight.to(x_BTC.dtype))

    def loss(
        self,
        tokens_BT: Tensor,
        targets_BT: Tensor,
        *,
        divisor: int | None = None,
        documents_BT: Tensor | None = None,
    ) -> Tensor:
        """Cross-entropy in nats: summed over targets that are not -100, divided by their number or `divisor`."""
        x_NC = self.hidden(tokens_BT, documents_BT=documents_BT).flatten(0, 1)
        return head_loss(x_NC, self.lm_head.weight, targets_BT.flatten(), divisor=divisor)

    def after_step(self, *, taken: bool) -> None:
        """Let routers balance their experts by what the step's tokens chose; nothing in dense models."""
        for router in self.routers():
            router.after_step(taken=taken)

    def routers(self) -> Iterator[Router]:
        """Every router, from the first layer up."""
        return (module for module in self.modules() if isinstance(module, Router))

    @property
    def embedding(self) -> nn.Parameter:
        """The table (V, C) of what tokens enter as."""
        return cast("nn.Parameter", self.model.embed_tokens.weight)

    @property
    def head(self) -> nn.Parameter:
        """The matrix (V, C) of the head: the table itself where they are tied."""
        return cast("nn.Parameter", self.lm_head.weight)

    @property
    def wide(self) -> tuple[nn.Parameter, ...]:
        """The table: it is only looked up, and its gradient sums thousands of rare small numbers."""
        return (self.embedding,)

    @property
    def stream_type(self) -> torch.dtype:
        """The type in which layers compute."""
        return self.model.norm.weight.dtype

"""Multi-head latent attention: keys and values are expanded from one narrow vector a position.

DeepSeek-V2 (arXiv:2405.04434, section 2.1), under Hugging Face's names.

Legend: B batch, T positions, C width, H heads, D head size of queries and keys, of which N plain and R rotated,
E head size of values, L rank of what keys and values share.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from freehold.model.attention import Attend, rotate
from freehold.model.config import Latent, ModelConfig
from freehold.model.layers import RMSNorm, linear
from freehold.model.rotary import Turn, score_factor

NORM_EPS = 1e-6  # of the narrow norms, whatever config.json says of the others


class LatentAttention(nn.Module):
    """Attention whose queries may, and whose keys and values do pass through a narrow normed vector."""

    def __init__(self, config: ModelConfig, latent: Latent) -> None:
        super().__init__()
        self.heads, self.latent = config.heads, latent
        self.plain_size = config.head_size - latent.rotary_size
        self.strength = score_factor(config.scaling)
        made, bias = config.heads * config.head_size, config.input_bias
        if latent.query_rank is None:
            self.q_proj = linear(config.width, made)
        else:
            self.q_a_proj = linear(config.width, latent.query_rank, bias=bias)
            self.q_a_layernorm = RMSNorm(latent.query_rank, eps=NORM_EPS)
            self.q_b_proj = linear(latent.query_rank, made)
        self.kv_a_proj_with_mqa = linear(config.width, latent.value_rank + latent.rotary_size, bias=bias)
        self.kv_a_layernorm = RMSNorm(latent.value_rank, eps=NORM_EPS)
        self.kv_b_proj = linear(latent.value_rank, config.heads * (self.plain_size + latent.value_size))
        self.o_proj = linear(config.heads * latent.value_size, config.width, bias=config.output_bias)

    def forward(self, x_BTC: Tensor, turn: Turn, attend: Attend) -> Tensor:
        """Mix positions; (B, T, C) in and out."""
        latent = self.latent
        q_BHTN, q_BHTR = self._queries(x_BTC).split([self.plain_size, latent.rotary_size], dim=-1)
        shared_BTL, k_BTR = self.kv_a_proj_with_mqa(x_BTC).split([latent.value_rank, latent.rotary_size], dim=-1)
        expanded_BHTX = self._heads(self.kv_b_proj(self.kv_a_layernorm(shared_BTL)))
        k_BHTN, v_BHTE = expanded_BHTX.split([self.plain_size, latent.value_size], dim=-1)
        k_BHTR = self._rotate(k_BTR.unsqueeze(1), turn).expand(-1, self.heads, -1, -1)
        q_BHTD = torch.cat((q_BHTN, self._rotate(q_BHTR, turn)), dim=-1)
        if self.strength != 1.0:
            q_BHTD = q_BHTD * self.strength
        o_BHTE = attend(q_BHTD, torch.cat((k_BHTN, k_BHTR), dim=-1), v_BHTE)
        o_BTC: Tensor = self.o_proj(o_BHTE.transpose(1, 2).flatten(2))
        return o_BTC

    def _queries(self, x_BTC: Tensor) -> Tensor:
        if self.latent.query_rank is None:
            return self._heads(self.q_proj(x_BTC))
        return self._heads(self.q_b_proj(self.q_a_layernorm(self.q_a_proj(x_BTC))))

    def _heads(self, x_BTX: Tensor) -> Tensor:
        x_BHTX: Tensor = x_BTX.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        return x_BHTX

    def _rotate(self, x_BHTR: Tensor, turn: Turn) -> Tensor:
        """Rotate pairs; those that stand side by side are first set half a head apart."""
        if self.latent.interleaved:
            x_BHTR = x_BHTR.unflatten(-1, (-1, 2)).transpose(-1, -2).flatten(-2)
        return rotate(x_BHTR, turn)

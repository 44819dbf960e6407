"""The small parts of every layer: norm, rotary positions, SwiGLU; native where that is possible.

Legend: B batch, T positions, H heads, D head size, C width, F feed-forward width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from freehold.model import native
from freehold.model.attention import rotate
from freehold.model.linear import Linear
from freehold.model.rotary import Turn


class RMSNorm(nn.Module):
    """Root mean square norm over the last axis, computed in fp32 (arXiv:1910.07467)."""

    def __init__(self, size: int, *, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Same shape and type as `x`."""
        if native.fits(x.shape[-1], like=x):
            rows_1N1C = x.reshape(1, -1, 1, x.shape[-1])
            return native.norm(rows_1N1C, self.weight, [], self.eps).view(x.shape)
        wide = x.float()
        scaled = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)
        return (scaled * self.weight.float()).to(x.dtype)


def norm_and_turn(x_BTHD: Tensor, norm: RMSNorm, turn: Turn) -> Tensor:
    """Norm each head, then rotate it by its position; (B, H, T, D) out."""
    if turn[0].dim() == 3 and native.fits(x_BTHD.shape[-1], like=x_BTHD):  # one set of positions for all sequences
        return native.norm(x_BTHD, norm.weight, [angle[0] for angle in turn], norm.eps)
    normed_BTHD: Tensor = norm(x_BTHD)
    return rotate(normed_BTHD.transpose(1, 2), turn)


def gated(gate_BTF: Tensor, up_BTF: Tensor) -> Tensor:
    """SwiGLU's middle: silu(gate) up."""
    if native.fits(gate_BTF.shape[-1], like=gate_BTF):
        return native.gated(gate_BTF, up_BTF)
    return functional.silu(gate_BTF) * up_BTF


def linear(inputs: int, outputs: int, *, bias: bool = False) -> Linear:
    """A matrix, most often without a bias."""
    return Linear(inputs, outputs, bias=bias)


class FeedForward(nn.Module):
    """SwiGLU (arXiv:2002.05202)."""

    def __init__(self, width: int, inner: int, *, bias: bool = False) -> None:
        super().__init__()
        self.gate_proj = linear(width, inner, bias=bias)
        self.up_proj = linear(width, inner, bias=bias)
        self.down_proj = linear(inner, width, bias=bias)

    def forward(self, x_BTC: Tensor) -> Tensor:
        """Each position for itself; (B, T, C) in and out."""
        y_BTC: Tensor = self.down_proj(gated(self.gate_proj(x_BTC), self.up_proj(x_BTC)))
        return y_BTC

"""The small parts of every layer: norm, linear and SwiGLU.

Legend: B batch, T positions, C width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class RMSNorm(nn.Module):
    """Root mean square norm over the last axis, computed in fp32 (arXiv:1910.07467)."""

    def __init__(self, size: int, *, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Same shape and type as `x`."""
        wide = x.float()
        scaled = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.eps)
        return (scaled * self.weight.float()).to(x.dtype)


def linear(inputs: int, outputs: int, *, bias: bool = False) -> nn.Linear:
    """A matrix, most often without a bias."""
    return nn.Linear(inputs, outputs, bias=bias)


class FeedForward(nn.Module):
    """SwiGLU (arXiv:2002.05202)."""

    def __init__(self, width: int, inner: int, *, bias: bool = False) -> None:
        super().__init__()
        self.gate_proj = linear(width, inner, bias=bias)
        self.up_proj = linear(width, inner, bias=bias)
        self.down_proj = linear(inner, width, bias=bias)

    def forward(self, x_BTC: Tensor) -> Tensor:
        """Each position for itself; (B, T, C) in and out."""
        y_BTC: Tensor = self.down_proj(functional.silu(self.gate_proj(x_BTC)) * self.up_proj(x_BTC))
        return y_BTC

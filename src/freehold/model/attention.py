"""Attention: rotary positions, and causal attention written as batched matrix products.

Legend: B batch, T query positions, S key positions, H query heads, K key/value heads, G query heads per
key/value head, D head size; Z = B x K stacks of R = G x T query rows.

Where native kernels cannot run, a CPU multiplies the scores out instead of calling scaled_dot_product_attention: its
backward pass does not use the matrix units there (37 ms a layer, forward and backward, for 8 x 512 tokens and 6 heads
of 64 in bf16 on two AMX cores, where products and exponentials take 19; on one core 35, and the native kernels 17).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional

from freehold.model import native

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]  # (q_BHTD, k_BKTD, v_BKTD) -> o_BHTD

QUERY_BLOCK = 256  # queries that share one causal cut; keys after the block are never multiplied
LONGEST_PRODUCT = 2048  # beyond this, storing the probabilities costs more memory than their products save


def rotation(positions: Tensor, *, head_size: int, theta: float) -> tuple[Tensor, Tensor]:
    """Cosines and sines (…, 1, T, D) in fp32 for positions (…, T) (RoFormer, arXiv:2104.09864, section 3.4)."""
    exponent_D2 = torch.arange(0, head_size, 2, device=positions.device, dtype=torch.float32) / head_size
    angle_TD2 = positions.unsqueeze(-1).float() * theta**-exponent_D2
    angle_TD = torch.cat((angle_TD2, angle_TD2), dim=-1).unsqueeze(-3)
    return angle_TD.cos(), angle_TD.sin()


def rotate(x_BHTD: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Turn each pair (i, i + D/2) by its position's angle; computed in fp32, returned in the input's type."""
    cosine, sine = turn
    x = x_BHTD.float()
    left, right = x.chunk(2, dim=-1)
    return (x * cosine + torch.cat((-right, left), dim=-1) * sine).to(x_BHTD.dtype)


def causal_bias(length: int, *, device: torch.device, window: int = 0, documents_BT: Tensor | None = None) -> Tensor:
    """(T, T) in fp32: 0 where a query (row) may see a key (column), minus infinity after it.

    `window` (0: all) is how many positions a query sees, itself included. With `documents_BT`, the number of the
    document at each position, the bias is (B, T, T) and a query sees its own document alone.

    A tensor and not an expression of indices, because inductor computes the latter in scalar int64 on a CPU.
    """
    bias_TT = torch.full((length, length), float("-inf"), device=device).triu(1)
    if window:
        bias_TT += torch.full((length, length), float("-inf"), device=device).tril(-window)
    if documents_BT is None:
        return bias_TT
    return bias_TT.where(documents_BT.unsqueeze(-1) == documents_BT.unsqueeze(-2), float("-inf"))


def products_pay(length: int, *, device: torch.device) -> bool:
    """Whether attention is multiplied out here: to learn, on a CPU, over a length whose probabilities fit."""
    return device.type == "cpu" and length <= LONGEST_PRODUCT and torch.is_grad_enabled()


def causal_attention(q_BHTD: Tensor, k_BKTD: Tensor, v_BKTD: Tensor, bias_TT: Tensor | None) -> Tensor:
    """Every position sees itself and what came before; (B, H, T, D) out.

    `bias_TT` comes from `causal_bias`, and may be (B, T, T); None is plain causality where products do not pay.
    """
    length = q_BHTD.shape[2]
    stacks, alike = k_BKTD.shape[0] * k_BKTD.shape[1], q_BHTD.shape[-1] == v_BKTD.shape[-1]
    if bias_TT is None and alike and native.fits(*q_BHTD.shape[2:], like=q_BHTD, items=stacks):
        return native.attend(q_BHTD, k_BKTD, v_BKTD)
    if bias_TT is None or not products_pay(length, device=q_BHTD.device):
        grouped = q_BHTD.shape[1] != k_BKTD.shape[1]
        mask = None if bias_TT is None else (bias_TT.unsqueeze(1) if bias_TT.dim() == 3 else bias_TT).to(q_BHTD.dtype)
        return functional.scaled_dot_product_attention(
            q_BHTD, k_BKTD, v_BKTD, attn_mask=mask, is_causal=mask is None, enable_gqa=grouped
        )
    parts = [
        _query_block(
            q_BHTD[:, :, start:stop], k_BKTD[:, :, :stop], v_BKTD[:, :, :stop], bias_TT[..., start:stop, :stop]
        )
        for start in range(0, length, QUERY_BLOCK)
        for stop in [min(length, start + QUERY_BLOCK)]
    ]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)


def _query_block(q_BHTD: Tensor, k_BKSD: Tensor, v_BKSD: Tensor, bias_TS: Tensor) -> Tensor:
    """Attention of some queries over the keys up to the last of them."""
    B, H, T, D = q_BHTD.shape
    K, S = k_BKSD.shape[1:3]
    # Query heads that share keys are stacked as rows (R) of one product, so keys are never repeated in memory.
    q_ZRD = q_BHTD.reshape(B * K, H // K * T, D)
    if bias_TS.dim() == 3:  # one for each sequence, for all its stacks
        bias_TS = bias_TS.repeat_interleave(K, dim=0).unsqueeze(1)
    v_ZSD = v_BKSD.reshape(B * K, S, v_BKSD.shape[-1])  # values may be of another size than keys
    o_ZRD: Tensor = _Products.apply(q_ZRD, k_BKSD.reshape(B * K, S, D), v_ZSD, bias_TS)
    return o_ZRD.view(B, H, T, v_BKSD.shape[-1])


class _Products(torch.autograd.Function):
    """Softmax attention of Z stacks of R query rows, with FlashAttention's backward (arXiv:2205.14135, appendix B.4).

    The exponentials stay unnormalised: rows of the result are divided instead, which is S / D times less work, and
    the backward pass needs no sum over keys.
    """

    @staticmethod
    def forward(ctx: Any, q_ZRD: Tensor, k_ZSD: Tensor, v_ZSD: Tensor, bias_TS: Tensor) -> Tensor:
        T = bias_TS.shape[-2]
        scores_ZGTS = torch.bmm(q_ZRD, k_ZSD.transpose(1, 2)).unflatten(1, (-1, T)).float()
        scores_ZGTS = scores_ZGTS * q_ZRD.shape[-1] ** -0.5 + bias_TS
        raised_ZGTS = (scores_ZGTS - scores_ZGTS.amax(-1, keepdim=True)).exp()
        total_ZR1 = raised_ZGTS.sum(-1).flatten(1).unsqueeze(-1)
        raised_ZRS = raised_ZGTS.to(v_ZSD.dtype).flatten(1, 2)
        o_ZRD = (torch.bmm(raised_ZRS, v_ZSD).float() / total_ZR1).to(v_ZSD.dtype)
        ctx.save_for_backward(q_ZRD, k_ZSD, v_ZSD, raised_ZRS, total_ZR1, o_ZRD)
        return cast("Tensor", o_ZRD)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        q_ZRD, k_ZSD, v_ZSD, raised_ZRS, total_ZR1, o_ZRD = ctx.saved_tensors
        wide_ZRD = upstream[0].float() / total_ZR1
        shared_ZR1 = (wide_ZRD * o_ZRD.float()).sum(-1, keepdim=True)
        do_ZRD = wide_ZRD.to(v_ZSD.dtype)
        dv_ZSD = torch.bmm(raised_ZRS.transpose(1, 2), do_ZRD)
        slope_ZRS = raised_ZRS.float() * (torch.bmm(do_ZRD, v_ZSD.transpose(1, 2)).float() - shared_ZR1)
        slope_ZRS = (slope_ZRS * q_ZRD.shape[-1] ** -0.5).to(v_ZSD.dtype)
        return torch.bmm(slope_ZRS, k_ZSD), torch.bmm(slope_ZRS.transpose(1, 2), q_ZRD), dv_ZSD, None

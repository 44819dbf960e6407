"""Head and cross-entropy in one: logits exist only some rows at a time, forward and backward.

Legend: N tokens, C width, V vocabulary, R rows of a chunk.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

from freehold.model import native

# Rows of a chunk: fewer make the sum over chunks of the head's gradient the larger part of the work (4,096 tokens at
# a vocabulary of 32,768, two cores with AMX: 128 rows 487 ms, 512 rows 345, 2,048 rows 269).
CHUNK_ROWS = 2048
CHUNK_NUMBERS = 2**26  # logits at most, 128 MB in bf16
# On a GPU: every chunk reads and writes the head's fp32 gradient once, which long chunks make small beside their
# products. At a vocabulary of 50,304 that is 5,120 rows and twice 512 MB (chosen by count, not yet measured on a GPU).
GPU_CHUNK_NUMBERS, GPU_ROW_TILE = 2**28, 256
IGNORED = -100  # target of a position that does not count


def head_loss(x_NC: Tensor, weight_VC: Tensor, target_N: Tensor, *, divisor: int | None = None) -> Tensor:
    """Mean cross-entropy (nats, fp32 scalar) of softmax(x W') over the targets that are not -100.

    `divisor` replaces the number of counted targets, for micro-batches that share one mean.
    """
    counted = int((target_N != IGNORED).sum()) if divisor is None else divisor
    if not torch.is_grad_enabled():  # inside, nothing tells that gradients are not wanted
        x_NC, weight_VC = x_NC.detach(), weight_VC.detach()
    loss: Tensor = _HeadLoss.apply(x_NC, weight_VC, target_N, max(counted, 1))
    return loss


def raise_logits(logits_RV: Tensor, target_R: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """exp(logits - top) in their own type (R, V), its sums (R, 1) and negative log-likelihoods (R) in fp32."""
    wide_RV = logits_RV.float()
    top_R1 = wide_RV.amax(1, keepdim=True)
    raised_RV = (wide_RV - top_R1).exp()
    total_R1 = raised_RV.sum(1, keepdim=True)
    picked_R1 = wide_RV.gather(1, target_R.clamp_min(0).unsqueeze(1))
    nll_R1 = (total_R1.log() - (picked_R1 - top_R1)) * (target_R != IGNORED).unsqueeze(1)
    return raised_RV.to(logits_RV.dtype), total_R1, nll_R1.squeeze(1)


def chunk_rows(vocabulary: int, *, device: torch.device) -> int:
    """Rows whose logits exist at once.

    >>> chunk_rows(32_768, device=torch.device("cpu")), chunk_rows(50_304, device=torch.device("cuda"))
    (2048, 5120)
    """
    if device.type == "cpu":
        return min(CHUNK_ROWS, max(64, CHUNK_NUMBERS // vocabulary))
    return max(1, GPU_CHUNK_NUMBERS // vocabulary // GPU_ROW_TILE) * GPU_ROW_TILE


class _HeadLoss(torch.autograd.Function):
    """Gradients are made in the forward pass, chunk by chunk, so nothing of size N x V outlives its chunk."""

    @staticmethod
    def forward(ctx: Any, x_NC: Tensor, weight_VC: Tensor, target_N: Tensor, divisor: int) -> Tensor:
        w_VC = weight_VC.detach().to(x_NC.dtype)
        x_NC = x_NC.detach()
        need_x, need_w = ctx.needs_input_grad[:2]
        if (need_x or need_w) and native.fits(*x_NC.shape, *w_VC.shape, like=x_NC):
            share_N = (target_N != IGNORED) / divisor
            found = native.head(x_NC, w_VC, target_N.clamp_min(0), share_N, weight=need_w)
            ctx.save_for_backward(*found[1:])
            return found[0].sum() / divisor
        rows = chunk_rows(w_VC.shape[0], device=x_NC.device)
        dx_NC = torch.empty_like(x_NC) if need_x else None
        dw_VC = torch.zeros(w_VC.shape, dtype=torch.float32, device=w_VC.device) if need_w else None
        total = torch.zeros((), dtype=torch.float32, device=x_NC.device)
        for start in range(0, x_NC.shape[0], rows):
            part = slice(start, start + rows)
            x_RC, target_R = x_NC[part], target_N[part]
            raised_RV, total_R1, nll_R = raise_logits(x_RC @ w_VC.t(), target_R)
            total += nll_R.sum()
            if need_x or need_w:
                counted_R1 = ((target_R != IGNORED) / divisor).unsqueeze(1)
                scale_R1 = counted_R1 / total_R1
                # Softmax is never written: its divisor moves to the narrow sides of both products.
                answer_R = target_R.clamp_min(0)
                raised_RV[torch.arange(len(x_RC), device=x_RC.device), answer_R] -= total_R1.squeeze(1).to(
                    raised_RV.dtype
                )
                if dx_NC is not None:
                    dx_NC[part] = (raised_RV @ w_VC) * scale_R1
                if dw_VC is not None:
                    accumulate(dw_VC, raised_RV.t() @ (x_RC * scale_R1).to(x_RC.dtype))
        ctx.save_for_backward(dx_NC, None if dw_VC is None else dw_VC.to(weight_VC.dtype))
        return total / divisor

    @staticmethod
    def backward(ctx: FunctionCtx, *upstream: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        dx_NC, dw_VC = ctx.saved_tensors  # type: ignore[attr-defined]
        scale = upstream[0]
        # The usual case: this is the last thing computed. A GPU multiplies by one rather than wait for the answer.
        if scale.is_cpu and scale.item() == 1.0:
            return dx_NC, dw_VC, None, None
        scaled = [None if slope is None else slope * scale.to(slope.dtype) for slope in (dx_NC, dw_VC)]
        return scaled[0], scaled[1], None, None


def accumulate(total: Tensor, part: Tensor) -> None:
    """Add in place, in the type of `total`."""
    total += part

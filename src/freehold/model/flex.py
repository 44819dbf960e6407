"""Attention that does not cross documents, on a GPU: FlexAttention skips the blocks that a mask leaves empty.

FlexAttention (Dong et al., arXiv:2412.05496) compiles the mask into the kernel; nothing of size T x T is kept.
"""

from __future__ import annotations

from functools import cache
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention


def document_mask(documents_BT: Tensor, *, window: int = 0) -> BlockMask:
    """Which blocks of 128 x 128 positions meet: each position sees itself and what came before in its document.

    `documents_BT` numbers the document at each position; `window` (0: all) is how many positions one sees, itself
    included. Made once a batch and used by every layer.
    """

    def meet(b: Tensor, h: Tensor, t: Tensor, s: Tensor) -> Tensor:
        del h
        near = (t >= s) & (t - s < window) if window else t >= s
        return near & (documents_BT[b, t] == documents_BT[b, s])

    B, T = documents_BT.shape
    make = _compiled(create_block_mask) if documents_BT.is_cuda else create_block_mask
    return cast("BlockMask", make(meet, B, None, T, T, device=documents_BT.device))


def document_attention(q_BHTD: Tensor, k_BKTD: Tensor, v_BKTD: Tensor, mask: BlockMask) -> Tensor:
    """Attention (B, H, T, D) over the positions that the mask lets meet.

    Outside a compiled layer it is compiled by itself on a GPU; elsewhere it runs as torch's own reference, which
    writes all scores down.
    """
    alone = q_BHTD.is_cuda and not torch.compiler.is_compiling()
    attend = _compiled(flex_attention) if alone else flex_attention
    grouped = q_BHTD.shape[1] != k_BKTD.shape[1]
    return cast("Tensor", attend(q_BHTD, k_BKTD, v_BKTD, block_mask=mask, enable_gqa=grouped))


@cache
def _compiled(function: Any) -> Any:
    return torch.compile(function, dynamic=False)

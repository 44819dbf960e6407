from __future__ import annotations

import pytest
import torch

from freehold.model import flex


@pytest.mark.parametrize(("kv_heads", "window"), [(4, 0), (2, 0), (2, 7)])
def test_no_position_sees_another_document(kv_heads: int, window: int) -> None:
    torch.manual_seed(1)
    B, H, T, D = 2, 4, 48, 16
    q = torch.randn(B, H, T, D)
    k, v = (torch.randn(B, kv_heads, T, D) for _ in range(2))
    documents_BT = torch.stack([torch.arange(T) // 20, torch.arange(T) // 48])
    seen_BTT = (documents_BT[:, :, None] == documents_BT[:, None]) & torch.ones(T, T, dtype=torch.bool).tril()
    if window:
        seen_BTT &= torch.ones(T, T, dtype=torch.bool).triu(1 - window)
    wide_k, wide_v = (x.repeat_interleave(H // kv_heads, dim=1) for x in (k, v))
    expected = torch.nn.functional.scaled_dot_product_attention(q, wide_k, wide_v, attn_mask=seen_BTT[:, None])
    found = flex.document_attention(q, k, v, flex.document_mask(documents_BT, window=window))
    torch.testing.assert_close(found, expected)

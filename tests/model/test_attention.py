from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from freehold.model import attention


@pytest.mark.parametrize(("length", "kv_heads"), [(5, 4), (16, 2), (37, 1)])
def test_products_equal_the_reference_forward_and_backward(
    length: int, kv_heads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "QUERY_BLOCK", 8)
    torch.manual_seed(1)
    shapes = ((2, 4, length, 6), (2, kv_heads, length, 6), (2, kv_heads, length, 6))
    ours = [torch.randn(shape, dtype=torch.float32).requires_grad_() for shape in shapes]
    theirs = [value.detach().clone().requires_grad_() for value in ours]
    bias_TT = attention.causal_bias(length, device=torch.device("cpu"))
    out = attention.causal_attention(*ours, bias_TT)
    reference = functional.scaled_dot_product_attention(*theirs, is_causal=True, enable_gqa=True)
    torch.testing.assert_close(out, reference)
    upstream = torch.randn_like(out)
    out.backward(upstream)
    reference.backward(upstream)
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.grad, other.grad, atol=1e-5, rtol=1e-4)


def test_rotation_depends_on_distance_only() -> None:
    x = torch.randn(1, 1, 1, 8)
    near = [attention.rotate(x, attention.rotation(torch.tensor([p]), head_size=8, theta=100.0)) for p in (3, 5)]
    far = [attention.rotate(x, attention.rotation(torch.tensor([p]), head_size=8, theta=100.0)) for p in (103, 105)]
    torch.testing.assert_close((near[0] * near[1]).sum(), (far[0] * far[1]).sum(), atol=1e-4, rtol=1e-4)

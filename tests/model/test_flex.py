from __future__ import annotations

import pytest
import torch

from freehold.model import flex
from freehold.model.attention import causal_bias
from freehold.model.config import ModelConfig
from freehold.model.rotary import turn
from freehold.model.transformer import Transformer


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


def test_a_compiled_layer_takes_the_mask_or_the_bias_and_finds_the_same() -> None:
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    torch.manual_seed(1)
    config = ModelConfig.from_depth(1, vocabulary=64, context=32, width=32, head_size=16)
    model = tiny_random(Transformer(config))
    layer, x_BTC, angles = model.model.layers[0], torch.randn(2, 32, 32), turn(torch.arange(32), config)
    compiled = torch.compile(layer, backend="eager", fullgraph=True)
    with torch.no_grad():
        for first in (10, 20):  # another mask must not need another graph
            documents_BT = torch.stack([torch.arange(32) // first, torch.arange(32) // 7])
            bias_BTT = causal_bias(32, device=x_BTC.device, documents_BT=documents_BT)
            found = compiled(x_BTC, angles, flex.document_mask(documents_BT))
            torch.testing.assert_close(found, layer(x_BTC, angles, bias_BTT))
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1


def tiny_random(model: Transformer) -> Transformer:
    """With weights."""
    with torch.no_grad():
        for weight in model.parameters():
            weight.normal_(0.0, 0.2) if weight.dim() == 2 else weight.fill_(1.0)
    return model

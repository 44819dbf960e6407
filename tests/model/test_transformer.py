from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from freehold.learn.start import initialise
from freehold.model import attention
from freehold.model.config import ModelConfig
from freehold.model.transformer import Transformer


def small(**changes: object) -> Transformer:
    config = ModelConfig.from_depth(2, vocabulary=97, context=64, head_size=16, **changes)
    model = Transformer(config)
    initialise(model, seed=3)
    for name, weight in model.named_parameters():
        if weight.dim() == 2:  # outputs start at zero; give every matrix something to say
            weight.data.normal_(0, 0.1, generator=torch.Generator().manual_seed(len(name)))
    return model


def test_the_future_does_not_reach_the_past() -> None:
    model, tokens = small(), torch.randint(0, 97, (2, 20))
    changed = tokens.clone()
    changed[:, 12:] = (changed[:, 12:] + 1) % 97
    with torch.no_grad():
        before, after = model(tokens), model(changed)
    torch.testing.assert_close(before[:, :12], after[:, :12])
    assert not torch.allclose(before[:, 12:], after[:, 12:])


def test_loss_is_the_cross_entropy_of_the_logits() -> None:
    model, tokens, targets = small(), torch.randint(0, 97, (2, 20)), torch.randint(0, 97, (2, 20))
    targets[0, :5] = -100
    with torch.no_grad():
        expected = functional.cross_entropy(model(tokens).flatten(0, 1), targets.flatten(), ignore_index=-100)
        torch.testing.assert_close(model.loss(tokens, targets), expected)


def test_attention_can_be_replaced_layer_by_layer() -> None:
    model, tokens, layers = small(), torch.randint(0, 97, (1, 9)), []

    def attend(layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        layers.append(layer)
        return functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)

    with torch.no_grad():
        torch.testing.assert_close(model.hidden(tokens, attend=attend), model.hidden(tokens), atol=1e-5, rtol=1e-5)
    assert layers == [0, 1]


def test_a_tied_head_is_the_table() -> None:
    model = small(tied=True)
    model.loss(torch.tensor([[1, 2]]), torch.tensor([[2, 3]])).backward()
    assert model.lm_head.weight is model.model.embed_tokens.weight
    assert "lm_head.weight" not in dict(model.named_parameters())


@pytest.mark.parametrize("learning", [True, False])
def test_a_document_does_not_see_its_neighbours(learning: bool) -> None:
    model = small()
    generator = torch.Generator().manual_seed(1)
    rows = torch.randint(0, 50, (2, 24), generator=generator)
    rows[1, 8:16] = rows[0, 8:16]  # the same document among other neighbours
    documents = torch.tensor([0] * 8 + [1] * 8 + [2] * 8).expand(2, 24)
    with torch.set_grad_enabled(learning):
        apart = model.hidden(rows, documents_BT=documents)
        together = model.hidden(rows)
    torch.testing.assert_close(apart[0, 8:16], apart[1, 8:16])
    assert not torch.allclose(together[0, 8:16], together[1, 8:16], atol=1e-3)
    torch.testing.assert_close(apart[:, :8], together[:, :8])


def test_masked_documents_agree_between_products_and_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    model, rows = small(), torch.arange(40).view(2, 20)
    documents = (torch.arange(20) // 7).expand(2, 20)
    products = model.hidden(rows, documents_BT=documents)
    monkeypatch.setattr(attention, "LONGEST_PRODUCT", 0)
    torch.testing.assert_close(model.hidden(rows, documents_BT=documents), products, atol=1e-5, rtol=1e-4)

"""A wider vocabulary: rows are exact means, the rest of the model is as it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from freehold.errors import InputError
from freehold.learn.vocabulary import widen, widened
from freehold.model.transformer import Transformer
from tiny_model import tiny_model

PIECES = {300: [5, 6], 301: [7, 8, 9], 303: [299]}


def tied_model() -> Transformer:
    plain = tiny_model(vocabulary_size=300)
    model = Transformer(replace(plain.config, tied=True))
    with torch.no_grad():
        for weight, other in zip(model.parameters(), plain.parameters(), strict=False):
            weight.copy_(other)
    return model


@pytest.mark.parametrize("tied", [False, True])
def test_new_rows_are_means_of_old_ones(tied: bool) -> None:
    model = tied_model() if tied else tiny_model(vocabulary_size=300)
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    widen(model, rows=305, pieces=PIECES)
    assert model.config.vocab_size == len(model.embedding) == len(model.head) == 305
    assert (model.head is model.embedding) is tied
    for table, old in ((model.embedding, "model.embed_tokens.weight"), (model.head, "lm_head.weight")):
        rows = before[old if old in before else "model.embed_tokens.weight"]
        assert torch.equal(table[:300], rows)
        assert torch.equal(table[300], (rows[5] + rows[6]) / 2)
        assert torch.equal(table[301], rows[7:10].mean(0))
        assert torch.equal(table[303], rows[299])
        torch.testing.assert_close(table[302], rows.mean(0))
    after = dict(model.named_parameters())
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before if "layers" in name)
    assert model(torch.tensor([[1, 301]])).shape == (1, 2, 305)


def test_rows_that_padded_a_table_are_used_first() -> None:
    table = torch.arange(12.0).reshape(6, 2)
    found = widened(table, rows=6, pieces={4: [0, 1]})
    assert found[4].tolist() == [1.0, 2.0] and torch.equal(found[[0, 1, 2, 3, 5]], table[[0, 1, 2, 3, 5]])


def test_bf16_rows_are_averaged_in_fp32() -> None:
    table = torch.tensor([[1.0], [1.0078125]], dtype=torch.bfloat16)
    assert widened(table, rows=3, pieces={2: [0, 1]})[2].item() == 1.00390625


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(InputError, match="2 rows are too few"):
        widened(torch.ones(3, 1), rows=2, pieces={})
    with pytest.raises(InputError, match="3 rows are too few"):
        widened(torch.ones(3, 1), rows=3, pieces={3: [0]})

"""What is frozen stays as it is to the last bit, and everything else learns."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from freehold.errors import InputError
from freehold.learn.freezing import freeze
from freehold.learn.optimizer import Rates
from freehold.learn.session import Session
from freehold.model.transformer import Transformer
from tiny_model import tiny_model


def frozen_names(*parts: str) -> set[str]:
    model = tiny_model(vocabulary_size=64)
    freeze(model, parts)
    return {name for name, weight in model.named_parameters() if not weight.requires_grad}


def test_parts_are_found_by_name() -> None:
    assert frozen_names("embedding", "head") == {"model.embed_tokens.weight", "lm_head.weight"}
    assert all(".layers.0." in name for name in frozen_names("blocks:0"))
    assert len(frozen_names("blocks:0-1")) == 2 * len(frozen_names("blocks:0")) == 22
    assert {name.split(".")[-2] for name in frozen_names("feed-forward")} == {"gate_proj", "up_proj", "down_proj"}
    assert len(frozen_names("norms")) == 9
    assert len(frozen_names("attention")) == 12


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_frozen_weights_ship_bit_for_bit(precision: str) -> None:
    model = tiny_model(vocabulary_size=64)
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    freeze(model, ["embedding", "blocks:0"])
    session = Session.of(model, rates=Rates(), precision=precision, compiled=False)
    tokens = torch.arange(32).reshape(2, 16)
    for _ in range(2):
        session.model.loss(tokens, tokens + 1).backward()
        session.optimizer.step(factor=1.0, momentum=0.9)
    after = session.weights()
    assert list(after) == list(before)
    same = {name for name in before if torch.equal(after[name], before[name])}
    assert same == {name for name in before if "embed_tokens" in name or "layers.0." in name}
    assert all(weight.dtype == torch.float32 for weight in after.values())
    assert not any("embed_tokens" in name for name in session.optimizer.state())


def test_what_cannot_be_frozen_is_refused() -> None:
    tied = Transformer(replace(tiny_model(vocabulary_size=64).config, tied=True))
    for model, parts, message in (
        (tied, ["head"], "'head': the head is the embedding table here"),
        (tied, ["blocks:5-9"], "'blocks:5-9': this model has no such weights"),
        (tied, ["embedding", "attention", "feed-forward", "norms"], "nothing is left to learn"),
    ):
        with pytest.raises(InputError, match=message):
            freeze(model, parts)

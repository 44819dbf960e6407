from __future__ import annotations

import copy

import pytest
import torch
from corpus import VOCABULARY

from freehold.errors import InputError
from freehold.learn import float8, precision
from freehold.learn.optimizer import Rates
from freehold.learn.session import Session
from freehold.learn.start import initialise
from freehold.model.config import ModelConfig
from freehold.model.transformer import Transformer


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine may have fp8")
def test_fp8_is_refused_where_it_cannot_run() -> None:
    with pytest.raises(InputError, match="Hopper"):
        precision.choose("fp8", device="cpu")


def test_emulated_fp8_learns_and_leaves_the_masters_as_they_are() -> None:
    pytest.importorskip("torchao", reason="torchao is not installed (extra fp8)")
    torch.manual_seed(1)
    config = ModelConfig.from_depth(2, vocabulary=VOCABULARY, context=32, width=32, head_size=16)
    model = Transformer(config)
    initialise(model, seed=1)
    wide = Session.of(copy.deepcopy(model), rates=Rates(), precision="bf16", compiled=False)
    narrow = Session.of(model, rates=Rates(), precision="bf16", compiled=False)
    assert float8.use(narrow.model.model.layers, emulate=True) == 7 * config.depth
    assert list(narrow.weights()) == list(wide.weights())
    tokens = torch.arange(128).view(4, 32) % VOCABULARY
    losses = {"bf16": learned(wide, tokens), "fp8": learned(narrow, tokens)}
    assert losses["fp8"][-1] < 0.7 * losses["fp8"][0]
    assert losses["fp8"] != losses["bf16"]  # it did round
    assert losses["fp8"] == pytest.approx(losses["bf16"], abs=0.1)
    assert all(weight.dtype == torch.float32 for weight in narrow.weights().values())


def learned(session: Session, tokens: torch.Tensor) -> list[float]:
    """Losses of some steps."""
    losses = []
    for _ in range(8):
        loss = session.model.loss(tokens, tokens.roll(-1, 1), divisor=tokens.numel())
        loss.backward()
        session.optimizer.step(factor=1.0, momentum=0.9)
        losses.append(loss.item())
    return losses

"""What is compiled, and what is plain again afterwards; nothing is called, so nothing is compiled here."""

from __future__ import annotations

import pytest
from corpus import VOCABULARY

from freehold.learn import compilation, optimizer
from freehold.learn.optimizer import Rates
from freehold.learn.session import Session
from freehold.model import head
from freehold.model.config import ModelConfig
from freehold.model.transformer import Transformer


def test_a_plain_session_after_a_compiled_one_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "unused")
    plain = [getattr(module, name) for module, name, _ in compilation.PLAIN]
    assert head.raise_logits in plain and optimizer.descend in plain

    def made(*, compiled: bool) -> bool:
        model = Transformer(ModelConfig.from_depth(1, vocabulary=VOCABULARY, context=32, width=32, head_size=16))
        Session.of(model, rates=Rates(), precision="fp32", compiled=compiled)
        return model.model.layers[0]._compiled_call_impl is not None

    assert made(compiled=True)
    assert not any(getattr(module, name) is function for module, name, function in compilation.PLAIN)
    assert not made(compiled=False)
    assert [getattr(module, name) for module, name, _ in compilation.PLAIN] == plain

from __future__ import annotations

import pytest
import torch

from freehold.errors import InputError
from freehold.learn import precision
from freehold.learn.utilisation import matrix_rate
from freehold.model.config import ModelConfig
from freehold.model.transformer import Transformer


def test_a_wish_is_granted_and_an_unknown_one_refused() -> None:
    assert precision.choose("fp32") == "fp32"
    assert precision.choose("auto") in ("bf16", "fp32")
    with pytest.raises(InputError, match="fp8"):
        precision.choose("fp8")


def test_a_cpu_without_bf16_computes_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    assert precision.choose("auto") == "fp32"


def test_the_table_stays_fp32() -> None:
    model = Transformer(ModelConfig.from_depth(1, vocabulary=40, context=16))
    precision.set_precision(model, "bf16")
    kept = [name for name, weight in model.named_parameters() if weight.dtype == torch.float32]
    assert kept == ["model.embed_tokens.weight"]
    assert model.stream_type == torch.bfloat16


def test_the_matrix_rate_is_a_rate() -> None:
    assert matrix_rate("fp32") > 1e8

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from freehold.errors import InputError
from freehold.learn.start import initialise
from freehold.model import hf
from freehold.model.config import ModelConfig
from freehold.model.declared import declare
from freehold.model.transformer import Transformer

SHAPE = {"vocabulary": 80, "context": 32, "width": 32, "head_size": 8}


@pytest.mark.parametrize("family", ["qwen3", "llama", "mistral", "qwen2", "olmo2", "deepseek_v3"])
def test_a_declared_model_is_one_that_transformers_opens(family: str, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    config = declare(2, family=family, **SHAPE)
    model = Transformer(config)
    initialise(model, seed=4)
    assert config.parameters == sum(weight.numel() for weight in model.parameters())
    for weight in model.parameters():
        weight.data.add_(torch.randn_like(weight), alpha=0.1)
    hf.save_folder(tmp_path, config=config, weights=model.state_dict())
    tokens = torch.randint(0, 80, (2, 32))
    with torch.no_grad():
        theirs = AutoModelForCausalLM.from_pretrained(tmp_path).eval()(tokens).logits
        assert float((theirs - model.eval()(tokens)).abs().max()) <= 1e-4


def test_the_default_is_the_plain_dial() -> None:
    assert declare(3, **SHAPE) == ModelConfig.from_depth(3, **SHAPE)


def test_experts_cost_a_token_no_more_than_the_dense_layer() -> None:
    dense = ModelConfig.from_depth(12, vocabulary=80, context=32)
    routed = declare(12, vocabulary=80, context=32, family="deepseek_v3", experts=32, experts_per_token=3)
    assert routed.experts is not None
    active = 3 * routed.width * (3 * routed.experts.width + routed.experts.shared_width)
    assert 0.9 < active / (3 * dense.width * dense.ffn_width) <= 1
    assert routed.parameters > 3 * routed.matrix_parameters


def test_experts_in_a_dense_family_are_refused() -> None:
    with pytest.raises(InputError, match=r"model\.experts: llama has no experts"):
        declare(2, family="llama", experts=4, **SHAPE)
    routed = declare(2, family="deepseek_v3", **SHAPE).to_dict()
    with pytest.raises(InputError, match="12 of 8 experts cannot be chosen"):
        ModelConfig(**{**routed, "experts": {**routed["experts"], "chosen": 12}})

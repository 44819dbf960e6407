from __future__ import annotations

import pytest

from freehold.errors import InputError
from freehold.model import config_file, families
from freehold.model.config import ModelConfig
from freehold.model.transformer import Transformer


@pytest.mark.parametrize("tied", [False, True])
def test_parameters_are_those_of_the_model(tied: bool) -> None:
    config = ModelConfig.from_depth(2, vocabulary=300, context=32, tied=tied)
    assert config.parameters == sum(weight.numel() for weight in Transformer(config).parameters())


def test_one_dial_sets_the_shape_and_the_hand_overrides_it() -> None:
    config = ModelConfig.from_depth(6, vocabulary=32_768, context=512)
    assert (config.width, config.heads, config.head_size, config.ffn_width) == (384, 6, 64, 1024)
    assert ModelConfig.from_depth(6, vocabulary=300, context=32, width=128, kv_heads=1).kv_heads == 1
    assert ModelConfig.from_depth(24, vocabulary=300, context=32).head_size == 128


def test_flops_follow_the_one_formula() -> None:
    config = ModelConfig.from_depth(6, vocabulary=32_768, context=512, kv_heads=6)
    layers = 6 * (4 * 384 * 384 + 3 * 384 * 1024)
    assert config.flops_per_token(512) == 6 * (layers + 32_768 * 384) + 6 * 6 * 512 * 384


def test_hugging_face_and_back() -> None:
    config = ModelConfig.from_depth(3, vocabulary=300, context=32, bos_id=0, eos_id=2, pad_id=3)
    assert families.read(config_file.write(config)) == config


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"model_type": "gpt2"}, "gpt2"),
        ({"hidden_act": "gelu"}, "gelu"),
        ({"quantization_config": {"quant_method": "fp8"}}, "fp8"),
        ({"hidden_size": None}, "hidden_size"),
    ],
)
def test_a_foreign_config_is_named(change: dict[str, object], word: str) -> None:
    values = {**config_file.write(ModelConfig.from_depth(1, vocabulary=300, context=32)), **change}
    values = {name: value for name, value in values.items() if value is not None or name.endswith("_id")}
    with pytest.raises(InputError, match=word):
        families.read(values)


@pytest.mark.parametrize("wrong", [{"kv_heads": 4, "heads": 6}, {"depth": 0}, {"head_size": 7}])
def test_impossible_shapes_are_refused(wrong: dict[str, int]) -> None:
    shape = {"vocab_size": 9, "width": 8, "depth": 1, "heads": 2, "kv_heads": 1, "head_size": 4, "ffn_width": 8}
    with pytest.raises(InputError):
        ModelConfig(**{**shape, "context": 8, **wrong})

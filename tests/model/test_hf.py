from __future__ import annotations

from pathlib import Path

import pytest
import torch

from freehold.errors import InputError
from freehold.model import hf
from freehold.model.config import ModelConfig
from freehold.model.transformer import Transformer


def random_model(*, tied: bool) -> Transformer:
    shape = {"width": 64, "depth": 3, "heads": 4, "kv_heads": 2, "head_size": 32, "ffn_width": 128}
    model = Transformer(ModelConfig(vocab_size=300, context=400, rope_theta=5000.0, tied=tied, **shape))
    generator = torch.Generator().manual_seed(1)
    for weight in model.parameters():
        weight.data.normal_(1.0 if weight.dim() == 1 else 0.0, 0.2, generator=generator)
    return model


@pytest.mark.parametrize("tied", [False, True])
def test_transformers_gives_the_same_logits(tied: bool, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    model = random_model(tied=tied)
    hf.save_folder(tmp_path, config=model.config, weights=model.state_dict())
    tokens = torch.randint(0, 300, (2, 320), generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        theirs = AutoModelForCausalLM.from_pretrained(tmp_path).float()(tokens).logits
        assert float((theirs - model(tokens)).abs().max()) <= 1e-4
        torch.testing.assert_close(hf.load_folder(tmp_path)(tokens), model(tokens), atol=0, rtol=0)


def test_equal_weights_give_equal_bytes(tmp_path: Path) -> None:
    model = random_model(tied=False)
    backwards = dict(reversed(model.state_dict().items()))
    hf.save_folder(tmp_path / "a", config=model.config, weights=model.state_dict())
    hf.save_folder(tmp_path / "b", config=model.config, weights=backwards)
    for name in ("config.json", "generation_config.json", "model.safetensors"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize("damage", ["config.json", "model.safetensors"])
def test_damage_is_named(damage: str, tmp_path: Path) -> None:
    model = random_model(tied=False)
    hf.save_folder(tmp_path, config=model.config, weights=model.state_dict())
    (tmp_path / damage).write_bytes(b"{")
    with pytest.raises(InputError):
        hf.load_folder(tmp_path)
    (tmp_path / damage).unlink()
    with pytest.raises(InputError, match="missing"):
        hf.load_folder(tmp_path)


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    model = random_model(tied=False)
    other = ModelConfig.from_depth(1, vocabulary=300, context=400)
    hf.save_folder(tmp_path, config=other, weights=model.state_dict())
    with pytest.raises(InputError, match=r"config\.json"):
        hf.load_folder(tmp_path)

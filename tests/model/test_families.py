from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from published import DEEPSEEK, SHAPE, VARIANTS, published, some_tokens

from freehold.errors import InputError
from freehold.model import config_file, families, hf
from freehold.model.config import ModelConfig
from freehold.model.experts import apart
from freehold.model.transformer import Transformer


@pytest.mark.parametrize("name", VARIANTS)
def test_logits_are_those_of_transformers_and_bytes_come_back(name: str, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    theirs = published(name, tmp_path / "in", shard_size="40KB" if "deepseek" in name else "5GB")
    ours = hf.load_folder(tmp_path / "in")
    tokens = some_tokens()
    with torch.no_grad():
        expected = theirs(tokens).logits
        assert float((ours(tokens) - expected).abs().max()) <= 1e-4
    with torch.enable_grad():  # the products that learning uses, not only the call that reading uses
        assert float((ours(tokens) - expected).detach().abs().max()) <= 1e-4
    count(ours)
    found = hf.inspect(tmp_path / "in")
    hf.save_folder(tmp_path / "same", config=ours.config, weights=ours.state_dict(), plan=found.plan)
    names = {path.name for path in (tmp_path / "in").iterdir()}
    assert names == {path.name for path in (tmp_path / "same").iterdir()}
    for file in names:
        assert (tmp_path / "in" / file).read_bytes() == (tmp_path / "same" / file).read_bytes(), file

    own = replace(ours.config, published=None, published_generation=None)
    hf.save_folder(tmp_path / "own", config=own, weights=ours.state_dict(), shard_bytes=30_000)
    assert len(hf.inspect(tmp_path / "own").files) > 1
    with torch.no_grad():
        again = AutoModelForCausalLM.from_pretrained(tmp_path / "own").eval()(tokens).logits
    assert float((again - expected).abs().max()) <= 1e-4
    assert families.read(config_file.write(own)) == own


def count(model: Transformer) -> None:
    """The configuration's sums are those over the tensors; of experts a token uses only those it chose."""
    config = model.config
    assert config.parameters == sum(weight.numel() for weight in model.parameters())
    used = config.vocab_size * config.width
    for name, weight in model.named_parameters():
        if weight.dim() == 3 and config.experts:
            used += weight.numel() * config.experts.chosen // config.experts.count
        elif weight.dim() == 2 and "embed_tokens" not in name and "lm_head" not in name:
            used += weight.numel()
    assert config.matrix_parameters == used
    attention = 3 * config.heads * (config.head_size + config.value_size) * config.depth
    assert config.windows or config.flops_per_token(40) == 6 * used + 40 * attention


@pytest.mark.parametrize("name", ["llama 3", "mistral", "qwen3 yarn by hand", "deepseek, yarn, biases"])
def test_the_older_form_of_config_json_means_the_same(name: str, tmp_path: Path) -> None:
    published(name, tmp_path)
    values = json.loads((tmp_path / "config.json").read_text())
    new = families.read(values)
    rope = values.pop("rope_parameters")
    theta, kind = rope.pop("rope_theta"), rope.pop("rope_type")
    old = {
        **values,
        "torch_dtype": values.pop("dtype"),
        "rope_theta": theta,
        "rope_scaling": None if kind == "default" else {**rope, "type": kind},
    }
    assert families.read(old) == new
    assert config_file.dtype_of(families.parse(json.dumps(old))) == "float32"


@pytest.mark.parametrize("name", ["llama", "deepseek", "qwen3 moe"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_folders_come_back_byte_for_byte(name: str, dtype: torch.dtype, tmp_path: Path) -> None:
    published(name, tmp_path / "in", dtype=dtype)
    model = hf.load_folder(tmp_path / "in")
    assert model.stream_type == torch.float32
    hf.save_folder(
        tmp_path / "out", config=model.config, weights=model.state_dict(), plan=hf.inspect(tmp_path / "in").plan
    )
    for file in ("config.json", "generation_config.json", "model.safetensors"):
        assert (tmp_path / "in" / file).read_bytes() == (tmp_path / "out" / file).read_bytes(), file
    hf.save_folder(tmp_path / "wide", config=model.config, weights=model.state_dict(), dtype="float32")
    told = json.loads((tmp_path / "wide" / "config.json").read_text())
    assert told == {**json.loads(model.config.published or ""), "dtype": "float32"}


def test_only_what_changed_is_written_anew(tmp_path: Path) -> None:
    published("llama 3", tmp_path)
    before = (tmp_path / "config.json").read_text()
    config = hf.load_folder(tmp_path).config
    grown = replace(config, vocab_size=120, context=128, eos_id=7)
    assert grown.scaling is not None
    grown = replace(grown, scaling=replace(grown.scaling, factor=16.0))
    told = json.loads(config_file.text(grown))
    expected = json.loads(before)
    expected |= {"vocab_size": 120, "max_position_embeddings": 128, "eos_token_id": 7}
    expected["rope_parameters"]["factor"] = 16.0
    assert told == expected
    assert json.loads(config_file.generation_text(grown) or "")["eos_token_id"] == 7
    assert config_file.text(config) == before
    with pytest.raises(InputError, match="width"):
        config_file.text(replace(config, width=64))


@pytest.mark.parametrize("name", ["qwen3", "qwen3 with biases, windows, yarn", "deepseek"])
def test_a_recipe_carries_the_shape_as_json(name: str, tmp_path: Path) -> None:
    published(name, tmp_path)
    config = hf.load_folder(tmp_path).config
    assert ModelConfig(**json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"model_type": "gpt2"}, "gpt2"),
        ({"model_type": None}, "None"),
        ({"hidden_act": "gelu"}, "gelu"),
        ({"rope_parameters": {"rope_type": "dynamic", "factor": 2.0}}, "dynamic"),
        ({"quantization_config": {"quant_method": "fp8"}}, "fp8"),
        ({"kv_lora_rank": "wide"}, "not as expected"),
        ({"n_routed_experts": 2}, "3 of 2 experts"),
    ],
)
def test_what_we_cannot_be_is_named(change: dict[str, object], word: str, tmp_path: Path) -> None:
    published("deepseek", tmp_path)
    values = {**json.loads((tmp_path / "config.json").read_text()), **change}
    with pytest.raises(InputError, match=word):
        families.read(values)


def test_a_window_spares_attention() -> None:
    dense = ModelConfig.from_depth(2, vocabulary=50, context=64, width=32, head_size=16, kv_heads=1, ffn_width=48)
    # A position sees 8 others at most: on average 7.5 of the 32 that half of a causal square of 64 are.
    assert replace(dense, windows=(8, 0)).flops_per_token(64) == dense.flops_per_token(64) - 6 * 32 * (64 - 15)


def test_experts_stand_apart_as_views() -> None:
    import transformers

    model = Transformer(families.read(transformers.DeepseekV3Config(**{**SHAPE, **DEEPSEEK}).to_dict()))
    named = apart(model.state_dict())
    named["model.layers.1.mlp.experts.5.up_proj.weight"].fill_(3.0)
    assert dict(model.named_parameters())["model.layers.1.mlp.experts.up_proj.weight"][5].eq(3.0).all()


@pytest.mark.parametrize("name", ["qwen3", "mistral with a window", "deepseek", "olmo2"])
@pytest.mark.parametrize("learning", [False, True])
def test_documents_do_not_see_one_another(name: str, learning: bool, tmp_path: Path) -> None:
    published(name, tmp_path)
    model = hf.load_folder(tmp_path)
    tokens = some_tokens(length=30)
    documents = torch.tensor([[0] * 11 + [1] * 19, [4] * 20 + [5] * 10])
    with torch.set_grad_enabled(learning):
        together = model.hidden(tokens, documents_BT=documents)
        for row, cut in enumerate((11, 20)):
            for part in (slice(0, cut), slice(cut, 30)):
                alone = model.hidden(tokens[row : row + 1, part])  # rotary positions count distances alone
                torch.testing.assert_close(together[row : row + 1, part], alone, atol=2e-5, rtol=1e-4)
    if learning:
        model.loss(tokens[:, :-1], tokens[:, 1:], documents_BT=documents[:, :-1]).backward()
        assert all(weight.grad is not None for key, weight in model.named_parameters() if "experts" not in key)

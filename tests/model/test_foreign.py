from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from published import some_tokens
from torch.nn import functional

from freehold.errors import InputError, MissingExtra
from freehold.learn.optimizer import AdamW, Rates
from freehold.learn.session import Session
from freehold.model import hf
from freehold.model.foreign import Foreign

SMALL = {"vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": ("GPT2Config", {"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": 99, "n_positions": 64}),
    "gpt_neox": ("GPTNeoXConfig", {**SMALL, "max_position_embeddings": 64}),
    "phi": ("PhiConfig", {**SMALL, "max_position_embeddings": 64}),  # its head has a bias
    "gemma": ("GemmaConfig", {**SMALL, "num_key_value_heads": 2, "head_dim": 8}),
    "gemma2": ("Gemma2Config", {**SMALL, "num_key_value_heads": 2, "head_dim": 8}),  # its logits are capped
    "mixtral": ("MixtralConfig", {**SMALL, "num_key_value_heads": 2, "num_local_experts": 4}),
}
PLAIN = {"gpt2", "gpt_neox", "gemma", "mixtral"}


def foreign(family: str, folder: Path) -> Any:
    import transformers

    kind, shape = MODELS[family]
    torch.manual_seed(3)
    model = transformers.AutoModelForCausalLM.from_config(getattr(transformers, kind)(**shape)).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight), alpha=0.1)
    model.save_pretrained(folder)
    return model


@pytest.mark.parametrize("family", MODELS)
def test_transformers_runs_it_and_its_folder_comes_back(family: str, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    theirs = foreign(family, tmp_path / "in")
    ours = hf.load_folder(tmp_path / "in")
    assert isinstance(ours, Foreign)
    assert ours.plain == (family in PLAIN)
    tokens, targets = some_tokens(), some_tokens().roll(-1, 1)
    targets[:, :5] = -100
    with torch.no_grad():
        expected = theirs(tokens).logits
        torch.testing.assert_close(ours(tokens), expected, atol=1e-5, rtol=0)
    loss = ours.loss(tokens, targets)
    torch.testing.assert_close(loss, functional.cross_entropy(expected.flatten(0, 1), targets.flatten()))
    assert ours.config.parameters == sum(weight.numel() for weight in theirs.parameters())
    weights = {name: weight.data for name, weight in ours.named_parameters()}
    hf.save_folder(tmp_path / "out", config=ours.config, weights=weights)
    assert (tmp_path / "in" / "config.json").read_bytes() == (tmp_path / "out" / "config.json").read_bytes()
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
    with torch.no_grad():
        torch.testing.assert_close(again(tokens).logits, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("family", ["gpt2", "gemma2"])
def test_a_foreign_model_learns(family: str, precision: str, tmp_path: Path) -> None:
    foreign(family, tmp_path)
    model = hf.load_folder(tmp_path)
    session = Session.of(model, rates=Rates(matrix=0.005, embedding=0.01), precision=precision, compiled=False)
    tables = [name for name, group in session.optimizer.groups.items() if isinstance(group, AdamW)]
    assert any("wte" in name or "embed_tokens" in name for name in tables)
    tokens, losses = some_tokens(), []
    for _ in range(8):
        loss = model.loss(tokens[:, :-1], tokens[:, 1:])
        loss.backward()
        session.optimizer.step(factor=1.0, momentum=0.9)
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] - 0.1
    assert all(weight.dtype == torch.float32 for weight in session.weights().values())


def test_everything_that_a_base_keeps_is_shipped(tmp_path: Path) -> None:
    shape = {"num_key_value_heads": 2, "head_dim": 8, "first_k_dense_replace": 1, "n_routed_experts": 4}
    routed = {"num_experts_per_tok": 2, "moe_intermediate_size": 16, "max_position_embeddings": 64}
    MODELS["glm4_moe"] = ("Glm4MoeConfig", {**SMALL, **shape, **routed})
    theirs = foreign("glm4_moe", tmp_path)
    session = Session.of(hf.load_folder(tmp_path), rates=Rates(), precision="fp32", compiled=False)
    (bias,) = [buffer for name, buffer in session.model.named_buffers() if name.endswith("e_score_correction_bias")]
    bias.fill_(0.5)
    weights = session.weights()
    assert set(weights) == set(theirs.state_dict())
    (shipped,) = [weight for name, weight in weights.items() if name.endswith("e_score_correction_bias")]
    assert torch.equal(shipped, bias)


def test_document_masks_are_refused_before_they_are_ignored(tmp_path: Path) -> None:
    foreign("gpt2", tmp_path)
    with pytest.raises(InputError, match="within documents"):
        hf.load_folder(tmp_path).loss(some_tokens(), some_tokens(), documents_BT=torch.zeros(2, 40))


def test_without_transformers_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign("gpt2", tmp_path)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtra, match=r"'gpt2' models run through transformers.*freehold\[foreign\]"):
        hf.load_folder(tmp_path)


def test_a_family_that_transformers_does_not_know_is_refused(tmp_path: Path) -> None:
    foreign("gpt2", tmp_path)
    values = json.loads((tmp_path / "config.json").read_text())
    code = {"auto_map": {"AutoConfig": "code.Config", "AutoModelForCausalLM": "code.Model"}, "model_type": "tower"}
    (tmp_path / "config.json").write_text(json.dumps({**values, **code}))
    (tmp_path / "code.py").write_text("raise SystemExit('a stranger ran code here')")
    with pytest.raises(InputError, match="'tower'"):
        hf.load_folder(tmp_path)


def test_a_foreign_folder_with_a_tensor_less_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    foreign("gpt_neox", tmp_path)
    path = tmp_path / "model.safetensors"
    tensors = load_file(path)
    tensors.pop("gpt_neox.final_layer_norm.weight")
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(InputError, match="final_layer_norm"):
        hf.load_folder(tmp_path)

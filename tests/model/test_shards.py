from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch
from published import published, some_tokens
from safetensors.torch import load_file, save_file

from freehold.errors import InputError
from freehold.model import hf
from freehold.model.transformer import Transformer
from freehold.proof.chain import weights_digest, weights_digest_of


def damage(folder: Path, how: str) -> None:
    """Break a sharded folder of a tiny Llama in one way."""
    index = folder / hf.INDEX
    table = json.loads(index.read_text())
    first = folder / sorted(set(table["weight_map"].values()))[0]
    tensors = load_file(first)
    name = next(iter(sorted(tensors)))
    if how == "a missing shard":
        first.unlink()
    elif how == "a cut shard":
        first.write_bytes(first.read_bytes()[:100])
    elif how == "a missing tensor":
        table["weight_map"].pop(name)
        index.write_text(json.dumps(table))
        save_file({key: value for key, value in tensors.items() if key != name}, first)
    elif how == "a tensor of another shard":
        table["weight_map"][name] = sorted(set(table["weight_map"].values()))[-1]
        index.write_text(json.dumps(table))
    elif how == "a tensor too many":
        save_file({**tensors, "model.layers.9.mlp.up_proj.weight": torch.zeros(2, 2)}, first)
    elif how == "a wrong shape":
        save_file({**tensors, name: tensors[name][1:]}, first)
    elif how == "fp8":
        save_file({**tensors, name: tensors[name].to(torch.float8_e4m3fn)}, first)
    elif how == "integers":
        save_file({**tensors, name: tensors[name].to(torch.int8)}, first)
    elif how == "a shard elsewhere":
        table["weight_map"][name] = "../model.safetensors"
        index.write_text(json.dumps(table))
    elif how == "no index":
        index.unlink()
    elif how == "no JSON":
        index.write_text("{")


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("a missing shard", r"model-00001-of-\d+\.safetensors is missing"),
        ("a cut shard", "unreadable"),
        ("a missing tensor", "embed_tokens.weight is missing"),
        ("a tensor of another shard", "is not in it"),
        ("a tensor too many", r"model\.layers\.9\.mlp\.up_proj\.weight is not of a llama model of 2 layers"),
        ("a wrong shape", r"has the shape \[98, 32\], config.json asks for \[99, 32\]"),
        ("fp8", "stored as F8_E4M3"),
        ("integers", "stored as I8"),
        ("a shard elsewhere", "no table of tensors"),
        ("no index", r"model\.safetensors is missing"),
        ("no JSON", "unreadable"),
    ],
)
def test_damage_is_named_before_the_model_is_made(
    how: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published("llama", tmp_path, shard_size="40KB")
    damage(tmp_path, how)
    made: list[str] = []
    build = Transformer.to_empty
    monkeypatch.setattr(
        Transformer, "to_empty", lambda self, device: (made.append(str(device)), build(self, device=device))[1]
    )
    with pytest.raises(InputError, match=words):
        hf.load_folder(tmp_path)
    assert "cpu" not in made


def test_other_formats_are_named(tmp_path: Path) -> None:
    published("llama", tmp_path)
    (tmp_path / hf.WEIGHTS).rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"convert pytorch_model\.bin to safetensors"):
        hf.inspect(tmp_path)


def test_inspection_reads_headers_alone(tmp_path: Path) -> None:
    theirs = published("qwen3 moe", tmp_path, shard_size="40KB")
    found = hf.inspect(tmp_path)
    assert found.parameters == sum(weight.numel() for weight in theirs.parameters())
    assert found.shapes["model.layers.0.mlp.experts.5.up_proj.weight"] == (24, 32)
    assert set(found.plan.types.values()) == {"F32"}
    assert len(found.files) > 2
    for file in found.files:  # everything behind the headers may be gone
        path = tmp_path / file
        data = path.read_bytes()
        head = 8 + int.from_bytes(data[:8], "little")
        path.write_bytes(data[:head] + bytes(len(data) - head))
    assert hf.inspect(tmp_path).shapes == found.shapes


@pytest.mark.parametrize("shard_bytes", [20_000, 10**9])
def test_own_shards_are_bounded_and_digested(shard_bytes: int, tmp_path: Path) -> None:
    theirs = published("olmo2", tmp_path / "in")
    model = hf.load_folder(tmp_path / "in")
    hf.save_folder(tmp_path / "out", config=model.config, weights=model.state_dict(), shard_bytes=shard_bytes)
    files = sorted((tmp_path / "out").glob("*.safetensors"))
    assert len(files) > 3 if shard_bytes < 10**6 else [path.name for path in files] == [hf.WEIGHTS]
    assert all(sum(tensor.nbytes for tensor in load_file(path).values()) <= 20_000 for path in files) == (
        len(files) > 1
    )
    shas = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    parts = hf.weight_files(model.config, model.state_dict(), shard_bytes=shard_bytes)
    assert hf.digest(parts) == weights_digest_of(tmp_path / "out") == weights_digest(shas)
    with torch.no_grad():
        expected = theirs(some_tokens()).logits
        torch.testing.assert_close(hf.load_folder(tmp_path / "out")(some_tokens()), expected, atol=1e-4, rtol=0)


def test_a_tied_head_of_its_own_is_refused(tmp_path: Path) -> None:
    published("qwen2 tied, a window above", tmp_path)
    path = tmp_path / hf.WEIGHTS
    tensors = load_file(path)
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()
    save_file(tensors, path, metadata={"format": "pt"})
    model = hf.load_folder(tmp_path)
    hf.save_folder(tmp_path / "out", config=model.config, weights=model.state_dict(), plan=hf.inspect(tmp_path).plan)
    assert (tmp_path / "out" / hf.WEIGHTS).read_bytes() == path.read_bytes()
    tensors["lm_head.weight"][0] += 1
    save_file(tensors, path, metadata={"format": "pt"})
    with pytest.raises(InputError, match="differs from the embedding table"):
        hf.load_folder(tmp_path)


def test_old_folders_store_angles_that_are_computed(tmp_path: Path) -> None:
    published("llama", tmp_path)
    path = tmp_path / hf.WEIGHTS
    save_file({**load_file(path), "model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(4)}, path)
    hf.load_folder(tmp_path)

"""The GGUF file holds the same numbers and the same tokenizer as the Hugging Face folder, read back by the library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from safetensors.numpy import load_file

from freehold.errors import InputError
from freehold.stages.release.gguf_file import O200K, gguf_name, write_gguf
from freehold.stages.release.weights import tensors_of
from freehold.stages.tokenize.vocabulary import CHAT_TEMPLATE, SPLIT


@pytest.fixture
def model(shop) -> Path:
    return shop.sealed["refine"].path / "model"


def written(model: Path, target: Path) -> gguf.GGUFReader:
    write_gguf(model, target, title="commons", version="0.1.0", licence="Apache-2.0", languages=["de", "ja"])
    return gguf.GGUFReader(target)


def value(reader: gguf.GGUFReader, key: str) -> Any:
    return reader.fields[key].contents()


def test_every_tensor_keeps_its_numbers(model: Path, tmp_path: Path) -> None:
    reader = written(model, tmp_path / "commons.gguf")
    found = {tensor.name: tensor for tensor in reader.tensors}
    expected = load_file(model / "model.safetensors")
    assert len(found) == len(expected) == 2 * 11 + 3
    for name, numbers in expected.items():
        tensor = found[gguf_name(name)]
        assert list(tensor.shape) == list(reversed(numbers.shape))  # GGUF names the fastest axis first
        assert np.array_equal(np.asarray(tensor.data).reshape(numbers.shape), numbers), name


def test_the_shape_is_that_of_the_configuration(model: Path, tmp_path: Path) -> None:
    reader, config = written(model, tmp_path / "m.gguf"), json.loads((model / "config.json").read_text())
    assert value(reader, "general.architecture") == "qwen3"
    assert value(reader, "general.name") == "commons"
    for key, name in {
        "block_count": "num_hidden_layers",
        "context_length": "max_position_embeddings",
        "embedding_length": "hidden_size",
        "feed_forward_length": "intermediate_size",
        "attention.head_count": "num_attention_heads",
        "attention.head_count_kv": "num_key_value_heads",
        "attention.key_length": "head_dim",
        "attention.value_length": "head_dim",
        "vocab_size": "vocab_size",
    }.items():
        assert value(reader, f"qwen3.{key}") == config[name], key
    assert value(reader, "qwen3.rope.freq_base") == config["rope_parameters"]["rope_theta"]
    assert value(reader, "qwen3.attention.layer_norm_rms_epsilon") == pytest.approx(config["rms_norm_eps"])


def test_the_tokenizer_travels_whole(model: Path, tmp_path: Path) -> None:
    reader, tokenizer = written(model, tmp_path / "m.gguf"), json.loads((model / "tokenizer.json").read_text())
    tokens, kinds = value(reader, "tokenizer.ggml.tokens"), value(reader, "tokenizer.ggml.token_type")
    size = json.loads((model / "config.json").read_text())["vocab_size"]
    assert len(tokens) == len(kinds) == size
    for token, number in tokenizer["model"]["vocab"].items():
        assert tokens[number] == token
    special = {entry["id"] for entry in tokenizer["added_tokens"]}
    held = set(tokenizer["model"]["vocab"].values()) | special
    assert [n for n, kind in enumerate(kinds) if kind == gguf.TokenType.CONTROL] == sorted(special)
    assert [n for n, kind in enumerate(kinds) if kind == gguf.TokenType.UNUSED] == sorted(set(range(size)) - held)
    assert value(reader, "tokenizer.ggml.merges") == [" ".join(pair) for pair in tokenizer["model"]["merges"]]
    assert value(reader, "tokenizer.ggml.model") == "gpt2"
    assert value(reader, "tokenizer.ggml.pre") == "gpt-4o"
    assert tokens[value(reader, "tokenizer.ggml.bos_token_id")] == "<|bos|>"
    assert tokens[value(reader, "tokenizer.ggml.eos_token_id")] == "<|im_end|>"
    assert tokens[value(reader, "tokenizer.ggml.padding_token_id")] == "<|pad|>"
    assert value(reader, "tokenizer.ggml.add_bos_token") is True
    assert value(reader, "tokenizer.chat_template") == CHAT_TEMPLATE


def test_the_split_that_llama_cpp_knows_is_the_one_tokenize_uses() -> None:
    assert O200K == SPLIT


def test_bf16_stays_bf16_and_norms_become_float32_exactly(model: Path, tmp_path: Path) -> None:
    source = tmp_path / "half"
    source.mkdir()
    for path in model.iterdir():
        (source / path.name).write_bytes(path.read_bytes())
    as_bf16(model / "model.safetensors", source / "model.safetensors")
    reader = written(source, tmp_path / "half.gguf")
    assert value(reader, "general.file_type") == gguf.LlamaFileType.MOSTLY_BF16
    stored = tensors_of(source / "model.safetensors")
    found = {tensor.name: tensor for tensor in reader.tensors}
    for name, tensor in stored.items():
        kept = found[gguf_name(name)]
        if tensor.data.ndim == 1:
            assert kept.tensor_type == gguf.GGMLQuantizationType.F32
            assert np.array_equal(kept.data, tensor.float32())
        else:
            assert kept.tensor_type == gguf.GGMLQuantizationType.BF16
            assert kept.data.tobytes() == tensor.data.tobytes()


def as_bf16(source: Path, target: Path) -> None:
    """Cut float32 to its upper half, which is bf16, and write it as safetensors by hand."""
    header: dict[str, Any] = {}
    data = b""
    for name, numbers in load_file(source).items():
        bits = (numbers.view(np.uint32) >> 16).astype("<u2").tobytes()
        header[name] = {
            "dtype": "BF16",
            "shape": list(numbers.shape),
            "data_offsets": [len(data), len(data) + len(bits)],
        }
        data += bits
    text = json.dumps(header).encode()
    target.write_bytes(len(text).to_bytes(8, "little") + text + data)


def test_equal_models_give_equal_bytes(model: Path, tmp_path: Path) -> None:
    written(model, tmp_path / "a.gguf")
    written(model, tmp_path / "b.gguf")
    assert (tmp_path / "a.gguf").read_bytes() == (tmp_path / "b.gguf").read_bytes()


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("config.json", lambda found: found.update(architectures=["LlamaForCausalLM"]), "no GGUF form here for Llama"),
        ("config.json", lambda found: found.update(use_sliding_window=True), "sliding windows"),
        ("config.json", lambda found: found.update(rope_parameters={"rope_type": "yarn"}), "'yarn' positions"),
        ("config.json", lambda found: found.update(vocab_size=100), "the model 100 rows"),
        ("tokenizer.json", lambda found: found.update(normalizer={"type": "NFC"}), "no name for the way"),
        ("tokenizer.json", lambda found: found.update(pre_tokenizer={"type": "ByteLevel"}), "no name for the way"),
    ],
)
def test_what_llama_cpp_could_not_follow_is_refused(model: Path, tmp_path: Path, file: str, change, said: str) -> None:
    found = json.loads((model / file).read_text())
    change(found)
    (model / file).write_text(json.dumps(found))
    with pytest.raises(InputError, match=said):
        written(model, tmp_path / "m.gguf")


def test_a_tensor_of_another_kind_of_model_is_named() -> None:
    with pytest.raises(InputError, match=r"model\.layers\.0\.mlp\.experts"):
        gguf_name("model.layers.0.mlp.experts.3.up_proj.weight")

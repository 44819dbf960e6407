"""A base's folder is checked whole before a weight of it is loaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from freehold.errors import InputError
from freehold.model.base import BaseModel
from tiny_model import tiny_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_folder(tmp_path / "base")


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}), encoding="utf-8")


def shard(folder: Path, *, lost: bool) -> None:
    weights = load_file(folder / "model.safetensors")
    names = sorted(weights)
    parts = {"model-00001-of-00002.safetensors": names[:5], "model-00002-of-00002.safetensors": names[5:]}
    for file, held in parts.items():
        save_file({name: weights[name] for name in held}, folder / file)
    index = {"weight_map": {name: file for file, held in parts.items() for name in held}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "model.safetensors").unlink()
    if lost:
        (folder / "model-00002-of-00002.safetensors").unlink()


def test_a_whole_folder_says_what_it_is(folder: Path) -> None:
    base = BaseModel.inspect(folder)
    assert (base.dtype, base.weights, base.tokens) == ("float32", ("model.safetensors",), 320)
    assert (base.bos, base.eos, base.pad) == (0, 2, 3)
    shard(folder, lost=False)
    assert len(BaseModel.inspect(folder).weights) == 2


def test_without_a_bos_the_token_between_documents_begins_them(folder: Path) -> None:
    edit(folder / "config.json", bos_token_id=None, pad_token_id=None)
    edit(folder / "tokenizer_config.json", bos_token=None, pad_token=None)
    base = BaseModel.inspect(folder)
    assert (base.bos, base.eos, base.pad) == (2, 2, 2)


def quantized(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    save_file({name: weight.to(torch.int8) for name, weight in weights.items()}, folder / "model.safetensors")


def torn(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-8])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda at: edit(at / "config.json", model_type="unheard-of"), "transformers cannot open 'unheard-of'"),
        (lambda at: shard(at, lost=True), "model-00002-of-00002.safetensors is missing"),
        (lambda at: (at / "model.safetensors").unlink(), "model.safetensors is missing"),
        (torn, "model.safetensors: unreadable: .*; fetch the folder again"),
        (quantized, "stored as I8"),
        (lambda at: edit(at / "config.json", quantization_config={"bits": 4}), "quanti[sz]ed"),
        (lambda at: edit(at / "config.json", vocab_size=300), "has the shape"),
        (lambda at: (at / "tokenizer.json").unlink(), "tokenizer.json is missing"),
        (lambda at: edit(at / "config.json", bos_token_id=7), "config.json gives bos the id 7, its tokenizer 0"),
        (lambda at: edit(at / "tokenizer_config.json", eos_token="<e>"), "its tokenizer has no eos token '<e>'"),
        (lambda at: (at / "config.json").write_text("["), "config.json: unreadable"),
    ],
)
def test_a_folder_that_cannot_be_trained_is_refused(folder: Path, damage: Callable[[Path], None], message: str) -> None:
    damage(folder)
    with pytest.raises(InputError, match=message):
        BaseModel.inspect(folder)

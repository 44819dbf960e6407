"""A safetensors file is read whole or refused by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from freehold.errors import InputError
from freehold.stages.release.weights import Tensor, tensors_of


def test_bf16_bits_become_the_float_they_stand_for() -> None:
    bits = np.array([0x3F80, 0xC000, 0x0001], dtype=np.uint16)
    assert Tensor(name="t", precision="BF16", data=bits).float32().tolist() == [1.0, -2.0, 2.0**-133]


def test_names_shapes_and_numbers(tmp_path: Path) -> None:
    saved = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(4, dtype=np.float16)}
    save_file(saved, tmp_path / "m.safetensors", metadata={"format": "pt"})
    found = tensors_of(tmp_path / "m.safetensors")
    assert {name: tensor.precision for name, tensor in found.items()} == {"a": "F32", "b": "F16"}
    assert np.array_equal(found["a"].data, saved["a"])
    assert found["b"].size == 4


@pytest.mark.parametrize("cut", [3, 40, 300])
def test_a_file_cut_short_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "m.safetensors"
    save_file({"a": np.zeros((16, 16), dtype=np.float32)}, path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputError, match=r"m\.safetensors: not a whole safetensors file"):
        tensors_of(path)


def test_an_unknown_precision_is_named(tmp_path: Path) -> None:
    save_file({"a": np.zeros(3, dtype=np.int64)}, tmp_path / "m.safetensors")
    with pytest.raises(InputError, match="a is stored as I64"):
        tensors_of(tmp_path / "m.safetensors")

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from freehold.errors import InputError
from freehold.learn import checkpoint

TENSORS = {"a": torch.arange(6.0), "b": torch.ones(2, 3, dtype=torch.bfloat16)}


def test_what_is_saved_is_found_and_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    assert checkpoint.latest(tmp_path) is None
    digests = {checkpoint.save(tmp_path / name, step=3, tensors=TENSORS, facts={"x": 1}) for name in "ab"}
    found = checkpoint.latest(tmp_path / "a")
    assert found is not None and digests == {found.sha256}
    assert (found.step, found.facts) == (3, {"x": 1})
    assert all(torch.equal(found.tensors()[name], value) for name, value in TENSORS.items())


def test_the_newest_stay(tmp_path: Path) -> None:
    for step in range(5):
        checkpoint.save(tmp_path, step=step, tensors=TENSORS, facts={})
    assert [path.name for path in sorted(tmp_path.glob("step-*"))] == [f"step-{n:08d}.safetensors" for n in (3, 4)]


def test_a_kill_during_a_save_leaves_the_one_before(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, step=1, tensors=TENSORS, facts={})
    (tmp_path / "step-00000002.tmp").write_bytes(b"half")
    checkpoint_two = tmp_path / "step-00000002.safetensors"
    checkpoint_two.write_bytes(b"renamed, but never named in latest.json")
    found = checkpoint.latest(tmp_path)
    assert found is not None and found.step == 1


def test_changed_bytes_are_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, step=1, tensors=TENSORS, facts={})
    path = tmp_path / "step-00000001.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="digest"):
        checkpoint.latest(tmp_path)

from __future__ import annotations

import resource
import signal
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


def test_those_of_each_so_many_steps_stay_too(tmp_path: Path) -> None:
    for step in range(0, 21, 2):
        checkpoint.save(tmp_path, step=step, tensors=TENSORS, facts={}, keep=1, every=6)
    assert [checkpoint.step_of(path) for path in sorted(tmp_path.glob("step-*"))] == [6, 12, 18, 20]


def test_what_a_killed_save_left_is_removed_by_the_next(tmp_path: Path) -> None:
    (tmp_path / "step-00000002.tmp").write_bytes(b"half")
    checkpoint.save(tmp_path, step=3, tensors=TENSORS, facts={})
    assert not list(tmp_path.glob("*.tmp"))


def test_a_full_disk_is_told_and_leaves_the_one_before(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, step=1, tensors=TENSORS, facts={"x": 1})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing more then fails as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limit[1]))
    try:
        with pytest.raises(InputError, match=r"step 2 could not be written.*make room"):
            checkpoint.save(tmp_path, step=2, tensors={"big": torch.ones(100_000)}, facts={})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, ignored)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
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

"""Digests and a walk that overlooks nothing."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from freehold.errors import InputError
from freehold.proof import digests


def test_a_folder_has_one_digest_whatever_the_order_of_writing(tmp_path: Path) -> None:
    for name, order in (("a", (1, 2, 3)), ("b", (3, 1, 2))):
        for number in order:
            path = tmp_path / name / f"sub{number % 2}" / f"{number}.bin"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes([number]) * 10)
    first, second = (digests.manifest_of(tmp_path / name) for name in "ab")
    assert first == second
    assert list(first) == ["sub0/2.bin", "sub1/1.bin", "sub1/3.bin"]
    assert digests.digest_of(first) == digests.digest_of(second)
    assert first["sub0/2.bin"] == {"sha256": hashlib.sha256(b"\2" * 10).hexdigest(), "size": 10}
    (tmp_path / "b" / "sub0" / "2.bin").write_bytes(b"\2" * 11)
    assert digests.digest_of(digests.manifest_of(tmp_path / "b")) != digests.digest_of(first)


def test_the_digest_of_a_folder_never_changes() -> None:
    manifest = {"b": {"sha256": "0" * 64, "size": 1}, "a": {"size": 2, "sha256": "f" * 64}}
    assert digests.digest_of(manifest) == "66b0b74c1027c27b8169cd80d10b6429576870a7b3fea1cd7aac7b4a2f9bcf94"


@pytest.mark.parametrize("size", [0, 1, digests.BLOCK_BYTES - 1, digests.BLOCK_BYTES, 3 * digests.BLOCK_BYTES + 7])
def test_streaming_hash(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "x").write_bytes(data)
    assert digests.sha256_file(tmp_path / "x") == hashlib.sha256(data).hexdigest()


def test_walk_finds_dot_files_links_pipes_and_empty_folders(tmp_path: Path) -> None:
    (tmp_path / ".git" / "hooks").mkdir(parents=True)
    (tmp_path / ".git" / "hooks" / "post-checkout").write_text("#!/bin/sh")
    (tmp_path / ".hidden").write_text("")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    found = {entry.path: entry.kind for entry in digests.walk(tmp_path)}
    assert found == {
        ".git/hooks/post-checkout": "file",
        ".hidden": "file",
        "empty": "empty folder",
        "link": "link",
        "pipe": "special file",
    }


@pytest.mark.parametrize("kind", ["link", "pipe", "empty folder", "name"])
def test_what_has_no_digest_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("odd\n" if kind == "name" else "odd")
    {"link": lambda: path.symlink_to("x"), "pipe": lambda: os.mkfifo(path), "empty folder": path.mkdir}.get(
        kind, path.touch
    )()
    with pytest.raises(InputError) as refused:
        digests.manifest_of(tmp_path)
    assert "odd" in str(refused.value)


def test_opening_a_pipe_or_a_link_does_not_wait_or_follow(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "target").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    for name in ("pipe", "link", "absent"):
        with pytest.raises(InputError), digests.opened(tmp_path / name):
            pass


def test_bounds(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / str(number)).write_text("12345")
    with pytest.raises(InputError, match="more than 3"):
        list(digests.walk(tmp_path, max_entries=3))
    with pytest.raises(InputError, match="at most 4"):
        digests.read_bytes(tmp_path / "0", max_bytes=4)
    assert digests.read_bytes(tmp_path / "0", max_bytes=5) == b"12345"

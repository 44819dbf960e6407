"""What a folder of strangers holds, and what of it is not followed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from freehold.tree import tree, walked


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for name in ("a.txt", "sub/b.txt", ".hidden.txt", ".git-like/c.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name, encoding="utf-8")
    return root


def names(paths: tuple[Path, ...], root: Path) -> list[str]:
    return [str(path.relative_to(root)) for path in paths]


def test_hidden_files_are_left_out(folder: Path) -> None:
    assert names(tree(folder).files, folder) == ["a.txt", "sub/b.txt"]


def test_links(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "o.txt").write_text("o", encoding="utf-8")
    for name, target in {
        "sub/up": folder,
        "self": folder / "self",
        "gone": tmp_path / "nothing",
        "inside": folder / "sub",
        "out": tmp_path / "outside",
        "out2": tmp_path / "outside",
        "file": folder / "a.txt",
    }.items():
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "pipe")
    found = walked(folder)
    assert names(found.files, folder) == ["a.txt", "file", "out/o.txt", "sub/b.txt"]
    assert {str(path.relative_to(folder)): fault for path, fault in found.faults} == {
        "gone": "dangling-link", "inside": "symlink-loop", "out2": "symlink-loop", "self": "symlink-loop",
        "sub/up": "symlink-loop",
    }  # fmt: skip


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    environment = os.environ | {"GIT_COMMITTER_DATE": "2024-05-01T12:00:00+02:00", "GIT_CONFIG_GLOBAL": "/dev/null"}
    subprocess.run(["git", *identity, "-C", str(folder), *arguments], check=True, capture_output=True, env=environment)


@pytest.fixture
def repository(folder: Path) -> Path:
    git(folder, "init")
    git(folder, "add", "a.txt", "sub")
    git(folder, "commit", "-m", "first")
    return folder


def test_a_repository_is_what_it_tracks(repository: Path) -> None:
    (repository / "draft.txt").write_text("untracked", encoding="utf-8")
    (repository / "sub" / "b.txt").write_text("changed", encoding="utf-8")
    found = tree(repository)
    assert names(found.files, repository) == ["a.txt", "sub/b.txt"]
    assert found.revision is not None
    assert found.revision.date == "2024-05-01T12:00:00+02:00"
    assert [found.revision.unchanged(path) for path in found.files] == [True, False]


def test_a_repository_runs_nothing(repository: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n", encoding="utf-8")
    trap.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "gpg.program", "filter.x.clean"):
        git(repository, "config", key, str(trap))
    git(repository, "config", "log.showSignature", "true")
    (tmp_path / "sprung").unlink(missing_ok=True)
    assert tree(repository).revision is not None
    assert not (tmp_path / "sprung").exists()


def test_a_folder_that_swaps_places_with_a_link_is_not_entered(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "b.txt").write_text("secret", encoding="utf-8")
    (repository / "sub" / "b.txt").unlink()
    (repository / "sub").rmdir()
    (repository / "sub").symlink_to(tmp_path / "elsewhere")
    assert names(tree(repository).files, repository) == ["a.txt"]

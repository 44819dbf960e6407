from pathlib import Path

import pytest

from freehold.store.atomic import place, placed


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    target, scratch = tmp_path / "made" / "file", tmp_path / "scratch"
    with placed(target, scratch=scratch) as unfinished:
        unfinished.write_bytes(b"half")
        assert not target.exists()
        assert unfinished.parent == scratch
    assert target.read_bytes() == b"half"
    assert not list(scratch.iterdir())


def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    target, scratch = tmp_path / "made" / "file", tmp_path / "scratch"
    place(target, b"old", scratch=scratch)
    with pytest.raises(RuntimeError), placed(target, scratch=scratch) as unfinished:
        unfinished.write_bytes(b"new")
        raise RuntimeError
    assert target.read_bytes() == b"old"
    assert [path.name for path in target.parent.iterdir()] == ["file"]


def test_leftovers_of_a_killed_run_are_overwritten(tmp_path: Path) -> None:
    (tmp_path / "file.unfinished").write_bytes(b"much longer than what comes now")
    place(tmp_path / "made" / "file", b"now", scratch=tmp_path)
    assert (tmp_path / "made" / "file").read_bytes() == b"now"

"""Files are replaced whole, and links are not followed."""

from __future__ import annotations

from pathlib import Path

from freehold.proof.writing import write


def test_a_link_at_the_temporary_name_leads_nowhere(tmp_path: Path) -> None:
    victim, target = tmp_path / "victim", tmp_path / "evidence" / "signature"
    victim.write_bytes(b"precious")
    target.parent.mkdir()
    (target.parent / ".signature.partial").symlink_to(victim)
    write(target, b"new")
    assert (victim.read_bytes(), target.read_bytes(), target.is_symlink()) == (b"precious", b"new", False)


def test_a_link_in_the_place_of_the_file_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / "file").symlink_to(tmp_path / "victim")
    write(tmp_path / "file", b"new")
    assert ((tmp_path / "victim").read_bytes(), (tmp_path / "file").is_symlink()) == (b"precious", False)


def test_what_a_killed_run_left_is_gone_afterwards(tmp_path: Path) -> None:
    (tmp_path / ".file.partial").write_bytes(b"half")
    write(tmp_path / "file", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]

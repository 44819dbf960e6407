"""A source file becomes parts, once."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import zstandard

from freehold.stages.curate import reading as module
from freehold.stages.curate.parts import read_rows
from freehold.stages.curate.reading import Reading, read


def reading(path: Path, folder: Path, **facts: Any) -> str:
    given = {
        "path": str(path), "name": f"s/{path.name}", "source": "s", "declared": "auto", "limit": 10_000,
        "first_row": 1 << 32, "folder": str(folder),
    }  # fmt: skip
    return json.dumps(asdict(Reading(**given | facts)))


def lines(count: int) -> bytes:
    return b"".join(json.dumps({"id": f"d{n}", "text": f"Absatz {n} " * 50}).encode() + b"\n" for n in range(count))


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART_ROWS", 10)
    monkeypatch.setattr(module, "DROP_ROWS", 3)


def test_parts_and_rows(tmp_path: Path, small_parts: None) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(25) + b"x\n" * 7)
    counts = json.loads(read(reading(path, tmp_path / "out")))
    assert (counts["read"], counts["dropped"], counts["parts"], counts["drop_parts"]) == (25, 7, 3, 3)
    rows = [row for part in sorted((tmp_path / "out").glob("part-*")) for row in read_rows(part)]
    assert [row["row"] for row in rows] == list(range(1 << 32, (1 << 32) + 25))
    assert counts["bytes"] == path.stat().st_size


def test_what_is_done_is_not_done_again(tmp_path: Path, small_parts: None) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(25))
    task = reading(path, tmp_path / "out")
    first = read(task)
    stamps = {part: part.stat().st_mtime_ns for part in (tmp_path / "out").iterdir()}
    assert read(task) == first
    assert {part: part.stat().st_mtime_ns for part in (tmp_path / "out").iterdir()} == stamps


@pytest.mark.parametrize("lost", ["done.json", "part-00001.parquet"])
def test_a_torn_unit_is_done_again(tmp_path: Path, small_parts: None, lost: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(25))
    task = reading(path, tmp_path / "out")
    first = read(task)
    (tmp_path / "out" / lost).unlink()
    (tmp_path / "out" / "part-00009.parquet").write_bytes(b"left by a killed run")
    assert read(task) == first
    assert len(list((tmp_path / "out").glob("part-*"))) == 3


@pytest.mark.parametrize(
    ("name", "data", "reason", "kept"),
    [
        ("a.jsonl", b"", "empty-file", 0),
        ("a.txt", b" \n\n", "empty-file", 0),
        ("a.jsonl.zst", zstandard.compress(lines(400), 1)[:-300], "broken-file", 200),
        ("a.jsonl.zst", b"no zstd", "broken-file", 0),
        ("a.parquet", b"PAR1 no parquet", "broken-file", 0),
        ("a.jsonl", b"x" * 500_000_0, "record-too-long", 0),
        ("a.doc", b"x", "unknown-format", 0),
    ],
)
def test_faults_are_counted(tmp_path: Path, name: str, data: bytes, reason: str, kept: int) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    counts = json.loads(read(reading(path, tmp_path / "out")))
    drops = read_rows(tmp_path / "out" / "drops-00000.parquet")
    assert [drop["reason"] for drop in drops] == [reason]
    assert counts["read"] >= kept
    assert str(tmp_path) not in drops[0]["detail"]  # no path of this machine


def test_a_file_that_vanished(tmp_path: Path) -> None:
    json.loads(read(reading(tmp_path / "gone.jsonl", tmp_path / "out")))
    assert [drop["reason"] for drop in read_rows(tmp_path / "out" / "drops-00000.parquet")] == ["unreadable-file"]


def test_a_full_disk_is_not_a_broken_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_parts: None) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_table", full)
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(25))
    with pytest.raises(OSError, match="No space"):
        read(reading(path, tmp_path / "out"))

"""The enlarged corpus of the curation bench: copies that nobody would call duplicates, and a charter over them."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
import zstandard
from legal_prose import prose

from freehold import charter_file

BENCH: dict[str, Any] = runpy.run_path(str(Path(__file__).parent.parent.parent / "bench" / "corpus.py"))


def shingles(text: str, language: str) -> set[str]:
    if language == "jpn":
        return {text[place : place + 5] for place in range(len(text) - 4)}
    words = text.split()
    return {" ".join(words[place : place + 3]) for place in range(len(words) - 2)}


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    rows = [
        {"id": f"{code}/{n}", "text": prose(code, n, words=300), "lang": code, "licence": "CC0-1.0"}
        for code in ("deu", "jpn")
        for n in range(4)
    ]
    path = tmp_path / "mul-prose.jsonl.zst"
    path.write_bytes(zstandard.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    return path


def test_copies_are_no_duplicates(shard: Path, tmp_path: Path) -> None:
    (enlarged,) = BENCH["enlarge"]([shard], tmp_path / "enlarged", times=3)
    rows = list(BENCH["records"](enlarged))
    assert len({row["id"] for row in rows}) == len(rows) == 24
    for first in range(0, len(rows), 3):
        sets = [shingles(row["text"], row["lang"]) for row in rows[first : first + 3]]
        for one, other in ((0, 1), (1, 2)):
            assert len(sets[one] & sets[other]) / len(sets[one] | sets[other]) < 0.5
    again = list(BENCH["records"](BENCH["enlarge"]([shard], tmp_path / "again", times=3)[0]))
    assert again == rows


def test_the_charter_over_shards(shard: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bench"
    folder.mkdir()
    size = BENCH["write_charter"](folder, [shard])
    charter = charter_file.load(folder / "charter.toml")
    assert size == sum(len(row["text"].encode()) for row in BENCH["records"](shard))
    assert [source.name for source in charter.sources] == ["mul"]
    assert sorted(language.code for language in charter.languages) == ["deu", "jpn"]
    assert charter.policy.licences == ("CC0-1.0",)

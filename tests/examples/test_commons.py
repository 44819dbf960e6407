"""The example is what its charter, its sources and its licences say."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import zstandard

from freehold import charter as charters
from freehold import charter_file

COMMONS = Path(__file__).resolve().parents[2] / "examples" / "commons"
Records = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def charter() -> charters.Charter:
    return charter_file.load(COMMONS / "charter.toml")


@pytest.fixture(scope="module")
def records(charter: charters.Charter) -> Records:
    """Language -> its records, as packed."""
    found: Records = {}
    for source in charter.sources:
        (path,) = charter.files_of(source)
        reader = zstandard.ZstdDecompressor(max_window_size=2**27)
        with zstandard.open(path, "rt", encoding="utf-8", dctx=reader) as lines:
            found[str(source.language)] = [json.loads(line) for line in lines]
    return found


@pytest.fixture(scope="module")
def instructions() -> list[dict[str, Any]]:
    lines = (COMMONS / "instructions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_every_record_is_free_and_says_why(charter: charters.Charter, records: Records) -> None:
    for source in charter.sources:
        for record in records[str(source.language)]:
            assert set(record) == {"id", "text", "lang", "title", "date", "url", "licence", "source"}
            assert record["licence"] == source.licence
            assert record["lang"] == source.language
            repository, commit = source.origin.split("@")
            assert record["source"].startswith(f"{repository}@{commit[:12]}:")
        assert source.statute or source.licence != "public-domain-law"


def test_ids_are_unique_and_every_language_can_spare_its_held_out_part(
    charter: charters.Charter, records: Records
) -> None:
    ids = [record["id"] for rows in records.values() for record in rows]
    assert len(set(ids)) == len(ids)
    for rows in records.values():
        assert sum(len(record["text"].encode()) for record in rows) >= 10 * charter.curate.held_out_bytes


def test_the_data_is_small() -> None:
    size = sum(path.stat().st_size for path in (COMMONS / "data").iterdir())
    assert 5_000_000 <= size <= 8_000_000


def test_sources_md_counts_what_is_there(records: Records) -> None:
    text = (COMMONS / "SOURCES.md").read_text(encoding="utf-8")
    for language, rows in records.items():
        name = f"{language}-law.jsonl.zst"
        size = sum(len(record["text"].encode()) for record in rows)
        packed = (COMMONS / "data" / name).stat().st_size
        assert f"| {name} | {len(rows):,} | {size:,} | {packed:,} | {language} |" in text


def test_instructions_are_what_the_data_gives(records: Records, instructions: list[dict[str, Any]]) -> None:
    sys.path.insert(0, str(COMMONS))
    try:
        from instructions import instructions_of  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(COMMONS))
    assert instructions_of(records) == instructions


def test_answers_are_copied_from_their_document(records: Records, instructions: list[dict[str, Any]]) -> None:
    texts = {record["id"]: record for rows in records.values() for record in rows}
    for row in instructions:
        question, answer = (message["content"] for message in row["messages"])
        record = texts[row["document"]]
        assert row["licence"] == record["licence"]
        text = re.sub(r"\s+", " ", unicodedata.normalize("NFC", record["text"]).replace("\u00ad", ""))
        if row["kind"] != "language":
            assert re.sub(r"\s+", " ", answer).strip() in text
        assert len(question.encode()) + len(answer.encode()) < 3000
        assert "@" not in question + answer


def test_every_language_is_taught_alike(instructions: list[dict[str, Any]], records: Records) -> None:
    for language in records:
        rows = [row for row in instructions if row["language"] == language]
        assert len(rows) == 150
        answers = {row["messages"][1]["content"] for row in rows if row["kind"] == "language"}
        assert len(answers) == len(records), "each language is the answer sometimes"


def test_the_pack_is_the_whole_catalogue() -> None:
    from freehold.stages.evaluate.choice import load_pack

    questions = load_pack(COMMONS / "packs" / "citizenship.jsonl")
    assert len(questions) == 310
    assert {len(question.choices) for question in questions} == {4}
    assert len({question.id for question in questions}) == 310

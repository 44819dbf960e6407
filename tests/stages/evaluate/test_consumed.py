from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest

from freehold.learn.shards import Shards
from freehold.model.folder import read_tokenizer
from freehold.model.streaming import token_bytes
from freehold.stages.evaluate import consumed
from freehold.stages.evaluate.consumed import Spelling, byte_count, consumed_text, stretches
from freehold.stages.evaluate.ngram import BEGIN, GAP, PAD, document


@pytest.fixture
def spelling(tokenized: Path) -> Spelling:
    return Spelling.of(token_bytes(read_tokenizer(tokenized)), bos=0)


def account(folder: Path, languages: dict[str, dict[str, list[list[int]]]]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "consumed.json").write_text(json.dumps({"format": 1, "languages": languages}), encoding="utf-8")
    return folder


def test_what_was_read_whole_is_the_documents(
    curated: Path, tokenized: Path, spelling: Spelling, tmp_path: Path
) -> None:
    shards = Shards.open(tokenized)
    whole: dict[str, dict[str, list[list[int]]]] = {"deu": {}, "jpn": {}}
    for row, name in enumerate(shards.documents):
        half, length = 7, int(shards.lengths[row])
        whole[shards.languages[row]][name] = [[0, half, 1], [half, length - half, 2]]
    texts = consumed_text(account(tmp_path, whole), tokenized, spelling)
    for language, found in texts.items():
        table = parquet.read_table(curated / "documents", columns=["id", "text", "language"]).to_pylist()
        rows = sorted((row for row in table if row["language"] == language), key=lambda row: row["id"])
        assert np.array_equal(found, np.concatenate([document(row["text"].encode()) for row in rows]))


def test_a_stretch_from_inside_a_document_begins_with_a_gap(
    curated: Path, tokenized: Path, spelling: Spelling, tmp_path: Path
) -> None:
    shards = Shards.open(tokenized)
    name = shards.documents[0]
    found = consumed_text(account(tmp_path, {"deu": {name: [[5, 9, 1]]}}), tokenized, spelling)["deu"]
    assert found[:PAD].tolist() == [GAP] * PAD
    tokens = read_tokenizer(tokenized).decode(shards.read(0, 5, 9).tolist())
    assert bytes(found[PAD:].astype(np.uint8)) == tokens.encode()


def test_training_accounts_for_all_its_tokens(trained: Path, tokenized: Path, spelling: Spelling) -> None:
    """The account that the train stage leaves: its stretches hold as many different tokens as it says it read."""
    texts = consumed_text(trained, tokenized, spelling)
    languages = json.loads((trained / "consumed.json").read_bytes())["languages"]
    table, shards = token_bytes(read_tokenizer(tokenized)), Shards.open(tokenized)
    for language, documents in languages.items():
        expected = 0
        for name, ranges in documents.items():
            row = shards.documents.index(name)
            for offset, length, _ in ranges:
                expected += sum(len(table[token]) for token in shards.read(row, offset, length))
        assert byte_count([texts[language]]) == expected > 1000
        assert set(texts[language][texts[language] >= BEGIN].tolist()) <= {BEGIN, GAP}


def test_ranges_that_touch_are_one_stretch_and_others_are_not() -> None:
    documents = {"b": [[3, 4, 1]], "a": [[6, 1, 1], [0, 2, 5], [2, 1, 1]]}
    assert list(stretches(documents)) == [("a", 0, 3), ("a", 6, 1), ("b", 3, 4)]


def test_more_text_than_fits_is_sampled_evenly(
    tokenized: Path, spelling: Spelling, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = Shards.open(tokenized)
    german = [row for row, language in enumerate(shards.languages) if language == "deu"]
    whole = {"deu": {shards.documents[row]: [[0, int(shards.lengths[row]), 1]] for row in german}}
    everything = consumed_text(account(tmp_path, whole), tokenized, spelling)["deu"]
    monkeypatch.setattr(consumed, "MOST_BYTES", byte_count([everything]) // 3)
    sampled = consumed_text(tmp_path, tokenized, spelling)["deu"]
    assert 0.1 < byte_count([sampled]) / byte_count([everything]) < 0.5
    assert np.array_equal(sampled[: PAD + 20], everything[: PAD + 20])

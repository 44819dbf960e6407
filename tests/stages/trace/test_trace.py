import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from corpora import StageMaker, document, write_part

from freehold.errors import InputError
from freehold.stages.tokenize import shards
from freehold.stages.tokenize.run import run as tokenize
from freehold.stages.trace.query import trace, whole_words
from freehold.stages.trace.run import run


@pytest.fixture(scope="module")
def traced(curated: Path, tokenized: Path, stage_at: StageMaker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    stage = stage_at(tmp_path_factory.mktemp("traced") / "out", name="trace", curate=curated, tokenize=tokenized)
    run(stage)
    return stage.output


def some_document(curated: Path, language: str) -> dict[str, str]:
    rows = pq.read_table(curated / "documents").to_pylist()
    return next(row for row in rows if row["language"] == language and len(row["text"]) > 800)


def test_the_index_holds_every_token_and_document(curated: Path, tokenized: Path, traced: Path) -> None:
    facts = json.loads((traced / "trace.json").read_bytes())
    tokens = json.loads((tokenized / "tokenize.json").read_bytes())
    assert facts["shards"] == [
        {"file": "suffix-00000.bin", "tokens_file": "shards/train-00000.bin", "tokens": tokens["tokens"]}
    ]
    assert facts["documents"] == tokens["documents"]
    assert np.load(traced / "unigrams.npy").sum() == tokens["tokens"]


@pytest.mark.parametrize("language", ["deu", "jpn"])
def test_a_sentence_of_law_leads_to_its_document(curated: Path, tokenized: Path, traced: Path, language: str) -> None:
    held = some_document(curated, language)
    phrase = held["text"][303:460]
    found = trace(traced, tokenized, f"Qqq zzz {phrase} xyz qqq")
    best = found[0]
    assert best.text in held["text"]
    assert len(best.text) > 100
    assert best.text in phrase or phrase in best.text
    cited = next(entry for entry in best.documents if entry.id == held["id"])
    assert (cited.title, cited.licence, cited.language) == (held["title"], held["licence"], language)
    assert cited.before + best.text + cited.after in held["text"]
    assert cited.before
    assert cited.after


def test_offsets_refer_to_the_text_and_spans_do_not_nest(curated: Path, tokenized: Path, traced: Path) -> None:
    one, two = some_document(curated, "deu")["text"], some_document(curated, "jpn")["text"]
    text = f"{one[100:220]} und dann {two[50:120]} {one[400:520]}"
    found = trace(traced, tokenized, text, min_tokens=4)
    assert all(span.text == text[span.start : span.end] for span in found)
    ordered = sorted(found, key=lambda span: span.start)
    assert all(a.end < b.end for a, b in pairwise(ordered))
    assert [span.bits for span in found] == sorted((span.bits for span in found), reverse=True)


def test_counts_are_those_of_a_search_by_hand(curated: Path, tokenized: Path, traced: Path) -> None:
    texts = pq.read_table(curated / "documents", columns=["text"]).column("text").to_pylist()
    phrase = some_document(curated, "deu")["text"][200:330]
    for span in trace(traced, tokenized, phrase):
        assert span.count <= sum(text.count(span.text) for text in texts)
        assert 0 < len(span.documents) <= span.count


def test_decomposed_letters_and_soft_hyphens_are_found(curated: Path, tokenized: Path, traced: Path) -> None:
    import unicodedata

    phrase = some_document(curated, "jpn")["text"][100:200]
    plain, odd = (trace(traced, tokenized, text) for text in (phrase, unicodedata.normalize("NFD", phrase) + "\u00ad"))
    assert [span.text for span in plain] == [span.text for span in odd]


@pytest.mark.parametrize("text", ["", "   ", "Qqzx", "<|bos|>"])
def test_what_does_not_stand_there_gives_nothing(tokenized: Path, traced: Path, text: str) -> None:
    assert trace(traced, tokenized, text) == []


def test_spans_shorter_than_asked_are_left_out(curated: Path, tokenized: Path, traced: Path) -> None:
    phrase = some_document(curated, "deu")["text"][300:340]
    assert trace(traced, tokenized, phrase, min_tokens=500) == []
    with pytest.raises(InputError, match="at least 1"):
        trace(traced, tokenized, phrase, min_tokens=0)


def test_many_shards_answer_as_one(
    curated: Path, tokenized: Path, traced: Path, stage_at: StageMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "SHARD_TOKENS", 9_000)
    cut = stage_at(tmp_path / "tokens", name="tokenize", curate=curated)
    tokenize(cut)
    stage = stage_at(tmp_path / "index", name="trace", curate=curated, tokenize=cut.output)
    run(stage)
    assert len(list(stage.output.glob("suffix-*.bin"))) > 3
    text = some_document(curated, "deu")["text"][300:600] + some_document(curated, "jpn")["text"][100:200]
    whole, parts = trace(traced, tokenized, text), trace(stage.output, cut.output, text)
    assert [(s.start, s.end, s.count) for s in whole] == [(s.start, s.end, s.count) for s in parts]
    ids = [[sorted(entry.id for entry in span.documents) for span in spans] for spans in (whole, parts)]
    assert ids[0] == ids[1]


def test_a_phrase_that_stands_everywhere_is_counted_without_comparing_all(
    stage_at: StageMaker, tmp_path: Path, law: list[dict[str, str]]
) -> None:
    phrase = "Dieses Gesetz tritt am Tag nach der Verkündung in Kraft."
    rows = [document(id=f"d{number:03d}", text=f"Nummer {number}\n\n{phrase}") for number in range(230)]
    write_part(tmp_path / "curated" / "documents" / "part-00000.parquet", [*law, *rows])
    tokens = stage_at(tmp_path / "tokens", name="tokenize", curate=tmp_path / "curated")
    tokenize(tokens)
    stage = stage_at(tmp_path / "index", name="trace", curate=tmp_path / "curated", tokenize=tokens.output)
    run(stage)
    span = trace(stage.output, tokens.output, phrase)[0]
    assert span.text == phrase
    assert span.count >= 230
    assert len(span.documents) == 10


def test_a_killed_build_keeps_finished_arrays(
    curated: Path, tokenized: Path, traced: Path, stage_at: StageMaker, tmp_path: Path
) -> None:
    stage = stage_at(tmp_path / "out", name="trace", curate=curated, tokenize=tokenized)
    shutil.copy(traced / "suffix-00000.bin", stage.output)
    stamp = (stage.output / "suffix-00000.bin").stat().st_mtime_ns
    run(stage)
    assert (stage.output / "suffix-00000.bin").stat().st_mtime_ns == stamp
    for name in ("suffix-00000.bin", "documents.arrow", "unigrams.npy", "trace.json"):
        assert (stage.output / name).read_bytes() == (traced / name).read_bytes()


def test_a_missing_index_is_named(tokenized: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no trace index here"):
        trace(tmp_path, tokenized, "Text")


def test_words_are_not_cut_but_japanese_is_taken_as_it_is() -> None:
    assert whole_words("unantastbar ist", 2, 15) == (12, 15)
    assert whole_words("法の下に平等", 1, 4) == (1, 4)
    assert whole_words("Wort", 1, 3) == (3, 3)

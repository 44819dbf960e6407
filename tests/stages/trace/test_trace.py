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
from freehold.stages.trace import run as indexing
from freehold.stages.trace.query import opened, trace
from freehold.stages.trace.run import run
from freehold.stages.trace.widening import whole_words
from freehold.text.normalise import normalise


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
    assert facts["shards"] == [{"file": "shards/train-00000.bin", "tokens": tokens["tokens"]}]
    assert [part["rows"] for part in facts["arrays"]] == [tokens["tokens"]]
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
    for name in ("suffix-00000.bin", "sample-00000.bin"):
        shutil.copy(traced / name, stage.output)
    stamp = (stage.output / "suffix-00000.bin").stat().st_mtime_ns
    run(stage)
    assert (stage.output / "suffix-00000.bin").stat().st_mtime_ns == stamp
    for name in ("suffix-00000.bin", "sample-00000.bin", "documents.arrow", "unigrams.npy", "trace.json"):
        assert (stage.output / name).read_bytes() == (traced / name).read_bytes()


def test_a_missing_index_is_named(tokenized: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no trace index here"):
        trace(tmp_path, tokenized, "Text")


def test_words_are_not_cut_but_japanese_is_taken_as_it_is() -> None:
    assert whole_words("unantastbar ist", 2, 15) == (12, 15)
    assert whole_words("法の下に平等", 1, 4) == (1, 4)
    assert whole_words("Wort", 1, 3) == (3, 3)


@pytest.fixture(scope="module")
def cut(curated: Path, tokenized: Path, stage_at: StageMaker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index over the same single shard, cut into many arrays that see only a few tokens of each other."""
    stage = stage_at(tmp_path_factory.mktemp("cut") / "out", name="trace", curate=curated, tokenize=tokenized)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(indexing, "ARRAY_TOKENS", 20_000)
        patch.setattr(indexing, "REACH", 100)
        run(stage)
    return stage.output


def test_a_shard_longer_than_an_array_is_cut_and_answers_alike(
    curated: Path, tokenized: Path, traced: Path, cut: Path
) -> None:
    parts = json.loads((cut / "trace.json").read_bytes())["arrays"]
    assert len(parts) > 3
    assert {part["shard"] for part in parts} == {0}
    assert np.array_equal(np.load(cut / "unigrams.npy"), np.load(traced / "unigrams.npy"))
    text = some_document(curated, "deu")["text"][300:600] + some_document(curated, "jpn")["text"][100:200]
    assert trace(cut, tokenized, text) == trace(traced, tokenized, text)


def test_a_span_across_a_cut_is_whole_up_to_the_reach_and_told_in_two_beyond_it(
    curated: Path, tokenized: Path, traced: Path, cut: Path
) -> None:
    corpus = opened(cut, tokenized)
    edge = corpus.offsets[1]

    def around(before: int, after: int) -> str:
        row = int(corpus.rows(np.array([edge]))[0])
        begin, end = max(edge - before, int(corpus.starts[row]) + 1), min(edge + after, int(corpus.ends[row]))
        return corpus.spelling.spell(corpus.shards[0][begin:end].tolist()).decode(errors="ignore")

    short, long = around(40, 60), around(150, 250)
    assert trace(cut, tokenized, short) == trace(traced, tokenized, short)
    whole, told = trace(traced, tokenized, long), trace(cut, tokenized, long)
    assert (min(span.start for span in told), max(span.end for span in told)) == (whole[0].start, whole[0].end)
    assert len(told) > len(whole)


def test_withdrawn_documents_are_named_without_their_text(curated: Path, tokenized: Path, traced: Path) -> None:
    held = some_document(curated, "deu")
    phrase = held["text"][303:460]
    plain = trace(traced, tokenized, phrase)
    told = trace(traced, tokenized, phrase, withdrawn=frozenset({held["id"]}))
    for before, after in zip(plain, told, strict=True):
        assert (before.text, before.count, before.bits) == (after.text, after.count, after.bits)
        for one, other in zip(before.documents, after.documents, strict=True):
            assert (one.id, one.position, one.licence) == (other.id, other.position, other.licence)
            assert other.withdrawn == (other.id == held["id"])
            assert (other.before, other.after) == (("", "") if other.withdrawn else (one.before, one.after))
    assert any(document.withdrawn for document in told[0].documents)
    assert not any(document.withdrawn for document in plain[0].documents)


def test_every_document_is_named_once_with_its_places(
    stage_at: StageMaker, tmp_path: Path, law: list[dict[str, str]]
) -> None:
    phrase = "Der Deich am alten Siel ist jeden Herbst zu prüfen."
    rows = [document(id="a", text=f"{phrase} Eins.\n\n{phrase} Zwei.\n\n{phrase}"), document(id="b", text=phrase)]
    write_part(tmp_path / "curated" / "documents" / "part-00000.parquet", [*law, *rows])
    tokens = stage_at(tmp_path / "tokens", name="tokenize", curate=tmp_path / "curated")
    tokenize(tokens)
    stage = stage_at(tmp_path / "index", name="trace", curate=tmp_path / "curated", tokenize=tokens.output)
    run(stage)
    span = trace(stage.output, tokens.output, phrase)[0]
    assert (span.text, span.count) == (phrase, 4)
    assert [(entry.id, entry.places, entry.learned) for entry in span.documents] == [("a", 3, None), ("b", 1, None)]
    assert span.documents[0].position == 1, "behind the document's BOS"

    trained = tmp_path / "trained"
    trained.mkdir()
    account = {"format": 1, "languages": {"deu": {"a": [[0, 9, 3], [9, 40, 2]]}}}
    (trained / "consumed.json").write_text(json.dumps(account))
    span = trace(stage.output, tokens.output, phrase, train_folder=trained)[0]
    assert [entry.learned for entry in span.documents] == [3, 0]
    with pytest.raises(InputError, match="no account"):
        trace(stage.output, tokens.output, phrase, train_folder=tmp_path)


def test_law_that_everyone_repeats_ranks_behind_what_one_document_says(
    stage_at: StageMaker, tmp_path: Path, law: list[dict[str, str]]
) -> None:
    formula = "Dieses Gesetz tritt am Tag nach der Verkündung in Kraft."
    rare = "Lotsenboote führen nachts zwei violette Laternen am Heck."
    rows = [document(id=f"d{number:03d}", text=f"Nummer {number}\n\n{formula}") for number in range(60)]
    rows.append(document(id="rare", text=f"{rare}\n\n{formula}"))
    write_part(tmp_path / "curated" / "documents" / "part-00000.parquet", [*law, *rows])
    tokens = stage_at(tmp_path / "tokens", name="tokenize", curate=tmp_path / "curated")
    tokenize(tokens)
    stage = stage_at(tmp_path / "index", name="trace", curate=tmp_path / "curated", tokenize=tokens.output)
    run(stage)
    found = [span.text for span in trace(stage.output, tokens.output, f"Zuerst: {formula} Sodann: {rare}")]
    assert found.index(rare) < found.index(formula)


def test_special_tokens_in_a_text_are_text(curated: Path, tokenized: Path, traced: Path) -> None:
    phrase = some_document(curated, "deu")["text"][303:460]
    plain, odd = trace(traced, tokenized, phrase), trace(traced, tokenized, f"<|bos|>{phrase}<|bos|>")
    assert [span.text for span in odd] == [span.text for span in plain]


def test_a_long_text_is_answered_whole(curated: Path, tokenized: Path, traced: Path) -> None:
    texts = pq.read_table(curated / "documents", columns=["text"]).column("text").to_pylist()
    text = max((text for text in texts if normalise(text) == text), key=len)
    found = trace(traced, tokenized, f"{text}\n{text}")
    tokens = len(opened(traced, tokenized).encode(text))
    assert tokens > 2000, "longer than what is looked up at once"
    assert sum(span.tokens >= tokens - 2 for span in found) == 2


def test_tokens_that_changed_behind_the_index_are_refused(tokenized: Path, traced: Path, tmp_path: Path) -> None:
    other = tmp_path / "tokens"
    shutil.copytree(tokenized, other)
    file = other / "shards" / "train-00000.bin"
    data = file.read_bytes()
    file.write_bytes(data[2:] + data[:2])
    with pytest.raises(InputError, match="do not belong together"):
        trace(traced, other, "Text")
    file.write_bytes(data[:-2])
    with pytest.raises(InputError, match="do not belong together"):
        trace(traced, other, "Text")

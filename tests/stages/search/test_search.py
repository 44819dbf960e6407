import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from corpora import StageMaker, write_part

from freehold.errors import InputError
from freehold.stages.search.query import search
from freehold.stages.search.run import run


@pytest.fixture(scope="module")
def indexed(curated: Path, stage_at: StageMaker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    stage = stage_at(tmp_path_factory.mktemp("indexed") / "out", name="search", curate=curated)
    run(stage)
    return stage.output


@pytest.mark.parametrize("language", ["deu", "jpn"])
def test_a_sentence_finds_its_document_with_citation(curated: Path, indexed: Path, language: str) -> None:
    held = next(row for row in pq.read_table(curated / "documents").to_pylist() if row["language"] == language)
    found = search(indexed, held["text"][150:250], top=3)
    assert [passage.rank for passage in found] == [1, 2, 3]
    assert found[0].score >= found[1].score >= found[2].score
    best = next(passage for passage in found if passage.document == held["id"])
    assert (best.title, best.licence, best.url) == (held["title"], held["licence"], held["url"])
    assert (best.language, best.source) == (language, held["source"])
    assert held["text"][best.start :].startswith(best.text)


def test_held_out_documents_are_not_searched(curated: Path, indexed: Path) -> None:
    held_out = {row["id"] for row in pq.read_table(curated / "held_out").to_pylist()}
    texts = [row["text"][:80] for row in pq.read_table(curated / "held_out").to_pylist()]
    assert not any(passage.document in held_out for text in texts for passage in search(indexed, text, top=10))


def test_the_summary_counts(curated: Path, indexed: Path) -> None:
    facts = json.loads((indexed / "search.json").read_bytes())
    assert facts["documents"] == pq.read_table(curated / "documents").num_rows
    assert facts["passages"] >= facts["documents"]
    assert sorted(path.name for path in indexed.iterdir() if path.name != ".scratch") == [
        "begins.npy",
        "passages.arrow",
        "rows.npy",
        "scores.npy",
        "search.json",
        "terms.arrow",
    ]


def test_an_empty_query_is_refused_and_an_unknown_word_finds_nothing(indexed: Path) -> None:
    with pytest.raises(InputError, match="empty"):
        search(indexed, "  ")
    assert search(indexed, "qqzzxx") == []


def test_a_rerun_over_leftovers_gives_the_same_bytes(
    curated: Path, indexed: Path, stage_at: StageMaker, tmp_path: Path
) -> None:
    stage = stage_at(tmp_path / "out", name="search", curate=curated)
    (stage.scratch / "index").mkdir()
    (stage.scratch / "index" / "passages.arrow").write_bytes(b"half of it")
    (stage.output / "terms.arrow").write_bytes(b"of a killed run")
    run(stage)
    for path in indexed.glob("*.*"):
        if path.is_file():
            assert (stage.output / path.name).read_bytes() == path.read_bytes()


def test_a_corpus_without_documents_is_an_input_error(stage_at: StageMaker, tmp_path: Path) -> None:
    write_part(tmp_path / "curated" / "documents" / "part-00000.parquet", [])
    with pytest.raises(InputError, match="no text to search in"):
        run(stage_at(tmp_path / "out", name="search", curate=tmp_path / "curated"))

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from corpora import StageMaker, document, write_part

from freehold.errors import InputError
from freehold.stages.tokenize import encode, shards, vocabulary
from freehold.stages.tokenize.run import run


def tokens_of(folder: Path) -> dict[str, list[int]]:
    """Document → its tokens, read the way a trainer or an auditor reads them."""
    facts = json.loads((folder / "tokenize.json").read_bytes())
    found = {}
    for shard in facts["shards"]:
        held = np.fromfile(folder / shard["file"], dtype=np.dtype(facts["dtype"]).newbyteorder("<"))
        assert len(held) == shard["tokens"]
        assert hashlib.sha256((folder / shard["file"]).read_bytes()).hexdigest() == shard["sha256"]
        rows = pq.read_table((folder / shard["file"]).with_suffix(".parquet")).to_pylist()
        end = 0
        for row in rows:
            assert row["start"] == end, "documents leave no gap"
            end += row["length"]
            found[row["document"]] = held[row["start"] : end].tolist()
        assert end == len(held)
    return found


def digests(folder: Path) -> dict[str, str]:
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and ".scratch" not in path.parts]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def texts_of(curated: Path) -> dict[str, str]:
    table = pq.read_table(curated / "documents", columns=["id", "text"])
    return dict(zip(table.column("id").to_pylist(), table.column("text").to_pylist(), strict=True))


def test_shards_say_what_the_documents_say(curated: Path, tokenized: Path) -> None:
    tokenizer = vocabulary.reader(tokenized / "tokenizer.json")
    texts, found = texts_of(curated), tokens_of(tokenized)
    assert set(found) == set(texts)
    for name, tokens in found.items():
        assert tokens[0] == 0
        assert 0 not in tokens[1:]
        assert tokenizer.decode(tokens[1:]) == texts[name]


def test_the_sidecar_resolves_tokens_to_documents_in_order(curated: Path, tokenized: Path) -> None:
    rows = pq.read_table(tokenized / "shards" / "train-00000.parquet").to_pylist()
    assert rows == sorted(rows, key=lambda row: (row["language"], row["document"]))
    texts = texts_of(curated)
    assert all(row["bytes"] == len(texts[row["document"]].encode()) for row in rows)
    assert {(row["source"], row["licence"]) for row in rows if row["language"] == "jpn"} == {
        ("jpn-law", "public-domain-law")
    }


def test_the_summary_adds_up(tokenized: Path) -> None:
    facts = json.loads((tokenized / "tokenize.json").read_bytes())
    assert facts["dtype"] == "uint16"
    assert facts["vocabulary"] == 700
    assert facts["tokens"] == sum(facts["tokens_by_language"].values()) == sum(s["tokens"] for s in facts["shards"])
    assert (facts["bos"], facts["eos"], facts["pad"]) == (0, 2, 3)
    runs = [run for runs in facts["streams"].values() for run in runs]
    assert sum(run["tokens"] for run in runs) == facts["tokens"]
    assert list(facts["streams"]) == ["deu", "jpn"]


def test_small_shards_hold_the_same_documents(
    curated: Path, tokenized: Path, stage_at: StageMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "SHARD_TOKENS", 9_000)
    monkeypatch.setattr(encode, "LOT_BYTES", 40_000)
    monkeypatch.setattr(encode, "GROUP_BYTES", 7_000)
    monkeypatch.setattr(encode, "PIECE_CHARACTERS", 300)
    stage = stage_at(tmp_path / "out", name="tokenize", curate=curated)
    run(stage)
    facts = json.loads((stage.output / "tokenize.json").read_bytes())
    assert len(facts["shards"]) > 3
    assert all(shard["tokens"] <= 9_000 for shard in facts["shards"])
    assert tokens_of(stage.output) == tokens_of(tokenized)
    for language, runs in facts["streams"].items():
        for piece in runs:
            rows = pq.read_table((stage.output / piece["file"]).with_suffix(".parquet")).to_pylist()
            inside = [row for row in rows if piece["start"] <= row["start"] < piece["start"] + piece["tokens"]]
            assert {row["language"] for row in inside} == {language}


def test_a_killed_run_goes_on_and_leaves_the_same_bytes(
    curated: Path, stage_at: StageMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encode, "LOT_BYTES", 60_000)
    whole = stage_at(tmp_path / "whole", name="tokenize", curate=curated)
    run(whole)
    calls = 0
    real = encode.token_lists

    def dying(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    killed = stage_at(tmp_path / "killed", name="tokenize", curate=curated)
    with monkeypatch.context() as patch:
        patch.setattr(encode, "token_lists", dying)
        with pytest.raises(KeyboardInterrupt):
            run(killed)
    assert calls == 3
    done = sorted((killed.output / ".scratch").glob("lot-*.npy"))
    stamps = [path.stat().st_mtime_ns for path in done]
    assert done
    run(killed)
    assert [path.stat().st_mtime_ns for path in done] == stamps, "finished lots are not encoded again"
    shutil.rmtree(killed.output / ".scratch")
    assert digests(killed.output) == digests(whole.output)


def test_empty_documents_are_counted_and_left_out(
    law: list[dict[str, Any]], stage_at: StageMaker, tmp_path: Path
) -> None:
    rows = [*law, document(id="nothing", text="")]
    write_part(tmp_path / "curated" / "documents" / "part-00000.parquet", rows)
    stage = stage_at(tmp_path / "out", name="tokenize", curate=tmp_path / "curated")
    run(stage)
    facts = json.loads((stage.output / "tokenize.json").read_bytes())
    assert (facts["documents"], facts["zero_token_documents"]) == (len(law), 1)
    assert "nothing" not in tokens_of(stage.output)
    table = json.loads((stage.output / "fairness.json").read_bytes())
    assert all(row["seen"] for row in table["languages"].values()), "nothing was held out"


def test_a_special_token_spelled_out_in_a_document_stays_text(
    law: list[dict[str, Any]], stage_at: StageMaker, tmp_path: Path
) -> None:
    text = "Er schrieb <|bos|> und <|im_end|>."
    write_part(tmp_path / "curated" / "documents" / "part-00000.parquet", [*law, document(id="odd", text=text)])
    stage = stage_at(tmp_path / "out", name="tokenize", curate=tmp_path / "curated")
    run(stage)
    tokens = tokens_of(stage.output)["odd"]
    assert min(tokens[1:]) >= len(vocabulary.SPECIAL)


def test_a_vocabulary_the_data_cannot_support_is_named_with_its_line(
    curated: Path, tiny: Path, stage_at: StageMaker, tmp_path: Path
) -> None:
    tiny.write_text(tiny.read_text().replace("vocabulary = 700", "vocabulary = 100_000"))
    stage = stage_at(tmp_path / "out", name="tokenize", charter=tiny, curate=curated)
    with pytest.raises(InputError, match=r"charter\.toml:\d+: a vocabulary of 100000 .* gives \d+ tokens; set it to"):
        run(stage)
    assert not (stage.output / "tokenizer.json").exists()


def test_an_empty_corpus_is_an_input_error(stage_at: StageMaker, tmp_path: Path) -> None:
    write_part(tmp_path / "curated" / "documents" / "part-00000.parquet", [])
    with pytest.raises(InputError, match="no document passed curation"):
        run(stage_at(tmp_path / "out", name="tokenize", curate=tmp_path / "curated"))


def test_wide_vocabularies_take_four_bytes() -> None:
    assert [encode.token_type(size).itemsize for size in (65_536, 65_537)] == [2, 4]
